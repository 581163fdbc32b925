package rpc

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

const executionAPIs = "eth/testdata/execution-apis.json"

// ethereumResults are the results of Ethereum's methods as Ethereum's own
// specification has them. Every answer in this package's tests is held to them.
func ethereumResults(t testing.TB) map[string]*jsonschema.Schema {
	t.Helper()
	raw, err := os.ReadFile(executionAPIs)
	if err != nil {
		t.Fatal(err)
	}
	var shape struct{ Methods map[string]json.RawMessage }
	if err := json.Unmarshal(raw, &shape); err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft7)
	if err := c.AddResource("ethereum.json", parse(t, raw)); err != nil {
		t.Fatal(err)
	}
	out := map[string]*jsonschema.Schema{}
	for name := range shape.Methods {
		if out[name], err = c.Compile("ethereum.json#/methods/" + name); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// Every one of Ethereum's methods has its shape there, and each shape refuses
// something, or it would prove nothing.
func TestEveryEthereumMethodHasAShape(t *testing.T) {
	shapes := ethereumResults(t)
	for _, m := range methodTable {
		if !isEthereum(m.name) {
			continue
		}
		shape := shapes[m.name]
		if shape == nil {
			t.Errorf("%s has no shape in %s", m.name, executionAPIs)
			continue
		}
		for _, bad := range []string{`{"a":1}`, `7`, `"0x01z"`} {
			if shape.Validate(parse(t, []byte(bad))) == nil && !(m.name == "web3_clientVersion" && strings.HasPrefix(bad, `"`)) {
				t.Errorf("%s may be %s", m.name, bad)
			}
		}
		delete(shapes, m.name)
	}
	for name := range shapes {
		if !strings.Contains(name, "Filter") && !strings.Contains(name, "ubscribe") {
			t.Errorf("%s has a shape and is not served", name)
		}
	}
}

// A block, a transaction, a receipt and a log that lack a field, or write one
// otherwise, are refused.
func TestShapesRefuse(t *testing.T) {
	h := newHarness(t, Options{})
	h.sendEth(t, 0, 5)
	shapes := ethereumResults(t)
	for method, params := range map[string][]any{
		"eth_getBlockByNumber": {"0x1", true}, "eth_getTransactionByBlockNumberAndIndex": {"0x1", "0x0"}, "eth_getBlockReceipts": {"0x1"}, "eth_getLogs": {map[string]any{"fromBlock": "0x1"}},
	} {
		answer := h.call(t, method, params...)
		text := string(answer.Result)
		if shapes[method].Validate(parse(t, []byte(text))) != nil {
			t.Fatalf("%s: %s", method, text)
		}
		for from, to := range map[string]string{`"blockNumber":"0x1"`: `"blockNumber":"0x01"`, `"number":"0x1"`: `"number":1`, `"hash":"0x`: `"hash":"`, `"logIndex":`: `"index":`, `"status":"0x1"`: `"status":"0x2"`} {
			if bad := strings.Replace(text, from, to, 1); bad != text && shapes[method].Validate(parse(t, []byte(bad))) == nil {
				t.Errorf("%s may have %s", method, to)
			}
		}
	}
}
