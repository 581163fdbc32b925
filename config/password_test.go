package config

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestWithoutPassword(t *testing.T) {
	for where, want := range map[string]string{
		"data/explorer.db":             "data/explorer.db",
		"":                             "",
		"postgres://tally@db/explorer": "postgres://tally@db/explorer",
		"postgres://db:5432/explorer?application_name=a@b":      "postgres://db:5432/explorer?application_name=a@b",
		"postgres://tally:geheim@db/explorer":                   "postgres://tally:…@db/explorer",
		"postgresql://tally:ge:he@im@db:5432/x":                 "postgresql://tally:…@db:5432/x",
		"postgres://tally:geheim/@db/explorer":                  "postgres://tally:…@db/explorer",
		"postgres://tally:ge?he#im@db/explorer":                 "postgres://tally:…@db/explorer",
		"postgres://tally:%zzgeheim@db/explorer":                "postgres://tally:…@db/explorer",
		"postgres://:geheim@db:no/explorer":                     "postgres://:…@db:no/explorer",
		"postgres://db/x?password=geheim&sslmode=require":       "postgres://db/x?password=…&sslmode=require",
		"postgres://db/x?pass%77ord=geheim":                     "postgres://db/x?pass%77ord=…",
		"postgres://db/x?sslmode=require&SSLPassword=ge=heim":   "postgres://db/x?sslmode=require&SSLPassword=…",
		"postgres://tally:geheim@db/x?sslpassword=auch&a=b":     "postgres://tally:…@db/x?sslpassword=…&a=b",
		"mysql://root:geheim@db/x":                              "mysql://root:…@db/x",
		"postgres://u:geheim@h/d?host=/run/pg%20x&%zz=geheim@y": "postgres://u:…@y",
	} {
		if got := WithoutPassword(where); got != want {
			t.Errorf("%s is shown as %s, want %s", where, got, want)
		}
		if strings.Contains(WithoutPassword(where), "geheim") {
			t.Errorf("%s shows its password", where)
		}
		if again := WithoutPassword(WithoutPassword(where)); again != WithoutPassword(where) {
			t.Errorf("%s is hidden again as %s", where, again)
		}
	}
}

// A database's password is shown by no listing and no error, and reaches the program.
func TestDatabasePasswordIsHidden(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.toml")
	c := Default()
	c.Explorer.Database = "postgres://tally:geheim@db/explorer"
	if err := Write(path, c); err != nil {
		t.Fatal(err)
	}
	loaded, err := Load(path)
	if err != nil || loaded.Explorer.Database != c.Explorer.Database {
		t.Fatalf("%q, %v", loaded.Explorer.Database, err)
	}
	for _, environment := range []string{"", "postgres://other:geheim@db/explorer"} {
		if environment != "" {
			t.Setenv("TALLY_EXPLORER_DATABASE", environment)
		}
		shown, err := Show(path)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, s := range shown {
			if strings.Contains(s.Value, "geheim") {
				t.Errorf("%s is shown as %s", s.Key, s.Value)
			}
			found = found || s.Key == "explorer.database" && strings.Contains(s.Value, ":…@db/explorer")
		}
		if !found {
			t.Error("explorer.database is not shown, without its password")
		}
	}
	for _, wrong := range []string{"mysql://root:geheim@db", "postgres2://tally:geheim@db/explorer"} {
		c.Explorer.Database = wrong
		if err := c.Validate(); err == nil || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}
