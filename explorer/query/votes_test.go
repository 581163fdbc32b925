package query

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/explorer"
	"github.com/tallystick/tallystick/explorer/explorertest"
	"github.com/tallystick/tallystick/ledger"
)

// tally is what a chain's commits say of one validator.
type tally struct {
	power, signed, missed, proposed uint64
	last                            *uint64
}

// votesOn are the votes on a block, which stand in the block after it.
func votesOn(chain *explorertest.Chain, h ledger.Height) []explorer.Vote {
	return chain.At(h + 1).LastCommit
}

// voteOf is a validator's vote on a block.
func voteOf(chain *explorertest.Chain, h ledger.Height, a ledger.ConsensusAddress) (explorer.Vote, bool) {
	for _, v := range votesOn(chain, h) {
		if v.Validator == a {
			return v, true
		}
	}
	return explorer.Vote{}, false
}

// everyKey is every consensus address that ever voted.
func everyKey(chain *explorertest.Chain) (keys []ledger.ConsensusAddress) {
	for h := ledger.Height(1); h < chain.Top(); h++ {
		for _, v := range votesOn(chain, h) {
			if !slices.Contains(keys, v.Validator) {
				keys = append(keys, v.Validator)
			}
		}
	}
	return keys
}

// eachVotes runs a test on short chains, of which the window takes all, and on one
// that is longer than the window.
func eachVotes(t *testing.T, test func(*testing.T, *Reader, *explorertest.Chain)) {
	for _, blocks := range []int{0, 1, 2, 90, UptimeWindow + 60} {
		t.Run(fmt.Sprint(blocks), func(t *testing.T) {
			chain := explorertest.New(t, 61)
			chain.Grow(min(blocks, 90))
			for int(chain.Top()) < blocks-20 {
				chain.Block()
			}
			chain.Grow(blocks - int(chain.Top()))
			explorertest.Each(t, func(t *testing.T, d explorertest.Database) {
				r, _ := indexed(t, d, chain)
				test(t, r, chain)
			})
		})
	}
}

// Powers, what was signed, missed and proposed of the last thousand blocks, and the
// uptime, are what the commits say.
func TestValidators(t *testing.T) {
	eachVotes(t, func(t *testing.T, r *Reader, chain *explorertest.Chain) {
		got, err := r.Validators(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want, window, total := map[string]*tally{}, uint64(0), uint64(0)
		if chain.Top() < 2 {
			if got.Window != 0 || len(got.Items) != 0 || got.Items == nil {
				t.Fatalf("without votes: %+v", got)
			}
			return
		}
		newest := chain.Top() - 1
		for _, v := range votesOn(chain, newest) {
			want[string(v.Validator[:])] = &tally{power: v.Power}
			total += v.Power
		}
		for h := newest; h >= 1 && window < UptimeWindow; h-- {
			window++
			for _, v := range votesOn(chain, h) {
				w := want[string(v.Validator[:])]
				switch {
				case w == nil:
				case v.Vote == explorer.VoteSigned:
					if w.signed++; w.last == nil {
						w.last = new(uint64)
						*w.last = uint64(h)
					}
				default:
					w.missed++
				}
			}
			if w := want[string(chain.At(h).Proposer[:])]; w != nil {
				w.proposed++
			}
		}
		if got.Height != uint64(newest) || got.Window != window || got.TotalPower != total || len(got.Items) != len(want) {
			t.Fatalf("%d validators of power %d at %d over %d, want %d, %d, %d, %d", len(got.Items), got.TotalPower, got.Height, got.Window, len(want), total, newest, window)
		}
		for i, v := range got.Items {
			w := want[string(v.ConsensusAddress)]
			if w == nil || v.Power != w.power || v.Signed != w.signed || v.Missed != w.missed || v.Proposed != w.proposed || i > 0 && got.Items[i-1].Power < v.Power {
				t.Fatalf("validator %d is %+v, want %+v", i, v, w)
			}
			if (v.LastSigned == nil) != (w.last == nil) || w.last != nil && *v.LastSigned != *w.last {
				t.Fatalf("validator %x signed last %v, want %v", v.ConsensusAddress, v.LastSigned, w.last)
			}
			if uptime := float64(w.signed) / float64(max(w.signed+w.missed, 1)); w.signed+w.missed > 0 && math.Abs(v.Uptime-uptime) > 1e-9 {
				t.Fatalf("uptime %f, want %f", v.Uptime, uptime)
			}
			if v.Name == "" || v.Member == nil {
				t.Fatalf("validator %+v is nobody's", v)
			}
		}
	})
}

// A heat map has a letter for each of the last blocks, of every key that ever voted.
func TestHeatMap(t *testing.T) {
	eachVotes(t, func(t *testing.T, r *Reader, chain *explorertest.Chain) {
		for _, key := range everyKey(chain) {
			for _, blocks := range []int{1, 7, 100, UptimeWindow} {
				from := max(int64(chain.Top())-int64(blocks), 1)
				var want strings.Builder
				for h := ledger.Height(from); h < chain.Top(); h++ {
					v, ok := voteOf(chain, h, key)
					switch {
					case !ok:
						want.WriteByte('-')
					case v.Vote == explorer.VoteMissing:
						want.WriteByte('m')
					case v.Vote == explorer.VoteNil:
						want.WriteByte('n')
					case chain.At(h).Proposer == key:
						want.WriteByte('p')
					default:
						want.WriteByte('s')
					}
				}
				got, err := r.HeatMap(t.Context(), key, blocks)
				if err != nil || got.Votes != want.String() || got.From != uint64(from) {
					t.Fatalf("%d blocks of %x: %+v (%v), want from %d %s", blocks, key, got, err, from, want.String())
				}
			}
		}
		if _, err := r.HeatMap(t.Context(), ledger.ConsensusAddress{1}, 10); !errors.Is(err, ErrNotFound) {
			t.Errorf("of nobody: %v", err)
		}
		var invalid *InvalidError
		for _, n := range []int{0, -1, UptimeWindow + 1, math.MaxInt, math.MinInt} {
			if _, err := r.HeatMap(t.Context(), ledger.ConsensusAddress{1}, n); !errors.As(err, &invalid) {
				t.Errorf("%d blocks: %v", n, err)
			}
		}
	})
}

// A validator's power changed where the commits say that the set of validators did.
func TestPowerHistory(t *testing.T) {
	eachVotes(t, func(t *testing.T, r *Reader, chain *explorertest.Chain) {
		for _, key := range append(everyKey(chain), ledger.ConsensusAddress{1}) {
			want, before := []string{}, ""
			for h := ledger.Height(1); h < chain.Top(); h++ {
				set, power, total := "", uint64(0), uint64(0)
				for _, v := range votesOn(chain, h) {
					set += fmt.Sprintf("%x %d ", v.Validator, v.Power)
					total += v.Power
					if v.Validator == key {
						power = v.Power
					}
				}
				if set != before {
					want = append(want, fmt.Sprintf("%d at %d: %d of %d", h, chain.At(h).Time, power, total))
				}
				before = set
			}
			for _, limit := range []int{1, 3, 1000} {
				got := []string{}
				for _, p := range pages(t, limit, false, func(p Page) (*List[PowerPoint], error) { return r.PowerHistory(t.Context(), key, p) }) {
					got = append(got, fmt.Sprintf("%d at %d: %d of %d", p.Height, p.Time, p.Power, p.Total))
				}
				slices.Reverse(got)
				sameList(t, fmt.Sprintf("%x, %d a page", key, limit), got, want)
			}
		}
	})
}
