package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer"
)

// An explorer apart from its node tells the two reasons for which there is no proof from
// a node that fails.
func TestRemoteReceiptProofErrors(t *testing.T) {
	answer := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var call struct {
			ID     json.RawMessage
			Method string
		}
		if err := json.NewDecoder(r.Body).Decode(&call); err != nil {
			t.Error(err)
		}
		body := answer
		if call.Method == "ledger_status" {
			body = `"result":{"chainId":777777,"networkId":"far","settlementAsset":"0x0000000000000000000000000000000000000000"}`
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,%s}`, call.ID, body)
	}))
	defer server.Close()
	source := sourceOf(t, server.URL)
	for name, want := range map[string]error{"notYetProvable": explorer.ErrNoProof, "blockPruned": explorer.ErrPruned, "internal": nil} {
		answer = fmt.Sprintf(`"error":{"code":-32002,"message":"not now","data":{"name":%q}}`, name)
		p, err := source.ReceiptProof(t.Context(), crypto.Hash{1})
		if p != nil || err == nil || want != nil && !errors.Is(err, want) || want == nil && (errors.Is(err, explorer.ErrNoProof) || errors.Is(err, explorer.ErrPruned)) {
			t.Errorf("%s: %v, %v", name, p, err)
		}
	}
}
