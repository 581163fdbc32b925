package index

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// The bytes on the disk are those of docs/FORMATS.md.
func TestGoldenFormat(t *testing.T) {
	_, all := closedIndex(t, newChain(t, 20), 4)
	var out strings.Builder
	seen := map[byte]bool{}
	for _, k := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&out, "%x: %x\n", k, all[k])
		seen[k[0]] = true
	}
	for _, s := range spaces {
		if !seen[s.letter] {
			t.Errorf("the index has no %s", s.name)
		}
	}
	golden := filepath.Join("testdata", "format.golden")
	if *update {
		if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(golden, []byte(out.String()), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if out.String() != string(want) {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}
