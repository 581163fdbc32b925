package smt

// A large tree is far larger than the processor's cache, and most of an
// update's time would go into waiting for memory: at every level for the node,
// for its sibling's hash, and for the room of the new node. Reads that do not
// depend on each other are served together, so reading for several updates
// ahead makes them wait once instead of many times. That is all this file does;
// without it the results are the same, at two thirds of the speed.

// warmItems is how many items warm follows at once. Processors serve about ten
// reads from memory at a time.
const warmItems = 16

// warm reads what applyWarm is going to need, so that it is in the processor's
// cache by then. It follows all items at once, one level at a time: reads that
// do not wait for each other are served together, where applyWarm alone would
// wait for memory at every level of every item.
func (w *writer) warm(h handle, items []item, depth int) {
	if h == empty {
		return
	}
	var at [warmItems]handle
	for i := range items {
		at[i] = h
	}
	nodes, sum := w.nodes, byte(0)
	for walking := true; walking; depth++ {
		walking = false
		for i := range items {
			if at[i] == empty {
				continue
			}
			pair := nodes.pair(at[i])
			if at[i].isLeaf() {
				key := w.raw.key(keyRef{pair[0], pair[1]})
				sum += key[0] + key[len(key)-1] + nodes.hash(at[i])[0]
				at[i] = empty
				continue
			}
			turn := bit(&items[i].path, depth)
			sum += nodes.hash(handle(pair[1-turn]))[0]
			at[i] = handle(pair[turn])
			walking = true
		}
	}
	w.warmth += sum
}

// warmFree reads the free nodes that are used next, for the same reason: they
// lie anywhere in memory, and writing to each would wait for it.
func (w *writer) warmFree() {
	sum := byte(0)
	for _, n := range w.block[:min(warmItems, len(w.block))] {
		sum += w.nodes.hash(handle(n))[0] + byte(w.nodes.pair(handle(n))[0])
	}
	w.warmth += sum
}
