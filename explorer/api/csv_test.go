package api

import (
	"encoding/csv"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/explorer/explorertest/realtest"
	"github.com/tallystick/tallystick/explorer/query"
	"github.com/tallystick/tallystick/explorer/worldtest"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

// An export has all lines, in the form that the RFC says, and no cell that a
// spreadsheet would run.
func TestStatementCSV(t *testing.T) {
	h := newHarness(t)
	w := h.get(Prefix + "/accounts/" + worldtest.Address('u', 0).String() + "/statement.csv?asset=usd")
	if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/csv") {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if name := w.Header().Get("Content-Disposition"); !strings.Contains(name, "attachment") || !strings.Contains(name, "USD.csv") {
		t.Error(name)
	}
	rows, err := csv.NewReader(strings.NewReader(w.Body.String())).ReadAll()
	if err != nil || len(rows) < 10 {
		t.Fatal(len(rows), err)
	}
	dangerous := 0
	for _, row := range rows[1:] {
		for _, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
				t.Errorf("the cell %q is a formula", cell)
			}
		}
		if row[9] == "'"+worldtest.HostileReference {
			dangerous++
		}
	}
	if dangerous == 0 {
		t.Error("no hostile reference was among them")
	}
}

func TestHarmless(t *testing.T) {
	for _, text := range []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "|cmd"} {
		if got := harmless(text); got != "'"+text {
			t.Errorf("%q became %q", text, got)
		}
	}
	for _, text := range []string{"", "INV-1", "a=b", "'quoted"} {
		if got := harmless(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

// An export has the lines that the statement has, page by page, for every asset, the
// greatest amounts and an enemy's references among them.
func TestExportIsTheStatement(t *testing.T) {
	realtest.Each(t, func(t *testing.T, w realtest.Judged) {
		if !w.Real {
			return // its statements do not add up
		}
		h, lines, escaped := harnessOf(t, w, w.Known), 0, 0
		alice := ledgertest.Address("alice").String()
		for _, asset := range []string{"HUGE", "GOLD", "COIN", "BOND"} {
			base := Prefix + "/accounts/" + alice + "/statement"
			rows, err := csv.NewReader(strings.NewReader(h.get(base + ".csv?asset=" + asset).Body.String())).ReadAll()
			if err != nil || len(rows) < 2 {
				t.Fatal(asset, len(rows), err)
			}
			rows = rows[2:] // the names of the columns, and what was there before
			for next := ""; ; {
				var s query.Statement
				if err := json.Unmarshal(h.get(base+"?order=asc&limit=3&asset="+asset+next).Body.Bytes(), &s); err != nil {
					t.Fatal(err)
				}
				for i := range s.Items {
					want := statementRow(&s.Items[i], s.Decimals)
					if len(rows) == 0 || !slices.Equal(rows[0], want) {
						t.Fatalf("%s: a line of the export is %q, want %q", asset, rows[:min(1, len(rows))], want)
					}
					if rows[0][9] == "'"+worldtest.HostileReference {
						escaped++
					}
					rows, lines = rows[1:], lines+1
				}
				if s.Next == nil {
					break
				}
				next = "&cursor=" + *s.Next
			}
			if len(rows) > 0 {
				t.Errorf("%s: the export has %d lines more", asset, len(rows))
			}
		}
		if lines < 10 || escaped == 0 {
			t.Errorf("%d lines, %d with an enemy's reference", lines, escaped)
		}
	})
}
