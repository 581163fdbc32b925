package api

import (
	"strconv"
	"time"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer/query"
	"github.com/tallystick/tallystick/ledger"
)

// PageParams ask for a part of a list.
type PageParams struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"25" doc:"How many items at most"`
	Cursor string `query:"cursor" maxLength:"1024" doc:"next of the page before; empty to begin"`
}

func (p PageParams) page() query.Page { return query.Page{Limit: p.Limit, Cursor: p.Cursor} }

// OrderedParams ask for a part of a list that goes by time.
type OrderedParams struct {
	PageParams
	Order string `query:"order" enum:"desc,asc" default:"desc" doc:"desc: the newest first"`
}

func (p OrderedParams) page() query.Page {
	page := p.PageParams.page()
	page.Ascending = p.Order == "asc"
	return page
}

// PeriodParams are a period of block times.
type PeriodParams struct {
	From string `query:"from" maxLength:"40" example:"2026-01-31" doc:"Unix seconds, a date (its beginning, UTC) or an RFC 3339 time; included"`
	To   string `query:"to" maxLength:"40" example:"2026-02-01T12:00:00Z" doc:"As from"`
}

func (p PeriodParams) times() (from, to *ledger.UnixTime, err error) {
	if from, err = timeOf("from", p.From); err != nil {
		return nil, nil, err
	}
	if to, err = timeOf("to", p.To); err != nil {
		return nil, nil, err
	}
	if from != nil && to != nil && *from > *to {
		err = wrong("to", p.To, "the period ends before it begins")
	}
	return from, to, err
}

// MomentParams are a past moment.
type MomentParams struct {
	Height string `query:"height" pattern:"^[0-9]{1,16}$" doc:"As it was after this block"`
	Time   string `query:"time" maxLength:"40" doc:"As it was at this time: Unix seconds, a date (UTC) or an RFC 3339 time. height goes before it"`
}

func (p MomentParams) moment() (m query.Moment, err error) {
	if p.Height != "" {
		n, err := number("height", p.Height)
		h := ledger.Height(n)
		return query.Moment{Height: &h}, err
	}
	m.Time, err = timeOf("time", p.Time)
	return m, err
}

// SpanParams are a period in samples.
type SpanParams struct {
	PeriodParams
	Points int `query:"points" minimum:"1" maximum:"400" default:"100" doc:"How many samples at most"`
}

func (p SpanParams) span() (s query.Span, err error) {
	from, to, err := p.times()
	s.Points = p.Points
	if from != nil {
		s.From = *from
	}
	if to != nil {
		s.To = *to
	}
	return s, err
}

// ParseTime reads a time as people and programs write one; nil for an empty text.
// Its error says what is wrong with it, and names no parameter.
func ParseTime(value string) (*ledger.UnixTime, bool) {
	if n, err := strconv.ParseUint(value, 10, 64); err == nil {
		t := ledger.UnixTime(n)
		return &t, n <= ledger.MaxJSONInteger
	}
	for _, form := range []string{time.DateOnly, time.RFC3339, "2006-01-02T15:04"} {
		if t, err := time.Parse(form, value); err == nil && t.Unix() >= 0 {
			u := ledger.UnixTime(t.Unix())
			return &u, true
		}
	}
	return nil, false
}

func timeOf(name, value string) (*ledger.UnixTime, error) {
	if value == "" {
		return nil, nil
	}
	t, ok := ParseTime(value)
	if !ok {
		return nil, wrong(name, value, "is no time: write Unix seconds, a date such as 2026-01-31, or an RFC 3339 time such as 2026-01-31T12:00:00Z")
	}
	return t, nil
}

func number(name, value string) (uint64, error) {
	n, err := strconv.ParseUint(value, 10, 64)
	if err != nil || n > ledger.MaxJSONInteger {
		return 0, wrong(name, value, "is not a whole number up to 2^53 - 1")
	}
	return n, nil
}

// address reads a required address.
func address(name, value string) (crypto.Address, error) {
	a, err := crypto.ParseAddress(value)
	if err != nil {
		return a, wrong(name, value, err.Error())
	}
	return a, nil
}

// addressOr reads an address that may be left out.
func addressOr(name, value string) (*crypto.Address, error) {
	if value == "" {
		return nil, nil
	}
	a, err := address(name, value)
	return &a, err
}

func hashOf(name, value string) (crypto.Hash, error) {
	h, err := crypto.ParseHash(value)
	if err != nil {
		return h, wrong(name, value, err.Error())
	}
	return h, nil
}

// consensusOf reads a consensus address, which has no checksum.
func consensusOf(name, value string) (ledger.ConsensusAddress, error) {
	a, ok := ParseConsensus(value)
	if !ok {
		return a, wrong(name, value, "is no consensus address: write 0x and 40 hex digits")
	}
	return a, nil
}

// ParseConsensus reads a consensus address: 0x and 40 hex digits in either case.
func ParseConsensus(value string) (a ledger.ConsensusAddress, ok bool) {
	if len(value) != 42 || value[:2] != "0x" {
		return a, false
	}
	for i := range a {
		b, err := strconv.ParseUint(value[2+2*i:4+2*i], 16, 8)
		if err != nil {
			return a, false
		}
		a[i] = byte(b)
	}
	return a, true
}
