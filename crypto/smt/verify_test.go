package smt

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"

	ics23 "github.com/cosmos/ics23/go"
)

// fixture is a tree with a proof of presence and one of absence, the latter
// with both neighbours.
type fixture struct {
	content table
	tree    *Tree
	root    [32]byte
	order   []string // keys by path

	present, absent []byte
	exist, nonexist *ics23.CommitmentProof
}

func newFixture(t testing.TB) *fixture {
	f := &fixture{content: numbered(40)}
	all := f.content.byPath()
	f.present, f.absent = []byte(all[10]), []byte(all[20])
	delete(f.content, all[20])
	f.order = f.content.byPath()
	f.tree = mustBuild(t, 1, f.content)
	f.root = f.tree.Root()
	f.exist = f.prove(t, string(f.present))
	f.nonexist = f.prove(t, string(f.absent))
	return f
}

func (f *fixture) prove(t testing.TB, key string) *ics23.CommitmentProof {
	t.Helper()
	proof, err := f.tree.Prove(1, []byte(key), f.content.read)
	if err != nil {
		t.Fatal(err)
	}
	return proof
}

// clone copies a proof through its encoding.
func clone(t testing.TB, p *ics23.CommitmentProof) *ics23.CommitmentProof {
	t.Helper()
	bz, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	out := new(ics23.CommitmentProof)
	if err := out.Unmarshal(bz); err != nil {
		t.Fatal(err)
	}
	return out
}

func (f *fixture) value() []byte { return []byte(f.content[string(f.present)]) }

// mustRefuse checks that a proof is refused with this package's error, and by a
// check rather than by a panic that was caught.
func mustRefuse(t *testing.T, root [32]byte, key, value []byte, proof *ics23.CommitmentProof) {
	t.Helper()
	err := Verify(root, key, value, proof)
	if !errors.Is(err, ErrProof) || strings.Contains(err.Error(), "runtime error") {
		t.Fatalf("got %v", err)
	}
}

func TestVerifyAcceptsWhatProveMakes(t *testing.T) {
	f := newFixture(t)
	if err := Verify(f.root, f.present, f.value(), clone(t, f.exist)); err != nil {
		t.Fatal(err)
	}
	if err := Verify(f.root, f.absent, nil, clone(t, f.nonexist)); err != nil {
		t.Fatal(err)
	}
}

func TestVerifyRefusesCorruptExistence(t *testing.T) {
	f := newFixture(t)
	for name, corrupt := range existenceCorruptions {
		t.Run(name, func(t *testing.T) {
			p := clone(t, f.exist)
			corrupt(p.GetExist())
			mustRefuse(t, f.root, f.present, f.value(), p)
		})
		for _, side := range []string{"left", "right"} {
			t.Run(side+" neighbour/"+name, func(t *testing.T) {
				p := clone(t, f.nonexist)
				if side == "left" {
					corrupt(p.GetNonexist().Left)
				} else {
					corrupt(p.GetNonexist().Right)
				}
				mustRefuse(t, f.root, f.absent, nil, p)
			})
		}
	}
}

