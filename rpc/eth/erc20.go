package eth

import (
	"github.com/tallystick/tallystick/crypto"
)

// selector is the first four bytes of call data: of the Keccak-256 of a
// function's signature.
type selector [4]byte

func selectorOf(signature string) (s selector) {
	h := crypto.Keccak256([]byte(signature))
	copy(s[:], h[:])
	return s
}

var selectorTransfer = selectorOf("transfer(address,uint256)")
