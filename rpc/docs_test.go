package rpc

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

const docsPath = "../docs/RPC.md"

// The generated parts of docs/RPC.md stand between marks; the rest is written
// by hand.
func TestDocsAreGenerated(t *testing.T) {
	raw, err := os.ReadFile(docsPath)
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	for mark, content := range map[string]string{
		"methods": methodReference(t, false), "ethereum": methodReference(t, true), "types": typeReference(t), "errors": errorReference(), "codes": codeReference(),
	} {
		begin, end := "<!-- begin "+mark+" -->\n", "<!-- end "+mark+" -->"
		head, rest, found := strings.Cut(text, begin)
		_, tail, closed := strings.Cut(rest, end)
		if !found || !closed {
			t.Fatalf("%s has no place for %s", docsPath, mark)
		}
		text = head + begin + content + end + tail
	}
	golden(t, docsPath, []byte(text))
}

// doc is as much of the OpenRPC document as the reference shows.
type doc struct {
	Methods []struct {
		Name, Summary, Description string
		Params                     []struct {
			Name, Description string
			Required          bool
			Schema            map[string]any
		}
		Result struct {
			Name, Description string
			Schema            map[string]any
		}
		Errors []map[string]string
	}
	Components struct {
		Schemas map[string]map[string]any
	}
}

func readDoc(t *testing.T) (d doc) {
	t.Helper()
	if err := json.Unmarshal(testDocument(t), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// methodReference lists the native methods, or Ethereum's.
func methodReference(t *testing.T, ethereum bool) string {
	var out strings.Builder
	for _, m := range readDoc(t).Methods {
		if isEthereum(m.Name) != ethereum {
			continue
		}
		names := make([]string, len(m.Params))
		for i, p := range m.Params {
			names[i] = p.Name
			if !p.Required {
				names[i] += "?"
			}
		}
		fmt.Fprintf(&out, "### %s(%s)\n\n%s", m.Name, strings.Join(names, ", "), m.Summary)
		if m.Description != "" {
			out.WriteString(" " + m.Description)
		}
		out.WriteString("\n\n")
		for _, p := range m.Params {
			fmt.Fprintf(&out, "- `%s` %s: %s\n", p.Name, typeText(p.Schema), p.Description)
		}
		fmt.Fprintf(&out, "- returns %s", typeText(m.Result.Schema))
		if m.Result.Description != "" {
			out.WriteString(", " + m.Result.Description)
		}
		var kinds []string
		for _, e := range m.Errors {
			kinds = append(kinds, strings.TrimPrefix(e["$ref"], "#/components/errors/"))
		}
		fmt.Fprintf(&out, "\n- errors: %s\n\n", strings.Join(kinds, ", "))
	}
	return out.String()
}

// isEthereum reports whether a method is one of Ethereum's.
func isEthereum(name string) bool {
	namespace, _, _ := strings.Cut(name, "_")
	return namespace != "ledger" && namespace != "rpc"
}

// typeText names a schema in a few words.
func typeText(s map[string]any) string {
	if ref, ok := s["$ref"].(string); ok {
		name := strings.TrimPrefix(ref, componentPath)
		return "[" + name + "](#" + strings.ToLower(name) + ")"
	}
	for _, key := range []string{"oneOf", "anyOf"} {
		if list, ok := s[key].([]any); ok {
			var parts []string
			for _, inner := range list {
				parts = append(parts, typeText(inner.(map[string]any)))
			}
			return strings.Join(parts, " or ")
		}
	}
	switch {
	case s["const"] != nil:
		return fmt.Sprintf("%q", s["const"])
	case s["enum"] != nil:
		var values []string
		for _, v := range s["enum"].([]any) {
			text, _ := json.Marshal(v)
			values = append(values, string(text))
		}
		if len(values) > 8 {
			return fmt.Sprint(s["type"], " (one of ", len(values), ")")
		}
		return strings.Join(values, ", ")
	case s["type"] == "array" && s["items"] == nil:
		return "empty list"
	case s["type"] == "array":
		return "list of " + typeText(s["items"].(map[string]any))
	case s["type"] == "object" && s["additionalProperties"] != nil:
		if inner, ok := s["additionalProperties"].(map[string]any); ok {
			return "object of " + typeText(inner)
		}
	case s["type"] == "integer":
		return fmt.Sprintf("number %.0f to %s", s["minimum"], bound(s["maximum"]))
	}
	return fmt.Sprint(s["type"])
}

func bound(v any) string {
	if n, ok := v.(float64); ok && uint64(n) == ledger.MaxJSONInteger {
		return "2^53 - 1"
	}
	return fmt.Sprintf("%.0f", v)
}

func typeReference(t *testing.T) string {
	var out strings.Builder
	schemas := readDoc(t).Components.Schemas
	names := make([]string, 0, len(schemas))
	for name := range schemas {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		s := schemas[name]
		fmt.Fprintf(&out, "### %s\n\n", name)
		description, _ := s["description"].(string)
		properties, structured := s["properties"].(map[string]any)
		if !structured {
			if description != "" {
				description = ". " + description
			}
			fmt.Fprintf(&out, "%s%s", typeText(s), strings.TrimSuffix(description, "."))
			if p, ok := s["pattern"].(string); ok {
				fmt.Fprintf(&out, ": `%s`", p)
			}
			out.WriteString(".\n\n")
			continue
		}
		if description != "" {
			out.WriteString(description + "\n\n")
		}
		var required []string
		list, _ := s["required"].([]any)
		for _, r := range list {
			required = append(required, r.(string))
		}
		rest := []string{}
		for key := range properties {
			if !slices.Contains(required, key) {
				rest = append(rest, key)
			}
		}
		slices.Sort(rest)
		for _, key := range append(required, rest...) {
			inner := properties[key].(map[string]any)
			optional := ""
			if !slices.Contains(required, key) {
				optional = ", may be left out"
			}
			text := ""
			if d, ok := inner["description"].(string); ok {
				text = ". " + d
			}
			fmt.Fprintf(&out, "- `%s` %s%s%s\n", key, typeText(inner), optional, text)
		}
		out.WriteString("\n")
	}
	return out.String()
}

func errorReference() string {
	var out strings.Builder
	out.WriteString("| code | name | what it means | what to do |\n| --- | --- | --- | --- |\n")
	for _, k := range errorKinds {
		fmt.Fprintf(&out, "| %d | `%s` | %s | %s |\n", k.code, k.name, cell(k.meaning), cell(k.hint))
	}
	fmt.Fprintf(&out, "| %d | the ledger's code | the ledger's rules are against the transaction; see below | what the message or the hint says; never the same bytes again |\n", wire.CodeRejected)
	return out.String()
}

func codeReference() string {
	var out strings.Builder
	out.WriteString("| `data.code` | `data.name` | message | hint |\n| --- | --- | --- | --- |\n")
	for _, info := range ledger.Codes() {
		if info.Code != ledger.Applied {
			fmt.Fprintf(&out, "| %d | `%s` | %s | %s |\n", info.Code, info.Name, cell(info.Meaning), cell(codeHints[info.Code]))
		}
	}
	return out.String()
}

func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }
