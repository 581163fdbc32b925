package ledgertest

import (
	"fmt"
	"strings"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// regulated reads the operations of issuers on their assets and holders; nil
// for any other.
func (s *story) regulated(name string, o map[string]string) ledger.Operation {
	asset := s.asset(o["0"])
	switch name {
	case "retireAsset":
		return &ledger.RetireAsset{Asset: asset}
	case "changeIssuer":
		return &ledger.ChangeIssuer{Asset: asset, To: s.address(o["1"])}
	case "setMetadata":
		op := &ledger.SetMetadata{Asset: asset, URI: o["uri"]}
		if digits := o["hash"]; digits != "" { // the last digits of it
			if err := op.Hash.UnmarshalText([]byte("0x" + strings.Repeat("0", 64-len(digits)) + digits)); err != nil {
				s.t.Fatal(err)
			}
		}
		return op
	case "approveHolder":
		return &ledger.ApproveHolder{Asset: asset, Account: s.address(o["1"])}
	case "revokeHolder":
		return &ledger.RevokeHolder{Asset: asset, Account: s.address(o["1"])}
	case "freezeHolder":
		return &ledger.FreezeHolder{Asset: asset, Account: s.address(o["1"]), Reference: o["ref"]}
	case "unfreezeHolder":
		return &ledger.UnfreezeHolder{Asset: asset, Account: s.address(o["1"]), Reference: o["ref"]}
	case "freezeBalance":
		return &ledger.FreezeBalance{Asset: asset, Account: s.address(o["1"]), Amount: s.amount(o["2"]), Reference: o["ref"]}
	case "clawback":
		from, to, _ := strings.Cut(o["1"], ">")
		return &ledger.Clawback{
			Asset: asset, From: s.address(from), To: s.address(to), Amount: s.amount(o["2"]),
			Reason: uint16(s.number(o, "reason", 1)), Reference: o["ref"],
		}
	}
	return nil
}

// showRegulated shows what an asset's issuer said about it and its holders.
func (s *story) showRegulated(b *strings.Builder, asset crypto.Address) {
	value, _ := s.chain.State.Get(ledger.KeyMetadata(asset))
	m, err := ledger.DecodeMetadata(value)
	if err != nil {
		s.t.Fatal(err)
	}
	if !m.IsZero() {
		fmt.Fprintf(b, "  uri=%s hash=%s\n", m.URI, m.Hash)
	}
	for _, e := range s.chain.State.Under(string(ledger.KeyHolders(asset))) {
		h, err := ledger.DecodeHolder(e.Value)
		if err != nil {
			s.t.Fatal(err)
		}
		fmt.Fprintf(b, "  holder %s approved=%v frozen=%v frozenAmount=%s\n", s.named(crypto.Address([]byte(e.Key))), h.Approved, h.Frozen, h.FrozenAmount)
	}
}

// regulated reads back the operations of issuers on their assets and holders;
// nil for any other.
func (m *typedMessage) regulated(primary string) ledger.Operation {
	switch primary {
	case "RetireAsset":
		return &ledger.RetireAsset{Asset: m.Asset}
	case "ChangeIssuer":
		return &ledger.ChangeIssuer{Asset: m.Asset, To: m.To}
	case "SetMetadata":
		return &ledger.SetMetadata{Asset: m.Asset, URI: m.URI, Hash: m.Hash}
	case "ApproveHolder":
		return &ledger.ApproveHolder{Asset: m.Asset, Account: m.Account}
	case "RevokeHolder":
		return &ledger.RevokeHolder{Asset: m.Asset, Account: m.Account}
	case "FreezeHolder":
		return &ledger.FreezeHolder{Asset: m.Asset, Account: m.Account, Reference: m.Reference}
	case "UnfreezeHolder":
		return &ledger.UnfreezeHolder{Asset: m.Asset, Account: m.Account, Reference: m.Reference}
	case "FreezeBalance":
		return &ledger.FreezeBalance{Asset: m.Asset, Account: m.Account, Amount: m.Amount, Reference: m.Reference}
	case "Clawback":
		return &ledger.Clawback{Asset: m.Asset, From: m.From, To: m.To, Amount: m.Amount, Reason: m.Reason, Reference: m.Reference}
	}
	return nil
}
