package api

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/explorer/explorertest"
	"github.com/tallystick/tallystick/explorer/explorertest/realtest"
	"github.com/tallystick/tallystick/explorer/query"
	"github.com/tallystick/tallystick/explorer/worldtest"
)

// What an enemy brought into blocks is answered as the document says, in lists, one
// by one, and as receipts, and is found by no search that fails.
func TestHostileTransactions(t *testing.T) {
	realtest.Each(t, func(t *testing.T, w realtest.Judged) {
		h := harnessOf(t, w, w.Known)
		for _, order := range []string{"asc", "desc"} {
			h.answers(t, Prefix+"/transactions", Prefix+"/transactions?limit=1000&order="+order)
		}
		for _, hash := range w.Hostile {
			for _, path := range []string{"/transactions/{hash}", "/transactions/{hash}/receipt", "/transactions/{hash}/events"} {
				h.answers(t, Prefix+path, Prefix+strings.ReplaceAll(path, "{hash}", hash.String()))
			}
		}
		for _, q := range []string{"script", "alert(1)", worldtest.HostileMemo, worldtest.HostileName, worldtest.HostileReference, "=hyperlink", "what is at fault"} {
			h.answers(t, Prefix+"/search", Prefix+"/search?q="+url.QueryEscape(q))
		}
	})
}

// answers asks for what must be there.
func (h *harness) answers(t *testing.T, path, target string) {
	t.Helper()
	w := h.get(target)
	if w.Code != http.StatusOK {
		t.Errorf("%s: %d %s", target, w.Code, w.Body)
	}
	h.check(t, path, target, w)
}

// The greatest and the least values that the document allows are taken, and those
// beyond them are not.
func TestEdgesOfNumbers(t *testing.T) {
	realtest.Each(t, func(t *testing.T, w realtest.Judged) {
		h, edges := harnessOf(t, w, w.Known), 0
		for path, item := range h.document.Paths {
			for _, p := range item.Get.Parameters {
				if p.In != "query" || p.Schema.Minimum == nil || p.Schema.Maximum == nil {
					continue
				}
				edges++
				target := h.fill(path, h.good())
				target += map[bool]string{true: "&", false: "?"}[strings.Contains(target, "?")] + p.Name + "="
				for value, want := range map[float64]int{*p.Schema.Minimum: 200, *p.Schema.Maximum: 200, *p.Schema.Minimum - 1: 422, *p.Schema.Maximum + 1: 422} {
					if got := h.get(target + fmt.Sprint(value)); got.Code != want {
						t.Errorf("%s%v: %d and not %d: %s", target, value, got.Code, want, got.Body)
					}
				}
			}
		}
		if edges < 20 {
			t.Errorf("only %d parameters have edges", edges)
		}
	})
}

// Times and heights at the edges of what can be written are answered or refused.
func TestEdgesOfTime(t *testing.T) {
	realtest.Each(t, func(t *testing.T, w realtest.Judged) {
		h := harnessOf(t, w, w.Known)
		for path, item := range h.document.Paths {
			for _, p := range item.Get.Parameters {
				if p.In != "query" || p.Name != "from" && p.Name != "to" && p.Name != "time" && p.Name != "height" {
					continue
				}
				target := h.fill(path, h.good())
				target += map[bool]string{true: "&", false: "?"}[strings.Contains(target, "?")] + p.Name + "="
				for _, value := range []string{"0", "1", "1800000000", "253402300800", "9223372036854775", "9223372036854776", "9007199254740990", "9007199254740991", "9007199254740992",
					"9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616", "1969-12-31", "1970-01-01", "9999-12-31", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59"} {
					got := h.get(target + url.QueryEscape(value))
					if got.Code != http.StatusOK && got.Code != http.StatusNotFound && got.Code != http.StatusUnprocessableEntity {
						t.Errorf("%s%s: %d %s", target, value, got.Code, got.Body)
					}
					h.check(t, path, target+value, got)
				}
			}
		}
	})
}

// Whatever is done to a cursor, the list refuses it or goes on from somewhere: it
// never fails.
func TestTamperedCursors(t *testing.T) {
	realtest.Each(t, func(t *testing.T, w realtest.Judged) {
		h, tampered := harnessOf(t, w, w.Known), 0
		for path, item := range h.document.Paths {
			for _, p := range item.Get.Parameters {
				if p.Name != "cursor" {
					continue
				}
				target := h.fill(path, h.good())
				target += map[bool]string{true: "&", false: "?"}[strings.Contains(target, "?")] + "limit=1"
				var page struct{ Next *string }
				if err := json.Unmarshal(h.get(target).Body.Bytes(), &page); err != nil {
					t.Fatal(target, err)
				}
				if page.Next == nil {
					continue
				}
				for _, cursor := range tamper(*page.Next) {
					tampered++
					got := h.get(target + "&cursor=" + url.QueryEscape(cursor))
					if got.Code != http.StatusOK && got.Code != http.StatusUnprocessableEntity {
						t.Errorf("%s, cursor %q: %d %s", target, cursor, got.Code, got.Body)
					}
					h.check(t, path, target, got)
				}
			}
		}
		if w.Real && tampered < 1000 {
			t.Errorf("only %d cursors were tampered with", tampered)
		}
	})
}

// tamper makes other cursors of one.
func tamper(cursor string) (list []string) {
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		raw = []byte(cursor)
	}
	add := func(b []byte) { list = append(list, base64.RawURLEncoding.EncodeToString(b)) }
	for i := range raw {
		for _, b := range []byte{0, 1, 0x7f, 0x80, 0xff, raw[i] + 1, raw[i] - 1} {
			other := append([]byte{}, raw...)
			other[i] = b
			add(other)
		}
		add(raw[:i])
	}
	all := func(b byte) []byte {
		return append(raw[:1:1], []byte(strings.Repeat(string(rune(b)), max(len(raw)-1, 0)))...)
	}
	greatest := append(raw[:1:1], 0x7f)
	for range 7 {
		greatest = append(greatest, 0xff)
	}
	add(all(0))
	add(all(0x7f))
	add(greatest)
	add(append(greatest, greatest[1:]...))
	add(append(raw[:len(raw):len(raw)], 0))
	add([]byte(strings.Repeat("A", 299)))
	return append(list, cursor+"=", cursor+"\x00", " "+cursor, "%"+cursor, cursor+cursor, strings.ToUpper(cursor), strings.ToLower(cursor))
}

// Before anything is indexed every operation answers, or says that it is not there.
func TestEmptyIndex(t *testing.T) {
	explorertest.Each(t, func(t *testing.T, d explorertest.Database) {
		var q query.Queries = realtest.Empty(t, d)
		h := harnessOf(t, q, worldtest.New(1).Known())
		for path := range h.document.Paths {
			if path == Prefix+"/events" {
				continue
			}
			target := h.fill(path, h.good())
			w := h.get(target)
			if w.Code != http.StatusOK && w.Code != http.StatusNotFound {
				t.Errorf("%s: %d %s", target, w.Code, w.Body)
			}
			h.check(t, path, target, w)
		}
	})
}
