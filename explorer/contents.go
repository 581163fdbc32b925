package explorer

import (
	"fmt"
	"runtime"
	"sync"

	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// Votes reads the votes of a commit.
func Votes(list []wire.CommitVote) ([]Vote, error) {
	if len(list) == 0 {
		return nil, nil
	}
	out := make([]Vote, len(list))
	for i, v := range list {
		if len(v.ConsensusAddress) != len(out[i].Validator) {
			return nil, fmt.Errorf("vote %d is by %x, which is no consensus address", i, v.ConsensusAddress)
		}
		out[i].Power = v.Power
		copy(out[i].Validator[:], v.ConsensusAddress)
		switch v.Vote {
		case "signed":
			out[i].Vote = VoteSigned
		case "nil":
			out[i].Vote = VoteNil
		case "missing":
		default:
			return nil, fmt.Errorf("vote %d is %q, which is no vote", i, v.Vote)
		}
	}
	return out, nil
}

// FromContents reads a block as the native RPC tells it. The signers are recovered
// here, on all processors: they are not taken on trust.
func FromContents(net *ledger.Network, c *wire.BlockContents) (*Block, error) {
	out := &Block{
		Height: ledger.Height(c.Block.Height), Hash: c.Block.Hash, ParentHash: c.Block.ParentHash, AppHash: c.Block.AppHash,
		ResultsHash: c.Block.ResultsHash, Time: ledger.UnixTime(c.Block.Time), Millis: uint16(c.Millis % 1000), SizeBytes: c.Block.SizeBytes,
		Txs: make([]*ledger.Tx, len(c.Transactions)), Results: make([]ledger.TxResult, len(c.Transactions)), Events: events(c.Events),
	}
	copy(out.Proposer[:], c.Block.Proposer)
	var err error
	if out.LastCommit, err = Votes(c.Votes); err != nil {
		return nil, err
	}
	if c.Params != nil {
		if out.Params, err = params(c.Params); err != nil {
			return nil, err
		}
	}
	for i, tx := range c.Transactions {
		out.Txs[i], _ = ledger.Decode(net, tx.Raw) // one at fault stands in a block all the same
		out.Results[i] = ledger.TxResult{Code: ledger.Code(tx.Code), BodyHash: tx.BodyHash, Events: events(tx.Events)}
	}
	recoverAll(out.Txs)
	return out, nil
}

func events(list []wire.Event) []ledger.Event {
	out := make([]ledger.Event, len(list))
	for i := range list {
		out[i] = list[i].Event
	}
	return out
}

func recoverAll(txs []*ledger.Tx) {
	workers := min(runtime.GOMAXPROCS(0), len(txs))
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for i := w; i < len(txs); i += workers {
				txs[i].RecoverSigners()
			}
		})
	}
	group.Wait()
}

// params reads parameters by their names: each must be there.
func params(p *wire.Params) (*ledger.Params, error) {
	out := &ledger.Params{}
	for _, n := range p.Parameters {
		if !out.Set(n.Name, n.Value) {
			return nil, fmt.Errorf("there is no parameter %q", n.Name)
		}
	}
	for _, t := range p.Thresholds {
		kind, ok := ledger.ParseActionKind(t.Action)
		if !ok {
			return nil, fmt.Errorf("there is no action %q", t.Action)
		}
		out.Thresholds[kind-1] = ledger.Threshold{Numerator: t.Numerator, Denominator: t.Denominator}
	}
	if err := out.Check(); err != nil {
		return nil, fmt.Errorf("parameters: %w", err)
	}
	return out, nil
}
