package web

import (
	"testing"

	"github.com/tallystick/tallystick/explorer/query"
)

// A search goes at once to what alone can be meant, and lists what may be meant as well.
func TestSearchGoesTo(t *testing.T) {
	for name, c := range map[string]struct {
		hits []query.Hit
		to   string
	}{
		"nothing":                           {nil, ""},
		"a height":                          {[]query.Hit{{Kind: "block", ID: "7", Score: 1}}, "block 7"},
		"a height, and words like it":       {[]query.Hit{{Kind: "block", ID: "7", Score: 1}, {Kind: "memo", ID: "0x1", Score: 0.5}}, "block 7"},
		"a height that a proposal has too":  {[]query.Hit{{Kind: "block", ID: "7", Score: 1}, {Kind: "proposal", ID: "7", Score: 0.95}}, ""},
		"an account's address":              {[]query.Hit{{Kind: "account", ID: "0xa", Score: 0.998}}, "account 0xa"},
		"a member's address":                {[]query.Hit{{Kind: "member", ID: "0xa", Score: 1}, {Kind: "account", ID: "0xa", Score: 0.998}}, "member 0xa"},
		"a symbol":                          {[]query.Hit{{Kind: "asset", ID: "0xa", Score: 0.98}}, ""},
		"a hash and a symbol that looks so": {[]query.Hit{{Kind: "transaction", ID: "0xa", Score: 1}, {Kind: "asset", ID: "0xb", Score: 0.98}}, ""},
	} {
		var hits []hit
		for _, h := range c.hits {
			hits = append(hits, hit{h, h.Kind + " " + h.ID})
		}
		if path, ok := goesTo(hits); path != c.to || ok != (c.to != "") {
			t.Errorf("%s leads to %q, want %q", name, path, c.to)
		}
	}
}
