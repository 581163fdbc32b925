package config

import (
	"net/url"
	"strings"
)

// hidden stands where a password was.
const hidden = "…"

// WithoutPassword is a database's path or URL as it may be shown, logged or compared:
// with … in place of each password that is in it. Where it cannot be read it hides too
// much sooner than too little.
func WithoutPassword(where string) string {
	scheme, rest, ok := strings.Cut(where, "://")
	if !ok {
		return where
	}
	if u, err := url.Parse(where); err != nil || u.User != nil {
		if at := strings.LastIndexByte(rest, '@'); at >= 0 {
			if user, _, has := strings.Cut(rest[:at], ":"); has {
				rest = user + ":" + hidden + rest[at:]
			}
		}
	}
	before, query, ok := strings.Cut(rest, "?")
	if !ok {
		return scheme + "://" + rest
	}
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		name, _, _ := strings.Cut(pair, "=")
		if decoded, err := url.QueryUnescape(name); err != nil || strings.HasSuffix(strings.ToLower(decoded), "password") {
			pairs[i] = name + "=" + hidden
		}
	}
	return scheme + "://" + before + "?" + strings.Join(pairs, "&")
}

// database makes a setting of a database one whose password is never shown. The file
// itself has it.
func database(s setting, field func(*Config) *string) setting {
	check := s.check
	without := func(c *Config) Config {
		other := *c
		*field(&other) = WithoutPassword(*field(c))
		return other
	}
	s.show = func(c *Config) string {
		other := without(c)
		return s.render(&other)
	}
	s.check = func(c *Config) error {
		if err := check(c); err != nil {
			other := without(c)
			return check(&other)
		}
		return nil
	}
	return s
}
