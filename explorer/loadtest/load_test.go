package loadtest

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick/explorer/explorertest"
)

// The variables of the environment that a measurement is asked for by:
// TALLY_EXPLORER_LOAD is how many transactions, TALLY_EXPLORER_LOAD_READERS how many
// readers, TALLY_EXPLORER_LOAD_PAUSE how long each reads what it has got before it
// asks again, TALLY_EXPLORER_LOAD_FOR how long, and TALLY_EXPLORER_LOAD_KEEP a
// file of SQLite, or the URL of a PostgreSQL schema, that is used again.
func variable[T any](t *testing.T, name string, otherwise T, parse func(string) (T, error)) T {
	text := os.Getenv("TALLY_EXPLORER_LOAD" + name)
	if text == "" {
		return otherwise
	}
	v, err := parse(text)
	if err != nil {
		t.Fatalf("TALLY_EXPLORER_LOAD%s: %v", name, err)
	}
	return v
}

// The promises: how long nearly every answer may take, how large a page may be, and
// how much memory a process may hold.
const (
	promised       = 50 * time.Millisecond
	promisedPage   = 100 << 10
	promisedMemory = 200 // MiB
)

func TestLoad(t *testing.T) {
	txs := variable(t, "", 0, strconv.Atoi)
	where := os.Getenv(whereVariable)
	switch os.Getenv(roleVariable) {
	case "index":
		build(t, where, txs)
		return
	case "serve":
		serve(t, where)
		return
	}
	if txs == 0 {
		t.Skip("scripts/explorer-load measures the explorer")
	}
	if kept := os.Getenv("TALLY_EXPLORER_LOAD_KEEP"); kept != "" {
		measure(t, kept, txs)
		return
	}
	explorertest.Each(t, func(t *testing.T, d explorertest.Database) { measure(t, d.Where, txs) })
}

func measure(t *testing.T, where string, txs int) {
	process(t, "index", where, func(string) {})()
	serving := make(chan string, 1)
	memory := 0
	stop := process(t, "serve", where, func(line string) {
		if address, ok := strings.CutPrefix(line, "serving "); ok {
			serving <- address
		}
		fmt.Sscanf(line, "served with at most %d MiB", &memory)
	})
	var base string
	select {
	case address := <-serving:
		base = "http://" + address
	case <-time.After(time.Minute):
		t.Fatal("nothing is served")
	}
	chain := newLongChain(t, txs)
	everyOperation(t, base)
	readers := variable(t, "_READERS", 50, strconv.Atoi)
	pause := variable(t, "_PAUSE", 500*time.Millisecond, time.ParseDuration)
	lasts := variable(t, "_FOR", time.Minute, time.ParseDuration)
	run(t, base, chain, 1, 0, lasts/4) // what each costs, and what a cache has
	worst := run(t, base, chain, readers, pause, lasts)
	stop()
	if memory > promisedMemory {
		t.Errorf("serving took %d MiB; at most %d are promised", memory, promisedMemory)
	}
	if worst > promised {
		t.Errorf("the slowest route's p99 is %v; less than %v is promised", worst, promised)
	}
}

