package web

import (
	"strings"
	"testing"

	"github.com/tallystick/tallystick/explorer/query"
	"github.com/tallystick/tallystick/explorer/worldtest"
)

// A transaction's page offers its receipt proof as a file once the next block is there,
// and says until then that it will come.
func TestProofLink(t *testing.T) {
	world := worldtest.New(50)
	pages := newPages(world)
	hash := worldtest.Hash("tx", 3).String()
	link := `<a href="/api/v1/transactions/` + hash + `/proof" download="receipt-proof-` + hash + `.json">`
	if body := get(pages, "/transactions/"+hash).Body.String(); !strings.Contains(body, link) {
		t.Errorf("no link to the proof: %s", body)
	}
	list, err := world.Transactions(t.Context(), query.TransactionFilter{}, query.Page{})
	if err != nil {
		t.Fatal(err)
	}
	world.Set(func(s *query.Status) { s.Height = list.Items[0].Height })
	newest := list.Items[0].Hash.String()
	if body := get(pages, "/transactions/"+newest).Body.String(); strings.Contains(body, newest+"/proof") || !strings.Contains(body, "Receipt proof: with the next block") {
		t.Errorf("the newest block's transaction is offered a proof: %s", body)
	}
}
