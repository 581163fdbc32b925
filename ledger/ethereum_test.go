package ledger_test

import (
	"bytes"
	"math/big"
	"slices"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rlp"

	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

// ethereumCase is an Ethereum transaction and what becomes of it on a chain
// whose settlement asset has 6 decimals.
type ethereumCase struct {
	name string
	want ledger.Code
	raw  func(c *ledgertest.Chain) []byte
}

// plain is a dynamic-fee transaction of alice.
func plain(change func(c *ledgertest.Chain, tx *types.DynamicFeeTx)) func(c *ledgertest.Chain) []byte {
	return func(c *ledgertest.Chain) []byte {
		bob := common.Address(ledgertest.Address("bob"))
		tx := &types.DynamicFeeTx{
			ChainID: new(big.Int).SetUint64(c.Net.ChainID), GasTipCap: big.NewInt(1), GasFeeCap: big.NewInt(1),
			Gas: 21000, To: &bob, Value: coins(1),
		}
		change(c, tx)
		return ledgertest.EthereumRaw(c.Net, ledgertest.Key("alice"), tx)
	}
}

// coins is n smallest units of an asset with 6 decimals as an Ethereum value.
func coins(n int64) *big.Int { return new(big.Int).Mul(big.NewInt(n), big.NewInt(1e12)) }

// call makes the transaction a call of GOLD.
func call(change func(data []byte) []byte) func(c *ledgertest.Chain) []byte {
	return plain(func(c *ledgertest.Chain, tx *types.DynamicFeeTx) {
		gold := common.Address(c.Asset("GOLD"))
		tx.To, tx.Value = &gold, new(big.Int)
		tx.Data = change(ledgertest.TokenCall(ledgertest.Address("bob"), big.NewInt(5)))
	})
}

// legacyFields is a signed legacy transaction taken apart and changed.
func legacyFields(change func(f []any)) func(c *ledgertest.Chain) []byte {
	return func(c *ledgertest.Chain) []byte {
		raw := ledgertest.EthereumRaw(c.Net, ledgertest.Key("alice"), legacy(1))
		var fields []any
		var items []rlp.RawValue
		if err := rlp.DecodeBytes(raw, &items); err != nil {
			panic(err)
		}
		for _, item := range items {
			fields = append(fields, item)
		}
		change(fields)
		changed, err := rlp.EncodeToBytes(fields)
		if err != nil {
			panic(err)
		}
		return changed
	}
}

func legacy(n int64) *types.LegacyTx {
	bob := common.Address(ledgertest.Address("bob"))
	return &types.LegacyTx{GasPrice: big.NewInt(1), Gas: 21000, To: &bob, Value: coins(n)}
}

func ethereumCallCorruptions() []ethereumCase {
	call2, inexact := ledger.CodeUnsupportedCall, ledger.CodeInexactValue
	return []ethereumCase{
		{"dynamic fee", ledger.Applied, plain(func(*ledgertest.Chain, *types.DynamicFeeTx) {})},
		{"legacy", ledger.Applied, legacyFields(func([]any) {})},
		{"call", ledger.Applied, call(func(d []byte) []byte { return d })},
		{"one wei too much", inexact, plain(func(_ *ledgertest.Chain, tx *types.DynamicFeeTx) { tx.Value.Add(tx.Value, big.NewInt(1)) })},
		{"one wei", inexact, plain(func(_ *ledgertest.Chain, tx *types.DynamicFeeTx) { tx.Value = big.NewInt(1) })},
		{"value of 2^128 units", ledger.CodeAmountOutOfRange, plain(func(_ *ledgertest.Chain, tx *types.DynamicFeeTx) {
			tx.Value = new(big.Int).Mul(new(big.Int).Lsh(big.NewInt(1), 128), big.NewInt(1e12))
		})},
		{"value of 2^128 - 1 units", ledger.CodeInsufficientBalance, plain(func(_ *ledgertest.Chain, tx *types.DynamicFeeTx) {
			units := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 128), big.NewInt(1))
			tx.Value = units.Mul(units, big.NewInt(1e12))
		})},
		{"call of 2^128", ledger.CodeAmountOutOfRange, call(func(d []byte) []byte { d[4+32+15] = 1; return d })},
		{"call of 2^256 - 1", ledger.CodeAmountOutOfRange, call(func(d []byte) []byte { copy(d[36:], bytes.Repeat([]byte{255}, 32)); return d })},
		{"call of zero", ledger.CodeZeroAmount, call(func(d []byte) []byte { d[67] = 0; return d })},
		{"call to zero", ledger.CodeInvalidField, call(func(d []byte) []byte { clear(d[16:36]); return d })},
		{"call padded", call2, call(func(d []byte) []byte { d[15] = 1; return d })},
		{"call of another function", call2, call(func(d []byte) []byte { d[0] ^= 1; return d })},
		{"call cut", call2, call(func(d []byte) []byte { return d[:67] })},
		{"call with a byte more", call2, call(func(d []byte) []byte { return append(d, 0) })},
		{"call with value", call2, plain(func(c *ledgertest.Chain, tx *types.DynamicFeeTx) {
			gold := common.Address(c.Asset("GOLD"))
			tx.To, tx.Data = &gold, ledgertest.TokenCall(ledgertest.Address("bob"), big.NewInt(5))
		})},
		{"call of no asset", ledger.CodeUnknownAsset, plain(func(c *ledgertest.Chain, tx *types.DynamicFeeTx) {
			tx.Value, tx.Data = new(big.Int), ledgertest.TokenCall(ledgertest.Address("bob"), big.NewInt(5))
		})},
		{"value and data", call2, plain(func(_ *ledgertest.Chain, tx *types.DynamicFeeTx) { tx.Data = []byte("hello") })},
	}
}

