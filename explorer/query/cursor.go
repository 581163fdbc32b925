package query

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"strings"
)

// A cursor is base64url of the list's letter and of what the page before ended
// with: numbers in 8 bytes, and bytes behind their length in one.

// maxCursor bounds cursors, which come from strangers.
const maxCursor = 400

type cursor struct{ bytes []byte }

func newCursor(list byte) *cursor { return &cursor{[]byte{list}} }

func (c *cursor) number(n int64) *cursor {
	c.bytes = binary.BigEndian.AppendUint64(c.bytes, uint64(n))
	return c
}

func (c *cursor) text(b []byte) *cursor {
	c.bytes = append(append(c.bytes, byte(len(b))), b...)
	return c
}

func (c *cursor) String() string { return base64.RawURLEncoding.EncodeToString(c.bytes) }

// parsed reads a cursor; the first fault sticks.
type parsed struct {
	rest  []byte
	begin bool // there is none
	bad   bool
}

func parseCursor(list byte, text string) *parsed {
	if text == "" {
		return &parsed{begin: true}
	}
	if len(text) > maxCursor || strings.ContainsAny(text, "\r\n") { // the decoder passes over newlines
		return &parsed{bad: true}
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) == 0 || raw[0] != list {
		return &parsed{bad: true}
	}
	return &parsed{rest: raw[1:]}
}

func (p *parsed) number() int64 {
	if p.begin || p.bad {
		return 0
	}
	if len(p.rest) < 8 {
		p.bad = true
		return 0
	}
	n := binary.BigEndian.Uint64(p.rest)
	p.rest = p.rest[8:]
	if n > math.MaxInt64 {
		p.bad = true
		return 0
	}
	return int64(n)
}

func (p *parsed) text() []byte {
	if p.begin || p.bad {
		return []byte{}
	}
	if len(p.rest) < 1 || len(p.rest) < 1+int(p.rest[0]) {
		p.bad = true
		return []byte{}
	}
	b := p.rest[1 : 1+int(p.rest[0])]
	p.rest = p.rest[1+int(p.rest[0]):]
	return b
}

// end reports what is wrong with the cursor.
func (p *parsed) end() error {
	if p.bad || len(p.rest) > 0 {
		return &InvalidError{"cursor", "it is not one of this list: leave it out, and then use the next of the page before"}
	}
	return nil
}

// limit is how many items a page may have.
func (p Page) limit() (int, error) {
	switch {
	case p.Limit == 0:
		return DefaultLimit, nil
	case p.Limit < 0 || p.Limit > MaxLimit:
		return 0, &InvalidError{"limit", "it is from 1 to 1000"}
	}
	return p.Limit, nil
}

// order is the direction of a list that goes by time.
func (p Page) order() string {
	if p.Ascending {
		return " ASC"
	}
	return " DESC"
}
