package node

import (
	"fmt"
	"os"

	"github.com/cometbft/cometbft/consensus"
)

// markHeight ends, in consensus's write-ahead log, the height that the chain has
// reached. CometBFT writes that mark after it has saved a block. If the process
// dies between the two, the block is run at the next start, but the mark stays
// missing, and of the height after it nothing in the log can be found any more.
// Should the process die in that height too, it has forgotten votes that it may
// not cast again, and a network that needs every one of its votes stands still
// for ever. Needs the chain to be open and consensus not to have begun.
func (n *Node) markHeight() error {
	height := n.env.BlockStore.Height()
	path := n.home.ConsensusLogFile()
	if _, err := os.Stat(path); height == 0 || os.IsNotExist(err) {
		return nil // there is no log to be mended
	}
	wal, err := consensus.NewWAL(path)
	if err != nil {
		return fmt.Errorf("open the consensus log %s: %w", path, err)
	}
	if err := wal.Start(); err != nil {
		return fmt.Errorf("open the consensus log %s: %w", path, err)
	}
	defer func() {
		_ = wal.Stop() // what matters is synced below
		wal.Wait()
	}()
	found, has, err := wal.SearchForEndHeight(height, &consensus.WALSearchOptions{IgnoreDataCorruptionErrors: true})
	if has {
		return found.Close()
	}
	if err != nil {
		return fmt.Errorf("search the consensus log %s: %w", path, err)
	}
	n.log.Info("the consensus log lacked the end of the last height, which is added", "height", height)
	if err := wal.WriteSync(consensus.EndHeightMessage{Height: height}); err != nil {
		return fmt.Errorf("write the consensus log %s: %w", path, err)
	}
	return nil
}
