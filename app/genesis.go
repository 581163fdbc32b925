package app

import (
	"bytes"
	"context"
	"fmt"
	"sort"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/crypto/ed25519"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"

	"github.com/tallystick/tallystick/ledger"
)

// genesis is the first state, in memory until block 1 is committed.
type genesis struct {
	changes []ledger.Change // ascending by key
	root    [32]byte
}

// Info tells CometBFT where the application stands: what the store committed
// last, and nothing that is only in memory. CometBFT takes the version from here
// where it has no block yet, and from the upgrades later.
func (a *Application) Info(context.Context, *abci.RequestInfo) (*abci.ResponseInfo, error) {
	res := &abci.ResponseInfo{Data: "tallystick", Version: a.options.Version, AppVersion: ledger.FirstProtocol}
	if c := a.latest.Load(); c.height > 0 {
		res.LastBlockHeight = int64(c.height)
		res.LastBlockAppHash = bytes.Clone(c.root[:])
	}
	return res, nil
}

// InitChain makes the first state of app_state and answers with its root. It
// writes nothing: after a crash before block 1 is committed, CometBFT calls it
// again. Genesis documents that would not work are refused with what to change.
func (a *Application) InitChain(_ context.Context, req *abci.RequestInitChain) (*abci.ResponseInitChain, error) {
	defer a.leave()
	if err := a.enter(); err != nil {
		return nil, err
	}
	if height := a.store.Height(); height != 0 {
		return nil, fmt.Errorf("init chain: the store is already at height %d: it belongs to a chain that has begun", height)
	}
	params, err := checkGenesisRequest(req)
	if err != nil {
		return nil, fmt.Errorf("init chain: %w", err)
	}
	doc, err := ledger.ParseGenesis(req.AppStateBytes)
	if err != nil {
		return nil, fmt.Errorf("init chain: %w", err)
	}
	state, err := doc.Build()
	if err != nil {
		return nil, fmt.Errorf("init chain: %w", err)
	}
	if state.Network.ID != req.ChainId {
		return nil, fmt.Errorf("init chain: chain_id %q and app_state.networkId %q differ: they must be the same text", req.ChainId, state.Network.ID)
	}
	validators, err := FoundingValidators(doc.Members, req.Validators)
	if err != nil {
		return nil, fmt.Errorf("init chain: %w", err)
	}
	if err := a.holdGenesis(state, ledger.UnixTime(req.Time.Unix())); err != nil {
		return nil, a.fail(fmt.Errorf("init chain: %w", err))
	}
	return &abci.ResponseInitChain{ConsensusParams: params, Validators: validators, AppHash: bytes.Clone(a.genesis.root[:])}, nil
}

// FoundingValidators are the validators that a network begins with, in the order
// of the members, which Genesis.Build has checked; or nil where there are none:
// then those are taken that the genesis document lists. A document that lists
// validators besides members must list the same. Errors name its field.
func FoundingValidators(members []ledger.GenesisMember, listed []abci.ValidatorUpdate) ([]abci.ValidatorUpdate, error) {
	powers := map[ledger.ConsensusKey]int64{}
	var validators []abci.ValidatorUpdate
	for _, m := range members {
		if m.Power > 0 {
			powers[m.ConsensusKey] = int64(m.Power)
			validators = append(validators, abci.UpdateValidator(m.ConsensusKey[:], int64(m.Power), ed25519.KeyType))
		}
	}
	if len(members) == 0 || len(listed) == 0 {
		return validators, nil
	}
	for i, v := range listed {
		var key ledger.ConsensusKey
		if raw := v.PubKey.GetEd25519(); len(raw) == len(key) {
			copy(key[:], raw)
		}
		power, known := powers[key]
		if !known {
			return nil, fmt.Errorf("validators[%d].pub_key: %s is no consensusKey of a member with power in app_state.members, or is listed twice (%s)", i, key, leaveOut)
		}
		if power != v.Power {
			return nil, fmt.Errorf("validators[%d].power: is %d, but that of its member in app_state.members is %d (%s)", i, v.Power, power, leaveOut)
		}
		delete(powers, key)
	}
	if len(powers) > 0 {
		return nil, fmt.Errorf("validators: %d of the members with power in app_state.members are missing (%s)", len(powers), leaveOut)
	}
	return validators, nil
}

