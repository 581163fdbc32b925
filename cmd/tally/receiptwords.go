package main

import (
	"fmt"
	"strings"

	"github.com/tallystick/tallystick/client/proof"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// provenDocument is what `tally receipt verify --json` writes.
type provenDocument struct {
	Hash      crypto.Hash   `json:"hash"`
	NetworkID string        `json:"networkId"`
	Height    ledger.Height `json:"height"`
	BlockHash crypto.Hash   `json:"blockHash"`
	BlockTime uint64        `json:"blockTime"`
	Code      uint32        `json:"code"`
	Status    string        `json:"status"`
	Message   string        `json:"message"`
	BodyHash  crypto.Hash   `json:"bodyHash"`
	Events    []wire.Event  `json:"events"`
	Tx        *ledger.Body  `json:"tx"` // null where its bytes cannot be read

	Validators     []provenSigner `json:"validators"`
	ValidatorsHash crypto.Hash    `json:"validatorsHash"`
	Power          uint64         `json:"power"`
	SignedPower    uint64         `json:"signedPower"`
	Trust          provenTrust    `json:"trust"`
}

type provenSigner struct {
	PublicKey wire.Bytes `json:"publicKey"`
	Power     uint64     `json:"power"`
	Vote      string     `json:"vote"`
}

// provenTrust says what connects the signers with whom the user trusts.
type provenTrust struct {
	By string `json:"by"` // "validators", "founders" (the set of the genesis), "someFounders" or "nothing"

	GenesisHash         string `json:"genesisHash,omitempty"`
	FoundersPower       uint64 `json:"foundersPower,omitempty"`
	FoundersSignedPower uint64 `json:"foundersSignedPower,omitempty"`
}

func provenJSON(p *proof.Proven, t *proof.Trust) provenDocument {
	d := provenDocument{
		Hash: p.Hash, NetworkID: p.NetworkID, Height: p.Height, BlockHash: p.BlockHash, BlockTime: uint64(p.Time), Code: uint32(p.Code), Status: "applied",
		BodyHash: p.BodyHash, Events: []wire.Event{}, ValidatorsHash: p.ValidatorsHash, Power: p.Power, SignedPower: p.Signed,
	}
	if p.Code != ledger.Applied {
		d.Status, d.Message = "refused", p.Code.Info().Meaning
	}
	for _, e := range p.Events {
		d.Events = append(d.Events, wire.Event{Event: e})
	}
	if p.Tx != nil {
		d.Tx = &p.Tx.Body
	}
	for _, s := range p.Signers {
		d.Validators = append(d.Validators, provenSigner{s.PublicKey[:], s.Power, s.Vote})
	}
	d.Trust.By = "nothing"
	if t.Network != nil {
		d.Trust = provenTrust{By: "someFounders", GenesisHash: fmt.Sprintf("%x", t.GenesisHash), FoundersPower: p.Trusted.Power, FoundersSignedPower: p.Trusted.Signed}
	}
	switch {
	case p.Trusted.Set:
		d.Trust.By = "validators"
	case p.Trusted.Same:
		d.Trust.By = "founders"
	}
	return d
}

// provenText says what is proved, by whose signatures, and what is not.
func provenText(p *proof.Proven, t *proof.Trust) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Transaction %s\nis in block %d of %s, made at %s,\n", p.Hash, p.Height, quoted(p.NetworkID), utc(uint64(p.Time)))
	if p.Code == ledger.Applied {
		effects := "effects"
		if len(p.Events) == 1 {
			effects = "effect"
		}
		fmt.Fprintf(&b, "and was applied, with %d %s.\n\n", len(p.Events), effects)
	} else {
		fmt.Fprintf(&b, "and was refused: %s (%s).\n\n", p.Code.Info().Meaning, p.Code.Info().Name)
	}
	if p.Tx != nil {
		fmt.Fprintf(&b, "sender   %s\nnonce    %d\nkind     %s\n", p.Tx.Sender, p.Tx.Nonce, p.Tx.Op.Kind())
		if p.Tx.Memo != "" {
			fmt.Fprintf(&b, "memo     %s\n", quoted(p.Tx.Memo))
		}
	}
	for i := range p.Events {
		fmt.Fprintf(&b, "effect   %s\n", plain.event(&p.Events[i]))
	}
	fmt.Fprintf(&b, "block    %s\n\nSigned by validators with %s of the power:\n", p.BlockHash, share(p.Signed, p.Power))
	for _, v := range p.Signers {
		vote := map[string]string{"signed": "signed", "nil": "voted for no block", "missing": "no vote in this proof"}[v.Vote]
		fmt.Fprintf(&b, "  0x%x  power %d  %s\n", v.PublicKey, v.Power, vote)
	}
	fmt.Fprintf(&b, "Their set has the hash %s.\n\n%s", p.ValidatorsHash, trustText(p, t))
	return b.String()
}

// trustText says why these signatures are worth something, and how far.
func trustText(p *proof.Proven, t *proof.Trust) string {
	var b strings.Builder
	if p.Trusted.Set {
		b.WriteString("This is the set that you named.\n")
	}
	switch {
	case t.Network != nil && p.Trusted.Same:
		fmt.Fprintf(&b, "These are the validators of the genesis document with the hash\n%x, with the same powers.\n", t.GenesisHash)
	case t.Network != nil:
		fmt.Fprintf(&b, "These are not the validators of the genesis document with the hash\n%x: the set has changed since. Of those founders' power,\n"+
			"%s signed here.", t.GenesisHash, share(p.Trusted.Signed, p.Trusted.Power))
		if !p.Trusted.Set {
			b.WriteString(" How the set came to change is not shown: who does not trust those\n" +
				"founders still should ask for the hash of the set elsewhere, and give it as --validators.")
		}
		b.WriteString("\n")
	case !p.Trusted.Set:
		b.WriteString("Whether these are the network's validators is not shown: compare the hash of their set\n" +
			"with one from somebody whom you trust, or give the network's document as --genesis.\n")
	}
	b.WriteString("That the validators never signed another block at this height is not shown either: a third\nof their power would have had to sign twice.\n")
	return b.String()
}

// share is a part of a power in words.
func share(part, whole uint64) string {
	percent := 0.0
	if whole > 0 {
		percent = 100 * float64(part) / float64(whole)
	}
	return fmt.Sprintf("%d of %d (%.1f%%)", part, whole, percent)
}
