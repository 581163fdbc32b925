package smt

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"testing"
)

// TestWorkedExample is the example of the package comment.
func TestWorkedExample(t *testing.T) {
	a, b := sha256.Sum256([]byte("a")), sha256.Sum256([]byte("b"))
	if a[0]>>4 != 0b1100 || b[0]>>4 != 0b0011 {
		t.Fatal("the paths of a and b start otherwise")
	}
	tree := New()
	if tree.Root() != ([32]byte{}) {
		t.Fatalf("empty root %x", tree.Root())
	}
	mustCommit(t, tree, 1, set("a", "x"))
	leafA, leafB := leafHash(&a, []byte("x")), leafHash(&b, []byte("y"))
	if tree.Root() != leafA {
		t.Fatal("a lone leaf is not the root")
	}
	mustCommit(t, tree, 2, set("b", "y"))
	if tree.Root() != innerHash(&leafB, &leafA) {
		t.Fatal("two leaves do not hash to their inner node")
	}
	mustCommit(t, tree, 3, del("a"))
	if tree.Root() != leafB {
		t.Fatal("the remaining leaf is not the root")
	}
	mustCommit(t, tree, 4, del("b"))
	if tree.Root() != ([32]byte{}) {
		t.Fatal("an emptied tree is not empty")
	}
}

func TestStageRefusesBadChanges(t *testing.T) {
	tree := mustBuild(t, 5, table{"a": "1", "b": "2"})
	long := strings.Repeat("k", MaxKeyLength+1)
	for _, c := range []struct {
		name    string
		changes []Change
		want    error
	}{
		{"no key", []Change{set("a", "3"), set("", "1")}, ErrKeyLength},
		{"delete of no key", []Change{del("")}, ErrKeyLength},
		{"long key", []Change{set(long, "1")}, ErrKeyLength},
		{"delete of a long key", []Change{del(long)}, ErrKeyLength},
		{"empty value", []Change{{Key: []byte("a"), Value: []byte{}}}, ErrEmptyValue},
		{"same key twice", []Change{set("c", "1"), set("d", "1"), set("c", "1")}, ErrDuplicateKey},
		{"set and deleted", []Change{set("a", "1"), del("a")}, ErrDuplicateKey},
		{"deleted twice", []Change{del("z"), del("z")}, ErrDuplicateKey},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := tree.Stage(c.changes)
			if s != nil || !errors.Is(err, c.want) {
				t.Fatalf("got %v, %v", s, err)
			}
			checkAccounts(t, tree)
		})
	}
}

func TestBuildRefusesBadStreams(t *testing.T) {
	long := strings.Repeat("k", MaxKeyLength+1)
	for _, c := range []struct {
		name string
		rows [][2]string
		want error
	}{
		{"no key", [][2]string{{"", "1"}}, ErrKeyLength},
		{"long key", [][2]string{{long, "1"}}, ErrKeyLength},
		{"empty value", [][2]string{{"a", "1"}, {"b", ""}}, ErrEmptyValue},
		{"same key twice", [][2]string{{"a", "1"}, {"a", "1"}}, ErrKeyOrder},
		{"descending", [][2]string{{"b", "1"}, {"a", "1"}}, ErrKeyOrder},
		{"descending by length", [][2]string{{"aa", "1"}, {"a", "1"}}, ErrKeyOrder},
	} {
		t.Run(c.name, func(t *testing.T) {
			tree, err := Build(1, func(yield func(k, v []byte) bool) {
				for _, row := range c.rows {
					if !yield([]byte(row[0]), []byte(row[1])) {
						return
					}
				}
			})
			if tree != nil || !errors.Is(err, c.want) {
				t.Fatalf("got %v, %v", tree, err)
			}
		})
	}
}

