package smt

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"testing"

	ics23 "github.com/cosmos/ics23/go"
	"pgregory.net/rapid"
)

// stagedModel is a stage with the content it should lead to.
type stagedModel struct {
	staged *Staged
	want   table
}

// model drives a tree and a naive double by random operations.
type model struct {
	tree     *Tree
	contents map[uint64]table // of the versions held
	head     uint64
	open     []stagedModel
	stale    []*Staged
}

func TestRandomOperationsAgreeWithNaiveTree(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := &model{tree: New(), contents: map[uint64]table{0: {}}}
		rt.Repeat(map[string]func(*rapid.T){
			"stage":   m.stage,
			"commit":  m.commit,
			"discard": m.discard,
			"stale":   m.commitStale,
			"prune":   m.prune,
			"prove":   m.prove,
			"":        m.check,
		})
	})
}

// drawChanges draws a batch of distinct keys, deletions of absent keys and
// values that stay the same included.
func drawChanges(rt *rapid.T) []Change {
	keys := rapid.SliceOfDistinct(rapid.SampledFrom(poolKeys()), rapid.ID[string]).Draw(rt, "keys")
	var changes []Change
	for _, key := range keys {
		if rapid.IntRange(0, 2).Draw(rt, "kind") == 0 {
			changes = append(changes, del(key))
		} else {
			changes = append(changes, set(key, rapid.SampledFrom([]string{"1", "2", "3"}).Draw(rt, "value")))
		}
	}
	return changes
}

func (m *model) stage(rt *rapid.T) {
	changes := drawChanges(rt)
	staged, err := m.tree.Stage(changes)
	if err != nil {
		rt.Fatal(err)
	}
	want := maps.Clone(m.contents[m.head])
	want.apply(changes)
	if staged.Root() != naiveRoot(want) {
		rt.Fatalf("staged root %x", staged.Root())
	}
	m.open = append(m.open, stagedModel{staged, want})
}

func (m *model) draw(rt *rapid.T) int {
	if len(m.open) == 0 {
		rt.Skip("nothing staged")
	}
	return rapid.IntRange(0, len(m.open)-1).Draw(rt, "stage")
}

func (m *model) commit(rt *rapid.T) {
	i := m.draw(rt)
	version := m.head + rapid.Uint64Range(1, 3).Draw(rt, "step")
	if err := m.tree.Commit(m.open[i].staged, version); err != nil {
		rt.Fatal(err)
	}
	m.head = version
	m.contents[version] = m.open[i].want
	for _, s := range m.open {
		m.stale = append(m.stale, s.staged)
	}
	m.open = nil
}

func (m *model) discard(rt *rapid.T) {
	i := m.draw(rt)
	m.open[i].staged.Discard()
	m.stale = append(m.stale, m.open[i].staged)
	m.open = slices.Delete(m.open, i, i+1)
}

func (m *model) commitStale(rt *rapid.T) {
	if len(m.stale) == 0 {
		rt.Skip("none stale")
	}
	s := rapid.SampledFrom(m.stale).Draw(rt, "stale")
	if err := m.tree.Commit(s, m.head+1); !errors.Is(err, ErrStale) && !errors.Is(err, ErrClosed) {
		rt.Fatalf("commit of a closed stage: %v", err)
	}
	s.Discard()
}

func (m *model) prune(rt *rapid.T) {
	from := rapid.Uint64Range(0, m.head+2).Draw(rt, "from")
	m.tree.Prune(from)
	for version := range m.contents {
		if version < min(from, m.head) {
			delete(m.contents, version)
		}
	}
}

func (m *model) prove(rt *rapid.T) {
	version := rapid.Uint64Range(0, m.head+1).Draw(rt, "version")
	key := []byte(rapid.SampledFrom(poolKeys()).Draw(rt, "key"))
	content, held := m.contents[version]
	proof, err := m.tree.Prove(version, key, content.read)
	switch {
	case !held:
		if !errors.Is(err, ErrUnknownVersion) {
			rt.Fatalf("proof at a version not held: %v", err)
		}
		return
	case len(content) == 0:
		if !errors.Is(err, ErrEmptyTree) {
			rt.Fatalf("proof in an empty tree: %v", err)
		}
		return
	case err != nil:
		rt.Fatal(err)
	}
	checkProof(rt, content, key, proof)
}