// everyOperation fails where the API has an operation that is not measured.
func everyOperation(t *testing.T, base string) {
	answer, err := http.Get(base + apiPrefix + "/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var document struct{ Paths map[string]any }
	if err := json.NewDecoder(answer.Body).Decode(&document); err != nil {
		t.Fatal(err)
	}
	for path := range document.Paths {
		name := strings.TrimPrefix(path, apiPrefix)
		notTimed := name == "/events" || // a stream
			name == "/transactions/{hash}/proof" // made by a node, of which there is none here
		if operations[name] == nil && !notTimed {
			t.Errorf("nobody asks for %s", path)
		}
	}
}

// taken is what one route took.
type taken struct {
	times   []time.Duration
	largest int // bytes, as they are sent
	slowest string
	failed  map[int]int
}

// run asks every route from so many readers, each after a pause, and reports what
// they took. It returns the slowest p99.
func run(t *testing.T, base string, chain *longChain, readers int, pause, lasts time.Duration) (worst time.Duration) {
	list := routes()
	results := make([]taken, len(list))
	var mu sync.Mutex
	var group sync.WaitGroup
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: readers, MaxConnsPerHost: readers}, Timeout: time.Minute}
	end := time.Now().Add(lasts)
	for reader := range readers {
		group.Go(func() {
			a := &asker{longChain: chain, Rand: rand.New(rand.NewPCG(uint64(reader), uint64(readers)))}
			for range 200 {
				tx, _ := chain.happens(a.IntN(chain.txs), 0)
				if int(tx.Nonce)%50 != 0 { // a hold's expiry is told by its block
					a.txHashes = append(a.txHashes, tx.Hash)
				}
			}
			time.Sleep(time.Duration(a.Float64() * float64(pause)))
			for i := reader; time.Now().Before(end); i++ {
				r := a.Perm(len(list))[0]
				if readers == 1 {
					r = i % len(list)
				}
				path := list[r].ask(a)
				began := time.Now()
				code, size, err := get(client, base+path)
				took := time.Since(began)
				if err != nil {
					t.Errorf("%s: %v", path, err)
					return
				}
				mu.Lock()
				results[r].add(path, took, size, code)
				mu.Unlock()
				time.Sleep(time.Duration((0.5 + a.Float64()) * float64(pause)))
			}
		})
	}
	group.Wait()
	return report(t, list, results, readers, pause, lasts)
}

func (r *taken) add(path string, took time.Duration, size, code int) {
	if len(r.times) == 0 || took > slices.Max(r.times) {
		r.slowest = path
	}
	r.times = append(r.times, took)
	r.largest = max(r.largest, size)
	if code != http.StatusOK {
		if r.failed == nil {
			r.failed = map[int]int{}
		}
		r.failed[code]++
	}
}

func get(client *http.Client, url string) (code, size int, err error) {
	answer, err := client.Get(url)
	if err != nil {
		return 0, 0, err
	}
	defer answer.Body.Close()
	n, err := io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, int(n), err
}

func report(t *testing.T, list []route, results []taken, readers int, pause, lasts time.Duration) (worst time.Duration) {
	var all []time.Duration
	var out strings.Builder
	fmt.Fprintf(&out, "%d readers, about %v between a reader's questions\n%-48s %7s %9s %9s %9s %9s\n", readers, pause, "route", "asked", "p50 ms", "p99 ms", "max ms", "KiB")
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	for i, r := range results {
		if len(r.times) == 0 {
			t.Errorf("%s was not asked", list[i].name)
			continue
		}
		slices.Sort(r.times)
		p99 := r.times[len(r.times)*99/100]
		worst = max(worst, p99)
		all = append(all, r.times...)
		fmt.Fprintf(&out, "%-48s %7d %9.1f %9.1f %9.1f %9.1f", list[i].name, len(r.times), ms(r.times[len(r.times)/2]), ms(p99), ms(r.times[len(r.times)-1]), float64(r.largest)/1024)
		if len(r.failed) > 0 {
			fmt.Fprintf(&out, "  %v", r.failed)
		}
		if p99 > promised {
			fmt.Fprintf(&out, "  slowest: %s", r.slowest)
		}
		out.WriteByte('\n')
		for code := range r.failed {
			if code >= 500 || code == http.StatusTooManyRequests || code == http.StatusUnprocessableEntity {
				t.Errorf("%s answered %v", list[i].name, r.failed)
			}
		}
		if !strings.HasPrefix(list[i].name, apiPrefix) && r.largest > promisedPage {
			t.Errorf("a page of %s has %d bytes; at most %d are promised", list[i].name, r.largest, promisedPage)
		}
	}
	slices.Sort(all)
	fmt.Fprintf(&out, "%-48s %7d %9.1f %9.1f %9.1f   %.0f answers a second\n", "all", len(all), ms(all[len(all)/2]), ms(all[len(all)*99/100]), ms(all[len(all)-1]), float64(len(all))/lasts.Seconds())
	fmt.Println(out.String())
	return worst
}
