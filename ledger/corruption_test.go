package ledger_test

import (
	"bytes"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/rlp"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

// field numbers of the native envelope.
const (
	fChain = iota
	fSender
	fNonce
	fValidUntil
	fKind
	fPayload
	fMemo
	fSignatures
)

// list is an RLP list of numbers, byte strings and lists.
type list = []any

// valid returns the fields of a transfer from alice to bob that alice signed
// under scheme 1, and its network and chain.
func valid(t testing.TB) (*ledgertest.Chain, list) {
	t.Helper()
	c := ledgertest.NewChain(t, ledgertest.Genesis(ledger.PolicyAdmitted, "alice", "bob"))
	alice, bob := ledgertest.Address("alice"), ledgertest.Address("bob")
	leg := list{alice[:], bob[:], addressBytes(c.Asset("GOLD")), uint64(5), []byte("ref")}
	fields := list{c.Net.ChainID, alice[:], uint64(0), uint64(0), uint64(1), list{leg}, []byte("memo"), list{}}
	return c, sign(t, c.Net, fields, "alice")
}

func addressBytes(a crypto.Address) []byte { return a[:] }

// sign signs fields as they are, whether they make sense or not.
func sign(t testing.TB, net *ledger.Network, fields list, names ...string) list {
	t.Helper()
	unsigned, err := rlp.EncodeToBytes(fields[:fSignatures])
	if err != nil {
		t.Fatal(err)
	}
	digest := crypto.Keccak256([]byte{0x54}, net.Hash[:], unsigned)
	slices.SortFunc(names, func(a, b string) int { return ledgertest.Address(a).Compare(ledgertest.Address(b)) })
	signatures := list{}
	for _, name := range names {
		s := ledgertest.Key(name).Sign(digest)
		signatures = append(signatures, list{uint64(1), s[:]})
	}
	signed := slices.Clone(fields)
	signed[fSignatures] = signatures
	return signed
}

func envelope(t testing.TB, fields list) []byte {
	t.Helper()
	b, err := rlp.EncodeToBytes(fields)
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte{0x54}, b...)
}

// verdict is what becomes of raw alone in the next block.
func verdict(t testing.TB, c *ledgertest.Chain, raw []byte) ledger.Code {
	t.Helper()
	tx, code := ledger.Decode(c.Net, raw)
	result, err := ledger.Simulate(c.Net, c.Time+1, c.State, tx)
	if err != nil {
		t.Fatal(err)
	}
	includable, err := ledger.Includable(c.Net, c.Time+1, c.State, tx)
	if err != nil {
		t.Fatal(err)
	}
	if code != ledger.Applied && code != result.Code {
		t.Fatalf("Decode says %s, Simulate %s", code, result.Code)
	}
	if !result.Code.SpendsNonce() && includable != result.Code || result.Code.SpendsNonce() && includable != ledger.Applied {
		t.Fatalf("Includable says %s, Simulate %s", includable, result.Code)
	}
	return result.Code
}

// corruption is one thing done to the valid transaction. resign says that
// alice signs what came of it.
type corruption struct {
	name   string
	want   ledger.Code
	resign bool
	do     func(f list) list
}

// set replaces a field, and leg field i of the first leg.
func set(at int, v any) func(list) list {
	return func(f list) list { f[at] = v; return f }
}

func setLeg(at int, v any) func(list) list {
	return func(f list) list {
		leg := slices.Clone(f[fPayload].(list)[0].(list))
		leg[at] = v
		f[fPayload] = list{leg}
		return f
	}
}

func operation(kind uint64, payload ...any) func(list) list {
	return func(f list) list { f[fKind], f[fPayload] = kind, list(payload); return f }
}

func setSignature(s any) func(list) list {
	return func(f list) list { f[fSignatures] = list{list{uint64(1), s}}; return f }
}

// edit changes the bytes of the signature.
func edit(change func(s []byte)) func(list) list {
	return func(f list) list {
		s := slices.Clone(f[fSignatures].(list)[0].(list)[1].([]byte))
		change(s)
		return setSignature(s)(f)
	}
}

var (
	text     = strings.Repeat
	zero20   = make([]byte, 20)
	tooBig   = new(big.Int).Lsh(big.NewInt(1), 128)
	top      = new(big.Int).Sub(tooBig, big.NewInt(1))
	someone  = addressBytes(ledgertest.Address("someone"))
	bobBytes = addressBytes(ledgertest.Address("bob"))

	aliceBytes = addressBytes(ledgertest.Address("alice"))
)

