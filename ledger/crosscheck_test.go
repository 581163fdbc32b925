package ledger_test

import (
	"encoding/json"
	"math/big"
	"reflect"
	"slices"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/signer/core/apitypes"
	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

// walletDigest hashes typed data as go-ethereum's signer does, from the JSON
// that a wallet is given.
func walletDigest(t rapid.TB, document []byte) crypto.Hash {
	t.Helper()
	var data apitypes.TypedData
	if err := json.Unmarshal(document, &data); err != nil {
		t.Fatalf("%v: %s", err, document)
	}
	digest, _, err := apitypes.TypedDataAndHash(data)
	if err != nil {
		t.Fatalf("%v: %s", err, document)
	}
	return crypto.Hash(digest)
}

// TestTypedDataAsWalletsHashIt: whatever the body, go-ethereum computes the
// digest that the ledger recovers signers from; and the body can be read back
// from what the wallet showed, so no two bodies look the same.
func TestTypedDataAsWalletsHashIt(t *testing.T) {
	net := goldenNet(t)
	kinds := map[ledger.Kind]int{}
	rapid.Check(t, func(rt *rapid.T) {
		for range ledger.Kinds() { // so that no kind is missed by chance
			body := ledgertest.AnyBody(rt, net)
			kinds[body.Op.Kind()]++
			hashAsWallet(rt, net, &body)
		}
	})
	for _, kind := range ledger.Kinds() {
		if kinds[kind] == 0 {
			t.Errorf("no %s was drawn", kind)
		}
	}
}

// hashAsWallet compares the digest of a body with a wallet's, and reads the body
// back.
func hashAsWallet(rt *rapid.T, net *ledger.Network, body *ledger.Body) {
	rt.Helper()
	document, err := json.Marshal(net.TypedData(body))
	if err != nil {
		rt.Fatal(err)
	}
	if got, want := net.TypedDataDigest(body), walletDigest(rt, document); got != want {
		rt.Fatalf("digest %s, a wallet's is %s: %s", got, want, document)
	}
	again, err := ledgertest.ParseTypedData(document)
	if err != nil {
		rt.Fatal(err)
	}
	if !reflect.DeepEqual(*body, again) {
		rt.Fatalf("read back %+v from %s", again, document)
	}
}

// TestDistinctBodiesDistinctDigests changes one thing of a body at a time:
// both digests change, and the JSON form.
func TestDistinctBodiesDistinctDigests(t *testing.T) {
	net := goldenNet(t)
	rapid.Check(t, func(rt *rapid.T) {
		a := ledgertest.AnyBody(rt, net)
		b := ledgertest.AnyBody(rt, net)
		if oneIn := rapid.Bool().Draw(rt, "same head"); oneIn {
			b.Sender, b.Nonce, b.ValidUntil, b.Memo = a.Sender, a.Nonce, a.ValidUntil, a.Memo
		}
		if rapid.Bool().Draw(rt, "same operation") {
			b.Op = a.Op
		}
		same := reflect.DeepEqual(a, b)
		for what, equal := range map[string]bool{
			"typed-data digests": net.TypedDataDigest(&a) == net.TypedDataDigest(&b),
			"body hashes":        net.BodyHash(&a) == net.BodyHash(&b),
			"JSON texts":         slices.Equal(mustJSON(rt, a), mustJSON(rt, b)),
		} {
			if equal != same {
				rt.Fatalf("bodies equal: %v, %s equal: %v\n%+v\n%+v", same, what, equal, a, b)
			}
		}
	})
}

func mustJSON(t rapid.TB, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestBodyJSONRoundTrip: the JSON form carries every body exactly.
func TestBodyJSONRoundTrip(t *testing.T) {
	net := goldenNet(t)
	rapid.Check(t, func(rt *rapid.T) {
		body := ledgertest.AnyBody(rt, net)
		var again ledger.Body
		if err := json.Unmarshal(mustJSON(rt, body), &again); err != nil {
			rt.Fatal(err)
		}
		if !reflect.DeepEqual(body, again) {
			rt.Fatalf("%+v became %+v", body, again)
		}
	})
}

// TestNativeRoundTrip: Decode takes what Sign made, and nothing is lost.
func TestNativeRoundTrip(t *testing.T) {
	net := goldenNet(t)
	rapid.Check(t, func(rt *rapid.T) {
		body := ledgertest.AnyBody(rt, net)
		scheme := ledger.Scheme(rapid.IntRange(0, 1).Draw(rt, "scheme"))
		var keys []*crypto.PrivateKey
		var signers []crypto.Address
		for _, name := range []string{"alice", "bob", "carol"}[:rapid.IntRange(0, 3).Draw(rt, "signers")] {
			keys, signers = append(keys, ledgertest.Key(name)), append(signers, ledgertest.Address(name))
		}
		slices.SortFunc(signers, crypto.Address.Compare)
		tx, code := ledger.Sign(net, body, scheme, keys...)
		if code != ledger.Applied {
			rt.Fatal(code)
		}
		again, code := ledger.Decode(net, tx.Raw)
		if code != ledger.Applied || again.RecoverSigners() != ledger.Applied {
			rt.Fatal(code)
		}
		if !reflect.DeepEqual(again.Body, body) || !slices.Equal(again.Signers, signers) ||
			again.BodyHash != net.BodyHash(&body) || again.Hash != crypto.Keccak256(tx.Raw) {
			rt.Fatalf("%+v became %+v", body, again)
		}
	})
}

// TestEthereumEnvelopes: what go-ethereum builds and signs, the ledger decodes
// to the same hash and sender, and to the movement that was meant.
func TestEthereumEnvelopes(t *testing.T) {
	net := goldenNet(t)
	signer := types.LatestSignerForChainID(new(big.Int).SetUint64(net.ChainID))
	rapid.Check(t, func(rt *rapid.T) {
		leg := ledger.Leg{From: ledgertest.Address("alice"), Amount: ledgertest.AnyAmount(rt, "amount"), Asset: net.Settlement}
		copy(leg.To[:], rapid.SliceOfN(rapid.ByteRange(1, 255), 20, 20).Draw(rt, "to"))
		if rapid.Bool().Draw(rt, "call") {
			leg.Asset = net.AssetAddress(leg.To, 1)
		}
		nonce := ledger.Nonce(rapid.Uint64Max(ledger.MaxJSONInteger).Draw(rt, "nonce"))
		envelope := rapid.SampledFrom([]ledger.Envelope{ledger.EnvelopeLegacy, ledger.EnvelopeDynamicFee}).Draw(rt, "envelope")
		raw := ledgertest.EthereumRaw(net, ledgertest.Key("alice"), ledgertest.EthereumInner(net, envelope, nonce, leg.To, leg.Asset, leg.Amount))
		theirs := new(types.Transaction)
		if err := theirs.UnmarshalBinary(raw); err != nil {
			rt.Fatal(err)
		}
		sender, err := types.Sender(signer, theirs)
		if err != nil {
			rt.Fatal(err)
		}
		tx, code := ledger.Decode(net, raw)
		if code != ledger.Applied || tx.RecoverSigners() != ledger.Applied {
			rt.Fatalf("%s: %x", code, raw)
		}
		want := ledger.Body{Sender: leg.From, Nonce: nonce, Op: &ledger.Transfer{Legs: []ledger.Leg{leg}}}
		if common.Address(tx.Sender) != sender || common.Hash(tx.Hash) != theirs.Hash() || tx.Envelope != envelope || !reflect.DeepEqual(tx.Body, want) {
			rt.Fatalf("%+v, want %+v", tx, want)
		}
		if tx.BodyHash != net.BodyHash(&want) {
			rt.Fatal("body hash is not that of the native equivalent")
		}
	})
}
