package smt

import (
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
)

// history is a content whose value at any version is known without a tree.
type history struct{ keys int }

// value returns the value of key i at a version, or nil: every version touches
// the keys of one residue modulo 3, and each fifth version deletes them.
func (h history) value(i int, version uint64) []byte {
	for v := version; v > 0; v-- {
		if (uint64(i)+v)%3 != 0 {
			continue
		}
		if v%5 == 0 {
			return nil
		}
		return []byte{byte(v), byte(i), byte(i >> 8)}
	}
	return nil
}

// batch is the changes that lead to a version.
func (h history) batch(version uint64) (changes []Change) {
	for i := range h.keys {
		if (uint64(i)+version)%3 == 0 {
			changes = append(changes, Change{benchKey(i), h.value(i, version)})
		}
	}
	return changes
}

func keyNumber(key []byte) int { return int(key[14])<<8 | int(key[15]) }

// TestReadersDuringCommits proves at all versions held while others are staged,
// discarded, committed and pruned. Run it with the race detector.
func TestReadersDuringCommits(t *testing.T) {
	h, versions := history{keys: 9000}, uint64(30)
	if testing.Short() {
		h.keys, versions = 7000, 12
	}
	tree := New()
	mustCommit(t, tree, 1, h.batch(1)...)
	tree.Prune(1)
	done := make(chan struct{})
	var readers sync.WaitGroup
	for seed := range uint64(3) {
		readers.Go(func() {
			rng := rand.New(rand.NewPCG(seed, 0))
			for proofs := 0; ; {
				select {
				case <-done:
					if proofs > 0 {
						return
					}
				default:
				}
				ok, err := h.proveOne(tree, rng)
				if err != nil {
					t.Error(err)
					return
				}
				if ok {
					proofs++
				}
			}
		})
	}
	for v := uint64(2); v <= versions; v++ {
		h.contend(t, tree, v)
		if v > 4 {
			tree.Prune(v - 4)
		}
	}
	close(done)
	readers.Wait()
	tree.Prune(versions)
	checkAccounts(t, tree)
}

// proveOne proves one key at one version and checks the proof. It returns false
// when the version was pruned meanwhile.
func (h history) proveOne(tree *Tree, rng *rand.Rand) (bool, error) {
	held := tree.Versions()
	version := held[rng.IntN(len(held))]
	root, ok := tree.RootAt(version)
	if !ok {
		return false, nil
	}
	key := benchKey(rng.IntN(h.keys))
	proof, err := tree.Prove(version, key, func(key []byte) ([]byte, error) {
		return h.value(keyNumber(key), version), nil
	})
	if errors.Is(err, ErrUnknownVersion) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, Verify(root, key, h.value(keyNumber(key), version), proof)
}

// contend stages a version twice at once, beside a batch that is given up, and
// commits one of them.
func (h history) contend(t *testing.T, tree *Tree, version uint64) {
	var stages [3]*Staged
	var group sync.WaitGroup
	for i := range stages {
		group.Go(func() {
			changes := h.batch(version)
			if i == 2 {
				changes = h.batch(version + 1)
			}
			s, err := tree.stage(changes, i+1)
			if err != nil {
				t.Error(err)
				return
			}
			stages[i] = s
		})
	}
	group.Wait()
	if t.Failed() {
		t.FailNow()
	}
	if stages[0].Root() != stages[1].Root() {
		t.Fatalf("version %d: two roots for one batch", version)
	}
	if version%2 == 0 {
		stages[2].Discard()
	}
	if err := tree.Commit(stages[version%2], version); err != nil {
		t.Fatal(err)
	}
}

// TestStageThatLosesIsStale: stages and commits race; each stage either is
// committed, or is told that it is stale, and no memory is lost.
func TestStageThatLosesIsStale(t *testing.T) {
	tree := New()
	var mu sync.Mutex
	var group sync.WaitGroup
	committed := 0
	for i := range 4 {
		group.Go(func() {
			for n := range 50 {
				s, err := tree.Stage([]Change{{benchKey(i*50 + n), []byte{1}}})
				if err == nil {
					mu.Lock()
					err = tree.Commit(s, tree.Version()+1)
					if err == nil {
						committed++
					}
					mu.Unlock()
				}
				if err != nil && !errors.Is(err, ErrStale) {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if committed == 0 || tree.Len() != committed || tree.Version() != uint64(committed) {
		t.Fatalf("%d commits, %d keys, version %d", committed, tree.Len(), tree.Version())
	}
	checkAccounts(t, tree)
}
