package store

import (
	"fmt"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/ledger"
)

// The index does what a map does, for hashes that crowd into few homes.
func TestIndexMatchesMap(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var x index
		model := map[uint64]uint32{}
		for range rapid.IntRange(1, 200).Draw(rt, "steps") {
			hash := uint64(rapid.IntRange(0, 40).Draw(rt, "hash"))<<33 | rapid.SampledFrom([]uint64{0, 1 << 63, 63 << 33}).Draw(rt, "high")
			if rapid.IntRange(0, 2).Draw(rt, "remove") == 0 {
				x.remove(hash)
				delete(model, hash)
			} else {
				place := rapid.Uint32().Draw(rt, "place")
				x.set(hash, place)
				model[hash] = place
			}
		}
		if x.used != len(model) {
			rt.Fatalf("%d in use, want %d", x.used, len(model))
		}
		for n := range uint64(64) {
			for _, hash := range []uint64{n << 33, n<<33 | 1<<63} {
				got, found := x.get(hash)
				want, expected := model[hash]
				if got, want := fmt.Sprint(got, found), fmt.Sprint(want, expected); found != expected || found && got != want {
					rt.Fatalf("hash %x: %s, want %s", hash, got, want)
				}
			}
		}
	})
}

// The cache keeps its bound whatever is put, forgets the oldest, never has
// another key's value, and what it handed out stays as it was.
func TestCacheBound(t *testing.T) {
	const limit, keys = 64 * 4096, 20_000
	c := newCache(limit)
	handedOut := map[string][]byte{}
	value := func(n int) string { return fmt.Sprint("value ", n, "----------------------------") }
	for n := range keys {
		key := fmt.Appendf(nil, "key %d", n)
		hash := c.hash(key)
		c.put(hash, key, []byte(value(n)))
		got, known := c.get(hash, key)
		if !known || string(got) != value(n) {
			t.Fatalf("%s just put: %q, %v", key, got, known)
		}
		handedOut[string(key)] = got
		if size := c.shard(hash).sizeBytes(); size > limit/cacheShards+minSlabBytes {
			t.Fatalf("a shard takes %d bytes of %d", size, limit/cacheShards)
		}
	}
	known := 0
	for n := range keys {
		key := fmt.Sprint("key ", n)
		if got, ok := c.get(c.hash([]byte(key)), []byte(key)); ok {
			known++
			if string(got) != value(n) {
				t.Fatalf("%s: %q", key, got)
			}
		}
		if string(handedOut[key]) != value(n) {
			t.Fatalf("%s was handed out and is now %q", key, handedOut[key])
		}
	}
	if known == 0 || known == keys {
		t.Fatalf("%d of %d keys are still known", known, keys)
	}
}

// A value too large for a slab is not kept, nor is the one it replaces.
func TestCacheOfLargeValue(t *testing.T) {
	c := newCache(64 * 8192)
	key := []byte("k")
	hash := c.hash(key)
	c.put(hash, key, []byte("small"))
	c.put(hash, key, make([]byte, maxSlabBytes))
	if got, known := c.get(hash, key); known {
		t.Fatalf("still known as %d bytes", len(got))
	}
	c.put(hash, key, nil)
	if got, known := c.get(hash, key); !known || got != nil {
		t.Fatalf("absence: %q, %v", got, known)
	}
}

// Another key with the same hash is not mistaken for the one asked for.
func TestCacheTellsKeysOfOneHashApart(t *testing.T) {
	c := newCache(1 << 20)
	c.put(7, []byte("one"), []byte("1"))
	if got, known := c.get(7, []byte("two")); known {
		t.Fatalf("got %q", got)
	}
	c.put(7, []byte("two"), []byte("2"))
	if got, known := c.get(7, []byte("one")); known {
		t.Fatalf("got %q", got)
	}
}

// Readers of the latest height race with commits for a few keys and a cache of
// which most is always new: each value must be the one of the view's height.
func TestCacheIsNeverStale(t *testing.T) {
	commits := 600
	if testing.Short() {
		commits = 100
	}
	s := openTemp(t, Options{CacheBytes: 1})
	const keys = 40
	value := func(key int, h ledger.Height) string { // changes every key+1 heights
		return fmt.Sprint(uint64(h) / uint64(key+1))
	}
	key := func(k int) []byte { return fmt.Appendf(nil, "%02d", k) }
	commit := func(h ledger.Height) {
		var changes []ledger.Change
		for k := range keys {
			if h == 1 || value(k, h) != value(k, h-1) {
				changes = append(changes, ledger.Change{Key: key(k), Value: []byte(value(k, h))})
			}
		}
		commitNext(t, s, changes)
	}
	commit(1)
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for r := range 4 {
		readers.Go(func() {
			for n := r; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				v := s.Latest()
				got, err := v.Get(key(n % keys))
				if want := value(n%keys, v.Height()); err != nil || string(got) != want {
					t.Errorf("height %d, key %d: %q, %v; want %q", v.Height(), n%keys, got, err, want)
					return
				}
			}
		})
	}
	for h := range ledger.Height(commits) {
		commit(h + 2)
	}
	close(stop)
	readers.Wait()
}
