package query

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/explorer/explorertest"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

func hit(t *testing.T, r *Reader, text, kind, id string) {
	t.Helper()
	hits, err := r.Search(t.Context(), text, 0)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	for i, h := range hits {
		if i > 0 && hits[i-1].Score < h.Score {
			t.Fatalf("%q: the hits are not in order: %+v", text, hits)
		}
		if h.Kind == kind && (id == "" || strings.EqualFold(h.ID, id)) {
			return
		}
	}
	t.Fatalf("%q does not find %s %s, but %+v", text, kind, id, hits)
}

// One box finds everything, by what a person has of it.
func TestSearch(t *testing.T) {
	eachQuery(t, 21, 80, func(t *testing.T, r *Reader, chain *explorertest.Chain) {
		tx := everyTx(chain)[3].tx
		block := chain.At(5)
		alice, m0 := ledgertest.Address("alice"), ledgertest.Address("m0")
		hit(t, r, "5", "block", "5")
		hit(t, r, block.Hash.String(), "block", "5")
		hit(t, r, block.Hash.String()[:9], "block", "5")
		hit(t, r, tx.Hash.String(), "transaction", tx.Hash.String())
		hit(t, r, strings.ToUpper(tx.Hash.String()[2:11]), "transaction", tx.Hash.String())
		hit(t, r, " "+alice.String()+"\n", "account", alice.String())
		hit(t, r, strings.ToLower(alice.String()[:10]), "account", alice.String())
		hit(t, r, m0.String(), "member", m0.String())
		hit(t, r, "Member m0", "member", m0.String())
		hit(t, r, "membr m0", "member", m0.String())
		key := ledgertest.ConsensusKey("m0").Address()
		hit(t, r, hex.EncodeToString(key[:]), "validator", "0x"+hex.EncodeToString(key[:]))
		hit(t, r, "gold", "asset", "")
		hit(t, r, "GO", "asset", "")
		hit(t, r, "regulatd bond", "asset", "")
		hit(t, r, "1", "proposal", "1")
		hit(t, r, "#1", "proposal", "1")
		for text, kind := range map[string]string{"Proposal 1": "proposal", "proposal #1": "proposal", "#1": "proposal", "block 1": "block", "Block #1": "block", "1": "block"} {
			hits, err := r.Search(t.Context(), text, 0)
			if err != nil || len(hits) == 0 || hits[0].Kind != kind || hits[0].ID != "1" || hits[0].Score < 1 {
				t.Fatalf("%q finds first %+v (%v)", text, hits, err)
			}
		}
		hit(t, r, "inv-1", "reference", "")
		hit(t, r, "INV", "reference", "")
		hit(t, r, "RECHNUNG Ä", "reference", "")
		hit(t, r, "zürich", "memo", "")
		hit(t, r, "invoice zür", "memo", "")
		hit(t, r, `№5 "quoted`, "memo", "")
		first, err := r.Search(t.Context(), "GOLD", 1)
		if err != nil || len(first) != 1 || first[0].Kind != "asset" || first[0].Label != "GOLD" {
			t.Fatalf("GOLD finds first %+v (%v)", first, err)
		}
		if none, err := r.Search(t.Context(), "nothing like it anywhere 77", 0); err != nil || none == nil || len(none) > 0 {
			t.Fatalf("what is not there is found: %+v (%v)", none, err)
		}
	})
}

// A proposal is found by what it does and by the words in it, the newest first, and
// says what it is about.
func TestSearchProposals(t *testing.T) {
	chain := explorertest.New(t, 24)
	long := strings.Repeat("a word of many ", 30) + "before the last one"
	for i, actions := range []ledger.ActionList{
		{&ledger.ResolutionAction{Text: "The audit of Zürich\nis accepted."}, &ledger.SetParameterAction{Name: "maxNewAccounts", Value: 101}},
		{&ledger.ResolutionAction{Text: "The audit is repeated: " + long}},
		{&ledger.AdmitMemberAction{Admin: ledgertest.Address("newcomer"), Name: "Bank of the Hills", Roles: ledger.RoleNames(ledger.RoleIssuer)}},
	} {
		chain.Block(chain.Sign("m0", &ledger.Propose{Actions: actions, VotingPeriod: 3600}, ""))
		if b := chain.At(chain.Top()); b.Results[0].Code != ledger.Applied {
			t.Fatalf("proposal %d: %s", i+1, b.Results[0].Code)
		}
	}
	explorertest.Each(t, func(t *testing.T, d explorertest.Database) {
		r, _ := indexed(t, d, chain)
		for text, want := range map[string]string{
			"audit": "2 1", "AUDIT zürich": "1", "zürich audit": "1", "accep": "1", "au": "", "the audit is repeated": "2", "last one": "2",
			"set parameter": "1", "maxnewaccounts": "1", "new accounts": "1", "admit member": "3", "bank hills": "3", "resolution": "2 1", "audit hills": "", "resolution; DROP": "",
		} {
			hits, err := r.Search(t.Context(), text, 0)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, h := range hits {
				if h.Kind == "proposal" {
					got = append(got, h.ID)
				}
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%q finds the proposals %v, want %s", text, got, want)
			}
		}
		hits, err := r.Search(t.Context(), "audit", 0)
		if err != nil || len(hits) != 2 {
			t.Fatalf("%+v, %v", hits, err)
		}
		if want := "open, resolution “The audit is repeated: a word of many a word of many a word of many a word of m…”"; hits[0].Note != want {
			t.Errorf("it is noted as %q, want %q", hits[0].Note, want)
		}
		if want := "open, resolution “The audit of Zürich is accepted.”, set parameter"; hits[1].Note != want {
			t.Errorf("it is noted as %q, want %q", hits[1].Note, want)
		}
	})
}

