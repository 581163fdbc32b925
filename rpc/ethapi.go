package rpc

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"strconv"

	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/rpc/wire"
)

// ethAPI has one method for each eth_* method, as ledgerAPI has for ledger_*. They
// translate: whatever they say, the native methods say too. The methods stand in
// files by what they are about: ethblocks.go, ethstate.go, ethcall.go, ethfees.go,
// ethsubmit.go and ethlogs.go.
type ethAPI struct{ s *Server }

// netAPI has the net_* methods.
type netAPI struct{ s *Server }

// web3API has the web3_* methods.
type web3API struct{ s *Server }

// ChainId is eth_chainId.
func (a *ethAPI) ChainId(ctx context.Context) (json.RawMessage, error) {
	return a.s.answer(ctx, "eth_chainId", nil, func(context.Context, *params) (any, error) {
		return hexutil.Uint64(a.s.backend.Network().ChainID), nil
	})
}

// Accounts is eth_accounts.
func (a *ethAPI) Accounts(ctx context.Context) (json.RawMessage, error) {
	return a.s.answer(ctx, "eth_accounts", nil, func(context.Context, *params) (any, error) {
		return []crypto.Address{}, nil // a node keeps nobody's keys
	})
}

// syncProgress is the result of eth_syncing while the node catches up.
type syncProgress struct {
	StartingBlock hexutil.Uint64 `json:"startingBlock"`
	CurrentBlock  hexutil.Uint64 `json:"currentBlock"`
	HighestBlock  hexutil.Uint64 `json:"highestBlock"` // that a peer is known to have
}

// Syncing is eth_syncing.
func (a *ethAPI) Syncing(ctx context.Context) (json.RawMessage, error) {
	return a.s.answer(ctx, "eth_syncing", nil, func(ctx context.Context, _ *params) (any, error) {
		status, err := a.s.backend.Status(ctx)
		if err != nil || !status.CatchingUp {
			return false, err
		}
		peers, err := a.s.backend.Peers()
		if err != nil {
			return nil, err
		}
		highest := status.Height
		for _, p := range peers {
			if p.Height != nil {
				highest = max(highest, *p.Height)
			}
		}
		return syncProgress{hexutil.Uint64(a.s.startHeight), hexutil.Uint64(status.Height), hexutil.Uint64(highest)}, nil
	})
}

// Version is net_version.
func (a *netAPI) Version(ctx context.Context) (json.RawMessage, error) {
	return a.s.answer(ctx, "net_version", nil, func(context.Context, *params) (any, error) {
		return strconv.FormatUint(a.s.backend.Network().ChainID, 10), nil
	})
}

// Listening is net_listening.
func (a *netAPI) Listening(ctx context.Context) (json.RawMessage, error) {
	return a.s.answer(ctx, "net_listening", nil, func(context.Context, *params) (any, error) { return true, nil })
}

// PeerCount is net_peerCount.
func (a *netAPI) PeerCount(ctx context.Context) (json.RawMessage, error) {
	return a.s.answer(ctx, "net_peerCount", nil, func(context.Context, *params) (any, error) {
		peers, err := a.s.backend.Peers()
		return hexutil.Uint64(len(peers)), err
	})
}

// ClientVersion is web3_clientVersion.
func (a *web3API) ClientVersion(ctx context.Context) (json.RawMessage, error) {
	return a.s.answer(ctx, "web3_clientVersion", nil, func(context.Context, *params) (any, error) {
		return fmt.Sprintf("Tallystick/%s/%s-%s/%s", a.s.options.Version, runtime.GOOS, runtime.GOARCH, runtime.Version()), nil
	})
}

// Sha3 is web3_sha3.
func (a *web3API) Sha3(ctx context.Context, data arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "web3_sha3", []arg{data}, func(_ context.Context, p *params) (any, error) {
		raw := p.raw()
		if p.err != nil {
			return nil, p.err
		}
		return crypto.Keccak256(raw), nil
	})
}

// ethData is raw data as a result.
func ethData(b []byte) wire.Bytes { return wire.Bytes(b) }
