package ledgertest

import (
	"github.com/tallystick/tallystick/crypto"
)

// Key is the key of the person called name: anybody can compute it, so it
// protects nothing.
func Key(name string) *crypto.PrivateKey {
	h := crypto.Keccak256([]byte("ledgertest key of " + name))
	k, err := crypto.PrivateKeyFromBytes(h[:])
	if err != nil {
		panic("ledgertest: key of " + name + ": " + err.Error())
	}
	return k
}

// Address is the address of the person's key.
func Address(name string) crypto.Address { return Key(name).Address() }
