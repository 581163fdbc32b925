package rpc

import (
	"context"
	"encoding/json"
	"fmt"
	"github.com/tallystick/tallystick/rpc/apikey"
	"sync"
	"testing"
)

// What is answered directly is answered as go-ethereum's server would, word for
// word: results, nulls, refusals, wrong parameters, any kind of id.
func TestDirectAnswersAreTheSame(t *testing.T) {
	h := newHarness(t, Options{})
	sent, raw := h.rawTx(t, 0, 5)
	_, poor := h.rawTx(t, 1, 1<<60)
	h.call(t, "ledger_sendRawTransactionSync", raw)
	params := []string{
		`[]`, `null`, fmt.Sprintf(`[%q]`, raw), fmt.Sprintf(`[%q]`, poor), fmt.Sprintf(`[ %q , 1 ]`, raw),
		fmt.Sprintf(`[%q]`, sent.Hash), fmt.Sprintf(`[%q,1]`, sent.Hash), `["0x00",1]`, `["0xzz"]`, `[7]`, `[null]`, `[null,null]`,
		`["0x54\u0030\u0030",1]`, fmt.Sprintf(`["0x%064d",1]`, 7), `[{"a":[1,2]}]`, `["` + raw + `",-1]`,
	}
	for method := range directMethods {
		for _, id := range []string{`1`, `"x<y\"z"`, `null`, `1.5`, `""`} {
			for _, p := range params {
				body := fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":%q,"params":%s}`, id, method, p)
				message := h.screen([]byte(body), anybody)
				if !message.direct {
					if direct := h.exchange(t.Context(), message); len(direct) == 0 {
						t.Errorf("%s has no answer", body)
					}
					continue // screen has something against it
				}
				got := compactJSON(t, h.reply(t.Context(), message.call))
				want := compactJSON(t, h.exchange(t.Context(), message))
				if normal(t, got) != normal(t, want) {
					t.Errorf("%s:\n%s\nand by go-ethereum's server\n%s", body, got, want)
				}
			}
		}
	}
	silent := h.screen([]byte(fmt.Sprintf(`{"jsonrpc":"2.0","method":"ledger_sendRawTransaction","params":[%q]}`, raw)), anybody)
	if silent.direct {
		t.Error("a notification would be answered")
	}
	if message := h.screen([]byte(`{"jsonrpc":"2.0","id":1,"method":"ledger_status"}`), anybody); message.direct {
		t.Error("a method that is not direct is")
	}
}

// normal writes JSON in one of the ways in which it can be written: how an id
// is escaped may differ.
func normal(t *testing.T, text string) string {
	t.Helper()
	var value map[string]json.RawMessage
	var id any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(value["id"], &id); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%v %s %s %s", id, value["jsonrpc"], value["result"], value["error"])
}

// Workers are used again, and however many are busy, nobody waits for one.
func TestWorkers(t *testing.T) {
	w := newWorkers()
	var all sync.WaitGroup
	ctx, release := context.WithCancel(t.Context())
	for range 100 {
		all.Add(1)
		w.run(func() {
			defer all.Done()
			<-ctx.Done()
		})
	}
	release()
	all.Wait()
	done := make(chan struct{})
	for range 1000 {
		w.run(func() { done <- struct{}{} })
		<-done
	}
}

// anybody is who calls a server that asks for nothing.
var anybody = caller{scopes: apikey.All}
