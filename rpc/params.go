package rpc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// params reads the parameters of one call, in order. The first that is wrong
// is remembered in err; what is read after it is zero.
type params struct {
	method *method
	args   []*json.RawMessage // one for each parameter of the method; nil is left out
	next   int
	err    *callError
}

// take returns the next parameter; nil when it is left out, or an earlier one
// was wrong.
func (p *params) take() []byte {
	i := p.next
	p.next++
	if p.err != nil {
		return nil
	}
	if p.args[i] == nil {
		if p.method.params[i].required {
			p.fail("is missing")
		}
		return nil
	}
	return *p.args[i]
}

// fail says what is wrong with the parameter taken last.
func (p *params) fail(format string, args ...any) {
	if p.err != nil {
		return
	}
	param := p.method.params[p.next-1]
	p.err = kindParams.with("parameter %q (%d of %d) of %s %s; expected %s",
		param.name, p.next, len(p.method.params), p.method.name, fmt.Sprintf(format, args...), param.form.expects)
}

// text takes a string. ok is false when it is left out or wrong.
func (p *params) text() (s string, ok bool) {
	raw := p.take()
	if raw == nil {
		return "", false
	}
	return p.textOf(raw)
}

func (p *params) textOf(raw []byte) (s string, ok bool) {
	if raw[0] != '"' {
		p.fail("is %s", jsonType(raw))
		return "", false
	}
	if bytes.IndexByte(raw, '\\') < 0 { // nothing is escaped
		return string(raw[1 : len(raw)-1]), true
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		p.fail("cannot be read: %s", jsonProblem(err))
		return "", false
	}
	return s, true
}

// number takes a whole number up to 2^53 - 1.
func (p *params) numberOf(raw []byte) (n uint64, ok bool) {
	if raw[0] != '-' && (raw[0] < '0' || raw[0] > '9') {
		p.fail("is %s", jsonType(raw))
		return 0, false
	}
	for _, c := range raw {
		if c < '0' || c > '9' {
			p.fail("is %s, which is negative or written with a fraction or an exponent", clip(raw))
			return 0, false
		}
		n = n*10 + uint64(c-'0')
		if n > ledger.MaxJSONInteger {
			p.fail("is above 2^53 - 1")
			return 0, false
		}
	}
	return n, true
}

func clip(raw []byte) string {
	const most = 40
	if len(raw) > most {
		return string(raw[:most]) + "…"
	}
	return string(raw)
}

func (p *params) address() (a crypto.Address) {
	s, ok := p.text()
	if !ok {
		return a
	}
	return p.addressOf(s)
}

func (p *params) addressOf(s string) crypto.Address {
	a, err := crypto.ParseAddress(s)
	if err != nil {
		p.fail("is not an address: %v", err)
	}
	return a
}

func (p *params) hash() crypto.Hash {
	s, ok := p.text()
	if !ok {
		return crypto.Hash{}
	}
	return p.hashOf(s)
}

func (p *params) hashOf(s string) crypto.Hash {
	h, err := crypto.ParseHash(s)
	if err != nil {
		p.fail("is not a hash: %v", err)
	}
	return h
}

func (p *params) raw() (b wire.Bytes) {
	s, ok := p.text()
	if !ok {
		return nil
	}
	if err := b.UnmarshalText([]byte(s)); err != nil {
		p.fail("is not raw bytes: %v", err)
	}
	return b
}

func (p *params) nonce() ledger.Nonce {
	raw := p.take()
	if raw == nil {
		return 0
	}
	n, _ := p.numberOf(raw)
	return ledger.Nonce(n)
}

// timeout takes milliseconds: fallback when left out, most when above it.
func (p *params) timeout(fallback, most time.Duration) time.Duration {
	raw := p.take()
	if raw == nil {
		return min(fallback, most)
	}
	n, _ := p.numberOf(raw)
	return time.Duration(min(n, uint64(most.Milliseconds()))) * time.Millisecond
}

// height takes a height; latest when it is left out or "latest".
func (p *params) height() (h ledger.Height, latest bool) {
	raw := p.take()
	if raw == nil || string(raw) == latestText {
		return 0, true
	}
	n, _ := p.numberOf(raw)
	return ledger.Height(n), false
}

const latestText = `"latest"`

// block takes a height, a block hash, or "latest".
func (p *params) block() (height ledger.Height, hash *crypto.Hash, latest bool) {
	raw := p.take()
	switch {
	case raw == nil:
		return 0, nil, false
	case string(raw) == latestText:
		return 0, nil, true
	case raw[0] == '"':
		s, ok := p.textOf(raw)
		if !ok {
			return 0, nil, false
		}
		h := p.hashOf(s)
		return 0, &h, false
	}
	n, _ := p.numberOf(raw)
	return ledger.Height(n), nil, false
}

// asset takes an asset's address or its symbol; symbol is empty for an address.
func (p *params) asset() (address crypto.Address, symbol string) {
	s, ok := p.text()
	switch {
	case !ok:
	case strings.HasPrefix(s, "0x"):
		address = p.addressOf(s)
	case ledger.ValidSymbol(s):
		symbol = s
	default:
		p.fail("is %s, neither an address nor a symbol", shorten(s))
	}
	return address, symbol
}

