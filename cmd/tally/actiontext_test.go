package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/config"
	"github.com/tallystick/tallystick/crypto/mnemonic"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/node"
	"github.com/tallystick/tallystick/node/card"
)

// A card and its fields written out make the same admission; a card that was
// tampered with, or that is for another network, makes none.
func TestParseAdmission(t *testing.T) {
	home, network := node.Home(t.TempDir()+"/node"), &ledger.Network{ID: "clearing"}
	if _, err := node.Init(home, config.Default()); err != nil {
		t.Fatal(err)
	}
	admin, err := mnemonic.Derive(node.DevnetMnemonic, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, wish := range []card.Card{
		{Roles: []string{"validator", "registrar"}, Power: card.DefaultPower},
		{Roles: []string{"auditor"}},
		{Roles: []string{"auditor"}, NetworkID: "clearing"},
	} {
		wish.Name, wish.Address, wish.Time = "Bank <E>", "bank-e.example:26656", 1767323045
		c, err := node.SignCard(home, wish, admin)
		if err != nil {
			t.Fatal(err)
		}
		list, err := parseAdmission(c.Text(), network)
		if err != nil {
			t.Fatalf("%s: %v", c.Text(), err)
		}
		a, ok := list[0].(*ledger.AdmitMemberAction)
		if !ok || len(list) != 1 || a.Admin != c.Admin || a.Name != c.Name || a.Power != c.Power ||
			!bytes.Equal(a.ConsensusKey[:], c.ConsensusKey[:]) || len(a.NodeIDs) != 1 || a.NodeIDs[0] != c.NodeID {
			t.Errorf("%s became %+v", c.Text(), list)
		}
		tampered := strings.Replace(string(c.Text()), "Bank <E>", "Bank <F>", 1)
		if _, err := parseAdmission([]byte(tampered), network); err == nil || !strings.Contains(err.Error(), "ignature") {
			t.Errorf("a card with another name: %v", err)
		}
		_, err = parseAdmission(c.Text(), &ledger.Network{ID: "elsewhere"})
		if refused := err != nil; refused != (c.NetworkID != "") {
			t.Errorf("a card for %q on another network: %v", c.NetworkID, err)
		}
	}
}
