package ledgertest

import (
	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// anyRegulated draws an operation of an issuer on its asset or a holder; nil
// for any other kind.
func anyRegulated(t *rapid.T, kind string, sender crypto.Address) ledger.Operation {
	address := func(label string) crypto.Address { return anyAddress(t, label) }
	reference := func() string { return AnyText(t, "reference", 0, ledger.MaxReferenceBytes) }
	switch kind {
	case "retireAsset":
		return &ledger.RetireAsset{Asset: address("asset")}
	case "changeIssuer":
		return &ledger.ChangeIssuer{Asset: address("asset"), To: otherAddress(t, sender)}
	case "setMetadata":
		op := &ledger.SetMetadata{Asset: address("asset"), URI: AnyText(t, "uri", 0, ledger.MaxURIBytes)}
		copy(op.Hash[:], rapid.SliceOfN(rapid.Byte(), 0, 32).Draw(t, "hash"))
		return op
	case "approveHolder":
		return &ledger.ApproveHolder{Asset: address("asset"), Account: address("account")}
	case "revokeHolder":
		return &ledger.RevokeHolder{Asset: address("asset"), Account: address("account")}
	case "freezeHolder":
		return &ledger.FreezeHolder{Asset: address("asset"), Account: address("account"), Reference: reference()}
	case "unfreezeHolder":
		return &ledger.UnfreezeHolder{Asset: address("asset"), Account: address("account"), Reference: reference()}
	case "freezeBalance":
		op := &ledger.FreezeBalance{Asset: address("asset"), Account: address("account"), Reference: reference()}
		if rapid.Bool().Draw(t, "some") {
			op.Amount = AnyAmount(t, "amount")
		}
		return op
	case "clawback":
		from := address("from")
		return &ledger.Clawback{
			Asset: address("asset"), From: from, To: otherAddress(t, from), Amount: AnyAmount(t, "amount"),
			Reason: rapid.Uint16Min(1).Draw(t, "reason"), Reference: reference(),
		}
	}
	return nil
}

// otherAddress draws an address that is not a.
func otherAddress(t *rapid.T, a crypto.Address) crypto.Address {
	b := anyAddress(t, "to")
	if a == b {
		b[0] ^= 1
		b[1] |= 1
	}
	return b
}