// checkProof checks a proof by ics23 and by Verify, and that it proves nothing
// else.
func checkProof(t fataler, content table, key []byte, proof *ics23.CommitmentProof) {
	t.Helper()
	root := naiveRoot(content)
	value, present := content[string(key)]
	member := ics23.VerifyMembership(ics23.SmtSpec, root[:], proof, key, []byte(value))
	absent := proof.GetNonexist() != nil && ics23.VerifyNonMembership(ics23.SmtSpec, root[:], proof, key)
	if member != present || absent == present {
		t.Fatalf("ics23: present %v, member %v, absent %v", present, member, absent)
	}
	want := []byte(value)
	other := []byte("other")
	if !present {
		want = nil
	} else if err := Verify(root, key, nil, proof); err == nil {
		t.Fatalf("a proof of presence was taken for absence")
	}
	if err := Verify(root, key, want, proof); err != nil {
		t.Fatalf("key %x: %v", key, err)
	}
	if err := Verify(root, key, other, proof); err == nil {
		t.Fatalf("proof was taken for another value")
	}
}

type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

func (m *model) check(rt *rapid.T) {
	head := m.contents[m.head]
	if m.tree.Root() != naiveRoot(head) || m.tree.Version() != m.head || m.tree.Len() != len(head) {
		rt.Fatalf("head is version %d with %d keys", m.tree.Version(), m.tree.Len())
	}
	if got, want := m.tree.Versions(), slices.Sorted(maps.Keys(m.contents)); !slices.Equal(got, want) {
		rt.Fatalf("versions %v, want %v", got, want)
	}
	for version, content := range m.contents {
		if root, ok := m.tree.RootAt(version); !ok || root != naiveRoot(content) {
			rt.Fatalf("root of version %d: %x %v", version, root, ok)
		}
	}
	if len(m.open) == 0 {
		checkAccounts(rt, m.tree)
	}
}

// TestRootDependsOnContentAlone: whatever the batches, their order and what was
// deleted on the way, and however many goroutines, the root is the same, and it
// is that of Build.
func TestRootDependsOnContentAlone(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		content := make(table)
		tree := New()
		for v := uint64(1); v <= 4; v++ {
			changes := drawChanges(rt)
			content.apply(changes)
			s, err := tree.stage(changes, int(v))
			if err != nil {
				rt.Fatal(err)
			}
			if err := tree.Commit(s, v); err != nil {
				rt.Fatal(err)
			}
		}
		built, err := Build(4, content.sorted)
		if err != nil {
			rt.Fatal(err)
		}
		if tree.Root() != built.Root() || built.Root() != naiveRoot(content) {
			rt.Fatalf("incremental %x, built %x", tree.Root(), built.Root())
		}
		if built.Len() != len(content) || built.Version() != 4 {
			rt.Fatalf("built %d keys at version %d", built.Len(), built.Version())
		}
		checkAccounts(rt, built)
	})
}

// TestLargeBatchesOnManyGoroutines: batches large enough to be split give the
// roots of Build, whatever the number of goroutines.
func TestLargeBatchesOnManyGoroutines(t *testing.T) {
	const keys = 9000
	for _, workers := range []int{1, 2, 3, 4, 7} {
		content := make(table)
		tree := New()
		for v := uint64(1); v <= 4; v++ {
			var changes []Change
			for i := range keys {
				switch {
				case v == 2 && i%3 == 0: // delete a third, some of them twice
					changes = append(changes, Change{Key: benchKey(i)})
				case v != 2 && uint64(i)%v == 0:
					changes = append(changes, Change{benchKey(i), bytes.Repeat([]byte{byte(i)}, int(v))})
				}
			}
			content.apply(changes)
			s, err := tree.stage(changes, workers)
			if err != nil {
				t.Fatal(err)
			}
			if err := tree.Commit(s, v); err != nil {
				t.Fatal(err)
			}
			if want := mustBuild(t, v, content); s.Root() != want.Root() || tree.Len() != want.Len() {
				t.Fatalf("version %d on %d goroutines: root %x, built %x", v, workers, s.Root(), want.Root())
			}
			checkAccounts(t, tree)
		}
		if tree.Root() != naiveRoot(content) {
			t.Fatal("root is not the naive one")
		}
	}
}
