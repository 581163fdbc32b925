package ledger_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/ledger"
)

var formatsPath = filepath.Join("..", "docs", "FORMATS.md")

// An example of FORMATS.md is a marker line, and what stands between it and
// the line that ends it.
var (
	marker    = regexp.MustCompile(`^<!-- (golden|table|file)(?: (\w+))?: ?(.*?) ?-->$`)
	markerEnd = "<!-- end -->"
	prefix    = regexp.MustCompile(`"[^"]*"|\S+`)
)

// TestFormatsExamples: the examples and the code table in docs/FORMATS.md are
// those of the golden files. With -update they are written there.
func TestFormatsExamples(t *testing.T) {
	text, err := os.ReadFile(formatsPath)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	var out []string
	examples := 0
	for i := 0; i < len(lines); i++ {
		out = append(out, lines[i])
		m := marker.FindStringSubmatch(lines[i])
		if m == nil {
			continue
		}
		examples++
		out = append(out, example(t, m[1], m[2], m[3])...)
		out = append(out, markerEnd)
		i = endOfExample(lines, i)
	}
	if examples < 14 {
		t.Errorf("%s has %d examples", formatsPath, examples)
	}
	if fences := strings.Count(string(text), "\n```"); fences%2 != 0 {
		t.Errorf("%s has %d lines of ```: some block does not end", formatsPath, fences)
	}
	got := strings.Join(out, "\n")
	if *update {
		if err := os.WriteFile(formatsPath, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if got != string(text) {
		t.Errorf("%s does not show what the golden files hold: run go test ./ledger -update and look at the difference", formatsPath)
	}
}

// endOfExample is the line that ends the example whose marker is lines[at], or
// at itself when it has none yet: the next one of any kind decides.
func endOfExample(lines []string, at int) int {
	for i := at + 1; i < len(lines); i++ {
		if lines[i] == markerEnd {
			return i
		}
		if marker.MatchString(lines[i]) {
			break
		}
	}
	return at
}

func example(t *testing.T, kind, file, arguments string) []string {
	t.Helper()
	switch kind {
	case "table":
		return codeRows()
	case "file":
		text, err := os.ReadFile(filepath.Join("testdata", arguments))
		if err != nil {
			t.Fatal(err)
		}
		return append(append([]string{"", "```json"}, strings.Split(strings.TrimSpace(string(text)), "\n")...), "```")
	}
	text, err := os.ReadFile(filepath.Join("testdata", file+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	wanted := prefix.FindAllString(arguments, -1)
	if len(wanted) == 0 {
		wanted = []string{""}
	}
	out := []string{"", "```"}
	for _, w := range wanted {
		w = strings.Trim(w, `"`)
		found := false
		for _, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
			if !strings.HasPrefix(line, w) {
				continue
			}
			if slices.Contains(out, line) {
				t.Errorf("an example of %s.txt shows twice: %.60s", file, line)
			}
			out, found = append(out, line), true
		}
		if !found {
			t.Errorf("no line of %s.txt begins with %q", file, w)
		}
	}
	return append(out, "```")
}

// codeRows is the table of codes, row by row from the code.
func codeRows() []string {
	out := []string{"", "| code | name | meaning | precedence | spends the nonce |", "| --- | --- | --- | --- | --- |"}
	for i, c := range ledger.Codes() {
		order, spends := fmt.Sprint(i), "no"
		if c.Code >= 100 {
			order = "by operation"
		}
		if c.Code.SpendsNonce() {
			spends = "yes"
		}
		out = append(out, fmt.Sprintf("| %d | %s | %s | %s | %s |", c.Code, c.Name, c.Meaning, order, spends))
	}
	return out
}
