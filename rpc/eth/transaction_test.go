package eth

import (
	"bytes"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

func shownOf(t testing.TB, net *ledger.Network, c *Content) ([]*Transaction, []*types.Transaction) {
	t.Helper()
	shown, err := Transactions(net, c)
	if err != nil {
		t.Fatal(err)
	}
	return shown, *through[[]*types.Transaction](t, shown)
}

// An Ethereum envelope comes back to a strict client as it was signed: same hash,
// and the sender that its signature gives.
func TestEthereumEnvelopesAreExact(t *testing.T) {
	f, _ := newFixture(t)
	c := f.mixed(t)
	shown, read := shownOf(t, f.Net, c)
	signer := types.LatestSignerForChainID(new(big.Int).SetUint64(f.Net.ChainID))
	for i := range 2 {
		raw, err := read[i].MarshalBinary()
		if err != nil || !bytes.Equal(raw, c.Raw[i]) {
			t.Errorf("%d: other bytes: %v", i, err)
		}
		sender, err := types.Sender(signer, read[i])
		if err != nil || sender != common.Address(alice) || shown[i].From != sender {
			t.Errorf("%d: sender %s, %v", i, sender, err)
		}
	}
	if shown[0].Type != 0 || shown[1].Type != 2 || shown[1].GasPrice != quantityOf(0) || shown[0].AccessList != nil || shown[1].AccessList == nil {
		t.Errorf("%+v %+v", shown[0], shown[1])
	}
}

func quantityOf(v uint64) (q [4]uint64) { return [4]uint64{v} }

// A native transaction is read by a strict client, with its own hash and sender
// beside what the client computes.
func TestNativeTransactionsAreAdapted(t *testing.T) {
	f, _ := newFixture(t)
	c := f.mixed(t)
	shown, read := shownOf(t, f.Net, c)
	own := common.Address(f.Net.VerifyingContract())
	for _, want := range []struct {
		index int
		from  crypto.Address
		to    common.Address
		value int64
		data  []byte
	}{
		{2, bob, common.Address(carol), 11, nil},
		{3, bob, common.Address(f.Asset("GOLD")), 0, transferCall(carol, ledger.NewAmount(13))},
		{5, c.Receipts[5].Sender, own, 0, c.Raw[5]},
	} {
		s, r := shown[want.index], read[want.index]
		v, rr, ss := r.RawSignatureValues()
		if v.Sign() != 0 || rr.Sign() != 0 || ss.Sign() != 0 || r.Type() != types.LegacyTxType || r.GasPrice().Sign() != 0 {
			t.Errorf("%d: %+v", want.index, s)
		}
		if s.From != common.Address(want.from) || *r.To() != want.to || r.Value().Cmp(big.NewInt(want.value)) != 0 || !bytes.Equal(r.Data(), want.data) {
			t.Errorf("%d: %+v", want.index, s)
		}
		if s.Hash != common.Hash(crypto.Keccak256(c.Raw[want.index])) || uint64(*s.BlockNumber) != 1 || int(*s.TransactionIndex) != want.index {
			t.Errorf("%d: %+v", want.index, s)
		}
		if _, err := types.Sender(types.HomesteadSigner{}, r); err == nil {
			t.Errorf("%d: a sender comes out of no signature", want.index)
		}
	}
}

// A leg that somebody else pays is not shown as the sender's.
func TestLegOfAnotherIsNotTheSenders(t *testing.T) {
	f, _ := newFixture(t)
	foreign := f.native(t, "alice", 0, &ledger.Transfer{Legs: []ledger.Leg{
		{From: bob, To: carol, Asset: f.Net.Settlement, Amount: ledger.NewAmount(1)},
	}})
	two := f.native(t, "alice", 0, &ledger.Transfer{Legs: []ledger.Leg{
		{From: alice, To: carol, Asset: f.Net.Settlement, Amount: ledger.NewAmount(1)},
		{From: alice, To: bob, Asset: f.Net.Settlement, Amount: ledger.NewAmount(1)},
	}})
	for _, tx := range []*ledger.Tx{foreign, two} {
		shown := NewTransaction(f.Net, tx.Raw, tx.Hash, nil)
		if *shown.To != common.Address(f.Net.VerifyingContract()) || !bytes.Equal(shown.Input, tx.Raw) || shown.Value != quantityOf(0) {
			t.Errorf("%+v", shown)
		}
	}
}

// While a transaction is pending it has no place, and its sender is recovered.
func TestPendingTransaction(t *testing.T) {
	f, _ := newFixture(t)
	for _, tx := range []*ledger.Tx{
		f.envelope(t, "alice", ledger.EnvelopeDynamicFee, 4, bob, "COIN", 5), f.leg(t, "alice", 4, bob, "COIN", 5),
	} {
		shown := NewTransaction(f.Net, tx.Raw, tx.Hash, nil)
		if shown.BlockHash != nil || shown.BlockNumber != nil || shown.TransactionIndex != nil || shown.BlockTimestamp != nil ||
			shown.From != common.Address(alice) || shown.Nonce != 4 || shown.Gas != 21_000 {
			t.Errorf("%+v", shown)
		}
		if through[types.Transaction](t, shown).Nonce() != 4 {
			t.Error("another nonce")
		}
	}
}
