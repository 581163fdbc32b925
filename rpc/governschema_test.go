package rpc

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// TestGoldenBodiesFitTheDocument: what the ledger's golden files hold of bodies and
// typed data is what the OpenRPC document says they look like.
func TestGoldenBodiesFitTheDocument(t *testing.T) {
	c := newContract(t)
	golden, err := os.ReadFile(filepath.Join("..", "ledger", "testdata", "bodies.txt"))
	if err != nil {
		t.Fatal(err)
	}
	bodies, typed := 0, 0
	for _, line := range strings.Split(string(golden), "\n") {
		name, value, _ := strings.Cut(line, " = ")
		switch {
		case strings.HasSuffix(name, ": body"):
			bodies++
			if err := c.params["ledger_typedData"][0].Validate(parse(t, []byte(value))); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		case strings.HasSuffix(name, ": typedData"):
			typed++
			result, err := json.Marshal(map[string]any{"typedData": json.RawMessage(value), "digest": crypto.Hash{}, "bodyHash": crypto.Hash{}})
			if err != nil {
				t.Fatal(err)
			}
			if err := c.results["ledger_typedData"].Validate(parse(t, result)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if bodies < len(ledger.Kinds()) || typed != bodies {
		t.Errorf("%d bodies, %d typed data", bodies, typed)
	}
}

var goldenAttribute = regexp.MustCompile(`(\w+)=("(?:[^"\\]|\\.)*")`)

// TestGoldenEventsFitTheDocument: so do the events.
func TestGoldenEventsFitTheDocument(t *testing.T) {
	c := newContract(t)
	golden, err := os.ReadFile(filepath.Join("..", "ledger", "testdata", "outcomes.txt"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[ledger.EventType]bool{}
	for _, line := range strings.Split(string(golden), "\n") {
		name, list, found := strings.Cut(line, ": attributes = ")
		if !found {
			continue
		}
		var attributes []ledger.Attribute
		for _, m := range goldenAttribute.FindAllStringSubmatch(list, -1) {
			value, err := strconv.Unquote(m[2])
			if err != nil {
				t.Fatal(err)
			}
			attributes = append(attributes, ledger.Attribute{Key: m[1], Value: value})
		}
		e, ok := ledger.ParseEvent(name, attributes)
		if !ok {
			t.Fatalf("no event: %s", line)
		}
		seen[e.Type] = true
		receipt, err := json.Marshal(wire.Receipt{Kind: "castVote", Status: "applied", Events: []wire.Event{{Event: e}}})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.results["ledger_getReceipt"].Validate(parse(t, receipt)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(seen) < len(ledger.EventTypes()) {
		t.Errorf("%d types of %d", len(seen), len(ledger.EventTypes()))
	}
}
