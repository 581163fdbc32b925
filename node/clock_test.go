package node

import (
	"testing"
	"time"

	"github.com/cometbft/cometbft/types"
)

func TestClockDifference(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	self := []byte("self")
	signed := func(who string, ago time.Duration) types.CommitSig {
		return types.CommitSig{BlockIDFlag: types.BlockIDFlagCommit, ValidatorAddress: []byte(who), Timestamp: now.Add(-ago)}
	}
	absent := types.CommitSig{BlockIDFlag: types.BlockIDFlagAbsent}
	for _, c := range []struct {
		name       string
		signatures []types.CommitSig
		want       time.Duration
		ok         bool
	}{
		{"nobody", nil, 0, false},
		{"oneself alone", []types.CommitSig{signed("self", time.Hour), absent}, 0, false},
		{"one other", []types.CommitSig{signed("self", time.Hour), signed("a", time.Second)}, time.Second, true},
		{"the median", []types.CommitSig{signed("a", time.Second), signed("b", time.Hour), signed("c", 2*time.Second)}, 2 * time.Second, true},
		{"one liar of three", []types.CommitSig{signed("a", time.Second), signed("b", -9*time.Hour), signed("c", 2*time.Second)}, time.Second, true},
		{"from the future", []types.CommitSig{signed("a", -time.Minute)}, -time.Minute, true},
	} {
		got, ok := clockDifference(&types.Commit{Signatures: c.signatures}, self, now)
		if got != c.want || ok != c.ok {
			t.Errorf("%s: %v, %v; want %v, %v", c.name, got, ok, c.want, c.ok)
		}
	}
}

func TestClockJudge(t *testing.T) {
	type look struct {
		after      time.Duration // since the look before
		difference time.Duration
		fresh      bool
		want       bool
	}
	for name, looks := range map[string][]look{
		"all is well":               {{0, time.Second, true, false}, {0, -time.Second, true, false}, {0, 0, true, false}},
		"behind":                    {{0, -6 * time.Second, true, true}},
		"behind while catching up":  {{0, -6 * time.Second, false, true}},
		"ahead, three times":        {{0, 9 * time.Second, true, false}, {0, 9 * time.Second, true, false}, {0, 9 * time.Second, true, true}},
		"one late block":            {{0, 9 * time.Second, true, false}, {0, 0, true, false}, {0, 9 * time.Second, true, false}, {0, 9 * time.Second, true, false}},
		"old blocks while catching": {{0, time.Hour, false, false}, {0, time.Hour, false, false}, {0, time.Hour, false, false}, {0, time.Hour, false, false}},
		"not all the time":          {{0, -time.Minute, true, true}, {time.Second, -time.Minute, true, false}, {clockAgain, -time.Minute, true, true}},
	} {
		var judge clockJudge
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		for i, l := range looks {
			now = now.Add(l.after)
			if got := judge.wrong(l.difference, l.fresh, now); got != l.want {
				t.Errorf("%s: look %d warns %v, want %v", name, i, got, l.want)
			}
		}
	}
}
