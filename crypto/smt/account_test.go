package smt

import "testing"

// checkAccounts compares what the arenas have handed out with what the versions
// still in the tree reach. They must be equal when no stage is open: a node too
// many is a leak, one too few is in use twice.
func checkAccounts(t interface {
	Helper()
	Fatalf(string, ...any)
}, tree *Tree) {
	t.Helper()
	if len(tree.open) != 0 {
		t.Fatalf("%d stages open", len(tree.open))
	}
	nodes := make(map[handle]bool)
	keys := make(map[uint32]uint32) // cell to cells
	view := tree.nodes.view()
	var visit func(h handle)
	visit = func(h handle) {
		if h == empty || nodes[h] {
			return
		}
		nodes[h] = true
		if h.isLeaf() {
			p := view.pair(h)
			keys[p[0]] = keyRef{p[0], p[1]}.cells()
			return
		}
		left, right := view.children(h)
		visit(left)
		visit(right)
	}
	for _, v := range tree.versions {
		visit(v.root)
	}
	if got, want := tree.nodes.inUse(), len(nodes); got != want {
		t.Fatalf("%d nodes in use, %d reachable", got, want)
	}
	cells := 0
	for _, n := range keys {
		cells += int(n)
	}
	if got := tree.keys.inUse(); got != cells {
		t.Fatalf("%d key cells in use, %d reachable", got, cells)
	}
}

// TestPrunedTreeHoldsItsHeadAlone: after many versions and a prune, the arenas
// hold the head's nodes exactly, and pruned memory is used again.
func TestPrunedTreeHoldsItsHeadAlone(t *testing.T) {
	const batch = 3000
	tree := New()
	var changes []Change
	for i := range batch {
		changes = append(changes, Change{benchKey(i), []byte{1}})
	}
	grown := 0
	for v := uint64(1); v <= 20; v++ {
		for i := range changes {
			changes[i].Value = []byte{byte(v)}
		}
		mustCommit(t, tree, v, changes...)
		if v > 3 {
			tree.Prune(v - 3)
		}
		if v == 10 {
			grown = len(tree.nodes.view())
		}
		checkAccounts(t, tree)
	}
	if got := len(tree.nodes.view()); got > grown+1 {
		t.Fatalf("%d chunks after 20 versions, %d after 10", got, grown)
	}
	tree.Prune(20)
	checkAccounts(t, tree)
	if got := tree.nodes.inUse(); got < 2*batch-1 || got > 3*batch {
		t.Fatalf("%d nodes for %d keys", got, batch)
	}
	for i := range changes {
		changes[i].Value = nil
	}
	mustCommit(t, tree, 21, changes...)
	tree.Prune(21)
	checkAccounts(t, tree)
	if n, k := tree.nodes.inUse(), tree.keys.inUse(); n != 0 || k != 0 {
		t.Fatalf("an empty tree uses %d nodes and %d cells", n, k)
	}
}