// ethereumEnvelopeCorruptions spoil the envelope rather than the call.
func ethereumEnvelopeCorruptions() []ethereumCase {
	call2 := ledger.CodeUnsupportedCall
	return []ethereumCase{
		{"contract creation", call2, plain(func(_ *ledgertest.Chain, tx *types.DynamicFeeTx) { tx.To = nil })},
		{"to zero", ledger.CodeInvalidField, plain(func(_ *ledgertest.Chain, tx *types.DynamicFeeTx) { tx.To = new(common.Address) })},
		{"value to an asset", ledger.CodeRecipientIsAsset, plain(func(c *ledgertest.Chain, tx *types.DynamicFeeTx) {
			coin := common.Address(c.Asset("COIN"))
			tx.To = &coin
		})},
		{"no value to another", ledger.CodeZeroAmount, plain(func(_ *ledgertest.Chain, tx *types.DynamicFeeTx) { tx.Value = new(big.Int) })},
		{"no value to oneself", ledger.Applied, plain(func(_ *ledgertest.Chain, tx *types.DynamicFeeTx) {
			self := common.Address(ledgertest.Address("alice"))
			tx.To, tx.Value = &self, new(big.Int)
		})},
		{"access list", ledger.CodeUnsupportedType, plain(func(_ *ledgertest.Chain, tx *types.DynamicFeeTx) {
			tx.AccessList = types.AccessList{{Address: common.Address{1}}}
		})},
		{"type 1", ledger.CodeUnsupportedType, func(c *ledgertest.Chain) []byte {
			bob := common.Address(ledgertest.Address("bob"))
			return ledgertest.EthereumRaw(c.Net, ledgertest.Key("alice"), &types.AccessListTx{ChainID: new(big.Int).SetUint64(c.Net.ChainID), GasPrice: big.NewInt(1), Gas: 21000, To: &bob, Value: coins(1)})
		}},
		{"unprotected", ledger.CodeWrongNetwork, func(*ledgertest.Chain) []byte {
			return ledgertest.UnprotectedRaw(ledgertest.Key("alice"), legacy(1))
		}},
		{"another chain, legacy", ledger.CodeWrongNetwork, func(c *ledgertest.Chain) []byte {
			other := *c.Net
			other.ChainID++
			return ledgertest.EthereumRaw(&other, ledgertest.Key("alice"), legacy(1))
		}},
		{"another chain, dynamic fee", ledger.CodeWrongNetwork, func(c *ledgertest.Chain) []byte {
			other := *c.Net
			other.ChainID++
			return plain(func(_ *ledgertest.Chain, tx *types.DynamicFeeTx) { tx.ChainID.SetUint64(other.ChainID) })(&ledgertest.Chain{Net: &other})
		}},
		{"nonce above 2^53-1", ledger.CodeInvalidField, plain(func(_ *ledgertest.Chain, tx *types.DynamicFeeTx) { tx.Nonce = 1 << 53 })},
		{"nonce too high", ledger.CodeNonceTooHigh, plain(func(_ *ledgertest.Chain, tx *types.DynamicFeeTx) { tx.Nonce = 1024 })},
		{"unknown sender", ledger.CodeUnknownSender, func(c *ledgertest.Chain) []byte {
			return ledgertest.EthereumRaw(c.Net, ledgertest.Key("nobody"), legacy(1))
		}},
		{"v of another chain", ledger.CodeWrongNetwork, legacyFields(func(f []any) { f[6] = uint64(37) })},
		{"v of 0", ledger.CodeWrongNetwork, legacyFields(func(f []any) { f[6] = uint64(0) })},
		{"v of nine bytes", ledger.CodeMalformed, legacyFields(func(f []any) { f[6] = bytes.Repeat([]byte{1}, 9) })},
		{"r with a leading zero", ledger.CodeMalformed, legacyFields(func(f []any) { f[7] = []byte{0, 1} })},
		{"r of 33 bytes", ledger.CodeMalformed, legacyFields(func(f []any) { f[7] = bytes.Repeat([]byte{1}, 33) })},
		{"r zero", ledger.CodeInvalidSignature, legacyFields(func(f []any) { f[7] = uint64(0) })},
		{"s high", ledger.CodeInvalidSignature, legacyFields(func(f []any) { f[8] = bytes.Repeat([]byte{0x80}, 32) })},
		{"another value under the signature", ledger.CodeUnknownSender, legacyFields(func(f []any) { f[4] = coins(2) })},
		{"value is a list", ledger.CodeMalformed, legacyFields(func(f []any) { f[4] = []any{} })},
		{"to of 19 bytes", ledger.CodeMalformed, legacyFields(func(f []any) { f[3] = make([]byte, 19) })},
		{"gas of nine bytes", ledger.CodeMalformed, legacyFields(func(f []any) { f[2] = bytes.Repeat([]byte{1}, 9) })},
		{"gas price with a leading zero", ledger.CodeMalformed, legacyFields(func(f []any) { f[1] = []byte{0, 1} })},
	}
}

