package rpc

import (
	"os"
	"strings"
	"testing"
)

// docs/ETHEREUM.md has a row for each of Ethereum's methods that are served, and for
// none other but those that it calls refused.
func TestEthereumDocsHaveEveryMethod(t *testing.T) {
	raw, err := os.ReadFile("../docs/ETHEREUM.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(raw), "## Methods\n")
	if !found {
		t.Fatal("there is no table of methods")
	}
	rows := map[string]string{}
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || !strings.Contains(cells[1], "`") {
			continue
		}
		name, how := strings.Trim(cells[1], " `"), strings.TrimSpace(cells[2])
		if rows[name] != "" {
			t.Errorf("%s has two rows", name)
		}
		rows[name] = how
		switch served := methodNamed(name) != nil; how {
		case "exact", "adapted":
			if !served {
				t.Errorf("%s is said to be %s, and is not served", name, how)
			}
		case "refused":
			if served {
				t.Errorf("%s is said to be refused, and is served", name)
			}
		default:
			t.Errorf("%s is %q, not exact, adapted or refused", name, how)
		}
	}
	for _, m := range methodTable {
		if isEthereum(m.name) && rows[m.name] == "" {
			t.Errorf("%s has no row", m.name)
		}
	}
}