const leaveOut = "leave validators empty, and the members' are taken"

// holdGenesis makes state the one that reads and block 1 start from.
func (a *Application) holdGenesis(state *ledger.GenesisState, at ledger.UnixTime) error {
	a.drop()
	staged, err := a.store.Stage(state.Changes)
	if err != nil {
		return fmt.Errorf("stage genesis: %w", err)
	}
	root := staged.Root()
	staged.Discard()
	overlay := make(ledger.MapState, len(state.Changes))
	for _, c := range state.Changes {
		overlay[string(c.Key)] = c.Value
	}
	c := &committed{time: at, root: root}
	if err := c.read(state.Network, overlay); err != nil {
		return err
	}
	a.genesis = &genesis{changes: state.Changes, root: root}
	a.latest.Store(c)
	a.pending.mu.Lock()
	a.pending.follow(c)
	a.pending.mu.Unlock()
	return nil
}

// checkGenesisRequest judges CometBFT's part of the genesis document. It
// returns the consensus parameters to set, or nil for those of the document.
func checkGenesisRequest(req *abci.RequestInitChain) (*cmtproto.ConsensusParams, error) {
	p := req.ConsensusParams
	switch {
	case req.InitialHeight > 1:
		return nil, fmt.Errorf("initial_height is %d: the first block of this ledger is 1", req.InitialHeight)
	case req.Time.Unix() <= 0:
		return nil, fmt.Errorf("genesis_time is %s: it must be set, to a time after 1970", req.Time.Format(time.RFC3339))
	case p == nil || p.Block == nil:
		return nil, fmt.Errorf("consensus_params.block is missing")
	case p.Block.MaxBytes != -1:
		return nil, fmt.Errorf("consensus_params.block.max_bytes is %d: it must be -1, because the ledger's own limit (app_state.params.maxBlockBytes) leaves large transactions for a later block without holding up the small ones behind them", p.Block.MaxBytes)
	case p.Block.MaxGas != -1:
		return nil, fmt.Errorf("consensus_params.block.max_gas is %d: it must be -1, because this ledger has no gas", p.Block.MaxGas)
	case p.Abci != nil && p.Abci.VoteExtensionsEnableHeight != 0:
		return nil, fmt.Errorf("consensus_params.abci.vote_extensions_enable_height is %d: it must be 0, because this ledger has no vote extensions", p.Abci.VoteExtensionsEnableHeight)
	case p.Version == nil || p.Version.App == 0:
		return &cmtproto.ConsensusParams{Version: &cmtproto.VersionParams{App: ledger.FirstProtocol}}, nil
	case p.Version.App != ledger.FirstProtocol:
		return nil, fmt.Errorf("consensus_params.version.app is %d: networks begin with the rules of version %d", p.Version.App, ledger.FirstProtocol)
	}
	return nil, nil
}

// join returns the changes of genesis and block 1 as one, ascending by key.
// What block 1 writes stands over genesis; what it deletes was never there.
func (g *genesis) join(block []ledger.Change) []ledger.Change {
	out := make([]ledger.Change, 0, len(g.changes)+len(block))
	rest := g.changes
	for _, c := range block {
		n := sort.Search(len(rest), func(i int) bool { return bytes.Compare(rest[i].Key, c.Key) >= 0 })
		out = append(out, rest[:n]...)
		rest = rest[n:]
		if len(rest) > 0 && bytes.Equal(rest[0].Key, c.Key) {
			rest = rest[1:]
		}
		if c.Value != nil {
			out = append(out, c)
		}
	}
	return append(out, rest...)
}
