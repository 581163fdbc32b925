package store

import "math/bits"

// A state's records are far more than the processor's cache holds, and a
// lookup waits for memory twice: for the word of the index, and for the entry
// to which it leads. Reads that do not depend on each other are served
// together, so looking up many keys at once waits about twice in all. That is
// all this file does; without it the results are the same.

// warmKeys is how many keys are looked up at once.
const warmKeys = 64

// Warm implements ledger.Warmer: it reads from the cache what Get needs of the
// keys, so that they are close by then. It does not read the disk. Cost: a
// fraction of Get's for each key.
func (v *View) Warm(keys [][]byte) {
	for len(keys) > 0 {
		n := min(len(keys), warmKeys)
		v.store.cache.warm(keys[:n])
		keys = keys[n:]
	}
}

// warm looks up at most warmKeys keys.
func (c *cache) warm(keys [][]byte) {
	var hashes [warmKeys]uint64
	shards := uint64(0) // a bit for each that is needed
	for i, key := range keys {
		hashes[i] = c.hash(key)
		shards |= 1 << (hashes[i] % cacheShards)
	}
	// A lock is a fence: no read passes it. So all locks come first, in the
	// order of the shards, as anybody must who takes several.
	for rest := shards; rest != 0; rest &= rest - 1 {
		c.shards[bits.TrailingZeros64(rest)].mu.RLock()
	}
	c.warmth.Store(c.touch(hashes[:len(keys)]))
	for rest := shards; rest != 0; rest &= rest - 1 {
		c.shards[bits.TrailingZeros64(rest)].mu.RUnlock()
	}
}

// touch reads the words of the index, and then the entries. The shards are
// locked. The sum is of no use but that the reads are needed for it.
func (c *cache) touch(hashes []uint64) (sum uint64) {
	for _, hash := range hashes {
		sum += c.shard(hash).index.peek(hash)
	}
	for _, hash := range hashes {
		sh := c.shard(hash)
		if place, ok := sh.index.get(hash); ok {
			sum += sh.touch(place)
		}
	}
	return sum
}

// touch reads an entry where it begins and where most entries end.
func (sh *cacheShard) touch(place uint32) uint64 {
	const apart = 64 // the bytes that processors read at once
	slab := sh.slabs[uint16(place>>16)-sh.first]
	at := int(uint16(place))
	return uint64(slab[at]) + uint64(slab[min(at+apart, len(slab)-1)])
}