// registrarCodes are what TestRegistrarPrecedence produces.
var registrarCodes = []ledger.Code{ledger.CodeAccountHasHolds}

// aKey is a key of setKeys.
func aKey(address []byte, weight uint64) list { return list{address, weight} }

// sortedKeys are n keys of weight 1, ascending.
func sortedKeys(n int) (keys list) {
	for i := range n {
		address := make([]byte, 20)
		address[0] = byte(i + 1)
		keys = append(keys, aKey(address, 1))
	}
	return keys
}

// corruptions of the form: malformed whatever the signatures.
func malformations() []corruption {
	m := ledger.CodeMalformed
	return []corruption{
		{"no fields", m, false, func(f list) list { return list{} }},
		{"a field missing", m, false, func(f list) list { return f[:fSignatures] }},
		{"a field more", m, false, func(f list) list { return append(f, uint64(0)) }},
		{"chain ID with a leading zero", m, true, set(fChain, []byte{0, 1})},
		{"chain ID of nine bytes", m, true, set(fChain, bytes.Repeat([]byte{1}, 9))},
		{"chain ID is a list", m, true, set(fChain, list{})},
		{"sender of 19 bytes", m, true, set(fSender, make([]byte, 19))},
		{"sender of 21 bytes", m, true, set(fSender, make([]byte, 21))},
		{"sender empty", m, true, set(fSender, []byte{})},
		{"sender is a list", m, true, set(fSender, list{})},
		{"nonce with a leading zero", m, true, set(fNonce, []byte{0, 1})},
		{"nonce of nine bytes", m, true, set(fNonce, bytes.Repeat([]byte{1}, 9))},
		{"nonce zero as a byte", m, true, set(fNonce, []byte{0})},
		{"nonce is a list", m, true, set(fNonce, list{uint64(1)})},
		{"validUntil with a leading zero", m, true, set(fValidUntil, []byte{0, 1})},
		{"validUntil is a list", m, true, set(fValidUntil, list{})},
		{"kind 0", m, true, set(fKind, uint64(0))},
		{"kind 255", m, true, set(fKind, uint64(255))},
		{"kind 257", m, true, set(fKind, uint64(257))},
		{"kind is a list", m, true, set(fKind, list{})},
		{"payload is a string", m, true, set(fPayload, []byte("legs"))},
		{"leg is a string", m, true, set(fPayload, list{[]byte("leg")})},
		{"leg of four fields", m, true, set(fPayload, list{list{bobBytes, bobBytes, bobBytes, uint64(1)}})},
		{"leg of six fields", m, true, set(fPayload, list{list{bobBytes, bobBytes, bobBytes, uint64(1), []byte{}, []byte{}}})},
		{"leg empty", m, true, set(fPayload, list{list{}})},
		{"from of 19 bytes", m, true, setLeg(0, make([]byte, 19))},
		{"to empty", m, true, setLeg(1, []byte{})},
		{"asset of 21 bytes", m, true, setLeg(2, make([]byte, 21))},
		{"amount of 2^128", m, true, setLeg(3, tooBig)},
		{"amount with a leading zero", m, true, setLeg(3, []byte{0, 5})},
		{"amount zero as a byte", m, true, setLeg(3, []byte{0})},
		{"amount is a list", m, true, setLeg(3, list{})},
		{"reference is a list", m, true, setLeg(4, list{})},
		{"memo is a list", m, true, set(fMemo, list{})},
		{"signatures are a string", m, false, set(fSignatures, []byte{1})},
		{"signature is a string", m, false, set(fSignatures, list{[]byte{1}})},
		{"signature of one field", m, false, set(fSignatures, list{list{uint64(1)}})},
		{"signature of three fields", m, false, set(fSignatures, list{list{uint64(1), make([]byte, 65), uint64(0)}})},
		{"signature of 64 bytes", m, false, setSignature(make([]byte, 64))},
		{"signature of 66 bytes", m, false, setSignature(make([]byte, 66))},
		{"scheme with a leading zero", m, false, set(fSignatures, list{list{[]byte{0, 1}, make([]byte, 65)}})},
		{"scheme 256", m, false, set(fSignatures, list{list{uint64(256), make([]byte, 65)}})},
		{"createAsset of four fields", m, true, operation(2, []byte("TIN"), []byte("Tin"), uint64(0), uint64(0))},
		{"createAsset of six fields", m, true, operation(2, []byte("TIN"), []byte("Tin"), uint64(0), uint64(0), uint64(0), uint64(0))},
		{"decimals 256", m, true, operation(2, []byte("TIN"), []byte("Tin"), uint64(256), uint64(0), uint64(0))},
		{"flags of 2^32", m, true, operation(2, []byte("TIN"), []byte("Tin"), uint64(0), uint64(0), uint64(1<<32))},
		{"cap of 2^128", m, true, operation(2, []byte("TIN"), []byte("Tin"), uint64(0), tooBig, uint64(0))},
		{"issue of three fields", m, true, operation(3, bobBytes, bobBytes, uint64(1))},
		{"redeem of five fields", m, true, operation(4, bobBytes, bobBytes, uint64(1), []byte{}, []byte{})},
		{"pauseAsset of no field", m, true, operation(5)},
		{"resumeAsset of two fields", m, true, operation(6, bobBytes, bobBytes)},
		{"setKeys of one field", m, true, operation(7, uint64(0))},
		{"setKeys of three fields", m, true, operation(7, uint64(0), list{}, list{})},
		{"threshold with a leading zero", m, true, operation(7, []byte{0, 1}, list{aKey(bobBytes, 1)})},
		{"keys are a string", m, true, operation(7, uint64(0), []byte{1})},
		{"key is a string", m, true, operation(7, uint64(1), list{bobBytes})},
		{"key of one field", m, true, operation(7, uint64(1), list{list{bobBytes}})},
		{"key of three fields", m, true, operation(7, uint64(1), list{list{bobBytes, uint64(1), uint64(1)}})},
		{"key of 19 bytes", m, true, operation(7, uint64(1), list{aKey(bobBytes[1:], 1)})},
		{"weight of 2^32", m, true, operation(7, uint64(1), list{aKey(bobBytes, 1<<32)})},
		{"admitAccount of no field", m, true, operation(8)},
		{"admitAccount of two fields", m, true, operation(8, bobBytes, []byte{})},
		{"account of 19 bytes", m, true, operation(8, bobBytes[1:])},
		{"account empty", m, true, operation(8, []byte{})},
		{"freezeAccount of one field", m, true, operation(9, bobBytes)},
		{"freezeAccount of three fields", m, true, operation(9, bobBytes, []byte{}, []byte{})},
		{"unfreezeAccount of one field", m, true, operation(10, bobBytes)},
		{"unfreezeAccount whose reference is a list", m, true, operation(10, bobBytes, list{})},
		{"closeAccount of no field", m, true, operation(11)},
		{"closeAccount of two fields", m, true, operation(11, bobBytes, []byte{})},
		{"retireAsset of no field", m, true, operation(12)},
		{"retireAsset of two fields", m, true, operation(12, bobBytes, bobBytes)},
		{"changeIssuer of one field", m, true, operation(13, bobBytes)},
		{"changeIssuer to 19 bytes", m, true, operation(13, bobBytes, make([]byte, 19))},
		{"setMetadata of two fields", m, true, operation(14, bobBytes, []byte("u"))},
		{"setMetadata with a hash of 31 bytes", m, true, operation(14, bobBytes, []byte("u"), make([]byte, 31))},
		{"setMetadata with no hash", m, true, operation(14, bobBytes, []byte("u"), []byte{})},
		{"setMetadata with a list", m, true, operation(14, bobBytes, list{}, make([]byte, 32))},
		{"approveHolder of one field", m, true, operation(15, bobBytes)},
		{"approveHolder of three fields", m, true, operation(15, bobBytes, bobBytes, []byte{})},
		{"revokeHolder of one field", m, true, operation(16, bobBytes)},
		{"freezeHolder of two fields", m, true, operation(17, bobBytes, bobBytes)},
		{"freezeHolder of four fields", m, true, operation(17, bobBytes, bobBytes, []byte{}, []byte{})},
		{"unfreezeHolder of two fields", m, true, operation(18, bobBytes, bobBytes)},
		{"freezeBalance of three fields", m, true, operation(19, bobBytes, bobBytes, uint64(1))},
		{"freezeBalance of 2^128", m, true, operation(19, bobBytes, bobBytes, tooBig, []byte{})},
		{"freezeBalance with a leading zero", m, true, operation(19, bobBytes, bobBytes, []byte{0, 1}, []byte{})},
		{"clawback of five fields", m, true, operation(20, bobBytes, bobBytes, someone, uint64(1), uint64(1))},
		{"clawback of seven fields", m, true, operation(20, bobBytes, bobBytes, someone, uint64(1), uint64(1), []byte{}, []byte{})},
		{"clawback for reason 2^16", m, true, operation(20, bobBytes, bobBytes, someone, uint64(1), uint64(1<<16), []byte{})},
		{"clawback with a reason of a list", m, true, operation(20, bobBytes, bobBytes, someone, uint64(1), list{}, []byte{})},
	}
}

