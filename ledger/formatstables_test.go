package ledger_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/ledger"
)

// tableOf reads the table of docs/FORMATS.md with a heading: its rows, cell by
// cell. There is one.
func tableOf(t *testing.T, heading string) (rows [][]string) {
	t.Helper()
	text, err := os.ReadFile(formatsPath)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(text), "\n"+heading+"\n")
	if len(parts) != 2 {
		t.Fatalf("%s has %d tables with the heading %s", formatsPath, len(parts)-1, heading)
	}
	for _, line := range strings.Split(parts[1], "\n")[1:] {
		if !strings.HasPrefix(line, "|") {
			break
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, cells)
	}
	return rows
}

// TestFormatsNumbers: the tables of operations, actions and events list what
// there is, by number and name, and of events the fields too.
func TestFormatsNumbers(t *testing.T) {
	var kinds, actions, events []string
	for _, k := range ledger.Kinds() {
		kinds = append(kinds, strconv.Itoa(int(k))+" "+k.String())
	}
	for _, k := range ledger.ActionKinds() {
		actions = append(actions, strconv.Itoa(int(k))+" "+k.String())
	}
	for _, e := range ledger.EventTypes() {
		line := strconv.Itoa(int(e)) + " " + e.Name()
		for _, a := range (&ledger.Event{Type: e}).Attributes() {
			line += " " + a.Key
		}
		events = append(events, line)
	}
	firstWord := regexp.MustCompile(`(^|, )(\w+)[^,]*`)
	for _, table := range []struct {
		heading string
		want    []string
		fields  bool
	}{
		{"| kind | name | payload |", kinds, false},
		{"| kind | name | fields |", actions, false},
		{"| type | name | fields |", events, true},
	} {
		var is []string
		for _, row := range tableOf(t, table.heading) {
			line := row[0] + " " + row[1]
			if table.fields {
				line += firstWord.ReplaceAllString(row[2], " $2")
			}
			is = append(is, line)
		}
		if !slices.Equal(is, table.want) {
			t.Errorf("the table %s lists\n%s\nand not\n%s", table.heading, strings.Join(is, "\n"), strings.Join(table.want, "\n"))
		}
	}
}

// TestFormatsParameters: the table of parameters has their ranges and defaults.
func TestFormatsParameters(t *testing.T) {
	var want, is []string
	for _, p := range ledger.DefaultParams().List() {
		want = append(want, fmt.Sprintf("%s %d %d %d", p.Name, p.Least, p.Most, p.Value))
	}
	for _, row := range tableOf(t, "| parameter | least | most | default | what it bounds |") {
		is = append(is, strings.Join(row[:4], " "))
	}
	if !slices.Equal(is, want) {
		t.Errorf("the table lists\n%s\nand not\n%s", strings.Join(is, "\n"), strings.Join(want, "\n"))
	}
}

// TestFormatsStateKeys: the table of the state lists the keys of keys.go.
func TestFormatsStateKeys(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "keys.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var want, is []string
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok {
			key, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, key)
		}
		return true
	})
	for _, row := range tableOf(t, "| key | value |") {
		is = append(is, strings.Split(row[0], "`")[1])
	}
	slices.Sort(want)
	slices.Sort(is)
	if !slices.Equal(is, want) {
		t.Errorf("the table lists the keys\n%s\nand not\n%s", is, want)
	}
}

// TestFormatsTypedData: every type that a wallet signs stands in the document as
// it is encoded, but for spaces and line breaks, and no other does.
func TestFormatsTypedData(t *testing.T) {
	text, err := os.ReadFile(formatsPath)
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Typed data\n")
	section, _, _ = strings.Cut(section, "\n## ")
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
	var is, want []string
	shown := regexp.MustCompile(`\b[A-Z]\w*\([^()]*\)`)
	for _, s := range shown.FindAllString(section, -1) {
		is = append(is, squeeze(s))
	}
	for _, encoded := range append(ledger.EncodedTypes(), "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)") {
		for _, s := range shown.FindAllString(encoded, -1) {
			want = append(want, squeeze(s))
		}
	}
	for _, s := range want {
		if !slices.Contains(is, s) {
			t.Errorf("%s is not shown", s)
		}
	}
	for _, s := range is {
		if !slices.Contains(want, s) {
			t.Errorf("%s is shown and is no type", s)
		}
	}
}
