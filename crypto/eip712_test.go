package crypto

import (
	"fmt"
	"math/big"
	"testing"

	gethmath "github.com/ethereum/go-ethereum/common/math"
	"github.com/ethereum/go-ethereum/signer/core/apitypes"
	"pgregory.net/rapid"
)

// The "Ether Mail" example in the text of EIP-712, with every hash it names.
func TestEtherMail(t *testing.T) {
	const person = "Person(string name,address wallet)"
	const mail = "Mail(Person from,Person to,string contents)" + person
	personHash := func(name, wallet string) Hash {
		return StructHash(TypeHash(person), EncodeString(name), EncodeAddress(mustAddress(t, wallet)))
	}
	domain := DomainSeparator("Ether Mail", "1", 1, mustAddress(t, "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC"))
	structHash := StructHash(TypeHash(mail),
		personHash("Cow", "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"),
		personHash("Bob", "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"),
		EncodeString("Hello, Bob!"))
	digest := TypedDataDigest(domain, structHash)
	for _, c := range []struct {
		name string
		got  Hash
		want string
	}{
		{"type hash", TypeHash(mail), "0xa0cedeb2dc280ba39b857546d74f5549c3a1d7bdc2dd96bf881f76108e23dac2"},
		{"domain separator", domain, "0xf2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f"},
		{"struct hash", structHash, "0xc52c0ee5d84264471806290a3f2c4cecfc5490626bf912d01f240d7a274b371e"},
		{"digest", digest, "0xbe609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2"},
	} {
		if c.got.String() != c.want {
			t.Errorf("%s %s, want %s", c.name, c.got, c.want)
		}
	}
	// The example signs with the key keccak256("cow").
	secret := Keccak256([]byte("cow"))
	cow, err := PrivateKeyFromBytes(secret[:])
	if err != nil {
		t.Fatal(err)
	}
	want := "0x4355c47d63924e8a72e509b65029052eb6c299d53a04e167c5775fd466751c9d" +
		"07299936d304c153f6443dfa05f40ff007d72911b6f72307f996231605b9156201"
	if sig := cow.Sign(digest); sig.String() != want {
		t.Errorf("signature %s, want %s", sig, want)
	}
}

// A structure with a member of every kind that has an Encode function, and an
// array of structures, in our domain with random values: go-ethereum's general
// implementation gives the same digest.
func TestTypedDataAgainstGoEthereum(t *testing.T) {
	const item = "Item(address to,uint64 amount)"
	const order = "Order(address from,uint64 nonce,bytes32 key,string memo,bytes payload,bool final,Item[] items)" + item
	draw20 := rapid.SliceOfN(rapid.Byte(), AddressSize, AddressSize)
	rapid.Check(t, func(t *rapid.T) {
		contract := Address(draw20.Draw(t, "contract"))
		from := Address(draw20.Draw(t, "from"))
		chainID, nonce := rapid.Uint64().Draw(t, "chainID"), rapid.Uint64().Draw(t, "nonce")
		key := Hash(rapid.SliceOfN(rapid.Byte(), HashSize, HashSize).Draw(t, "key"))
		memo, payload := rapid.String().Draw(t, "memo"), rapid.SliceOf(rapid.Byte()).Draw(t, "payload")
		final := rapid.Bool().Draw(t, "final")
		count := rapid.IntRange(0, 6).Draw(t, "items")
		var hashes [][32]byte
		items := []any{}
		for range count {
			to, amount := Address(draw20.Draw(t, "to")), rapid.Uint64().Draw(t, "amount")
			hashes = append(hashes, StructHash(TypeHash(item), EncodeAddress(to), EncodeUint(amount)))
			items = append(items, map[string]any{"to": to.String(), "amount": fmt.Sprint(amount)})
		}
		got := TypedDataDigest(
			DomainSeparator("Tallystick", "1", chainID, contract),
			StructHash(TypeHash(order), EncodeAddress(from), EncodeUint(nonce), EncodeBytes32(key),
				EncodeString(memo), EncodeBytes(payload), EncodeBool(final), EncodeArray(hashes...)))
		want, _, err := apitypes.TypedDataAndHash(apitypes.TypedData{
			Types: apitypes.Types{
				"EIP712Domain": members("name", "string", "version", "string", "chainId", "uint256", "verifyingContract", "address"),
				"Item":         members("to", "address", "amount", "uint64"),
				"Order": members("from", "address", "nonce", "uint64", "key", "bytes32", "memo", "string",
					"payload", "bytes", "final", "bool", "items", "Item[]"),
			},
			PrimaryType: "Order",
			Domain: apitypes.TypedDataDomain{
				Name: "Tallystick", Version: "1",
				ChainId:           (*gethmath.HexOrDecimal256)(new(big.Int).SetUint64(chainID)),
				VerifyingContract: contract.String(),
			},
			Message: apitypes.TypedDataMessage{
				"from": from.String(), "nonce": fmt.Sprint(nonce), "key": key.String(), "memo": memo,
				"payload": payload, "final": final, "items": items,
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		if string(want) != string(got[:]) {
			t.Fatalf("digest %s, want %x", got, want)
		}
	})
}

// members pairs names and types.
func members(pairs ...string) []apitypes.Type {
	var list []apitypes.Type
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, apitypes.Type{Name: pairs[i], Type: pairs[i+1]})
	}
	return list
}

// Every part of a domain and both parts of a digest count.
func TestDomainPartsCount(t *testing.T) {
	contract := Address{1}
	seen := map[Hash]string{}
	for name, separator := range map[string]Hash{
		"base":            DomainSeparator("Tallystick", "1", 7, contract),
		"other name":      DomainSeparator("Tallystic", "1", 7, contract),
		"other version":   DomainSeparator("Tallystick", "2", 7, contract),
		"other chain":     DomainSeparator("Tallystick", "1", 8, contract),
		"other contract":  DomainSeparator("Tallystick", "1", 7, Address{2}),
		"moved character": DomainSeparator("Tallystick1", "", 7, contract),
	} {
		if other, double := seen[separator]; double {
			t.Errorf("%s and %s give the same separator", name, other)
		}
		seen[separator] = name
	}
	a, b := Keccak256([]byte("a")), Keccak256([]byte("b"))
	if TypedDataDigest(a, b) == TypedDataDigest(b, a) {
		t.Error("domain and structure can be exchanged")
	}
}

func BenchmarkTypedDataDigest(b *testing.B) {
	domain := DomainSeparator("Tallystick", "1", 7, Address{1})
	typeHash := TypeHash("Pair(uint64 a,uint64 b)")
	b.ReportAllocs()
	for b.Loop() {
		TypedDataDigest(domain, StructHash(typeHash, EncodeUint(1), EncodeUint(2)))
	}
}