// corruptions of the content.
func invalidities() []corruption {
	limit, invalid, zero := ledger.CodeLimitExceeded, ledger.CodeInvalidField, ledger.CodeZeroAmount
	legs := func(n int) any {
		return slices.Repeat(list{list{bobBytes, bobBytes, bobBytes, uint64(1), []byte{}}}, n)
	}
	return []corruption{
		{"nothing", ledger.Applied, false, func(f list) list { return f }},
		{"chain ID of another network", ledger.CodeWrongNetwork, true, set(fChain, uint64(77))},
		{"chain ID zero", ledger.CodeWrongNetwork, true, set(fChain, uint64(0))},
		{"memo of 257 bytes", limit, true, set(fMemo, []byte(text("m", 257)))},
		{"memo of 257 bytes that are not UTF-8", limit, true, set(fMemo, bytes.Repeat([]byte{0xff}, 257))},
		{"memo not UTF-8", invalid, true, set(fMemo, []byte{0xc3, 0x28})},
		{"memo with a surrogate", invalid, true, set(fMemo, []byte{0xed, 0xa0, 0x80})},
		{"memo with a zero byte", invalid, true, set(fMemo, []byte("a\x00b"))},
		{"memo with a carriage return", invalid, true, set(fMemo, []byte("a\r\nb"))},
		{"memo of two lines", ledger.Applied, true, set(fMemo, []byte("a\nb"))},
		{"memo of 256 bytes", ledger.Applied, true, set(fMemo, []byte(text("m", 256)))},
		{"sender zero", invalid, true, set(fSender, zero20)},
		{"nonce above 2^53-1", invalid, true, set(fNonce, uint64(1<<53))},
		{"nonce of 2^64-1", invalid, true, set(fNonce, ^uint64(0))},
		{"validUntil above 2^53-1", invalid, true, set(fValidUntil, uint64(1<<53))},
		{"no legs", invalid, true, set(fPayload, list{})},
		{"4097 legs", limit, true, set(fPayload, legs(4097))},
		{"reference of 36 bytes", limit, true, setLeg(4, []byte(text("r", 36)))},
		{"reference of 35 bytes", ledger.Applied, true, setLeg(4, []byte(text("r", 35)))},
		{"reference not UTF-8", invalid, true, setLeg(4, []byte{0xff})},
		{"reference with a zero byte", invalid, true, setLeg(4, []byte{0})},
		{"reference of two lines", invalid, true, setLeg(4, []byte("a\nb"))},
		{"reference that turns its direction", invalid, true, setLeg(4, []byte("a\u202eb"))},
		{"from zero", invalid, true, setLeg(0, zero20)},
		{"to zero", invalid, true, setLeg(1, zero20)},
		{"asset zero", invalid, true, setLeg(2, zero20)},
		{"amount zero", zero, true, setLeg(3, uint64(0))},
		{"65 signatures", limit, false, set(fSignatures, slices.Repeat(list{list{uint64(1), make([]byte, 65)}}, 65))},
		{"scheme 2", invalid, false, set(fSignatures, list{list{uint64(2), make([]byte, 65)}})},
		{"scheme 2 and memo too long", limit, false, func(f list) list {
			f[fMemo], f[fSignatures] = []byte(text("m", 257)), list{list{uint64(2), make([]byte, 65)}}
			return f
		}},
		{"symbol of 13 letters", limit, true, operation(2, []byte(text("A", 13)), []byte("Tin"), uint64(0), uint64(0), uint64(0))},
		{"symbol empty", invalid, true, operation(2, []byte{}, []byte("Tin"), uint64(0), uint64(0), uint64(0))},
		{"symbol in lower case", invalid, true, operation(2, []byte("tin"), []byte("Tin"), uint64(0), uint64(0), uint64(0))},
		{"symbol with a space", invalid, true, operation(2, []byte("T N"), []byte("Tin"), uint64(0), uint64(0), uint64(0))},
		{"name of 65 bytes", limit, true, operation(2, []byte("TIN"), []byte(text("n", 65)), uint64(0), uint64(0), uint64(0))},
		{"name empty", invalid, true, operation(2, []byte("TIN"), []byte{}, uint64(0), uint64(0), uint64(0))},
		{"name of a space", invalid, true, operation(2, []byte("TIN"), []byte(" "), uint64(0), uint64(0), uint64(0))},
		{"name not UTF-8", invalid, true, operation(2, []byte("TIN"), []byte{0xff, 0xff}, uint64(0), uint64(0), uint64(0))},
		{"decimals 19", invalid, true, operation(2, []byte("TIN"), []byte("Tin"), uint64(19), uint64(0), uint64(0))},
		{"createAsset", ledger.Applied, true, operation(2, []byte("TIN"), []byte("Tin"), uint64(18), top, uint64(0))},
		{"issue of zero", zero, true, operation(3, bobBytes, bobBytes, uint64(0), []byte{})},
		{"issue to zero", invalid, true, operation(3, bobBytes, zero20, uint64(1), []byte{})},
		{"issue with a long reference", limit, true, operation(3, bobBytes, bobBytes, uint64(1), []byte(text("r", 36)))},
		{"redeem of zero", zero, true, operation(4, bobBytes, bobBytes, uint64(0), []byte{})},
		{"redeem of the zero asset", invalid, true, operation(4, zero20, bobBytes, uint64(1), []byte{})},
		{"pause of the zero asset", invalid, true, operation(5, zero20)},
		{"resume of the zero asset", invalid, true, operation(6, zero20)},
		{"17 keys", limit, true, operation(7, uint64(1), sortedKeys(17))},
		{"16 keys", ledger.Applied, true, operation(7, uint64(16), sortedKeys(16))},
		{"17 keys and a threshold above the sum", limit, true, operation(7, uint64(99), sortedKeys(17))},
		{"keys out of order", invalid, true, operation(7, uint64(1), list{sortedKeys(2)[1], sortedKeys(2)[0]})},
		{"a key twice", invalid, true, operation(7, uint64(1), list{aKey(bobBytes, 1), aKey(bobBytes, 2)})},
		{"key zero", invalid, true, operation(7, uint64(1), list{aKey(zero20, 1)})},
		{"weight zero", invalid, true, operation(7, uint64(1), list{aKey(bobBytes, 0)})},
		{"threshold zero", invalid, true, operation(7, uint64(0), list{aKey(bobBytes, 1)})},
		{"threshold above the sum", invalid, true, operation(7, uint64(3), list{aKey(bobBytes, 2)})},
		{"threshold of the sum", ledger.Applied, true, operation(7, uint64(2), list{aKey(bobBytes, 2)})},
		{"threshold above 2^53-1", invalid, true, operation(7, ^uint64(0), list{aKey(bobBytes, 2)})},
		{"threshold without keys", invalid, true, operation(7, uint64(1), list{})},
		{"the own key alone, written out", invalid, true, operation(7, uint64(1), list{aKey(aliceBytes, 1)})},
		{"the own key alone, with a greater weight", ledger.Applied, true, operation(7, uint64(1), list{aKey(aliceBytes, 2)})},
		{"the own key alone, already", ledger.CodeAuthorityUnchanged, true, operation(7, uint64(0), list{})},
		{"admit zero", invalid, true, operation(8, zero20)},
		{"freeze zero", invalid, true, operation(9, zero20, []byte{})},
		{"freeze with a long reference", limit, true, operation(9, zero20, []byte(text("r", 36)))},
		{"freeze with a reference of two lines", invalid, true, operation(9, bobBytes, []byte("a\nb"))},
		{"unfreeze zero", invalid, true, operation(10, zero20, []byte{})},
		{"unfreeze with a long reference", limit, true, operation(10, bobBytes, []byte(text("r", 36)))},
		{"unfreeze with a reference not UTF-8", invalid, true, operation(10, bobBytes, []byte{0xff})},
		{"close zero", invalid, true, operation(11, zero20)},
		{"admit by no member", ledger.CodeNotMember, true, operation(8, someone)},
		{"createAsset with all flags", ledger.Applied, true, operation(2, []byte("TIN"), []byte("Tin"), uint64(18), top, uint64(7))},
		{"createAsset with another flag", ledger.CodeUnsupportedFlags, true, operation(2, []byte("TIN"), []byte("Tin"), uint64(18), top, uint64(8))},
		{"retirement of the zero asset", invalid, true, operation(12, zero20)},
		{"zero issuer", invalid, true, operation(13, bobBytes, zero20)},
		{"issuer of the zero asset", invalid, true, operation(13, zero20, bobBytes)},
		{"issuer to itself", invalid, true, func(f list) list { return operation(13, bobBytes, f[fSender])(f) }},
		{"metadata of the zero asset", invalid, true, operation(14, zero20, []byte("u"), make([]byte, 32))},
		{"metadata with 257 bytes", limit, true, operation(14, bobBytes, []byte(text("u", 257)), make([]byte, 32))},
		{"metadata with 256 bytes", ledger.CodeUnknownAsset, true, operation(14, bobBytes, []byte(text("u", 256)), make([]byte, 32))},
		{"metadata not UTF-8", invalid, true, operation(14, bobBytes, []byte{0xff}, make([]byte, 32))},
		{"metadata of two lines", invalid, true, operation(14, bobBytes, []byte("u\nv"), make([]byte, 32))},
		{"approval of zero", invalid, true, operation(15, bobBytes, zero20)},
		{"approval for the zero asset", invalid, true, operation(15, zero20, bobBytes)},
		{"revocation of zero", invalid, true, operation(16, bobBytes, zero20)},
		{"freeze of zero", invalid, true, operation(17, bobBytes, zero20, []byte{})},
		{"freeze with a long reference", limit, true, operation(17, bobBytes, bobBytes, []byte(text("r", 36)))},
		{"freeze with a reference of two lines", invalid, true, operation(17, bobBytes, bobBytes, []byte("a\nb"))},
		{"unfreeze of the zero asset", invalid, true, operation(18, zero20, bobBytes, []byte{})},
		{"unfreeze with a long reference", limit, true, operation(18, bobBytes, bobBytes, []byte(text("r", 36)))},
		{"freeze of nothing", ledger.CodeUnknownAsset, true, operation(19, bobBytes, bobBytes, uint64(0), []byte{})},
		{"freeze of an amount of zero's", invalid, true, operation(19, bobBytes, zero20, uint64(1), []byte{})},
		{"freeze of an amount with a long reference", limit, true, operation(19, bobBytes, bobBytes, uint64(1), []byte(text("r", 36)))},
		{"clawback of nothing", zero, true, operation(20, bobBytes, bobBytes, someone, uint64(0), uint64(1), []byte{})},
		{"clawback without a reason", invalid, true, operation(20, bobBytes, bobBytes, someone, uint64(1), uint64(0), []byte{})},
		{"clawback of nothing without a reason", invalid, true, operation(20, bobBytes, bobBytes, someone, uint64(0), uint64(0), []byte{})},
		{"clawback to the same", invalid, true, operation(20, bobBytes, bobBytes, bobBytes, uint64(1), uint64(1), []byte{})},
		{"clawback from zero", invalid, true, operation(20, bobBytes, zero20, bobBytes, uint64(1), uint64(1), []byte{})},
		{"clawback to zero", invalid, true, operation(20, bobBytes, bobBytes, zero20, uint64(1), uint64(1), []byte{})},
		{"clawback with a long reference", limit, true, operation(20, bobBytes, bobBytes, someone, uint64(1), uint64(0), []byte(text("r", 36)))},
	}
}