func ethereumCorruptions() []ethereumCase {
	return slices.Concat(ethereumCallCorruptions(), ethereumEnvelopeCorruptions())
}

// TestEthereumCorruptions spoils what wallets send, each with its code.
func TestEthereumCorruptions(t *testing.T) {
	for _, one := range ethereumCorruptions() {
		t.Run(one.name, func(t *testing.T) {
			g := ledgertest.Genesis(ledger.PolicyAdmitted, "alice", "bob")
			g.Assets[0].Decimals = 6
			c := ledgertest.NewChain(t, g)
			raw := one.raw(c)
			if got := verdict(t, c, raw); got != one.want {
				t.Errorf("%s, want %s: %x", got, one.want, raw)
			}
			tx, _ := ledger.Decode(c.Net, raw)
			c.Apply(t, tx)
		})
	}
}

// TestDynamicFeeParity: type 0x02 has a parity of 0 or 1, in canonical form.
func TestDynamicFeeParity(t *testing.T) {
	c := ledgertest.NewChain(t, ledgertest.Genesis(ledger.PolicyAdmitted, "alice", "bob"))
	raw := plain(func(*ledgertest.Chain, *types.DynamicFeeTx) {})(c)
	var items []rlp.RawValue
	if err := rlp.DecodeBytes(raw[1:], &items); err != nil {
		t.Fatal(err)
	}
	for value, want := range map[byte]ledger.Code{0x02: ledger.CodeMalformed, 0x1b: ledger.CodeMalformed, 0x00: ledger.CodeMalformed} {
		items[9] = rlp.RawValue{value}
		changed, err := rlp.EncodeToBytes(items)
		if err != nil {
			t.Fatal(err)
		}
		if got := verdict(t, c, append([]byte{2}, changed...)); got != want {
			t.Errorf("yParity %d: %s, want %s", value, got, want)
		}
	}
}

// TestEthereumAuthority: an Ethereum envelope counts as its one key's word for
// the account at that key's address.
func TestEthereumAuthority(t *testing.T) {
	alice := ledgertest.Address("alice")
	key := func(name string, weight uint32) ledger.Key {
		return ledger.Key{Address: ledgertest.Address(name), Weight: weight}
	}
	for _, one := range []struct {
		name      string
		keys      []ledger.Key
		threshold uint64
		want      ledger.Code
	}{
		{"own key, by default", nil, 0, ledger.Applied},
		{"own key, enough alone", []ledger.Key{key("alice", 3), key("bob", 1)}, 3, ledger.Applied},
		{"own key, not enough", []ledger.Key{key("alice", 2), key("bob", 1)}, 3, ledger.CodeUnauthorized},
		{"own key no longer", []ledger.Key{key("bob", 1)}, 1, ledger.CodeUnauthorized},
	} {
		g := ledgertest.Genesis(ledger.PolicyAdmitted, "alice", "bob")
		sortKeys(one.keys)
		for i := range g.Accounts {
			if g.Accounts[i].Address == alice {
				g.Accounts[i].Keys, g.Accounts[i].Threshold = one.keys, one.threshold
			}
		}
		c := ledgertest.NewChain(t, g)
		raw := plain(func(*ledgertest.Chain, *types.DynamicFeeTx) {})(c)
		if got := verdict(t, c, raw); got != one.want {
			t.Errorf("%s: %s, want %s", one.name, got, one.want)
		}
	}
}