// No text is an error, whatever it has in it.
func TestSearchTakesAnything(t *testing.T) {
	eachQuery(t, 22, 20, func(t *testing.T, r *Reader, _ *explorertest.Chain) {
		for _, text := range []string{
			"", " ", "'", `"`, `""`, "''", "%", "_", "%%%%", "\\", "\x00", "a\x00b", "\xff\xfe", strings.Repeat("\xf0", 999), "*", "a*", "*a", "NEAR(a b)", "a NEAR/2 b", "a AND b",
			"a OR", "NOT", "AND OR NOT", "(", ")", "a:b", "words:a", "^a", "-a", "+a", "{a}", "a & b | !c", "':*'", "a:*", "<->", "'; DROP TABLE memos; --", "<script>alert(1)</script>",
			strings.Repeat("x", 10_000), strings.Repeat("é", 10_000), strings.Repeat("a ", 5_000), "0x", "0xg", "0x" + strings.Repeat("a", 63), strings.Repeat("f", 64), strings.Repeat("f", 41),
			"#", "#0", "-1", "9007199254740993", "99999999999999999999999", "1e9", "½", "\u200b", "\u202egnp", "🙂", "ﷺ", "İ", "ß", "\n\t\r",
		} {
			hits, err := r.Search(t.Context(), text, 1_000_000)
			if err != nil {
				t.Errorf("%.40q: %v", text, err)
			}
			if len(hits) > MaxHits {
				t.Errorf("%.40q finds %d", text, len(hits))
			}
		}
	})
}

// A cursor that no page gave is refused, and never asked of the database.
func TestWrongPages(t *testing.T) {
	eachQuery(t, 23, 5, func(t *testing.T, r *Reader, _ *explorertest.Chain) {
		alice := ledgertest.Address("alice")
		lists := map[string]func(Page) error{
			"blocks":       func(p Page) error { _, err := r.Blocks(t.Context(), BlockFilter{}, p); return err },
			"transactions": func(p Page) error { _, err := r.Transactions(t.Context(), TransactionFilter{}, p); return err },
			"movements":    func(p Page) error { _, err := r.Movements(t.Context(), MovementFilter{}, p); return err },
			"of account":   func(p Page) error { _, err := r.Movements(t.Context(), MovementFilter{Account: &alice}, p); return err },
			"accounts":     func(p Page) error { _, err := r.Accounts(t.Context(), AccountFilter{}, p); return err },
			"history":      func(p Page) error { _, err := r.AccountHistory(t.Context(), alice, p); return err },
			"balances":     func(p Page) error { _, err := r.Balances(t.Context(), alice, Moment{}, p); return err },
			"holds":        func(p Page) error { _, err := r.Holds(t.Context(), HoldFilter{}, p); return err },
			"assets":       func(p Page) error { _, err := r.Assets(t.Context(), AssetFilter{}, p); return err },
			"asset events": func(p Page) error { _, err := r.AssetEvents(t.Context(), alice, p); return err },
			"holders":      func(p Page) error { _, err := r.Holders(t.Context(), alice, p); return err },
			"members":      func(p Page) error { _, err := r.MemberHistory(t.Context(), alice, p); return err },
			"powers":       func(p Page) error { _, err := r.PowerHistory(t.Context(), ledger.ConsensusAddress{}, p); return err },
			"proposals":    func(p Page) error { _, err := r.Proposals(t.Context(), ProposalFilter{}, p); return err },
			"differences":  func(p Page) error { _, err := r.Differences(t.Context(), p); return err },
			"block events": func(p Page) error { _, err := r.BlockEvents(t.Context(), 0, p); return err },
		}
		for name, read := range lists {
			if err := read(Page{}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			for _, p := range []Page{{Limit: -1}, {Limit: MaxLimit + 1}, {Cursor: "x"}, {Cursor: "!!"}, {Cursor: newCursor('?').number(1).String()},
				{Cursor: newCursor('t').number(-5).String()}, {Cursor: strings.Repeat("A", 10_000)}, {Cursor: "'; DROP TABLE blocks"}} {
				var invalid *InvalidError
				if err := read(p); !errors.As(err, &invalid) {
					t.Errorf("%s takes %+v: %v", name, fmt.Sprintf("%.60v", p), err)
				}
			}
		}
	})
}

// Cursors from anywhere are read or refused, and never crash.
func FuzzCursor(f *testing.F) {
	f.Add(newCursor('t').number(7).text([]byte("abc")).String())
	f.Add("")
	f.Add("dA")
	f.Fuzz(func(t *testing.T, text string) {
		p := parseCursor('t', text)
		n, b := p.number(), p.text()
		if p.end() == nil && text != "" && newCursor('t').number(n).text(b).String() != text {
			t.Fatalf("%q is read as %d, %x", text, n, b)
		}
	})
}
