package node

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/cometbft/cometbft/consensus"
)

// TestLostMarkIsAdded: a log that lacks the end of the chain's last height, as
// after a death between saving a block and writing its end, has it after a start.
func TestLostMarkIsAdded(t *testing.T) {
	n := newTestnet(t, 1)
	n.calm()
	n.startAll()
	n.reach(0, n.commit(0, 0)+1) // and then nothing is voted on: a vote of which the log is lost could not be given again
	n.stop()
	path := n.files.home(0).ConsensusLogFile()
	if err := os.RemoveAll(filepath.Dir(path)); err != nil {
		t.Fatal(err)
	}
	wal := openLog(t, path) // it begins with the end of height 0
	closeLog(t, wal)

	node, err := New(n.configuration(0), string(n.files.home(0)), Options{Logger: n.o.Log})
	if err != nil {
		t.Fatal(err)
	}
	n.nodes[0] = node
	height := node.env.BlockStore.Height() // after the replay, before consensus
	if err := node.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	n.commit(0, 1)
	n.stop()
	wal = openLog(t, path)
	defer closeLog(t, wal)
	found, has, err := wal.SearchForEndHeight(height, &consensus.WALSearchOptions{})
	if err != nil || !has {
		t.Fatalf("the log has no end of height %d: %v", height, err)
	}
	if err := found.Close(); err != nil {
		t.Error(err)
	}
}

func openLog(t *testing.T, path string) *consensus.BaseWAL {
	t.Helper()
	wal, err := consensus.NewWAL(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := wal.Start(); err != nil {
		t.Fatal(err)
	}
	return wal
}

func closeLog(t *testing.T, wal *consensus.BaseWAL) {
	t.Helper()
	if err := wal.Stop(); err != nil {
		t.Error(err)
	}
	wal.Wait()
}
