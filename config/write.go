package config

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const fileHead = `# Tallystick's configuration.
#
# Every key may be left out; its default then holds. An unknown key is an error.
# The environment overrides this file: rpc.listen is TALLY_RPC_LISTEN, and a
# list is written there with commas. Durations are written like "500ms", "10s"
# or "2m"; sizes are whole numbers of bytes.
#
# See what is in force with: tally config show
`

const cometHead = `
# CometBFT's own settings, by its own names, for what the keys above do not
# cover; they are not read from the environment. For example:
#
#   [comet.p2p]
#   send_rate = 20000000
`

// Write renders c with every key, its meaning, range and default, and puts it
// at path in one step: after a crash there is the old file or the new one. An
// existing file is replaced, keeping nothing. It refuses a c that Validate
// refuses. What it wrote, Load reads back as c, but for lists and tables that
// are empty: those are read as nil.
func Write(path string, c Config) error {
	if err := c.Validate(); err != nil {
		return fmt.Errorf("write config file %s:\n%w", path, err)
	}
	data := render(c)
	if len(data) > MaxFileBytes {
		return fmt.Errorf("write config file %s: %d bytes, more than the %d that are read again", path, len(data), MaxFileBytes)
	}
	if err := replaceFile(path, data); err != nil {
		return fmt.Errorf("write config file %s: %w", path, err)
	}
	return nil
}

// replaceFile writes a synced file beside path and renames it into place.
func replaceFile(path string, data []byte) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), ".config-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(file.Name())
		}
	}()
	_, err = file.Write(data)
	if err == nil {
		err = file.Chmod(0o644)
	}
	if err == nil {
		err = file.Sync()
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	if err = os.Rename(file.Name(), path); err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(path))
}

func syncDirectory(path string) error {
	directory, err := os.Open(path)
	if err != nil {
		return err
	}
	defer directory.Close()
	return directory.Sync()
}

// render writes a valid c as commented TOML.
func render(c Config) []byte {
	var b strings.Builder
	b.WriteString(fileHead)
	standard := Default()
	for _, section := range sections {
		if section.name != "" {
			fmt.Fprintf(&b, "\n# %s\n[%s]\n", section.doc, section.name)
		}
		for _, s := range settings {
			table, key := splitName(s.name)
			if table != section.name {
				continue
			}
			fmt.Fprintf(&b, "\n# %s\n# Wanted: %s. Default: %s.\n%s = %s\n",
				strings.ReplaceAll(s.doc, "\n", "\n# "), s.form, s.render(&standard), key, s.render(&c))
		}
	}
	b.WriteString(cometHead)
	if len(c.Comet) > 0 {
		renderTable(&b, "comet", c.Comet)
	}
	return []byte(b.String())
}

// renderTable writes a checked table: its values first, then its tables, each
// in the order of their names.
func renderTable(b *strings.Builder, path string, table map[string]any) {
	fmt.Fprintf(b, "\n[%s]\n", path)
	names := slices.Sorted(maps.Keys(table))
	for _, name := range names {
		if _, isTable := table[name].(map[string]any); !isTable {
			fmt.Fprintf(b, "%s = %s\n", name, inlineTOML(table[name]))
		}
	}
	for _, name := range names {
		if inner, isTable := table[name].(map[string]any); isTable {
			renderTable(b, path+"."+name, inner)
		}
	}
}

// splitName takes "section.key" apart; the section is "" where there is none.
func splitName(name string) (section, key string) {
	section, key, found := strings.Cut(name, ".")
	if !found {
		return "", name
	}
	return section, key
}

// tomlString writes valid UTF-8 as a basic string of TOML 1.0: a quotation mark,
// a backslash and every control character escaped.
func tomlString(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// floatText writes a finite number so that TOML reads a float, not an integer.
func floatText(f float64) string {
	s := strconv.FormatFloat(f, 'g', -1, 64)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}
