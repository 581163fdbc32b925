package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Source is where an effective value came from.
type Source string

// The three sources, the later replacing the earlier.
const (
	FromDefault     Source = "default"
	FromFile        Source = "file"
	FromEnvironment Source = "environment"
)

// Setting is one effective value, as `tally config show` prints it.
type Setting struct {
	// Key is the dotted name, "rpc.max_batch".
	Key string `json:"key"`
	// Value is the value as TOML, a database's without its password.
	Value string `json:"value"`
	// Source is where it came from.
	Source Source `json:"source"`
	// Variable is the environment variable that overrides the key, empty for
	// CometBFT's own.
	Variable string `json:"variable,omitempty"`
}

// Show loads the file at path as Load does, and lists every setting with its
// effective value and source, in the order of the file; those of CometBFT last,
// in the order of their names.
func Show(path string) ([]Setting, error) {
	c, sources, err := load(path)
	if err != nil {
		return nil, err
	}
	shown := make([]Setting, 0, len(settings))
	for _, s := range settings {
		value := s.render
		if s.show != nil {
			value = s.show
		}
		shown = append(shown, Setting{
			Key: s.name, Value: value(&c), Source: sources[s.name], Variable: s.environment(),
		})
	}
	return append(shown, showTree("comet", c.Comet)...), nil
}

// showTree lists the leaves of a table.
func showTree(path string, tree map[string]any) []Setting {
	var shown []Setting
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		key := joined(path, name)
		if table, ok := tree[name].(map[string]any); ok {
			shown = append(shown, showTree(key, table)...)
			continue
		}
		shown = append(shown, Setting{Key: key, Value: inlineTOML(tree[name]), Source: FromFile})
	}
	return shown
}

// inlineTOML writes a checked value on one line.
func inlineTOML(value any) string {
	switch v := value.(type) {
	case string:
		return tomlString(v)
	case float64:
		return floatText(v)
	case []any:
		items := make([]string, len(v))
		for i, item := range v {
			items[i] = inlineTOML(item)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case map[string]any:
		var pairs []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			pairs = append(pairs, name+" = "+inlineTOML(v[name]))
		}
		return "{" + strings.Join(pairs, ", ") + "}"
	default:
		return fmt.Sprint(v)
	}
}
