package api

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/explorer"
	"github.com/tallystick/tallystick/explorer/worldtest"
)

// A proof comes from the node, and where it does not the reason is told, as the document
// says; nothing of the node's own words is.
func TestReceiptProof(t *testing.T) {
	h := newHarness(t)
	path := Prefix + "/transactions/{hash}/proof"
	target := h.fill(path, h.good())
	if w := h.get(target); w.Code != http.StatusOK || w.Header().Get("Cache-Control") != revalidate || !strings.Contains(w.Body.String(), `"format":"tallystick-receipt-proof-1"`) {
		t.Fatalf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	for _, c := range []struct {
		err    error
		status int
		says   string
	}{
		{fmt.Errorf("%w: secret", explorer.ErrNoProof), http.StatusConflict, "before the next block"},
		{errors.Join(explorer.ErrPruned, errors.New("secret")), http.StatusGone, "no longer keeps"},
		{errSecret, http.StatusBadGateway, "does not answer"},
	} {
		h.world.ProofErr = c.err
		w := h.get(target)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) || strings.Contains(w.Body.String(), "secret") || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%v: %d %s", c.err, w.Code, w.Body)
		}
		if again := w.Header().Get("Retry-After"); (again != "") != (c.status == http.StatusConflict) {
			t.Errorf("%v: Retry-After %q", c.err, again)
		}
		h.check(t, path, target, w)
	}
	h.world.ProofErr = nil
	if w := h.get(strings.ReplaceAll(target, worldtest.Hash("tx", 3).String(), worldtest.Hash("none", 0).String())); w.Code != http.StatusNotFound {
		t.Errorf("of what is not there: %d %s", w.Code, w.Body)
	}
	h.API = New(Options{Queries: h.world, Version: "test"})
	if w := h.get(target); w.Code != http.StatusConflict {
		t.Errorf("without a node: %d %s", w.Code, w.Body)
	}
}