func TestStagesOfOneHead(t *testing.T) {
	tree := mustBuild(t, 1, table{"a": "1", "b": "2"})
	before := tree.Root()
	first := mustStage(t, tree, set("c", "3"))
	second := mustStage(t, tree, del("a"))
	third := mustStage(t, tree)
	if tree.Root() != before || tree.Version() != 1 || tree.Len() != 2 {
		t.Fatal("staging changed the head")
	}
	if third.Root() != before {
		t.Fatal("an empty batch changed the root")
	}
	if err := tree.Commit(first, 1); !errors.Is(err, ErrVersionOrder) {
		t.Fatalf("commit of the same version: %v", err)
	}
	if err := tree.Commit(first, 0); !errors.Is(err, ErrVersionOrder) {
		t.Fatalf("commit of a lower version: %v", err)
	}
	if err := tree.Commit(first, 7); err != nil {
		t.Fatalf("commit after a refused version: %v", err)
	}
	if tree.Root() != first.Root() || tree.Root() != naiveRoot(table{"a": "1", "b": "2", "c": "3"}) {
		t.Fatal("the head is not what was staged")
	}
	for _, s := range []*Staged{second, third, nil} {
		if err := tree.Commit(s, 8); !errors.Is(err, ErrStale) {
			t.Fatalf("commit of a stage on an old head: %v", err)
		}
	}
	if err := tree.Commit(first, 8); !errors.Is(err, ErrClosed) {
		t.Fatalf("second commit: %v", err)
	}
	second.Discard()
	first.Discard()
	first.Discard()
	if second.Root() != naiveRoot(table{"b": "2"}) {
		t.Fatal("a closed stage lost its root")
	}
	checkAccounts(t, tree)
}

func TestDiscardedStageCannotBeCommitted(t *testing.T) {
	tree := New()
	s := mustStage(t, tree, set("a", "1"))
	s.Discard()
	s.Discard()
	if err := tree.Commit(s, 1); !errors.Is(err, ErrClosed) {
		t.Fatalf("commit after discard: %v", err)
	}
	checkAccounts(t, tree)
	if n := tree.nodes.inUse(); n != 0 {
		t.Fatalf("%d nodes left over", n)
	}
}

func TestStageOfAnotherTree(t *testing.T) {
	one, two := New(), New()
	s := mustStage(t, one, set("a", "1"))
	if err := two.Commit(s, 1); !errors.Is(err, ErrStale) {
		t.Fatalf("commit on another tree: %v", err)
	}
	if err := one.Commit(s, 1); err != nil {
		t.Fatalf("commit on its own tree: %v", err)
	}
}

func TestPruneForgets(t *testing.T) {
	tree := New()
	for v := uint64(10); v <= 50; v += 10 {
		mustCommit(t, tree, v, set("a", string(rune('0'+v))))
	}
	steps := []struct {
		from uint64
		want []uint64
	}{
		{0, []uint64{0, 10, 20, 30, 40, 50}},
		{1, []uint64{10, 20, 30, 40, 50}},
		{25, []uint64{30, 40, 50}},
		{10, []uint64{30, 40, 50}}, // nothing comes back
		{40, []uint64{40, 50}},
		{99, []uint64{50}}, // never the head
	}
	for _, s := range steps {
		tree.Prune(s.from)
		if got := tree.Versions(); !slices.Equal(got, s.want) {
			t.Fatalf("after Prune(%d): %v", s.from, got)
		}
		checkAccounts(t, tree)
	}
	if _, ok := tree.RootAt(40); ok {
		t.Fatal("a forgotten version has a root")
	}
	mustCommit(t, tree, 60, set("b", "1"))
	if got := tree.Versions(); !slices.Equal(got, []uint64{50, 60}) {
		t.Fatalf("after the next commit: %v", got)
	}
}

// TestPinnedVersionSurvivesPrune: memory that a reader is at work on is not
// reused before it is done, though the version is already forgotten.
func TestPinnedVersionSurvivesPrune(t *testing.T) {
	tree := mustBuild(t, 1, table{"a": "1", "b": "2", "c": "3"})
	v, err := tree.pin(1)
	if err != nil {
		t.Fatal(err)
	}
	used := tree.nodes.inUse()
	mustCommit(t, tree, 2, del("a"), del("b"), del("c"))
	tree.Prune(2)
	if _, err := tree.pin(1); !errors.Is(err, ErrUnknownVersion) {
		t.Fatalf("pin of a forgotten version: %v", err)
	}
	if got := tree.nodes.inUse(); got != used {
		t.Fatalf("%d nodes in use while pinned, want %d", got, used)
	}
	tree.unpin(v)
	if got := tree.nodes.inUse(); got != 0 {
		t.Fatalf("%d nodes in use after the reader is done", got)
	}
}

