package ledgertest

import (
	"maps"
	"math/big"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// checkPowers: but for who is punished, the powers of the members move by less
// than a third of the whole; some power is left; and the updates for CometBFT are
// what differs between the consensus keys' powers before and after, no more.
func checkPowers(t testing.TB, before, after *State, result *ledger.BlockResult) {
	t.Helper()
	old, now := membersOf(t, before), membersOf(t, after)
	punished := map[crypto.Address]bool{}
	for _, e := range result.Events {
		if e.Type == ledger.EventValidatorPunished {
			punished[e.Other] = true
		}
	}
	total, moved, left := new(big.Int), new(big.Int), new(big.Int)
	for a, m := range now {
		power, was := new(big.Int).SetUint64(m.Power), new(big.Int).SetUint64(old[a].Power)
		left.Add(left, power)
		if punished[a] {
			continue
		}
		total.Add(total, was)
		moved.Add(moved, new(big.Int).Abs(new(big.Int).Sub(power, was)))
	}
	if moved.Sign() > 0 && new(big.Int).Mul(moved, big.NewInt(3)).Cmp(total) >= 0 {
		t.Fatalf("%s of %s moved in one block", moved, total)
	}
	if len(now) > 0 && left.Sign() == 0 {
		t.Fatal("no power is left")
	}
	want := map[ledger.ConsensusKey]uint64{}
	for key := range keyPowers(old) {
		want[key] = 0
	}
	maps.Copy(want, keyPowers(now))
	for key, power := range keyPowers(old) {
		if want[key] == power {
			delete(want, key)
		}
	}
	got := map[ledger.ConsensusKey]uint64{}
	for _, u := range result.Validators {
		if _, twice := got[u.Key]; twice {
			t.Fatalf("key %s is updated twice", u.Key)
		}
		got[u.Key] = u.Power
	}
	if !maps.Equal(got, want) {
		t.Fatalf("the updates are %v, the powers make %v", got, want)
	}
}

func membersOf(t testing.TB, s *State) map[crypto.Address]ledger.Member {
	t.Helper()
	members := map[crypto.Address]ledger.Member{}
	for _, e := range s.Under("member/") {
		m, err := ledger.DecodeMember(e.Value)
		if err != nil {
			t.Fatal(err)
		}
		members[crypto.Address([]byte(e.Key))] = m
	}
	return members
}

// keyPowers is the validator set as CometBFT knows it.
func keyPowers(members map[crypto.Address]ledger.Member) map[ledger.ConsensusKey]uint64 {
	powers := map[ledger.ConsensusKey]uint64{}
	for _, m := range members {
		if m.Power > 0 {
			powers[m.Key] = m.Power
		}
	}
	return powers
}
