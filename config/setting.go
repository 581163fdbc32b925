package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A setting is one key: its name and meaning, and how to move its value between
// the file, the environment and a Config.
type setting struct {
	// name is the key with its section: "rpc.max_batch".
	name string
	// doc says what the key means, as it stands in the file's comments.
	doc string
	// form is the value expected, to complete "want …".
	form string
	// decode stores a value that the TOML decoder made; false if the type is wrong.
	decode func(*Config, any) bool
	// parse stores a value written as text; false if it cannot be read.
	parse func(*Config, string) bool
	// render writes the value as TOML.
	render func(*Config) string
	// show is render where something of the value is not to be seen; nil where all is.
	show func(*Config) string
	// check judges the value; nil is good.
	check func(*Config) error
	// live says that a running node takes a new value.
	live bool
}

// live makes a setting one that a running node takes, and says so to who reads
// the file.
func live(s setting) setting {
	s.live = true
	s.doc += "\nA running node takes it on SIGHUP."
	return s
}

// environment returns the name of the variable that overrides the key.
func (s setting) environment() string {
	return environmentPrefix + strings.ToUpper(strings.ReplaceAll(s.name, ".", "_"))
}

// wrong is the one form in which a bad value is reported.
func wrong(value any, form string) error {
	text := fmt.Sprintf("%v", value)
	if s, ok := value.(string); ok {
		text = strconv.Quote(s)
	}
	const enough = 80
	if len(text) > enough {
		text = strings.ToValidUTF8(text[:enough], "") + "…"
	}
	return fmt.Errorf("%s: want %s", text, form)
}

// whole makes a setting of an integer from low to high.
func whole[T int | int64](name, doc, unit string, field func(*Config) *T, low, high T) setting {
	form := strings.TrimSpace(fmt.Sprintf("a whole number from %d to %d %s", low, high, unit))
	store := func(c *Config, n int64) bool {
		*field(c) = T(n)
		return int64(*field(c)) == n
	}
	return setting{
		name: name, doc: doc, form: form,
		decode: func(c *Config, raw any) bool {
			n, ok := raw.(int64)
			return ok && store(c, n)
		},
		parse: func(c *Config, text string) bool {
			n, err := strconv.ParseInt(text, 10, 64)
			return err == nil && store(c, n)
		},
		render: func(c *Config) string { return strconv.FormatInt(int64(*field(c)), 10) },
		check: func(c *Config) error {
			if n := *field(c); n < low || n > high {
				return wrong(n, form)
			}
			return nil
		},
	}
}

// text makes a setting of a string that good accepts.
func text(name, doc, form string, field func(*Config) *string, good func(string) bool) setting {
	parse := func(c *Config, value string) bool {
		*field(c) = value
		return true
	}
	return setting{
		name: name, doc: doc, form: form,
		decode: func(c *Config, raw any) bool {
			value, ok := raw.(string)
			return ok && parse(c, value)
		},
		parse:  parse,
		render: func(c *Config) string { return tomlString(*field(c)) },
		check: func(c *Config) error {
			if value := *field(c); !good(value) {
				return wrong(value, form)
			}
			return nil
		},
	}
}

// duration makes a setting of a time span from low to high.
func duration(name, doc string, field func(*Config) *time.Duration, low, high time.Duration) setting {
	form := fmt.Sprintf(`a duration from %s to %s, such as "%s"`,
		durationText(low), durationText(high), durationText(high/2))
	parse := func(c *Config, value string) bool {
		d, err := time.ParseDuration(value)
		*field(c) = d
		return err == nil
	}
	return setting{
		name: name, doc: doc, form: form,
		decode: func(c *Config, raw any) bool {
			value, ok := raw.(string)
			return ok && parse(c, value)
		},
		parse:  parse,
		render: func(c *Config) string { return tomlString(durationText(*field(c))) },
		check: func(c *Config) error {
			if d := *field(c); d < low || d > high {
				return wrong(durationText(d), form)
			}
			return nil
		},
	}
}

// list makes a setting of a list of strings, none the same as another by key,
// at most limit of them. An empty list is nil.
func list(name, doc, form string, field func(*Config) *[]string, limit int,
	key func(string) (string, bool)) setting {
	return setting{
		name: name, doc: doc, form: "a list of " + form,
		decode: func(c *Config, raw any) bool {
			items, ok := raw.([]any)
			*field(c) = nil
			for _, item := range items {
				value, isText := item.(string)
				ok = ok && isText
				*field(c) = append(*field(c), value)
			}
			return ok
		},
		parse: func(c *Config, value string) bool {
			*field(c) = nil
			if strings.TrimSpace(value) == "" {
				return true
			}
			for item := range strings.SplitSeq(value, ",") {
				*field(c) = append(*field(c), strings.TrimSpace(item))
			}
			return true
		},
		render: func(c *Config) string { return listText(*field(c)) },
		check:  func(c *Config) error { return checkList(*field(c), form, limit, key) },
	}
}

// checkList reports the first item that is malformed or repeated.
func checkList(items []string, form string, limit int, key func(string) (string, bool)) error {
	if len(items) > limit {
		return fmt.Errorf("%d items: want at most %d", len(items), limit)
	}
	seen := map[string]int{}
	for i, item := range items {
		k, ok := key(item)
		if !ok {
			return fmt.Errorf("item %d is %w", i+1, wrong(item, form))
		}
		if first, again := seen[k]; again {
			return fmt.Errorf("item %d names the same as item %d (%s): want each once", i+1, first, k)
		}
		seen[k] = i + 1
	}
	return nil
}

// listText writes a list as TOML, an item a line when there are several.
func listText(items []string) string {
	quoted := make([]string, len(items))
	for i, item := range items {
		quoted[i] = tomlString(item)
	}
	if len(items) < 2 {
		return "[" + strings.Join(quoted, "") + "]"
	}
	return "[\n  " + strings.Join(quoted, ",\n  ") + ",\n]"
}

// durationText is Duration.String without trailing zero units: 2m, not 2m0s.
func durationText(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// mostCount bounds what is counted; it fits an int on every platform.
const mostCount = 10_000_000