// page takes {limit, cursor}. A cursor is the address of the last asset of
// the page before; clients need not know.
func (p *params) page() (limit int, after crypto.Address) {
	limit, cursor := p.pageText()
	if cursor != "" {
		a, err := crypto.ParseAddress(cursor)
		if err != nil {
			p.fail("has a cursor that this method did not give")
		}
		after = a
	}
	return limit, after
}

// numberPage is page where the cursor is a number; 0 where it is left out.
func (p *params) numberPage() (limit int, cursor uint64) {
	limit, text := p.pageText()
	if text != "" {
		n, err := strconv.ParseUint(text, 10, 53)
		if err != nil || n == 0 {
			p.fail("has a cursor that this method did not give")
		}
		cursor = n
	}
	return limit, cursor
}

// pageText takes a page with its cursor as it stands there.
func (p *params) pageText() (limit int, cursor string) {
	const usual, most = 100, 1000
	raw := p.take()
	if raw == nil {
		return usual, ""
	}
	var given struct {
		Limit  *json.RawMessage `json:"limit"`
		Cursor *string          `json:"cursor"`
	}
	if !p.object(raw, &given, pageKeys) {
		return 0, ""
	}
	n := uint64(usual)
	if given.Limit != nil {
		n, _ = p.numberOf(*given.Limit)
	}
	if n < 1 || n > most {
		p.fail("has the limit %d", n)
	}
	if given.Cursor != nil {
		cursor = *given.Cursor
	}
	return int(n), cursor
}

// proposal takes a proposal's number.
func (p *params) proposal() ledger.ProposalID {
	raw := p.take()
	if raw == nil {
		return 0
	}
	n, ok := p.numberOf(raw)
	if ok && n == 0 {
		p.fail("is 0")
	}
	return ledger.ProposalID(n)
}

// body takes an unsigned transaction. It is not judged yet.
func (p *params) body() (b ledger.Body) {
	if raw := p.take(); raw != nil {
		p.object(raw, &b, bodyKeys)
	}
	return b
}

// sentTransaction is the parameter of ledger_sendTransaction as it is read.
type sentTransaction struct {
	Tx         *ledger.Body    `json:"tx"`
	Signatures []sentSignature `json:"signatures"`
}

type sentSignature struct {
	Scheme    *uint8      `json:"scheme"`
	Signature *wire.Bytes `json:"signature"`
}

// signed takes {tx, signatures}.
func (p *params) signed() (body ledger.Body, signatures []sentSignature) {
	raw := p.take()
	var given sentTransaction
	if raw == nil || !p.object(raw, &given, signedKeys) {
		return body, nil
	}
	if given.Tx == nil || given.Signatures == nil {
		p.fail("has no field \"tx\" or no field \"signatures\"")
		return body, nil
	}
	for i, s := range given.Signatures {
		switch {
		case s.Scheme == nil || s.Signature == nil:
			p.fail("has signatures[%d] without scheme or signature", i)
		case *s.Scheme > uint8(ledger.SchemeBodyHash):
			p.fail("has signatures[%d].scheme %d, which is neither 0 (typed data) nor 1 (body hash)", i, *s.Scheme)
		case len(*s.Signature) != crypto.SignatureSize:
			p.fail("has signatures[%d].signature of %d bytes instead of %d", i, len(*s.Signature), crypto.SignatureSize)
		}
	}
	return *given.Tx, given.Signatures
}

// object decodes a JSON object strictly: only the given keys, each exactly as
// written here and once in its object.
func (p *params) object(raw []byte, into any, keys []string) bool {
	if raw[0] != '{' {
		p.fail("is %s", jsonType(raw))
		return false
	}
	if problem := strictKeys(raw, keys); problem != "" {
		p.fail("%s", problem)
		return false
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		p.fail("cannot be read: %s", jsonProblem(err))
		return false
	}
	return true
}

// strictKeys says what is wrong with the keys of a JSON value, at any depth:
// encoding/json by itself takes the last of equal keys, and any letter case.
func strictKeys(raw []byte, allowed []string) string {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	type level struct {
		object bool
		isKey  bool
		seen   []string
	}
	var stack []level
	for {
		token, err := d.Token()
		if err != nil {
			return "" // the end; the syntax has been judged before
		}
		top := len(stack) - 1
		if delim, ok := token.(json.Delim); ok {
			if delim == '{' || delim == '[' {
				if top >= 0 {
					stack[top].isKey = stack[top].object
				}
				stack = append(stack, level{object: delim == '{', isKey: delim == '{'})
			} else {
				stack = stack[:top]
			}
			continue
		}
		if top < 0 || !stack[top].object {
			continue
		}
		l := &stack[top]
		if l.isKey {
			key, _ := token.(string)
			if !slices.Contains(allowed, key) {
				return fmt.Sprintf("has an unknown field %s", shorten(key))
			}
			if slices.Contains(l.seen, key) {
				return fmt.Sprintf("has the field %q twice in one object", key)
			}
			l.seen = append(l.seen, key)
		}
		l.isKey = !l.isKey
	}
}

// jsonProblem words a decoding error for a person who does not know Go.
func jsonProblem(err error) string {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && wrong.Field != "" {
		return fmt.Sprintf("field %q cannot be %s", wrong.Field, clip([]byte(wrong.Value)))
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}
