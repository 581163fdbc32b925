package network

import (
	"fmt"
	"testing"

	"github.com/tallystick/tallystick/ledger"
)

// The same thousand transactions are sent from sixteen connections to four
// validators at once, each in an order of its own, while validators are killed,
// in the end all of them at once: there are exactly a thousand outcomes, the
// same on all four.
func TestDuplicateStorm(t *testing.T) {
	t.Parallel()
	n := New(t, 4, Options{})
	n.StartAll()
	random := Random(t)
	count := 1000
	if testing.Short() {
		count = 200
	}
	var nonces [accounts]ledger.Nonce
	var storms []*storm
	for range Rounds(t, 1, 1, 20) {
		s := n.newStorm(count, &nonces)
		const kills = 3
		s.rage(random.Uint64(), func() {
			for range kills {
				s.waitSent(s.total() / (2 * kills))
				dead := random.IntN(4)
				n.Kill(dead)
				n.goOnWithout(dead)
				n.Start(dead)
				n.WaitCaughtUp(dead)
			}
			n.Kill(n.All()...)
			for i := range n.All() {
				n.Start(i)
			}
			n.WaitCaughtUp(n.All()...)
		})
		s.outcomes(s.settle())
		storms = append(storms, s)
	}
	n.settledBalances(nonces, storms...)
	height := n.SameChain(n.All()...)
	t.Logf("%d transfers in %d blocks", count*len(storms), height)
}

// goOnWithout waits for two blocks that validators make without one of them.
func (n *Network) goOnWithout(dead int) {
	n.t.Helper()
	before := n.Height()
	n.Until(patience, fmt.Sprintf("two blocks are made without %s", n.validators[dead].name()), func() error {
		if now := n.Height(); now < before+2 {
			return fmt.Errorf("the height is %d", now)
		}
		return nil
	})
}
