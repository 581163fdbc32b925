package store

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"sync"
	"sync/atomic"
)

const (
	cacheShards = 64 // a power of two

	// Values lie in slabs of at most this size, so that an offset has 16 bits.
	// Larger entries are not cached.
	maxSlabBytes = 64 << 10
	// A shard has fewer slabs than 16 bits can number.
	maxShardSlabs = 1 << 15
	minSlabBytes  = 256

	// entryHeader is key length (2 bytes) and value length (4 bytes).
	entryHeader = 6
	absent      = 1<<32 - 1 // the value length of a key known to be absent
)

// cache holds recent values of the table, absence included, as of the last
// write that was completed.
//
// Keys and values lie in slabs: memory without pointers, written once, given up
// whole, the oldest first, when the cache is full. So a value handed out stays
// as it is for as long as anybody keeps it, nothing is allocated to read it,
// and the garbage collector sees a few thousand objects instead of millions.
//
// # Staleness
//
// An entry is put by the committer, after the batch is written, and by readers
// who missed and read the disk. A reader may be slow: it reads the disk, a
// commit follows, and its value is old when it comes to put it. So a reader
// notes the epoch before it reads the disk, and fill, under the shard's lock,
// takes the value only while the epoch is still the same. The committer first
// raises the epoch and then puts its values, under the same locks. Either fill
// came first, and the committer's value replaces it; or it comes after the
// epoch was raised, and is turned away. A reader that notes the raised epoch
// reads a disk that has the batch.
type cache struct {
	seed   maphash.Seed
	epoch  atomic.Uint64
	warmth atomic.Uint64 // what warm read, so that it is not left out as useless
	shards [cacheShards]cacheShard
}

// cacheShard is the part of the cache for some of the hashes.
type cacheShard struct {
	mu sync.RWMutex // guards all that follows

	index index    // hash of a key -> slab number << 16 | offset
	slabs [][]byte // oldest first; the last one is being filled
	first uint16   // the number of slabs[0]; numbers wrap

	slabBytes  int
	limitBytes int
}

func newCache(limitBytes int64) *cache {
	c := &cache{seed: maphash.MakeSeed()}
	limit := int(limitBytes / cacheShards)
	for i := range c.shards {
		c.shards[i] = cacheShard{
			slabBytes:  min(max(limit/8, minSlabBytes), maxSlabBytes),
			limitBytes: min(limit, maxShardSlabs*maxSlabBytes),
		}
	}
	return c
}

// hash is the hash of a key that the other methods want.
func (c *cache) hash(key []byte) uint64 { return maphash.Bytes(c.seed, key) }

func (c *cache) shard(hash uint64) *cacheShard { return &c.shards[hash%cacheShards] }

// get returns a key's value, nil when it is absent, and whether the cache knows.
func (c *cache) get(hash uint64, key []byte) (value []byte, known bool) {
	sh := c.shard(hash)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	place, ok := sh.index.get(hash)
	if !ok {
		return nil, false
	}
	k, v := sh.entry(place)
	if !bytes.Equal(k, key) {
		return nil, false // another key with the same hash
	}
	return v, true
}

// fill puts what a reader found on the disk, unless a commit has come between
// since the reader noted the epoch.
func (c *cache) fill(epoch, hash uint64, key, value []byte) {
	sh := c.shard(hash)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if c.epoch.Load() == epoch {
		sh.put(c, hash, key, value)
	}
}

// put puts what the committer wrote. raise comes before.
func (c *cache) put(hash uint64, key, value []byte) {
	sh := c.shard(hash)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.put(c, hash, key, value)
}

// raise begins a new epoch: the batch is written.
func (c *cache) raise() { c.epoch.Add(1) }

// entry reads what lies at a place.
func (sh *cacheShard) entry(place uint32) (key, value []byte) {
	slab := sh.slabs[uint16(place>>16)-sh.first]
	key, value, _ = cutEntry(slab[uint16(place):])
	return key, value
}

// cutEntry takes the first entry off a slab. The value's capacity ends with it.
func cutEntry(slab []byte) (key, value, rest []byte) {
	keyEnd := entryHeader + int(binary.LittleEndian.Uint16(slab))
	size := binary.LittleEndian.Uint32(slab[2:])
	key = slab[entryHeader:keyEnd]
	if size == absent {
		return key, nil, slab[keyEnd:]
	}
	end := keyEnd + int(size)
	return key, slab[keyEnd:end:end], slab[end:]
}

// put appends an entry and lets the index point to it. An entry that is too
// large leaves its key unknown.
func (sh *cacheShard) put(c *cache, hash uint64, key, value []byte) {
	size := entryHeader + len(key) + len(value)
	if size > sh.slabBytes || len(key) >= 1<<16 {
		sh.index.remove(hash)
		return
	}
	last := len(sh.slabs) - 1
	if last < 0 || cap(sh.slabs[last])-len(sh.slabs[last]) < size {
		sh.slabs = append(sh.slabs, make([]byte, 0, sh.slabBytes))
		last++
	}
	slab := sh.slabs[last]
	sh.index.set(hash, uint32(sh.first+uint16(last))<<16|uint32(len(slab)))
	valueLength := uint32(absent)
	if value != nil {
		valueLength = uint32(len(value))
	}
	slab = binary.LittleEndian.AppendUint16(slab, uint16(len(key)))
	slab = binary.LittleEndian.AppendUint32(slab, valueLength)
	sh.slabs[last] = append(append(slab, key...), value...)
	for len(sh.slabs) > 1 && sh.sizeBytes() > sh.limitBytes {
		sh.drop(c)
	}
}

func (sh *cacheShard) sizeBytes() int {
	return len(sh.slabs)*sh.slabBytes + sh.index.sizeBytes()
}

// drop gives up the oldest slab.
func (sh *cacheShard) drop(c *cache) {
	slab := sh.slabs[0]
	for rest := slab; len(rest) > 0; {
		place := uint32(sh.first)<<16 | uint32(len(slab)-len(rest))
		var key []byte
		key, _, rest = cutEntry(rest)
		hash := c.hash(key)
		if at, known := sh.index.get(hash); known && at == place {
			sh.index.remove(hash)
		}
	}
	sh.slabs[0] = nil
	sh.slabs = sh.slabs[1:]
	sh.first++
}

// hasRoom reports whether the cache is less than half full, so that filling it
// ahead of use displaces nothing.
func (c *cache) hasRoom(hash uint64) bool {
	sh := c.shard(hash)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	return 2*sh.sizeBytes() < sh.limitBytes
}
