package smt

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"testing"
)

// byPath returns the keys of a content in path order.
func (c table) byPath() []string {
	var keys []string
	for key := range c {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int {
		x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
		return slices.Compare(x[:], y[:])
	})
	return keys
}

func numbered(n int) table {
	content := make(table)
	for i := range n {
		content[fmt.Sprintf("key-%d", i)] = fmt.Sprintf("value-%d", i)
	}
	return content
}

// TestProofsOfEveryPlace: each key of trees of several sizes is proved present,
// and then, left out of the tree, absent: left of all keys, between any two,
// and right of all.
func TestProofsOfEveryPlace(t *testing.T) {
	for _, n := range []int{1, 2, 3, 7, 40} {
		content := numbered(n)
		tree := mustBuild(t, 1, content)
		order := content.byPath()
		for i, key := range order {
			proof, err := tree.Prove(1, []byte(key), content.read)
			if err != nil {
				t.Fatal(err)
			}
			checkProof(t, content, []byte(key), proof)
			if n == 1 {
				continue
			}
			without := numbered(n)
			delete(without, key)
			mustCommit(t, tree, tree.Version()+1, del(key))
			proof, err = tree.Prove(tree.Version(), []byte(key), without.read)
			if err != nil {
				t.Fatal(err)
			}
			checkProof(t, without, []byte(key), proof)
			non := proof.GetNonexist()
			if (non.Left == nil) != (i == 0) || (non.Right == nil) != (i == n-1) {
				t.Fatalf("place %d of %d: left %v, right %v", i, n, non.Left, non.Right)
			}
			if i > 0 && string(non.Left.Key) != order[i-1] || i < n-1 && string(non.Right.Key) != order[i+1] {
				t.Fatalf("place %d of %d: neighbours %s and %s", i, n, non.Left.GetKey(), non.Right.GetKey())
			}
			mustCommit(t, tree, tree.Version()+1, set(key, content[key]))
		}
	}
}

func TestProofsInSingleLeafTree(t *testing.T) {
	content := table{"a": "1"}
	tree := mustBuild(t, 1, content)
	sides := make(map[bool]int)
	for i := range 20 {
		key := fmt.Appendf(nil, "absent-%d", i)
		proof, err := tree.Prove(1, key, content.read)
		if err != nil {
			t.Fatal(err)
		}
		checkProof(t, content, key, proof)
		sides[proof.GetNonexist().Left == nil]++
	}
	if len(sides) != 2 {
		t.Fatal("all absent keys lay on one side of the leaf")
	}
}

func TestProveErrors(t *testing.T) {
	content := numbered(5)
	tree := mustBuild(t, 3, content)
	broken := errors.New("broken disk")
	fixed := func(value string, err error) func([]byte) ([]byte, error) {
		return func([]byte) ([]byte, error) { return []byte(value), err }
	}
	for _, c := range []struct {
		name    string
		version uint64
		key     string
		value   func([]byte) ([]byte, error)
		want    error
	}{
		{"no key", 3, "", content.read, ErrKeyLength},
		{"earlier version", 2, "key-1", content.read, ErrUnknownVersion},
		{"later version", 4, "key-1", content.read, ErrUnknownVersion},
		{"another value", 3, "key-1", fixed("value-2", nil), ErrValueMismatch},
		{"no value", 3, "key-1", fixed("", nil), ErrValueMismatch},
		{"another value of a neighbour", 3, "absent", fixed("value-x", nil), ErrValueMismatch},
		{"failing read", 3, "key-1", fixed("", broken), broken},
		{"failing read of a neighbour", 3, "absent", fixed("", broken), broken},
	} {
		t.Run(c.name, func(t *testing.T) {
			proof, err := tree.Prove(c.version, []byte(c.key), c.value)
			if proof != nil || !errors.Is(err, c.want) {
				t.Fatalf("got %v, %v", proof, err)
			}
		})
	}
	_, err := New().Prove(0, []byte("a"), content.read)
	if !errors.Is(err, ErrEmptyTree) {
		t.Fatalf("empty tree: %v", err)
	}
	for _, v := range tree.versions {
		if v.pins != 0 {
			t.Fatalf("version %d is still pinned", v.number)
		}
	}
}

// TestCallbackMayChangeItsKey: what the caller does to the key it is handed
// does not reach the tree or the proof.
func TestCallbackMayChangeItsKey(t *testing.T) {
	content := numbered(5)
	tree := mustBuild(t, 1, content)
	for range 2 {
		proof, err := tree.Prove(1, []byte("key-1"), func(key []byte) ([]byte, error) {
			value := []byte(content[string(key)])
			clear(key)
			return value, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		checkProof(t, content, []byte("key-1"), proof)
	}
}
