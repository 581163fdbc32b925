package store

// index finds the place of an entry of a cache shard by its key's hash. It is a
// table of words with linear probing: one look at memory for most lookups, and
// nothing for the garbage collector to follow. The zero index is empty.
//
// A word has, from the top, a bit that says it is in use, 31 bits of the hash
// (the tag), and the place. Keys with the same tag, about one pair among fifty
// thousand keys of a shard, take each other's word: the caller compares keys.
type index struct {
	words []uint64 // a power of two of them, or none
	used  int
}

const (
	indexUsed     = 1 << 63
	indexMinWords = 16
)

// tagOf is the part of a hash that a word has, where the word has it. Other
// bits choose the shard.
func tagOf(hash uint64) uint64 { return hash>>33<<32 | indexUsed }

// home is where the search for a tag begins.
func (x *index) home(word uint64) int { return int(word>>32) & (len(x.words) - 1) }

func (x *index) next(i int) int { return (i + 1) & (len(x.words) - 1) }

// find returns where the word with the tag of hash is, or would be. There is
// always an unused word, unless there are none at all.
func (x *index) find(hash uint64) (i int, found bool) {
	tag := tagOf(hash)
	for i = x.home(tag); x.words[i] != 0; i = x.next(i) {
		if x.words[i]>>32 == tag>>32 {
			return i, true
		}
	}
	return i, false
}

// get returns the place of a hash.
func (x *index) get(hash uint64) (place uint32, found bool) {
	if x.used == 0 {
		return 0, false
	}
	i, found := x.find(hash)
	return uint32(x.words[i]), found
}

// peek reads the word where the search for a hash begins; see warm.
func (x *index) peek(hash uint64) uint64 {
	if x.used == 0 {
		return 0
	}
	return x.words[x.home(tagOf(hash))]
}

// set lets a hash have a place.
func (x *index) set(hash uint64, place uint32) {
	if 4*(x.used+1) > 3*len(x.words) {
		x.grow()
	}
	i, found := x.find(hash)
	if !found {
		x.used++
	}
	x.words[i] = tagOf(hash) | uint64(place)
}

func (x *index) grow() {
	old := x.words
	x.words = make([]uint64, max(indexMinWords, 2*len(old)))
	for _, word := range old {
		if word == 0 {
			continue
		}
		i := x.home(word)
		for x.words[i] != 0 {
			i = x.next(i)
		}
		x.words[i] = word
	}
}

// remove forgets a hash.
func (x *index) remove(hash uint64) {
	if x.used == 0 {
		return
	}
	hole, found := x.find(hash)
	if !found {
		return
	}
	x.used--
	// Words after the hole move up into it, unless their search begins behind it.
	for i := x.next(hole); x.words[i] != 0; i = x.next(i) {
		mask := len(x.words) - 1
		if (i-x.home(x.words[i]))&mask >= (i-hole)&mask {
			x.words[hole] = x.words[i]
			hole = i
		}
	}
	x.words[hole] = 0
}

// sizeBytes is the memory that x takes.
func (x *index) sizeBytes() int { return 8 * len(x.words) }
