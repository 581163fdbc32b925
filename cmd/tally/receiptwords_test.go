package main

import (
	"strings"
	"testing"

	"github.com/tallystick/tallystick/client/proof"
	"github.com/tallystick/tallystick/ledger"
)

// What is said of a proof is no more than it shows: whoever hands it on can take a vote
// out, so a missing one does not show that somebody did not sign. And nobody is asked for
// what they gave.
func TestProvenTextClaimsNoMore(t *testing.T) {
	p := &proof.Proven{Power: 4, Signed: 3, Signers: []proof.Signer{{Power: 3, Vote: "signed"}, {Power: 1, Vote: "missing"}}}
	trust := &proof.Trust{Network: &ledger.Network{ID: "n"}}
	text := provenText(p, trust)
	if strings.Contains(text, "did not sign") || !strings.Contains(text, "power 1  no vote in this proof") || !strings.Contains(text, "give it as --validators") {
		t.Errorf("of a set that has changed:\n%s", text)
	}
	p.Trusted.Set = true
	if text := provenText(p, trust); strings.Contains(text, "give it as --validators") || !strings.Contains(text, "the set that you named") {
		t.Errorf("of a set that was named:\n%s", text)
	}
}