// corruptions of the signatures and of what they are judged against.
func forgeries() []corruption {
	bad, not := ledger.CodeInvalidSignature, ledger.CodeUnauthorized
	order := bytes.Repeat([]byte{0xff}, 32)
	return []corruption{
		{"no signature", not, false, set(fSignatures, list{})},
		{"signed over another nonce", not, false, set(fNonce, uint64(1))},
		{"signed over another memo", not, false, set(fMemo, []byte("other"))},
		{"signed over another amount", not, false, setLeg(3, uint64(6))},
		{"signed over another recipient", not, false, setLeg(1, someone)},
		{"signed over another kind", not, false, operation(5, bobBytes)},
		{"signed under the other scheme", not, false, func(f list) list {
			f[fSignatures] = list{list{uint64(0), f[fSignatures].(list)[0].(list)[1]}}
			return f
		}},
		{"the same signature twice", ledger.CodeTooManySignatures, false, func(f list) list {
			one := f[fSignatures].(list)[0]
			f[fSignatures] = list{one, one}
			return f
		}},
		{"v flipped", not, false, edit(func(s []byte) { s[64] ^= 1 })},
		{"v of 27", bad, false, edit(func(s []byte) { s[64] += 27 })},
		{"v of 2", bad, false, edit(func(s []byte) { s[64] = 2 })},
		{"r zero", bad, false, edit(func(s []byte) { clear(s[:32]) })},
		{"r of the order or more", bad, false, edit(func(s []byte) { copy(s, order) })},
		{"s zero", bad, false, edit(func(s []byte) { clear(s[32:64]) })},
		{"s high", bad, false, edit(func(s []byte) { copy(s[32:], order[:16]) })},
		{"all zero", bad, false, setSignature(make([]byte, 65))},
		{"sender unknown", ledger.CodeUnknownSender, false, set(fSender, someone)},
		{"another pays, unsigned", not, true, setLeg(0, bobBytes)},
		{"one who does not exist pays", not, true, setLeg(0, someone)},
		{"one who does not exist pays, signature bad", bad, false, func(f list) list {
			return setLeg(0, someone)(setSignature(make([]byte, 65))(f))
		}},
		{"nonce too high", ledger.CodeNonceTooHigh, true, set(fNonce, uint64(1024))},
		{"nonce the highest", ledger.Applied, true, set(fNonce, uint64(1023))},
		{"nonce too high, unsigned", ledger.CodeNonceTooHigh, false, set(fNonce, uint64(1<<53-1))},
		{"expired", ledger.CodeExpired, true, set(fValidUntil, uint64(1))},
		{"expired, unsigned", ledger.CodeExpired, false, set(fValidUntil, uint64(1))},
		{"unknown asset", ledger.CodeUnknownAsset, true, setLeg(2, someone)},
		{"recipient without account", ledger.CodeRecipientNotAdmitted, true, setLeg(1, someone)},
		{"more than there is", ledger.CodeInsufficientBalance, true, setLeg(3, top)},
		{"of another issuer", ledger.CodeNotIssuer, true, func(f list) list {
			asset := f[fPayload].(list)[0].(list)[2]
			return operation(3, asset, bobBytes, uint64(1), []byte{})(f)
		}},
	}
}

