package network

import "testing"

// A validator that is killed under load is not missed, and comes back with
// nothing lost.
func TestKillOne(t *testing.T) {
	t.Parallel()
	n := New(t, 4, Options{})
	n.StartAll()
	random := Random(t)
	load := n.StartLoad(LoadOptions{Seed: random.Uint64()})
	load.WaitReceipts(50)
	for range Rounds(t, 1, 2, 50) {
		dead := random.IntN(4)
		n.Kill(dead)
		load.WaitReceipts(20 + random.IntN(100))
		n.Start(dead)
		n.WaitCaughtUp(dead)
		load.WaitReceipts(1)
		load.Verify(dead)
	}
	load.Stop()
	n.WaitCaughtUp(n.All()...)
	load.Verify(n.All()...)
	height := n.SameChain(n.All()...)
	t.Logf("%d transfers in %d blocks", load.Receipts(), height)
}

// All validators killed at once under load: whatever any of them has given a
// receipt for is still there, on all of them, and so is every other answer
// about the past.
func TestKillAll(t *testing.T) {
	t.Parallel()
	n := New(t, 4, Options{})
	n.StartAll()
	random := Random(t)
	load := n.StartLoad(LoadOptions{Seed: random.Uint64()})
	for range Rounds(t, 1, 2, 20) {
		load.WaitReceipts(50 + random.IntN(200))
		n.Kill(n.All()...)
		for i := range n.All() {
			n.Start(i)
		}
		n.WaitCaughtUp(n.All()...)
		load.Verify(n.All()...)
		n.SameChain(n.All()...)
	}
	load.Stop()
	for i := range n.All() {
		n.Stop(i)
	}
	for i := range n.All() {
		n.Start(i)
	}
	n.WaitCaughtUp(n.All()...)
	load.Verify(n.All()...)
	height := n.SameChain(n.All()...)
	t.Logf("%d transfers in %d blocks", load.Receipts(), height)
}
