package ledgertest

import (
	"math/big"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// Compare fails the test unless the chain's state says what the model says:
// the same accounts with the same next nonce, the same assets, the same
// balances, the same said about holders.
func (m *Model) Compare(t testing.TB, c *Chain) {
	t.Helper()
	entries := c.State.Under("account/")
	if len(entries) != len(m.world.accounts) {
		t.Fatalf("the state has %d accounts, the model %d", len(entries), len(m.world.accounts))
	}
	for _, e := range entries {
		m.compareAccount(t, e)
	}
	assets := c.State.Under("asset/")
	if len(assets) != len(m.world.assets) {
		t.Fatalf("the state has %d assets, the model %d", len(assets), len(m.world.assets))
	}
	for _, e := range assets {
		m.compareAsset(t, e)
	}
	m.compareBalances(t, c)
	m.compareHolds(t, c)
	m.compareHolders(t, c)
}

func (m *Model) compareAccount(t testing.TB, e Entry) {
	t.Helper()
	address := crypto.Address([]byte(e.Key))
	want := m.world.accounts[address]
	if want == nil {
		t.Fatalf("the model has no account %s", address)
	}
	got, err := ledger.DecodeAccount(e.Value)
	if err != nil {
		t.Fatal(err)
	}
	if got.Status != want.status() || got.Member != want.member || got.Balances != m.balancesOf(address) || !want.sameAuthority(address, &got.Authority) {
		t.Fatalf("account %s is %+v, in the model %+v", address, got, want)
	}
	for n := range want.spent {
		for _, near := range []uint64{n, n + 1, n - min(n, 1), n + 1023, n + 1024} {
			if code, model := got.Window.Usable(ledger.Nonce(near)), want.usable(near); code != model {
				t.Fatalf("nonce %d of %s is %s, in the model %s", near, address, code, model)
			}
		}
	}
}

func (m *Model) compareAsset(t testing.TB, e Entry) {
	t.Helper()
	want := m.world.assets[crypto.Address([]byte(e.Key))]
	got, err := ledger.DecodeAsset(e.Value)
	if err != nil {
		t.Fatal(err)
	}
	if want == nil || got.Symbol != want.symbol || got.Issuer != want.issuer ||
		bigOf(got.Supply).Cmp(want.supply) != 0 || got.Status != want.status() || got.Flags != want.flags {
		t.Fatalf("asset %x is %+v, in the model %+v", e.Key, got, want)
	}
}

func (m *Model) compareBalances(t testing.TB, c *Chain) {
	t.Helper()
	kept := 0
	for id, want := range m.world.balances {
		value, _ := c.State.Get(ledger.KeyBalance(id[0], id[1]))
		b, err := ledger.DecodeBalance(value)
		if err != nil {
			t.Fatal(err)
		}
		held := m.world.held[id]
		if held == nil {
			held = new(big.Int)
		}
		if bigOf(b.Available).Cmp(want) != 0 || bigOf(b.Held).Cmp(held) != 0 {
			t.Fatalf("balance of %s in %s is %s and %s held, in the model %s and %s", id[0], id[1], b.Available, b.Held, want, held)
		}
		if (want.Sign() == 0 && held.Sign() == 0) != (value == nil) {
			t.Fatalf("balance record of %s in %s for %s is %x", id[0], id[1], want, value)
		}
		if value != nil {
			kept++
		}
	}
	if entries := c.State.Under("balance/"); len(entries) != kept {
		t.Fatalf("the state has %d balances, the model %d", len(entries), kept)
	}
}
