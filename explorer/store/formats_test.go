package store_test

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/explorer/explorertest"
	"github.com/tallystick/tallystick/explorer/store"
)

// docs/FORMATS.md lists the tables that there are, each with its key, and the number
// of the format, on both databases; its example runs.
func TestFormats(t *testing.T) {
	text, err := os.ReadFile("../../docs/FORMATS.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(text), "\n## The explorer's tables\n")
	if !ok {
		t.Fatal("docs/FORMATS.md has no section about the explorer's tables")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	listed := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| ([^|]+) \\| [^|]+ \\|$").FindAllStringSubmatch(section, -1) {
		if _, twice := listed[row[1]]; twice {
			t.Errorf("%s is listed twice", row[1])
		}
		listed[row[1]] = strings.ReplaceAll(row[2], "`", "")
	}
	explorertest.Each(t, func(t *testing.T, d explorertest.Database) {
		db := d.Open(t)
		var version int64
		if err := db.QueryRow(t.Context(), "SELECT max(version_id) FROM goose_db_version").Scan(&version); err != nil {
			t.Fatal(err)
		}
		if format := fmt.Sprintf("format %d:", version); !strings.Contains(section, format) {
			t.Errorf("docs/FORMATS.md does not say %q", format)
		}
		there := keysOf(t, db)
		for _, name := range slices.Sorted(maps.Keys(there)) {
			if listed[name] != there[name] {
				t.Errorf("%s has the key (%s), and in docs/FORMATS.md (%s)", name, there[name], listed[name])
			}
		}
		for name := range listed {
			if _, ok := there[name]; !ok {
				t.Errorf("docs/FORMATS.md has a table %s, which is not there", name)
			}
		}
		if d.Kind == "sqlite" {
			_, example, _ := strings.Cut(section, "    SELECT ")
			rows, err := db.Query(t.Context(), "SELECT "+strings.TrimSpace(example))
			if err != nil {
				t.Fatalf("the example: %v", err)
			}
			rows.Close()
		}
	})
}

// keysOf reads each table's key from the database's own catalogue.
func keysOf(t *testing.T, db *store.Store) map[string]string {
	t.Helper()
	query := `SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c ON c.pk > 0
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE 'memos_%' ORDER BY m.name, c.pk`
	out := map[string]string{"memos": "position"} // of SQLite a virtual table, without a key
	if db.Kind() == "postgres" {
		delete(out, "memos")
		query = `SELECT c.relname, a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
			JOIN pg_namespace s ON s.oid = c.relnamespace AND s.nspname = current_schema()
			CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY k (n, place)
			JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.n WHERE i.indisprimary ORDER BY c.relname, k.place`
	}
	rows, err := db.Query(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			t.Fatal(err)
		}
		if table == "goose_db_version" {
			continue
		}
		if out[table] != "" {
			column = out[table] + ", " + column
		}
		out[table] = column
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}
