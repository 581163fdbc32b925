package store

import (
	"database/sql"
	"strconv"
	"strings"
)

// dialect is where the two databases differ. Everything else is SQL that both
// understand alike.
type dialect struct {
	name string
	// schema fills the braces of the schema's text.
	schema *strings.Replacer
	// dollar: parameters are $1, $2… and not ?.
	dollar bool
	// copies: many rows go in by COPY.
	copies bool
	// match finds positions of memos with words, newest first; parameters are the
	// words' query, an upper bound and a limit.
	match string
	// deleteMemos deletes the memos from a position on.
	deleteMemos string
	// begin begins a transaction that writes.
	begin string
	// snapshot is the isolation in which all queries of a transaction see one commit.
	snapshot sql.IsolationLevel
	// plan stands before a query that is to be explained.
	plan string
}

var sqlite = dialect{
	name: "sqlite",
	schema: strings.NewReplacer(
		"{clustered}", "WITHOUT ROWID",
		"{whole}", "INTEGER", // the word by which SQLite keeps the table in this order
		"{memos}", "CREATE VIRTUAL TABLE memos USING fts5 (words, tokenize = \"unicode61 remove_diacritics 0 categories 'L* N* M* Co'\")",
	),
	match:       "SELECT rowid FROM memos WHERE memos MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ?",
	deleteMemos: "DELETE FROM memos WHERE rowid >= ?",
	begin:       "BEGIN IMMEDIATE",
	snapshot:    sql.LevelDefault,
	plan:        "EXPLAIN QUERY PLAN ",
}

// matchPostgres looks through the newest memos one by one, where common words are
// found at once, and only then, where those are too few, along the index of words,
// which is slow for what is common. The planner, left to itself, looks through all
// of them for what is rare.
const matchPostgres = `WITH newest AS MATERIALIZED (
  SELECT position FROM (SELECT position, vector FROM memos WHERE position < $2 ORDER BY position DESC LIMIT 5000) m
  WHERE vector @@ CAST($1 AS tsquery) ORDER BY position DESC LIMIT $3)
SELECT position FROM (
  SELECT position FROM newest UNION ALL
  (SELECT position FROM memos WHERE vector @@ CAST($1 AS tsquery) AND position < $2
     AND (SELECT count(*) FROM newest) < $3 AND position <> ALL (SELECT position FROM newest)
   ORDER BY position + 0 DESC LIMIT $3)) u
ORDER BY position DESC LIMIT $3`

var postgres = dialect{
	name: "postgres",
	schema: strings.NewReplacer(
		"{clustered}", "",
		"{whole}", "BIGINT",
		"{memos}", `CREATE TABLE memos (
  position BIGINT NOT NULL PRIMARY KEY,
  words    TEXT   NOT NULL,
  vector   tsvector GENERATED ALWAYS AS (array_to_tsvector(string_to_array(words, ' '))) STORED
);
CREATE INDEX memos_vector ON memos USING gin (vector)`,
	),
	dollar:      true,
	copies:      true,
	match:       matchPostgres,
	deleteMemos: "DELETE FROM memos WHERE position >= ?",
	begin:       "BEGIN",
	snapshot:    sql.LevelRepeatableRead,
	plan:        "EXPLAIN ",
}

// memoColumn is the column of memos that holds the position.
func (d *dialect) memoColumn() string {
	if d.dollar {
		return "position"
	}
	return "rowid"
}

// bind writes a query's parameters as the database has them.
func (d *dialect) bind(query string) string {
	if !d.dollar {
		return query
	}
	var out strings.Builder
	out.Grow(len(query) + 16)
	n := 0
	for i := range len(query) {
		if query[i] != '?' {
			out.WriteByte(query[i])
			continue
		}
		n++
		out.WriteByte('$')
		out.WriteString(strconv.Itoa(n))
	}
	return out.String()
}
