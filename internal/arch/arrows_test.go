package arch

import (
	"fmt"
	"go/parser"
	"path"
	"slices"
	"strings"
	"testing"
)

func TestImportsFollowTheArrows(t *testing.T) {
	for _, s := range sources(t, ".", parser.ImportsOnly) {
		if s.test {
			continue
		}
		for _, imported := range s.imports {
			if problem := judge(path.Dir(s.path), imported); problem != "" {
				t.Errorf("%s: %s", s.path, problem)
			}
		}
	}
}

// judge returns what is wrong with code of the package directory dir importing
// the path imported, or "".
func judge(dir, imported string) string {
	from, ok := roomOf(dir)
	if !ok {
		return fmt.Sprintf("%s is in no room; move it into one, or add a room to rooms_test.go with its reason", dir)
	}
	target, ours := strings.CutPrefix(imported, module+"/")
	if !ours {
		return judgeLibrary(from, imported)
	}
	to, ok := roomOf(target)
	switch {
	case !ok:
		return fmt.Sprintf("imports %s, which is in no room", imported)
	case forTests(target) && !forTests(dir) && from.path != "internal":
		return fmt.Sprintf("imports %s, which is for tests; only _test.go files, internal and packages named …test may", target)
	case from.path == to.path || slices.Contains(from.may, to.path):
		return ""
	case slices.Contains(from.may, everyRoom) && to.path != "cmd" && to.path != "internal":
		return ""
	}
	return fmt.Sprintf("the arrow %s → %s is not allowed: %s. Declare the narrow interface that %s needs, let node "+
		"supply it; or, if the design is to change, add the arrow to rooms_test.go with its reason and a decision note",
		from.path, to.path, from.why, from.path)
}

// judgeLibrary applies the narrowest entry of libraries.
func judgeLibrary(from room, imported string) string {
	var rule library
	for _, l := range libraries {
		if within(imported, l.path) && len(l.path) > len(rule.path) {
			rule = l
		}
	}
	if rule.path == "" || slices.Contains(rule.rooms, from.path) {
		return ""
	}
	return fmt.Sprintf("the arrow %s → %s is not allowed, it is for %s: %s. Ask one of those rooms for what you need",
		from.path, imported, strings.Join(rule.rooms, ", "), rule.why)
}

// The judge itself: what it must refuse, and what it must not.
func TestJudge(t *testing.T) {
	cases := []struct {
		dir, imported string
		want          string // part of the refusal, "" for none
	}{
		{"ledger", module + "/crypto", ""},
		{"crypto/keystore", module + "/crypto", ""},
		{"ledger/store", module + "/crypto/smt", ""},
		{"node", module + "/rpc", ""},
		{"node/devnet", module + "/app", ""},
		{"cmd/tally", module + "/node/devnet", ""},
		{"app", "github.com/cometbft/cometbft/abci/types", ""},
		{"client", "github.com/cometbft/cometbft/types", ""},
		{"ledger/ledgertest", module + "/ledger", ""},
		{"internal/byzantine", module + "/ledger/ledgertest", ""},

		{"ledger", module + "/ledger/store", "ledger → ledger/store"},
		{"ledger", module + "/crypto/smt", "ledger → crypto/smt"},
		{"ledger/store", module + "/crypto", "ledger/store → crypto "},
		{"crypto", module + "/ledger", "crypto → ledger"},
		{"crypto/smt", module + "/crypto", "crypto/smt → crypto"},
		{"crypto", module + "/crypto/smt", "crypto → crypto/smt"},
		{"config", module + "/ledger", "config → ledger"},
		{"rpc", module + "/app", "rpc → app"},
		{"rpc", module + "/explorer", "rpc → explorer"},
		{"app", module + "/rpc", "app → rpc"},
		{"explorer/web", module + "/ledger/store", "explorer → ledger/store"},
		{"client", module + "/node", "client → node"},
		{"cmd/tally", module + "/app", "cmd → app"},
		{"node", module + "/cmd/tally", "node → cmd"},
		{"node", module + "/internal/arch", "node → internal"},
		{"node", module + "/ledger/ledgertest", "which is for tests"},
		{"ledger", module + "/stray", "which is in no room"},
		{"stray", module + "/crypto", "is in no room"},
		{"ledger", "github.com/cometbft/cometbft/types", "ledger → github.com/cometbft/cometbft/types"},
		{"client", "github.com/cometbft/cometbft/abci/types", "client → github.com/cometbft/cometbft/abci"},
		{"rpc", "github.com/cockroachdb/pebble", "rpc → github.com/cockroachdb/pebble"},
		{"node", "github.com/spf13/viper", "node → github.com/spf13/viper"},
		{"ledger", "github.com/ethereum/go-ethereum/crypto/secp256k1", "ledger → "},
	}
	for _, c := range cases {
		got := judge(c.dir, c.imported)
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s imports %s: got %q, want %q", c.dir, c.imported, got, c.want)
		}
	}
}

func TestTableIsSound(t *testing.T) {
	names := map[string]bool{}
	for _, r := range rooms {
		if r.why == "" || names[r.path] {
			t.Errorf("room %s stands twice or without a reason", r.path)
		}
		names[r.path] = true
	}
	for _, r := range rooms {
		for _, to := range r.may {
			if to != everyRoom && !names[to] {
				t.Errorf("room %s may import %s, which is no room", r.path, to)
			}
		}
	}
	for _, l := range libraries {
		for _, r := range l.rooms {
			if !names[r] {
				t.Errorf("library %s is for %s, which is no room", l.path, r)
			}
		}
	}
}
