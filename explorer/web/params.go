package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer/api"
	"github.com/tallystick/tallystick/explorer/query"
	"github.com/tallystick/tallystick/ledger"
)

// rows is how many lines a list has on a page.
const rows = 25

// refuse is a refusal of a part of the address.
func refuse(part, reason string) error {
	return &refusal{http.StatusBadRequest, "The part “" + part + "” of the address cannot be meant: " + reason + "."}
}

// parameters reads the query of a page, in which every parameter may stand once.
type parameters struct {
	values url.Values
	err    error // the first that was wrong
}

func parametersOf(r *http.Request) *parameters {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		err = refuse("query", "it is not written as URLs are")
	}
	return &parameters{values, err}
}

func (p *parameters) fail(part, reason string) {
	if p.err == nil {
		p.err = refuse(part, reason)
	}
}

// text is a parameter of at most so many bytes.
func (p *parameters) text(name string, most int) string {
	v := strings.TrimSpace(p.values.Get(name))
	if len(v) > most {
		p.fail(name, "it is longer than "+strconv.Itoa(most)+" bytes")
		return ""
	}
	if strings.ContainsRune(v, 0) || strings.ToValidUTF8(v, "") != v {
		p.fail(name, "it has bytes that are no text")
		return ""
	}
	return v
}

// choice is a parameter that is one of some words, or empty.
func (p *parameters) choice(name string, words ...string) string {
	v := p.text(name, 64)
	if v != "" && !slices.Contains(words, v) {
		p.fail(name, "it is none of "+strings.Join(words, ", "))
		return ""
	}
	return v
}

func (p *parameters) time(name string) *ledger.UnixTime {
	v := p.text(name, 40)
	if v == "" {
		return nil
	}
	t, ok := api.ParseTime(v)
	if !ok {
		p.fail(name, "it is no time such as 2026-01-31 or 2026-01-31T12:00")
	}
	return t
}

func (p *parameters) address(name string) *crypto.Address {
	v := p.text(name, 42)
	if v == "" {
		return nil
	}
	a, err := crypto.ParseAddress(v)
	if err != nil {
		p.fail(name, err.Error())
		return nil
	}
	return &a
}

func (p *parameters) consensus(name string) *ledger.ConsensusAddress {
	v := p.text(name, 42)
	if v == "" {
		return nil
	}
	a, ok := api.ParseConsensus(v)
	if !ok {
		p.fail(name, "it is no consensus address: 0x and 40 hex digits")
	}
	return &a
}

// page is which part of a list is asked for.
func (p *parameters) page() query.Page {
	return query.Page{Limit: rows, Cursor: p.text("cursor", 1024)}
}

// number reads a whole number out of the path.
func number(part, text string) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n > ledger.MaxJSONInteger {
		return 0, refuse(part, "it is not a whole number")
	}
	return n, nil
}

func addressIn(r *http.Request, part string) (crypto.Address, error) {
	a, err := crypto.ParseAddress(r.PathValue(part))
	if err != nil {
		return a, refuse(part, err.Error())
	}
	return a, nil
}

func hashIn(r *http.Request, part string) (crypto.Hash, error) {
	h, err := crypto.ParseHash(r.PathValue(part))
	if err != nil {
		return h, refuse(part, err.Error())
	}
	return h, nil
}

// more is the address of the next part of a list, or empty at its end.
func more(r *http.Request, next *string) string {
	if next == nil {
		return ""
	}
	values := r.URL.Query()
	values.Set("cursor", *next)
	return r.URL.Path + "?" + values.Encode()
}

// first is the address of a list's first part, or empty where that is shown.
func first(r *http.Request) string {
	values := r.URL.Query()
	if values.Get("cursor") == "" {
		return ""
	}
	values.Del("cursor")
	if len(values) == 0 {
		return r.URL.Path
	}
	return r.URL.Path + "?" + values.Encode()
}

// turn is how to go through a list.
type turn struct{ First, Next string }

func turnOf(r *http.Request, next *string) turn { return turn{first(r), more(r, next)} }