// existenceCorruptions each break one thing in the proof of one leaf.
var existenceCorruptions = map[string]func(p *ics23.ExistenceProof){
	"no key":           func(p *ics23.ExistenceProof) { p.Key = nil },
	"another key":      func(p *ics23.ExistenceProof) { p.Key = []byte("key-x") },
	"long key":         func(p *ics23.ExistenceProof) { p.Key = make([]byte, MaxKeyLength+1) },
	"no value":         func(p *ics23.ExistenceProof) { p.Value = nil },
	"another value":    func(p *ics23.ExistenceProof) { p.Value = []byte("value-x") },
	"no leaf op":       func(p *ics23.ExistenceProof) { p.Leaf = nil },
	"empty leaf op":    func(p *ics23.ExistenceProof) { p.Leaf = &ics23.LeafOp{} },
	"leaf hash":        func(p *ics23.ExistenceProof) { p.Leaf.Hash = ics23.HashOp_SHA512 },
	"leaf key hash":    func(p *ics23.ExistenceProof) { p.Leaf.PrehashKey = ics23.HashOp_NO_HASH },
	"leaf value hash":  func(p *ics23.ExistenceProof) { p.Leaf.PrehashValue = ics23.HashOp_NO_HASH },
	"leaf length op":   func(p *ics23.ExistenceProof) { p.Leaf.Length = ics23.LengthOp_VAR_PROTO },
	"no leaf prefix":   func(p *ics23.ExistenceProof) { p.Leaf.Prefix = nil },
	"long leaf prefix": func(p *ics23.ExistenceProof) { p.Leaf.Prefix = []byte{0, 0} },
	"inner as leaf":    func(p *ics23.ExistenceProof) { p.Leaf.Prefix = []byte{1} },
	"no path":          func(p *ics23.ExistenceProof) { p.Path = nil },
	"top cut off":      func(p *ics23.ExistenceProof) { p.Path = p.Path[:len(p.Path)-1] },
	"bottom cut off":   func(p *ics23.ExistenceProof) { p.Path = p.Path[1:] },
	"middle cut out":   func(p *ics23.ExistenceProof) { p.Path = append(p.Path[:1:1], p.Path[2:]...) },
	"reversed":         func(p *ics23.ExistenceProof) { p.Path[0], p.Path[1] = p.Path[1], p.Path[0] },
	"repeated":         func(p *ics23.ExistenceProof) { p.Path = append(p.Path, p.Path[len(p.Path)-1]) },
	"257 operations": func(p *ics23.ExistenceProof) {
		for len(p.Path) <= pathBits {
			p.Path = append(p.Path, p.Path[0])
		}
	},
	"a million operations": func(p *ics23.ExistenceProof) {
		for len(p.Path) < 1_000_000 {
			p.Path = append(p.Path, p.Path[0])
		}
	},
	"nil operation":      func(p *ics23.ExistenceProof) { p.Path[1] = nil },
	"empty operation":    func(p *ics23.ExistenceProof) { p.Path[1] = &ics23.InnerOp{} },
	"inner hash":         func(p *ics23.ExistenceProof) { p.Path[1].Hash = ics23.HashOp_SHA512_256 },
	"unknown inner hash": func(p *ics23.ExistenceProof) { p.Path[1].Hash = 99 },
	"leaf as inner":      func(p *ics23.ExistenceProof) { p.Path[1].Prefix[0] = leafTag },
	"no inner prefix":    func(p *ics23.ExistenceProof) { p.Path[1].Prefix = nil },
	"long inner prefix":  func(p *ics23.ExistenceProof) { p.Path[1].Prefix = append(p.Path[1].Prefix, 0) },
	"long inner suffix":  func(p *ics23.ExistenceProof) { p.Path[1].Suffix = append(p.Path[1].Suffix, make([]byte, 32)...) },
	"both siblings": func(p *ics23.ExistenceProof) {
		p.Path[1].Prefix = append([]byte{innerTag}, make([]byte, 32)...)
		p.Path[1].Suffix = make([]byte, 32)
	},
	"turned round": func(p *ics23.ExistenceProof) {
		op := p.Path[1]
		if len(op.Suffix) > 0 {
			op.Prefix, op.Suffix = append(op.Prefix, op.Suffix...), nil
		} else {
			op.Prefix, op.Suffix = op.Prefix[:1], bytes.Clone(op.Prefix[1:])
		}
	},
	"another sibling": func(p *ics23.ExistenceProof) {
		if op := p.Path[1]; len(op.Suffix) > 0 {
			op.Suffix[31] ^= 1
		} else {
			op.Prefix[32] ^= 1
		}
	},
}

