package network

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tallystick/tallystick/rpc/wire"
)

const (
	// patience is how long anything may take that should take a moment. It is
	// long because other tests may share the machine.
	patience = 90 * time.Second
	// lookAgain is how often Until looks.
	lookAgain = 20 * time.Millisecond
)

// Until waits until condition returns nil, and fails the test if it has not
// within a time. what completes "waited for: ".
func (n *Network) Until(within time.Duration, what string, condition func() error) {
	n.t.Helper()
	deadline := time.Now().Add(within)
	for {
		err := condition()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			n.t.Fatalf("waited %s for: %s; the last look: %v", within, what, err)
		}
		time.Sleep(lookAgain)
	}
}

// RPC returns a client of validator i. It may be called from any goroutine.
func (n *Network) RPC(i int) *Client { return n.validators[i].client }

// StartAll starts all validators and waits until all of them answer and the
// first block is there.
func (n *Network) StartAll() {
	n.t.Helper()
	for i := range n.validators {
		n.Start(i)
	}
	for i := range n.validators {
		n.WaitHeight(i, 1)
	}
}

// WaitHeight waits until validator i answers and is at a height, or above. It
// fails at once if the validator has ended.
func (n *Network) WaitHeight(i int, height uint64) wire.Status {
	n.t.Helper()
	return n.waitStatus(i, fmt.Sprintf("%s is at height %d", n.validators[i].name(), height), func(s wire.Status) error {
		if s.Height < height {
			return fmt.Errorf("it is at %d", s.Height)
		}
		return nil
	})
}

// waitStatus waits until validator i is in a state that condition accepts.
func (n *Network) waitStatus(i int, what string, condition func(wire.Status) error) (status wire.Status) {
	n.t.Helper()
	n.Until(patience, what, func() error {
		if !n.Running(i) {
			p := n.validators[i].process.Load()
			n.t.Fatalf("waited for: %s; %s has ended, with exit code %d", what, n.validators[i].name(), p.code)
		}
		s, err := n.RPC(i).Status(context.Background())
		if err != nil {
			return err
		}
		status = s
		return condition(s)
	})
	return status
}

// Height is the highest height that a running validator answers for.
func (n *Network) Height() uint64 {
	n.t.Helper()
	var top uint64
	for i := range n.validators {
		if !n.Running(i) {
			continue
		}
		if s, err := n.RPC(i).Status(context.Background()); err == nil {
			top = max(top, s.Height)
		}
	}
	return top
}

// WaitCaughtUp waits until validators are where the network is now, take part
// in consensus, and have the next block too.
func (n *Network) WaitCaughtUp(validators ...int) {
	n.t.Helper()
	top := n.Height()
	for _, i := range validators {
		n.waitStatus(i, fmt.Sprintf("%s has caught up with height %d and goes on", n.validators[i].name(), top), func(s wire.Status) error {
			if s.CatchingUp {
				return fmt.Errorf("it is catching up, at height %d", s.Height)
			}
			if s.Height <= top {
				return fmt.Errorf("it is at height %d", s.Height)
			}
			return nil
		})
	}
}

// Blocks returns blocks from to to, both included, as validator i has them.
func (n *Network) Blocks(i int, from, to uint64) [][]byte {
	n.t.Helper()
	var questions []Question
	for h := from; h <= to; h++ {
		questions = append(questions, Ask("ledger_getBlock", h))
	}
	answers, err := n.RPC(i).CallAll(context.Background(), questions)
	if err != nil {
		n.t.Fatalf("%s: %v", n.validators[i].name(), err)
	}
	blocks := make([][]byte, len(answers))
	for j, a := range answers {
		blocks[j] = a
	}
	return blocks
}

// SameChain checks that validators answer with the same bytes about every
// block, header and AppHash included, up to the lowest height that all of them
// have, and returns that height. Their states after it agree too.
func (n *Network) SameChain(validators ...int) uint64 {
	n.t.Helper()
	low := n.WaitHeight(validators[0], 1).Height
	for _, i := range validators[1:] {
		low = min(low, n.WaitHeight(i, 1).Height)
	}
	want := n.Blocks(validators[0], 1, low)
	for _, i := range validators[1:] {
		for j, got := range n.Blocks(i, 1, low) {
			if !bytes.Equal(want[j], got) {
				n.t.Fatalf("block %d of %s is\n%s\nbut of %s\n%s", j+1,
					n.validators[validators[0]].name(), want[j], n.validators[i].name(), got)
			}
		}
	}
	n.sameState(validators, low)
	return low
}

// sameState compares all balances of the load's accounts at a height.
func (n *Network) sameState(validators []int, height uint64) {
	n.t.Helper()
	var questions []Question
	for i := range accounts {
		questions = append(questions, Ask("ledger_getAccount", address(i).String(), height))
	}
	var want []byte
	for _, i := range validators {
		answers, err := n.RPC(i).CallAll(context.Background(), questions)
		if err != nil {
			n.t.Fatalf("%s: %v", n.validators[i].name(), err)
		}
		var got []byte
		for _, a := range answers {
			got = append(append(got, a...), '\n')
		}
		if want == nil {
			want = got
		} else if !bytes.Equal(want, got) {
			n.t.Fatalf("at height %d %s has the accounts\n%s\nbut %s\n%s", height,
				n.validators[validators[0]].name(), want, n.validators[i].name(), got)
		}
	}
}

// isRPCError reports whether err is an answer, and with which code.
func isRPCError(err error) (*RPCError, bool) {
	var answer *RPCError
	return answer, errors.As(err, &answer)
}