func TestFullTreeRefusesAndGoesOn(t *testing.T) {
	big := func(i int) []byte { return append(bytes.Repeat([]byte("k"), MaxKeyLength-2), byte(i>>8), byte(i)) }
	for _, c := range []struct {
		name       string
		key        func(i int) []byte
		fits, many int
	}{
		{"nodes", benchKey, 1000, 3000},
		{"keys", big, 100, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			tree := newTree(chunkNodes, 1)
			batch := func(n int) (changes []Change) {
				for i := range n {
					changes = append(changes, Change{c.key(i), []byte("1")})
				}
				return changes
			}
			mustCommit(t, tree, 1, batch(c.fits)...)
			before := tree.Root()
			for _, workers := range []int{1, 4} {
				if s, err := tree.stage(batch(c.many), workers); s != nil || !errors.Is(err, ErrFull) {
					t.Fatalf("got %v, %v", s, err)
				}
				checkAccounts(t, tree)
			}
			if tree.Root() != before {
				t.Fatal("a refused batch changed the head")
			}
			mustCommit(t, tree, 2, Change{c.key(0), []byte("2")})
			checkAccounts(t, tree)
		})
	}
}

// TestDeepestPaths: paths that agree in up to 255 bits, which no known keys
// have, still make the defined tree.
func TestDeepestPaths(t *testing.T) {
	content := table{"a": "1", "b": "2", "c": "3", "d": "4"}
	for _, shared := range []int{63, 64, 65, 200, 253} {
		paths := make(map[[32]byte]string)
		var items []item
		for i, key := range []string{"a", "b", "c", "d"} {
			var path hash // shared zero bits, then the two bits of i
			path[shared/8] |= byte(i>>1) << (7 - shared%8)
			path[(shared+1)/8] |= byte(i&1) << (7 - (shared+1)%8)
			paths[path] = key
			items = append(items, item{path, set(key, content[key])})
		}
		w := newWriter(newNodeArena(maxNodes), newKeyArena(maxSlabs))
		root := w.apply(empty, items, 0)
		if w.rootHash(root) != naiveSubtree(content, paths, 0) {
			t.Fatalf("%d shared bits: wrong root", shared)
		}
	}
}

// TestBuildBeyondPrefix: entries that agree in all the bits they carry are told
// apart by their whole paths.
func TestBuildBeyondPrefix(t *testing.T) {
	w := newWriter(newNodeArena(maxNodes), newKeyArena(maxSlabs))
	left, right := "", ""
	for i := 0; left == "" || right == ""; i++ {
		key := string(benchKey(i))
		path := hash(sha256.Sum256([]byte(key)))
		switch {
		case bit(&path, 0) == 0 && bit(&path, prefixBits) == 0:
			left = key
		case bit(&path, 0) == 1 && bit(&path, prefixBits) == 1:
			right = key
		}
	}
	var entries []entry
	for _, key := range []string{left, right} {
		it := item{sha256.Sum256([]byte(key)), set(key, "1")}
		entries = append(entries, entry{0, w.insert(&it)})
	}
	if w.compare(entries[0], entries[1]) >= 0 || w.compare(entries[1], entries[0]) <= 0 {
		t.Fatal("equal prefixes are not ordered by path")
	}
	want := innerHash(w.nodes.hash(entries[0].leaf), w.nodes.hash(entries[1].leaf))
	for range prefixBits {
		want = innerHash(&want, &hash{})
	}
	if got := w.rootHash(w.assemble(entries, 0)); got != want {
		t.Fatalf("got %x, want %x", got, want)
	}
}
