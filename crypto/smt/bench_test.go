package smt

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
)

// benchKeyLength is about the length of the ledger's balance keys.
const benchKeyLength = 48

// retainedVersions is how many versions the benchmarks keep provable.
const retainedVersions = 16

// benchKey returns key number i; the numbers ascend as the keys do.
func benchKey(i int) []byte {
	key := make([]byte, benchKeyLength)
	copy(key, "balance/")
	binary.BigEndian.PutUint64(key[8:], uint64(i))
	return key
}

func benchTree(b *testing.B, n int) *Tree {
	b.Helper()
	value := make([]byte, 32)
	tree, err := Build(1, func(yield func(key, value []byte) bool) {
		for i := range n {
			if !yield(benchKey(i), value) {
				return
			}
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	return tree
}

// benchBatches makes batches of distinct random keys with fresh values.
func benchBatches(n, size, count int) [][]Change {
	rng := rand.New(rand.NewPCG(1, 2))
	batches := make([][]Change, count)
	for i := range batches {
		seen := make(map[int]bool, size)
		for len(batches[i]) < size {
			k := rng.IntN(n)
			if seen[k] {
				continue
			}
			seen[k] = true
			value := make([]byte, 32)
			binary.BigEndian.PutUint64(value, rng.Uint64())
			batches[i] = append(batches[i], Change{benchKey(k), value})
		}
	}
	return batches
}

func liveHeap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// runUpdates stages, commits and prunes one batch an iteration, and reports
// updates a second and the live heap a key with all versions retained.
func runUpdates(b *testing.B, n, size, workers int) {
	before := liveHeap()
	tree := benchTree(b, n)
	next := uint64(2)
	update := func(batch []Change) {
		s, err := tree.stage(batch, workers)
		if err != nil {
			b.Fatal(err)
		}
		if err := tree.Commit(s, next); err != nil {
			b.Fatal(err)
		}
		if next >= retainedVersions {
			tree.Prune(next - retainedVersions + 1)
		}
		next++
	}
	func() { // fill the window before the clock starts
		for _, batch := range benchBatches(n, size, retainedVersions) {
			update(batch)
		}
	}()
	batches := benchBatches(n, size, retainedVersions)
	for i := 0; b.Loop(); i++ {
		for c := range batches[i%len(batches)] { // fresh values, so that every update changes its leaf
			binary.BigEndian.PutUint64(batches[i%len(batches)][c].Value[8:], uint64(i))
		}
		update(batches[i%len(batches)])
	}
	b.ReportMetric(float64(size)*float64(b.N)/b.Elapsed().Seconds(), "updates/s")
	batches = nil
	heap := liveHeap() - before
	if got := len(tree.Versions()); got != retainedVersions {
		b.Fatalf("%d versions retained", got)
	}
	b.ReportMetric(float64(heap)/float64(n), "bytes/key")
	runtime.KeepAlive(tree)
}

// BenchmarkUpdate1M is the figure of the requirements: 1,000,000 keys, batches
// of 10,000, one core, 16 versions retained.
func BenchmarkUpdate1M(b *testing.B) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	runUpdates(b, 1_000_000, 10_000, 1)
}

// BenchmarkUpdateParallel spreads batches over the cores there are.
func BenchmarkUpdateParallel(b *testing.B) {
	for _, c := range []struct{ keys, size int }{{1_000_000, 10_000}, {300_000, 30_000}} {
		b.Run(fmt.Sprintf("keys=%d/batch=%d", c.keys, c.size), func(b *testing.B) {
			runUpdates(b, c.keys, c.size, runtime.GOMAXPROCS(0))
		})
	}
}

func BenchmarkBuild(b *testing.B) {
	const n = 1_000_000
	for b.Loop() {
		benchTree(b, n)
	}
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "keys/s")
}

func BenchmarkProve(b *testing.B) {
	const n = 1_000_000
	tree := benchTree(b, n)
	stored := make([]byte, 32)
	value := func([]byte) ([]byte, error) { return stored, nil }
	for _, c := range []struct {
		name string
		key  func(i int) []byte
	}{
		{"present", func(i int) []byte { return benchKey(i * 7919 % n) }},
		{"absent", func(i int) []byte { return benchKey(n + i) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				if _, err := tree.Prove(1, c.key(i), value); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
