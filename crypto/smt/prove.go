package smt

import (
	"bytes"
	"crypto/sha256"
	"fmt"

	ics23 "github.com/cosmos/ics23/go"
)

// reader walks one pinned version.
type reader struct {
	nodes nodeView
	keys  keyView
	root  handle
}

// step is an inner node passed on the way down, and the turn taken there.
type step struct {
	node handle
	turn byte // 0 left, 1 right
}

// witness is what the tree knows of one leaf: all of its proof but the value.
type witness struct {
	key  []byte
	leaf hash
	path []*ics23.InnerOp // from the leaf up
}

// Prove proves what the version says of a key: that it has its value, or that
// it has none, which is shown by the neighbours of its path. The proof is what
// ics23.VerifyMembership and ics23.VerifyNonMembership take with ics23.SmtSpec,
// and what Verify takes.
//
// The tree holds no values: value is called, with no lock held, for each key of
// the proof (one, or up to two neighbours) and returns that key's value at that
// version. Each value is checked against the tree.
//
// It returns ErrUnknownVersion, ErrKeyLength, ErrEmptyTree, ErrValueMismatch,
// or the error of value. The cost is one walk down the tree a leaf.
func (t *Tree) Prove(number uint64, key []byte, value func(key []byte) ([]byte, error)) (*ics23.CommitmentProof, error) {
	if err := checkKey(key); err != nil {
		return nil, fmt.Errorf("prove: %w", err)
	}
	found, left, right, err := t.witnesses(number, key)
	if err != nil {
		return nil, fmt.Errorf("prove key %x: %w", key, err)
	}
	if found != nil {
		exist, err := found.existence(value)
		if err != nil {
			return nil, fmt.Errorf("prove key %x at version %d: %w", key, number, err)
		}
		return &ics23.CommitmentProof{Proof: &ics23.CommitmentProof_Exist{Exist: exist}}, nil
	}
	absent := &ics23.NonExistenceProof{Key: bytes.Clone(key)}
	if absent.Left, err = left.existence(value); err == nil {
		absent.Right, err = right.existence(value)
	}
	if err != nil {
		return nil, fmt.Errorf("prove absence of key %x at version %d: %w", key, number, err)
	}
	return &ics23.CommitmentProof{Proof: &ics23.CommitmentProof_Nonexist{Nonexist: absent}}, nil
}

// witnesses returns the leaf of a key, or else its neighbours.
func (t *Tree) witnesses(number uint64, key []byte) (found, left, right *witness, err error) {
	v, err := t.pin(number)
	if err != nil {
		return nil, nil, nil, err
	}
	defer t.unpin(v)
	if v.root == empty {
		return nil, nil, nil, fmt.Errorf("version %d: %w", number, ErrEmptyTree)
	}
	r := reader{nodes: t.nodes.view(), keys: t.keys.view(), root: v.root}
	path := hash(sha256.Sum256(key))
	steps, end := r.descend(&path)
	if end != empty {
		other := r.key(end)
		if bytes.Equal(other, key) {
			return r.witness(steps, end), nil, nil, nil
		}
		otherPath := sha256.Sum256(other)
		if bytes.Compare(otherPath[:], path[:]) < 0 {
			return nil, r.witness(steps, end), r.neighbour(steps, 1), nil
		}
		return nil, r.neighbour(steps, 0), r.witness(steps, end), nil
	}
	return nil, r.neighbour(steps, 0), r.neighbour(steps, 1), nil
}

// descend follows a path from the root to a leaf or the empty subtree.
func (r *reader) descend(path *hash) (steps []step, end handle) {
	h := r.root
	for depth := 0; h != empty && !h.isLeaf(); depth++ {
		turn := bit(path, depth)
		steps = append(steps, step{h, turn})
		h = r.child(h, turn)
	}
	return steps, h
}

// neighbour returns the leaf nearest to where steps ended, on the given side,
// or nil when there is none.
func (r *reader) neighbour(steps []step, side byte) *witness {
	for i := len(steps) - 1; i >= 0; i-- {
		h := r.child(steps[i].node, side)
		if steps[i].turn == side || h == empty {
			continue
		}
		near := append(steps[:i:i], step{steps[i].node, side})
		for !h.isLeaf() {
			turn := 1 - side
			if r.child(h, turn) == empty {
				turn = side
			}
			near = append(near, step{h, turn})
			h = r.child(h, turn)
		}
		return r.witness(near, h)
	}
	return nil
}

// witness copies what is known of a leaf, so that it outlives the version.
func (r *reader) witness(steps []step, leaf handle) *witness {
	w := &witness{key: bytes.Clone(r.key(leaf)), leaf: *r.nodes.hash(leaf)}
	for i := len(steps) - 1; i >= 0; i-- {
		sibling := r.nodes.hash(r.child(steps[i].node, 1-steps[i].turn))
		w.path = append(w.path, innerOp(steps[i].turn, sibling))
	}
	return w
}

func (r *reader) child(h handle, turn byte) handle {
	return handle(r.nodes.pair(h)[turn])
}

func (r *reader) key(leaf handle) []byte {
	p := r.nodes.pair(leaf)
	return r.keys.key(keyRef{p[0], p[1]})
}

// existence completes the proof of a leaf with its value. A nil witness has a
// nil proof.
func (w *witness) existence(value func(key []byte) ([]byte, error)) (*ics23.ExistenceProof, error) {
	if w == nil {
		return nil, nil
	}
	v, err := value(bytes.Clone(w.key))
	if err != nil {
		return nil, fmt.Errorf("value of key %x: %w", w.key, err)
	}
	path := hash(sha256.Sum256(w.key))
	if len(v) == 0 || leafHash(&path, v) != w.leaf {
		return nil, fmt.Errorf("value of key %x: %w", w.key, ErrValueMismatch)
	}
	return &ics23.ExistenceProof{Key: w.key, Value: bytes.Clone(v), Leaf: leafOp(), Path: w.path}, nil
}

// leafOp is ics23's description of a leaf.
func leafOp() *ics23.LeafOp {
	return &ics23.LeafOp{
		Hash:         ics23.HashOp_SHA256,
		PrehashKey:   ics23.HashOp_SHA256,
		PrehashValue: ics23.HashOp_SHA256,
		Length:       ics23.LengthOp_NO_PREFIX,
		Prefix:       []byte{leafTag},
	}
}

// innerOp is ics23's description of one level: the hash of a child reached by
// the given turn goes between prefix and suffix. The slices have no spare
// capacity, because ics23 appends to them.
func innerOp(turn byte, sibling *hash) *ics23.InnerOp {
	if turn == 0 {
		return &ics23.InnerOp{Hash: ics23.HashOp_SHA256, Prefix: []byte{innerTag}, Suffix: bytes.Clone(sibling[:])}
	}
	prefix := make([]byte, 1+len(sibling))
	prefix[0] = innerTag
	copy(prefix[1:], sibling[:])
	return &ics23.InnerOp{Hash: ics23.HashOp_SHA256, Prefix: prefix}
}