func runCorruptions(t *testing.T, cases []corruption) (seen []ledger.Code) {
	for _, one := range cases {
		t.Run(one.name, func(t *testing.T) {
			c, fields := valid(t)
			fields = one.do(fields)
			if one.resign && len(fields) > fSignatures {
				fields = sign(t, c.Net, fields, "alice")
			}
			raw := envelope(t, fields)
			if got := verdict(t, c, raw); got != one.want {
				t.Errorf("%s, want %s: %x", got, one.want, raw)
			}
			tx, _ := ledger.Decode(c.Net, raw)
			if got := c.Apply(t, tx).Results[0].Code; got != one.want {
				t.Errorf("Apply says %s, want %s", got, one.want)
			}
		})
		seen = append(seen, one.want)
	}
	return seen
}

// TestCorruptions takes one valid transaction and spoils it in every way, each
// with its code, judged alone and in a block.
func TestCorruptions(t *testing.T) {
	t.Run("form", func(t *testing.T) { runCorruptions(t, malformations()) })
	t.Run("content", func(t *testing.T) { runCorruptions(t, invalidities()) })
	t.Run("signatures", func(t *testing.T) { runCorruptions(t, forgeries()) })
}

// byteCorruptions spoil the bytes rather than the fields.
func byteCorruptions(raw []byte) map[string]struct {
	raw  []byte
	want ledger.Code
} {
	type c = struct {
		raw  []byte
		want ledger.Code
	}
	retyped := func(b byte) []byte { r := bytes.Clone(raw); r[0] = b; return r }
	head := int(raw[1]) - 0xf7 // a long list: the length of its length
	padded := slices.Concat([]byte{0x54, raw[1] + 1, 0}, raw[2:])
	return map[string]c{
		"empty":                     {nil, ledger.CodeMalformed},
		"the type alone":            {raw[:1], ledger.CodeMalformed},
		"cut by one":                {raw[:len(raw)-1], ledger.CodeMalformed},
		"cut in the head":           {raw[:1+head], ledger.CodeMalformed},
		"one byte more":             {append(bytes.Clone(raw), 0), ledger.CodeMalformed},
		"twice":                     {append(bytes.Clone(raw), raw...), ledger.CodeMalformed},
		"length of length too long": {padded, ledger.CodeMalformed},
		"wrapped in a string":       {append([]byte{0x54, 0xb8, byte(len(raw) - 1)}, raw[1:]...), ledger.CodeMalformed},
		"without its type":          {raw[1:], ledger.CodeMalformed},
		"type 0x00":                 {retyped(0x00), ledger.CodeUnsupportedType},
		"type 0x01":                 {retyped(0x01), ledger.CodeUnsupportedType},
		"type 0x02":                 {retyped(0x02), ledger.CodeMalformed},
		"type 0x03":                 {retyped(0x03), ledger.CodeUnsupportedType},
		"type 0x04":                 {retyped(0x04), ledger.CodeUnsupportedType},
		"type 0x53":                 {retyped(0x53), ledger.CodeUnsupportedType},
		"type 0x7f":                 {retyped(0x7f), ledger.CodeUnsupportedType},
		"type 0x80":                 {retyped(0x80), ledger.CodeMalformed},
		"type 0xbf":                 {retyped(0xbf), ledger.CodeMalformed},
		"type 0xc0":                 {retyped(0xc0), ledger.CodeMalformed},
		"type 0xff":                 {retyped(0xff), ledger.CodeMalformed},
		"too long":                  {append(bytes.Clone(raw), make([]byte, ledger.MaxTxBytes)...), ledger.CodeTooLarge},
		"zeros of the limit":        {make([]byte, ledger.MaxTxBytes), ledger.CodeUnsupportedType},
		"list of zeros":             {append([]byte{0x54}, longList(ledger.MaxTxBytes-5)...), ledger.CodeMalformed},
	}
}

