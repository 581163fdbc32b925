package eth

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/holiman/uint256"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// Code is what stands at every asset's address as a contract's code: PUSH1 0,
// DUP1, REVERT. So wallets take the address for a contract's, and who runs it gets
// nowhere: what an asset does is the ledger's rule and not code.
var Code = []byte{0x60, 0x00, 0x80, 0xfd}

// selector is the first four bytes of call data: of the Keccak-256 of a
// function's signature.
type selector [4]byte

func selectorOf(signature string) (s selector) {
	h := crypto.Keccak256([]byte(signature))
	copy(s[:], h[:])
	return s
}

var (
	selectorTransfer = selectorOf("transfer(address,uint256)")
	selectorError    = selectorOf("Error(string)")
)

// Token is an asset as the functions of an ERC-20 see it.
type Token interface {
	Name() string
	Symbol() string
	Decimals() uint8
	Supply() ledger.Amount
	// Balance is what a holder has, available and held together.
	Balance(holder crypto.Address) (ledger.Amount, error)
}

// function is a function of an asset that only reads.
type function struct {
	signature string
	words     int // of its parameters, each of 32 bytes
	addresses int // that so many of these, the first ones, are
	answer    func(Token, []byte) ([]byte, error)
}

// functions are those of ERC-20 and ERC-165 that only read.
var functions = func() map[selector]*function {
	out := map[selector]*function{}
	for _, f := range []*function{
		{"name()", 0, 0, func(t Token, _ []byte) ([]byte, error) { return abiString(t.Name()), nil }},
		{"symbol()", 0, 0, func(t Token, _ []byte) ([]byte, error) { return abiString(t.Symbol()), nil }},
		{"decimals()", 0, 0, func(t Token, _ []byte) ([]byte, error) { return abiUint(uint256.NewInt(uint64(t.Decimals()))), nil }},
		{"totalSupply()", 0, 0, func(t Token, _ []byte) ([]byte, error) { return abiUint(t.Supply().Uint256()), nil }},
		{"balanceOf(address)", 1, 1, func(t Token, args []byte) ([]byte, error) {
			held, err := t.Balance(crypto.Address(args[12:32]))
			return abiUint(held.Uint256()), err
		}},
		{"allowance(address,address)", 2, 2, func(Token, []byte) ([]byte, error) { return abiUint(new(uint256.Int)), nil }},
		{"supportsInterface(bytes4)", 1, 0, func(_ Token, args []byte) ([]byte, error) {
			return abiBool(slices.Contains(interfaces, selector(args[:4]))), nil
		}},
	} {
		out[selectorOf(f.signature)] = f
	}
	return out
}()

// interfaces are those that ERC-165 is told of: its own, and ERC-20.
var interfaces = []selector{{0x01, 0xff, 0xc9, 0xa7}, {0x36, 0x37, 0x2b, 0x07}}

// refused are functions that wallets know of tokens and that no asset has, with
// the reason.
var refused = func() map[selector]string {
	const allowances = "an asset knows no allowances: the holder signs each movement; a ledger_* transfer or hold serves where somebody else is to begin it"
	out := map[selector]string{}
	for _, signature := range []string{
		"approve(address,uint256)", "transferFrom(address,address,uint256)", "increaseAllowance(address,uint256)",
		"decreaseAllowance(address,uint256)", "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)",
	} {
		out[selectorOf(signature)] = signature[:bytes.IndexByte([]byte(signature), '(')] + " is not possible: " + allowances
	}
	return out
}()

// IsTransfer reports whether data calls transfer, well formed or not.
func IsTransfer(data []byte) bool { return bytes.HasPrefix(data, selectorTransfer[:]) }

// True is the answer of transfer.
func True() []byte { return abiBool(true) }

// Refusal is why a function that data calls is no asset's; empty for those that
// are.
func Refusal(data []byte) string {
	if len(data) < len(selector{}) {
		return fmt.Sprintf("an asset takes no call of %d bytes: a function begins with a selector of 4", len(data))
	}
	s := selector(data)
	if reason, ok := refused[s]; ok {
		return reason
	}
	if functions[s] == nil && s != selectorTransfer {
		return fmt.Sprintf("an asset has no function 0x%x: it has those of ERC-20 and supportsInterface, and no more", s)
	}
	return ""
}

// Read answers a call of a function that only reads; ok is false for every other
// one. What is wrong with the call is a reason to revert.
func Read(t Token, data []byte) (answer []byte, reason string, ok bool, err error) {
	if len(data) < len(selector{}) {
		return nil, "", false, nil
	}
	f := functions[selector(data)]
	if f == nil {
		return nil, "", false, nil
	}
	args := data[len(selector{}):]
	if len(args) < 32*f.words {
		return nil, fmt.Sprintf("%s is called with %d bytes of parameters instead of %d", f.signature, len(args), 32*f.words), true, nil
	}
	for i := range f.addresses {
		if !zero(args[32*i : 32*i+12]) {
			return nil, f.signature + " is called with a parameter that is not an address", true, nil
		}
	}
	answer, err = f.answer(t, args)
	return answer, "", true, err
}

func zero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// Revert is the call data of Error(reason), which a contract that reverts with a
// reason returns.
func Revert(reason string) []byte {
	return append(slices.Clone(selectorError[:]), abiString(reason)...)
}

func abiUint(v *uint256.Int) []byte {
	word := v.Bytes32()
	return word[:]
}

func abiBool(b bool) []byte {
	out := make([]byte, 32)
	if b {
		out[31] = 1
	}
	return out
}

// abiString is a single string in the ABI: where it begins, its length, its bytes,
// and zeros up to a whole word.
func abiString(s string) []byte {
	out := make([]byte, 64+(len(s)+31)/32*32)
	out[31] = 32
	binary.BigEndian.PutUint64(out[56:64], uint64(len(s)))
	copy(out[64:], s)
	return out
}
