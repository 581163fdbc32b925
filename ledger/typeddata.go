package ledger

import (
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick/crypto"
)

// typedHead is how every EIP-712 message begins: with sender, nonce, validUntil
// and memo. There are no optional fields.
const typedHead = "(address sender,uint64 nonce,uint64 validUntil,string memo,"

// primaryType is the name of the operation's EIP-712 type.
func (s *kindSpec) primaryType() string { return strings.ToUpper(s.name[:1]) + s.name[1:] }

// encodedType is the operation's type as encodeType writes it.
func (s *kindSpec) encodedType() string {
	return s.primaryType() + typedHead + s.fields + ")" + strings.Join(s.nested, "")
}

// typeHashes are the hashes of the operations' types, by their numbers.
var typeHashes = func() (h [256]crypto.Hash) {
	for _, s := range kindSpecs {
		h[s.kind] = crypto.TypeHash(s.encodedType())
	}
	return h
}()

// TypedDataDigest is what a wallet signs for body: keccak256(0x1901 ‖
// domainSeparator ‖ hashStruct(message)), see EIP-712. The domain is {name:
// "Tallystick", version: "1", chainId, verifyingContract} with the last 20
// bytes of the network hash as verifyingContract.
func (n *Network) TypedDataDigest(body *Body) crypto.Hash {
	m := messageOf(body, false)
	return crypto.TypedDataDigest(n.domain, m.hash())
}

// TypedData is a transaction body as eth_signTypedData_v4 takes it.
type TypedData struct {
	Types       map[string][]TypedField `json:"types"`
	PrimaryType string                  `json:"primaryType"`
	Domain      TypedDomain             `json:"domain"`
	Message     map[string]any          `json:"message"` // strings, small numbers, and lists of such maps
}

// TypedField is one field of a type.
type TypedField struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// TypedDomain is the EIP-712 domain of a network.
type TypedDomain struct {
	Name              string         `json:"name"`
	Version           string         `json:"version"`
	ChainID           uint64         `json:"chainId"`
	VerifyingContract crypto.Address `json:"verifyingContract"`
}

var domainFields = []TypedField{
	{"name", "string"}, {"version", "string"}, {"chainId", "uint256"}, {"verifyingContract", "address"},
}

// TypedData renders body for a wallet. Integers of more than 32 bits are
// decimal strings.
func (n *Network) TypedData(body *Body) TypedData {
	m := messageOf(body, true)
	types := map[string][]TypedField{"EIP712Domain": domainFields, m.name: m.fields}
	for _, encoded := range specs[body.Op.Kind()].nested {
		name, fields := parseType(encoded)
		types[name] = fields
	}
	return TypedData{
		Types: types, PrimaryType: m.name, Message: m.values,
		Domain: TypedDomain{"Tallystick", "1", n.ChainID, n.VerifyingContract()},
	}
}

// parseType takes a struct type apart that encodeType wrote. The types of a
// document must not depend on its values: a list may be empty.
func parseType(encoded string) (name string, fields []TypedField) {
	name, list, _ := strings.Cut(strings.TrimSuffix(encoded, ")"), "(")
	fields = []TypedField{}
	for f := range strings.SplitSeq(list, ",") {
		if f == "" {
			continue // a struct without fields
		}
		typ, field, _ := strings.Cut(f, " ")
		fields = append(fields, TypedField{field, typ})
	}
	return name, fields
}

// message is a typed-data struct under construction: its encoded words, and,
// when it is to be shown, its fields and values.
type message struct {
	name   string
	words  []byte // typeHash, then 32 bytes a field
	shown  bool
	fields []TypedField
	values map[string]any
}

func messageOf(b *Body, shown bool) *message {
	kind := b.Op.Kind()
	m := newMessage(specs[kind].primaryType(), typeHashes[kind], shown)
	m.address("sender", b.Sender)
	m.uint64("nonce", uint64(b.Nonce))
	m.uint64("validUntil", uint64(b.ValidUntil))
	m.string("memo", b.Memo)
	b.Op.typed(m)
	return m
}

func newMessage(name string, typeHash crypto.Hash, shown bool) *message {
	m := &message{name: name, shown: shown, words: make([]byte, 0, 32*10)}
	m.words = append(m.words, typeHash[:]...)
	if shown {
		m.values = map[string]any{}
	}
	return m
}

func (m *message) hash() crypto.Hash { return crypto.Keccak256(m.words) }

func (m *message) add(name, typ string, word [32]byte, value func() any) {
	m.words = append(m.words, word[:]...)
	if m.shown {
		m.fields = append(m.fields, TypedField{name, typ})
		m.values[name] = value()
	}
}

func (m *message) address(name string, a crypto.Address) {
	m.add(name, "address", crypto.EncodeAddress(a), func() any { return a.String() })
}

func (m *message) string(name, s string) {
	m.add(name, "string", crypto.EncodeString(s), func() any { return s })
}

func (m *message) uint64(name string, v uint64) {
	m.add(name, "uint64", crypto.EncodeUint(v), func() any { return strconv.FormatUint(v, 10) })
}

// small is an integer that JSON carries as a number.
func (m *message) small(name, typ string, v uint32) {
	m.add(name, typ, crypto.EncodeUint(uint64(v)), func() any { return v })
}

func (m *message) amount(name string, a Amount) {
	m.add(name, "uint128", a.Bytes32(), func() any { return a.String() })
}

func (m *message) bytes32(name string, b [32]byte) {
	m.add(name, "bytes32", b, func() any { return "0x" + hex.EncodeToString(b[:]) })
}

// nodeIDs adds a bytes20[]: each is padded on the right.
func (m *message) nodeIDs(name string, nodes []NodeID) {
	words := make([]byte, 0, 32*len(nodes))
	for _, n := range nodes {
		var word [32]byte
		copy(word[:], n[:])
		words = append(words, word[:]...)
	}
	m.add(name, "bytes20[]", crypto.Keccak256(words), func() any {
		values := make([]any, len(nodes))
		for i, n := range nodes {
			values[i] = "0x" + n.String()
		}
		return values
	})
}

func (m *message) uint8s(name string, list []uint8) {
	words := make([]byte, 0, 32*len(list))
	for _, v := range list {
		word := crypto.EncodeUint(uint64(v))
		words = append(words, word[:]...)
	}
	m.add(name, "uint8[]", crypto.Keccak256(words), func() any {
		values := make([]any, len(list))
		for i, v := range list {
			values[i] = v
		}
		return values
	})
}

// array adds a list of structs of one type.
func (m *message) array(name, elem string, elemHash crypto.Hash, n int, fill func(i int, m *message)) {
	hashes := make([]byte, 0, 32*n)
	values := []any{}
	for i := range n {
		item := newMessage(elem, elemHash, m.shown)
		fill(i, item)
		h := item.hash()
		hashes = append(hashes, h[:]...)
		if m.shown {
			values = append(values, item.values)
		}
	}
	m.add(name, elem+"[]", crypto.Keccak256(hashes), func() any { return values })
}
