// Package network runs whole networks for tests: every validator is a process
// of its own, the real program in a directory of its own, and can be killed,
// stopped, damaged and started again. It is what shows that nothing committed
// is lost, whatever happens to the processes.
//
//	n := network.New(t, 4, network.Options{})
//	n.StartAll()
//	load := n.StartLoad(network.LoadOptions{})
//	load.WaitReceipts(100)
//	n.Kill(2)                  // SIGKILL: nothing is flushed, nothing is said
//	n.Start(2)
//	n.WaitCaughtUp(2)
//	load.Stop()
//	load.Verify(0, 1, 2, 3)    // every answer ever given is given again, byte for byte
//	n.SameChain(0, 1, 2, 3)
//
// A failed check ends the test and shows what the validators last logged.
// Nothing waits for a time to pass, always for something to be so: Until is
// the one loop that waits.
//
// # The campaign
//
// The tests of this package are small enough to run always. scripts/campaign
// runs the same tests for longer: it sets CAMPAIGN_PERCENT, by which Rounds
// scales what they repeat, and CAMPAIGN_SEED, from which Random takes its
// numbers.
package network