func TestVerifyRefusesFalseAbsence(t *testing.T) {
	f := newFixture(t)
	exist := func(key string) *ics23.ExistenceProof { return f.prove(t, key).GetExist() }
	non := f.nonexist.GetNonexist()
	first, last := exist(f.order[0]), exist(f.order[len(f.order)-1])
	for _, c := range []struct {
		name        string
		key         string
		left, right *ics23.ExistenceProof
	}{
		{"no neighbours", string(f.absent), nil, nil},
		{"left missing", string(f.absent), nil, non.Right},
		{"right missing", string(f.absent), non.Left, nil},
		{"swapped", string(f.absent), non.Right, non.Left},
		{"left twice", string(f.absent), non.Left, non.Left},
		{"right twice", string(f.absent), non.Right, non.Right},
		{"left too far", string(f.absent), exist(f.order[18]), non.Right},
		{"right too far", string(f.absent), non.Left, exist(f.order[21])},
		{"both ends", string(f.absent), first, last},
		{"beyond the right neighbour", string(f.absent), non.Right, exist(f.order[21])},
		{"first alone on the right", string(f.absent), nil, first},
		{"last alone on the left", string(f.absent), last, nil},
		{"empty neighbours", string(f.absent), &ics23.ExistenceProof{}, &ics23.ExistenceProof{}},
		{"present, between its neighbours", f.order[10], exist(f.order[9]), exist(f.order[11])},
		{"present, itself on the left", f.order[10], exist(f.order[10]), exist(f.order[11])},
		{"present, itself on the right", f.order[10], exist(f.order[9]), exist(f.order[10])},
		{"present, first of all", f.order[0], nil, exist(f.order[1])},
		{"present, last of all", f.order[len(f.order)-1], exist(f.order[len(f.order)-2]), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			mustRefuse(t, f.root, []byte(c.key), nil, absence(c.key, c.left, c.right))
		})
	}
	if err := Verify(f.root, f.absent, nil, absence(string(f.absent), non.Left, non.Right)); err != nil {
		t.Fatalf("the true neighbours: %v", err)
	}
}

func absence(key string, left, right *ics23.ExistenceProof) *ics23.CommitmentProof {
	return &ics23.CommitmentProof{Proof: &ics23.CommitmentProof_Nonexist{
		Nonexist: &ics23.NonExistenceProof{Key: []byte(key), Left: left, Right: right},
	}}
}

func TestVerifyRefusesWrongClaims(t *testing.T) {
	f := newFixture(t)
	otherRoot := f.root
	otherRoot[31] ^= 1
	batch, err := ics23.CombineProofs([]*ics23.CommitmentProof{f.exist, f.nonexist})
	if err != nil {
		t.Fatal(err)
	}
	bare := clone(t, f.nonexist)
	bare.GetNonexist().Left.Path, bare.GetNonexist().Right.Path = nil, nil
	for _, c := range []struct {
		name       string
		root       [32]byte
		key, value []byte
		proof      *ics23.CommitmentProof
	}{
		{"present under another root", otherRoot, f.present, f.value(), f.exist},
		{"present under the empty root", [32]byte{}, f.present, f.value(), f.exist},
		{"absent under another root", otherRoot, f.absent, nil, f.nonexist},
		{"absent under the empty root", [32]byte{}, f.absent, nil, f.nonexist},
		{"another present key", f.root, []byte(f.order[0]), f.value(), f.exist},
		{"another absent key", f.root, []byte("absent"), nil, f.nonexist},
		{"another value", f.root, f.present, []byte("value-x"), f.exist},
		{"empty value", f.root, f.present, []byte{}, f.exist},
		{"absence claimed of a present key", f.root, f.present, nil, f.exist},
		{"presence claimed of an absent key", f.root, f.absent, []byte("1"), f.nonexist},
		{"no key", f.root, nil, f.value(), f.exist},
		{"no key, absent", f.root, nil, nil, f.nonexist},
		{"long key", f.root, make([]byte, MaxKeyLength+1), nil, f.nonexist},
		{"no proof", f.root, f.present, f.value(), nil},
		{"no proof of absence", f.root, f.absent, nil, nil},
		{"empty proof", f.root, f.present, f.value(), &ics23.CommitmentProof{}},
		{"empty proof of absence", f.root, f.absent, nil, &ics23.CommitmentProof{}},
		{"nil existence", f.root, f.present, f.value(), &ics23.CommitmentProof{Proof: &ics23.CommitmentProof_Exist{}}},
		{"nil existence variant", f.root, f.present, f.value(), &ics23.CommitmentProof{Proof: (*ics23.CommitmentProof_Exist)(nil)}},
		{"nil absence", f.root, f.absent, nil, &ics23.CommitmentProof{Proof: &ics23.CommitmentProof_Nonexist{}}},
		{"nil absence variant", f.root, f.absent, nil, &ics23.CommitmentProof{Proof: (*ics23.CommitmentProof_Nonexist)(nil)}},
		{"nil batch", f.root, f.present, f.value(), &ics23.CommitmentProof{Proof: &ics23.CommitmentProof_Batch{}}},
		{"nil compressed", f.root, f.absent, nil, &ics23.CommitmentProof{Proof: &ics23.CommitmentProof_Compressed{}}},
		{"batch", f.root, f.present, f.value(), ics23.Decompress(batch)},
		{"compressed batch", f.root, f.present, f.value(), batch},
		{"compressed batch, absent", f.root, f.absent, nil, batch},
		{"neighbours without paths", f.root, f.absent, nil, bare},
	} {
		t.Run(c.name, func(t *testing.T) { mustRefuse(t, c.root, c.key, c.value, c.proof) })
	}
}

