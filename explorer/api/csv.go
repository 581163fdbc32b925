package api

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/tallystick/tallystick/explorer/query"
	"github.com/tallystick/tallystick/explorer/words"
)

// csvWithin bounds how long a client may take for a page of an export.
const csvWithin = 30 * time.Second

// statementColumns are the columns of an export.
var statementColumns = []string{
	"time", "height", "index", "type", "in", "out", "set aside", "set free", "counterparty", "reference", "available", "held", "transaction",
}

// statementCSV writes a whole statement, page by page as the index gives it, so that
// its length costs no memory.
func (s *server) statementCSV(ctx context.Context, in *StatementParams) (*huma.StreamResponse, error) {
	f, err := s.statementFilter(ctx, *in)
	if err != nil {
		return nil, err
	}
	page := query.Page{Limit: query.MaxLimit, Ascending: true}
	first, err := s.q.Statement(ctx, f, page)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(c huma.Context) {
		c.SetHeader("Content-Type", "text/csv; charset=utf-8; header=present")
		c.SetHeader("Content-Disposition", fmt.Sprintf(`attachment; filename="statement-%s-%s.csv"`, first.Account, first.Symbol))
		c.SetHeader("Cache-Control", "no-store")
		_, w := humago.Unwrap(c)
		if err := s.writeStatement(ctx, http.NewResponseController(w), c.BodyWriter(), f, first); err != nil && ctx.Err() == nil {
			// The status is sent: only a broken connection says that it is not all.
			s.log.Error("explorer: a statement broke off", "err", err)
			panic(http.ErrAbortHandler)
		}
	}}, nil
}

func (s *server) writeStatement(ctx context.Context, control *http.ResponseController, w io.Writer, f query.StatementFilter, part *query.Statement) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true // RFC 4180
	out.Write(statementColumns)
	opening := part.Opening
	out.Write([]string{rfc3339(opening.Time), "", "", "opening balance", "", "", "", "", "", "",
		words.PlainDecimal(opening.Available, part.Decimals), words.PlainDecimal(opening.Held, part.Decimals), ""})
	for {
		for i := range part.Items {
			out.Write(statementRow(&part.Items[i], part.Decimals))
		}
		out.Flush()
		if err := out.Error(); err != nil || part.Next == nil {
			return err
		}
		control.SetWriteDeadline(time.Now().Add(csvWithin)) // not every writer has one
		var err error
		if part, err = s.q.Statement(ctx, f, query.Page{Limit: query.MaxLimit, Ascending: true, Cursor: *part.Next}); err != nil {
			return err
		}
	}
}

// statementRow is a line of an export. Amounts stand in the column that says which
// way they went, so that none has a sign.
func statementRow(l *query.StatementLine, decimals uint8) []string {
	row := make([]string, len(statementColumns))
	row[0], row[1], row[3] = rfc3339(l.Time), strconv.FormatUint(l.Height, 10), l.Type
	if l.Index != nil {
		row[2] = strconv.FormatUint(uint64(*l.Index), 10)
	}
	if column, ok := map[string]int{"in": 4, "out": 5, "hold": 6, "unhold": 7}[l.Side]; ok {
		row[column] = words.PlainDecimal(l.Amount, decimals)
	}
	if l.Counterparty != nil {
		row[8] = l.Counterparty.String()
	}
	row[9] = harmless(l.Reference)
	row[10], row[11] = words.PlainDecimal(l.Available, decimals), words.PlainDecimal(l.Held, decimals)
	if l.Hash != nil {
		row[12] = l.Hash.String()
	}
	return row
}

// harmless is a text that no spreadsheet takes for a formula: those that begin one
// get an apostrophe, which spreadsheets take for "this is text".
func harmless(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r\n|%＝＋－＠", []rune(text)[0]) {
		return "'" + text
	}
	return text
}

func rfc3339(seconds uint64) string {
	const latest = 253402300799 // the end of year 9999
	if seconds > latest {
		return strconv.FormatUint(seconds, 10)
	}
	return time.Unix(int64(seconds), 0).UTC().Format(time.RFC3339)
}
