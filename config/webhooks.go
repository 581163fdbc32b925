package config

import (
	"strings"
	"unicode/utf8"
)

// webhookSettings say who is told what happens.
var webhookSettings = []setting{
	text("webhooks.file", "The file that names the webhooks (docs/OPERATIONS.md says how). Empty for none. A relative\n"+
		"path begins at the node's directory.", "the path of a file, or an empty string",
		func(c *Config) *string { return &c.Webhooks.File }, plainPath),
}

// plainPath accepts what can be a path, can be written in a file of TOML, which
// is UTF-8, and shows in a log as what it is.
func plainPath(s string) bool {
	return len(s) <= 4096 && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}