// TestVerifyRefusesMisplacedLeaf: under a root made with a leaf where its path
// does not lead, ics23 takes that leaf's proof. Verify does not.
func TestVerifyRefusesMisplacedLeaf(t *testing.T) {
	path := hash(sha256.Sum256([]byte("a"))) // begins with 1: right
	leaf, sibling := leafHash(&path, []byte("1")), hash{7}
	root := innerHash(&leaf, &sibling)
	exist := &ics23.ExistenceProof{
		Key: []byte("a"), Value: []byte("1"), Leaf: leafOp(),
		Path: []*ics23.InnerOp{innerOp(0, &sibling)},
	}
	proof := &ics23.CommitmentProof{Proof: &ics23.CommitmentProof_Exist{Exist: exist}}
	if !ics23.VerifyMembership(ics23.SmtSpec, root[:], proof, []byte("a"), []byte("1")) {
		t.Fatal("the proof is broken in another way too")
	}
	mustRefuse(t, root, []byte("a"), []byte("1"), proof)
}

// TestVerifyRefusesEveryFlippedBit flips each bit of the encoded proofs. What
// still decodes, to anything else than before, must be refused.
func TestVerifyRefusesEveryFlippedBit(t *testing.T) {
	f := newFixture(t)
	for _, c := range []struct {
		key, value []byte
		proof      *ics23.CommitmentProof
	}{{f.present, f.value(), f.exist}, {f.absent, nil, f.nonexist}} {
		bz, err := c.proof.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		decoded := 0
		for i := range len(bz) * 8 {
			bad := bytes.Clone(bz)
			bad[i/8] ^= 1 << (i % 8)
			p := new(ics23.CommitmentProof)
			if p.Unmarshal(bad) != nil {
				continue
			}
			if again, err := p.Marshal(); err == nil && bytes.Equal(again, bz) {
				continue
			}
			decoded++
			if err := Verify(f.root, c.key, c.value, p); !errors.Is(err, ErrProof) {
				t.Fatalf("bit %d: got %v", i, err)
			}
		}
		if decoded < len(bz) {
			t.Fatalf("only %d of %d flips decoded", decoded, len(bz)*8)
		}
	}
}

// TestVerifyWritesNothing: ics23 appends to the slices of a proof, which must
// not reach the caller's memory.
func TestVerifyWritesNothing(t *testing.T) {
	f := newFixture(t)
	for _, c := range []struct {
		key, value []byte
		proof      *ics23.CommitmentProof
	}{{f.present, f.value(), f.exist}, {f.absent, nil, f.nonexist}} {
		p := clone(t, c.proof)
		backing := bytes.Repeat([]byte{0xAA}, 1000)
		roomy := func(e *ics23.ExistenceProof) {
			if e == nil {
				return
			}
			for i, op := range e.Path {
				op.Prefix = append(backing[i*100:i*100], op.Prefix...)
			}
			e.Leaf.Prefix = append(backing[900:900], e.Leaf.Prefix...)
		}
		roomy(p.GetExist())
		roomy(p.GetNonexist().GetLeft())
		before := bytes.Clone(backing)
		if err := Verify(f.root, c.key, c.value, p); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(before, backing) {
			t.Fatal("Verify wrote behind a prefix")
		}
	}
}

// TestProofsHaveNoSpareRoom: the proofs we make are safe to hand to ics23's
// own verifier from several goroutines.
func TestProofsHaveNoSpareRoom(t *testing.T) {
	f := newFixture(t)
	non := f.nonexist.GetNonexist()
	for _, e := range []*ics23.ExistenceProof{f.exist.GetExist(), non.Left, non.Right} {
		if cap(e.Leaf.Prefix) != len(e.Leaf.Prefix) {
			t.Fatal("leaf prefix has spare room")
		}
		for _, op := range e.Path {
			if cap(op.Prefix) != len(op.Prefix) {
				t.Fatal("inner prefix has spare room")
			}
		}
	}
}
