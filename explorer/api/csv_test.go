package api

import (
	"encoding/csv"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/explorer/worldtest"
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
