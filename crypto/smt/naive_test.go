package smt

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"slices"
	"sync"
	"testing"
)

// table is the content of a tree, for the naive implementation.
type table map[string]string

// naiveRoot is the package's definition of the root, word for word, and slow.
func naiveRoot(content table) [32]byte {
	paths := make(map[[32]byte]string)
	for key := range content {
		paths[sha256.Sum256([]byte(key))] = key
	}
	return naiveSubtree(content, paths, 0)
}

// naiveSubtree is the subtree of the given keys, which agree in the first depth
// bits of their paths.
func naiveSubtree(content table, paths map[[32]byte]string, depth int) [32]byte {
	if len(paths) == 0 {
		return [32]byte{}
	}
	if len(paths) == 1 {
		for path, key := range paths {
			value := sha256.Sum256([]byte(content[key]))
			return sha256.Sum256(slices.Concat([]byte{0}, path[:], value[:]))
		}
	}
	left, right := make(map[[32]byte]string), make(map[[32]byte]string)
	for path, key := range paths {
		if path[depth/8]&(0x80>>(depth%8)) == 0 {
			left[path] = key
		} else {
			right[path] = key
		}
	}
	l, r := naiveSubtree(content, left, depth+1), naiveSubtree(content, right, depth+1)
	return sha256.Sum256(slices.Concat([]byte{1}, l[:], r[:]))
}

// sorted yields the content in the order of raw keys, from one buffer that is
// used again and again, as a database iterator may.
func (c table) sorted(yield func(key, value []byte) bool) {
	var keys []string
	for key := range c {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	var key, value []byte
	for _, k := range keys {
		key, value = append(key[:0], k...), append(value[:0], c[k]...)
		if !yield(key, value) {
			return
		}
	}
}

// read is the callback of Prove over the content.
func (c table) read(key []byte) ([]byte, error) {
	return []byte(c[string(key)]), nil
}

// apply makes the changes to the content.
func (c table) apply(changes []Change) {
	for _, ch := range changes {
		if ch.Value == nil {
			delete(c, string(ch.Key))
		} else {
			c[string(ch.Key)] = string(ch.Value)
		}
	}
}

// poolKeys are the keys of the random tests: some short, some long, and pairs
// whose paths agree in many bits, which make deep trees with empty children.
var poolKeys = sync.OnceValue(func() []string {
	type entry struct {
		prefix uint64
		key    string
	}
	var all []entry
	for i := range 1 << 14 {
		key := binary.BigEndian.AppendUint32([]byte("close/"), uint32(i))
		path := sha256.Sum256(key)
		all = append(all, entry{binary.BigEndian.Uint64(path[:8]), string(key)})
	}
	slices.SortFunc(all, func(a, b entry) int {
		if a.prefix < b.prefix {
			return -1
		}
		return 1
	})
	keys := []string{"a", "b", "c", "d", "ab", "abc", "\x00", "\x00\x00", "\xff"}
	for i := 1; i < len(all); i++ {
		if bits.LeadingZeros64(all[i-1].prefix^all[i].prefix) >= 22 {
			keys = append(keys, all[i-1].key, all[i].key)
		}
	}
	keys = append(keys, string(bytes.Repeat([]byte("x"), 300)), string(bytes.Repeat([]byte("y"), MaxKeyLength)))
	slices.Sort(keys)
	return slices.Compact(keys)
})

func TestPoolHasClosePaths(t *testing.T) {
	if n := len(poolKeys()); n < 30 || n > 120 {
		t.Fatalf("%d keys in the pool", n)
	}
}

// mustStage and mustCommit fail the test on an error.
func mustStage(t testing.TB, tree *Tree, changes ...Change) *Staged {
	t.Helper()
	s, err := tree.Stage(changes)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustCommit(t testing.TB, tree *Tree, version uint64, changes ...Change) {
	t.Helper()
	if err := tree.Commit(mustStage(t, tree, changes...), version); err != nil {
		t.Fatal(err)
	}
}

func mustBuild(t testing.TB, version uint64, content table) *Tree {
	t.Helper()
	tree, err := Build(version, content.sorted)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func set(key, value string) Change { return Change{[]byte(key), []byte(value)} }
func del(key string) Change        { return Change{Key: []byte(key)} }