// longList is an RLP list of n small items.
func longList(n int) []byte {
	return append([]byte{0xfa, byte(n >> 16), byte(n >> 8), byte(n)}, make([]byte, n)...)
}

func TestByteCorruptions(t *testing.T) {
	c, fields := valid(t)
	raw := envelope(t, fields)
	for name, one := range byteCorruptions(raw) {
		if got := verdict(t, c, one.raw); got != one.want {
			t.Errorf("%s: %s, want %s", name, got, one.want)
		}
	}
	if got := verdict(t, c, raw); got != ledger.Applied {
		t.Fatalf("the valid transaction is %s", got)
	}
}

// TestEveryBitCounts flips every bit of a valid transaction: none of the
// results may be applied or spend the nonce.
func TestEveryBitCounts(t *testing.T) {
	c, fields := valid(t)
	raw := envelope(t, fields)
	for i := range len(raw) * 8 {
		flipped := bytes.Clone(raw)
		flipped[i/8] ^= 1 << (i % 8)
		if got := verdict(t, c, flipped); got.SpendsNonce() {
			t.Errorf("bit %d flipped: %s", i, got)
		}
	}
}

// TestEveryCodeIsProduced: no code of the table is beyond reach. The stories
// of ledgertest count, for their outputs are checked there.
func TestEveryCodeIsProduced(t *testing.T) {
	produced := map[string]bool{}
	for _, cases := range [][]corruption{malformations(), invalidities(), forgeries()} {
		for _, one := range cases {
			produced[one.want.String()] = true
		}
	}
	_, fields := valid(t)
	for _, one := range byteCorruptions(envelope(t, fields)) {
		produced[one.want.String()] = true
	}
	for _, one := range ethereumCorruptions() {
		produced[one.want.String()] = true
	}
	for _, one := range governRefusals() {
		produced[one.want.String()] = true
	}
	for _, code := range slices.Concat(blockLimitCodes, holdCodes) {
		produced[code.String()] = true
	}
	for _, code := range registrarCodes {
		produced[code.String()] = true
	}
	for _, code := range ledger.LadderCodes() {
		produced[code.String()] = true
	}
	stories, err := filepath.Glob(filepath.Join("ledgertest", "testdata", "*.txt"))
	if err != nil || len(stories) == 0 {
		t.Fatalf("no stories (error %v)", err)
	}
	for _, path := range stories {
		story, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(string(story), "\n") {
			if words := strings.Fields(line); len(words) >= 3 {
				produced[words[len(words)-1]] = true
			}
		}
	}
	for _, info := range ledger.Codes() {
		if !produced[info.Name] {
			t.Errorf("no test produces %s (%d)", info.Name, info.Code)
		}
	}
}
