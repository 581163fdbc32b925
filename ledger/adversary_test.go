package ledger_test

import (
	"bytes"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

// TestNobodyElseSpends lets an adversary with a key and an account change the
// transactions of others in every way it can think of. The victims' nonces
// stay unspent, and nothing of theirs moves.
func TestNobodyElseSpends(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := ledgertest.NewChain(t, ledgertest.Genesis(ledger.PolicyOpen, "alice", "bob", "mallory"))
		victim := victimTx(rt, c)
		raw := mutate(rt, c, victim)
		if bytes.Equal(raw, victim.Raw) {
			return
		}
		tx, _ := ledger.Decode(c.Net, raw)
		result := c.Apply(t, tx).Results[0]
		if result.Code.SpendsNonce() && tx.Sender != ledgertest.Address("mallory") {
			rt.Fatalf("%s: nonce %d of %s is spent by %x", result.Code, tx.Nonce, tx.Sender, raw)
		}
		for _, name := range []string{"alice", "bob"} {
			account, _ := c.Account(t, ledgertest.Address(name))
			if account.Window.Next != 0 || c.Balance(t, ledgertest.Address(name), "GOLD").Cmp(ledger.NewAmount(10000)) < 0 {
				rt.Fatalf("%s lost something to %x", name, raw)
			}
		}
		if after := c.Apply(t, victim).Results[0]; after.Code != ledger.Applied {
			rt.Fatalf("the victims' own transaction is %s", after.Code)
		}
	})
}

// victimTx is a transaction of alice and bob, or of alice alone.
func victimTx(rt *rapid.T, c *ledgertest.Chain) *ledger.Tx {
	alice, bob, gold := ledgertest.Address("alice"), ledgertest.Address("bob"), c.Asset("GOLD")
	leg := ledger.Leg{From: alice, To: bob, Asset: gold, Amount: ledger.NewAmount(7)}
	keys := []*crypto.PrivateKey{ledgertest.Key("alice")}
	switch rapid.IntRange(0, 2).Draw(rt, "victim") {
	case 0:
		raw := ledgertest.EthereumRaw(c.Net, keys[0], ledgertest.EthereumInner(c.Net, ledger.EnvelopeDynamicFee, 0, bob, gold, leg.Amount))
		tx, _ := ledger.Decode(c.Net, raw)
		return tx
	case 1:
		keys = append(keys, ledgertest.Key("bob"))
	}
	body := ledger.Body{Sender: alice, ValidUntil: c.Time + 100, Op: &ledger.Transfer{Legs: []ledger.Leg{leg}}}
	if len(keys) == 2 {
		back := ledger.Leg{From: bob, To: alice, Asset: gold, Amount: ledger.NewAmount(7)}
		body.Op = &ledger.Transfer{Legs: []ledger.Leg{leg, back}}
	}
	tx, code := ledger.Sign(c.Net, body, ledger.Scheme(rapid.IntRange(0, 1).Draw(rt, "scheme")), keys...)
	if code != ledger.Applied {
		rt.Fatal(code)
	}
	return tx
}

// mutate is one attempt on the victims' transaction.
func mutate(rt *rapid.T, c *ledgertest.Chain, victim *ledger.Tx) []byte {
	attempts := []string{"bytes", "cut", "insert", "wrap"}
	if victim.Envelope == ledger.EnvelopeNative {
		attempts = append(attempts, "strip", "strip", "add", "replace", "reorder", "field", "field", "rescheme", "flip v", "pay by victim")
	}
	raw := bytes.Clone(victim.Raw)
	body, signatures := victim.Body, slices.Clone(victim.Signatures)
	mallory := ledgertest.Key("mallory")
	own := ledger.Signature{Scheme: ledger.SchemeBodyHash, Signature: mallory.Sign(victim.BodyHash)}
	at := func(n int) int { return rapid.IntRange(0, n-1).Draw(rt, "at") }
	switch rapid.SampledFrom(attempts).Draw(rt, "attempt") {
	case "bytes":
		raw[at(len(raw))] ^= rapid.ByteRange(1, 255).Draw(rt, "xor")
		return raw
	case "cut":
		return raw[:at(len(raw))]
	case "insert":
		return slices.Insert(raw, at(len(raw)), rapid.Byte().Draw(rt, "byte"))
	case "wrap":
		return append([]byte{rapid.SampledFrom([]byte{0x54, 0x02, 0x01, 0xf8}).Draw(rt, "type")}, raw...)
	case "strip":
		i := at(len(signatures))
		signatures = slices.Delete(signatures, i, i+1)
	case "add":
		signatures = slices.Insert(signatures, at(len(signatures)+1), own)
	case "replace":
		signatures[at(len(signatures))] = own
	case "reorder":
		slices.Reverse(signatures)
	case "rescheme":
		signatures[at(len(signatures))].Scheme ^= 1
	case "flip v":
		signatures[at(len(signatures))].Signature[64] ^= 1
	case "field":
		changeField(rt, &body)
	case "pay by victim":
		body = malloryTakes(c, victim)
		taken := ledger.Signature{Scheme: ledger.SchemeBodyHash, Signature: mallory.Sign(c.Net.BodyHash(&body))}
		signatures = append(signatures, taken)
		if tx, code := ledger.Build(c.Net, body, signatures); code == ledger.Applied {
			return tx.Raw
		}
	}
	return ledger.EncodeNative(c.Net, &body, signatures)
}

func changeField(rt *rapid.T, body *ledger.Body) {
	op := &ledger.Transfer{Legs: slices.Clone(body.Op.(*ledger.Transfer).Legs)}
	body.Op = op
	switch rapid.IntRange(0, 6).Draw(rt, "field") {
	case 0:
		body.Nonce++
	case 1:
		body.ValidUntil++
	case 2:
		body.Memo = "changed"
	case 3:
		body.Sender = ledgertest.Address("bob")
	case 4:
		op.Legs[0].To = ledgertest.Address("mallory")
	case 5:
		op.Legs[0].Amount = ledger.NewAmount(8)
	case 6:
		op.Legs = append(op.Legs, op.Legs[0])
	}
}

// malloryTakes is mallory's own transaction in which the victims pay.
func malloryTakes(c *ledgertest.Chain, victim *ledger.Tx) ledger.Body {
	mallory := ledgertest.Address("mallory")
	leg := ledger.Leg{From: victim.Sender, To: mallory, Asset: c.Asset("GOLD"), Amount: ledger.NewAmount(9)}
	return ledger.Body{Sender: mallory, ValidUntil: victim.ValidUntil, Op: &ledger.Transfer{Legs: []ledger.Leg{leg}}}
}
