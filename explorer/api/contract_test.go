package api

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"maps"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/tallystick/tallystick/explorer/explorertest/realtest"
	"github.com/tallystick/tallystick/explorer/query"
	"github.com/tallystick/tallystick/explorer/worldtest"
)

// document is what the tests read of the OpenAPI document.
type document struct {
	OpenAPI string
	Paths   map[string]struct {
		Get *struct {
			OperationID string
			Summary     string
			Tags        []string
			Parameters  []parameter
			Responses   map[string]struct {
				Content map[string]json.RawMessage
			}
		}
	}
}

type parameter struct {
	Name, In string
	Required bool
	Schema   struct {
		Type    string
		Pattern string
		Enum    []any
		Minimum *float64
		Maximum *float64
	}
}

// harness is the API over a small ledger, and its document made ready to judge
// answers by.
type harness struct {
	*API
	world    *worldtest.World // or nil
	known    worldtest.Known
	proves   bool // that receipts can be proven
	document document
	compiler *jsonschema.Compiler
}

func newHarness(t *testing.T) *harness {
	world := worldtest.New(120)
	h := harnessOf(t, world, world.Known())
	h.world = world
	return h
}

func harnessOf(t *testing.T, q query.Queries, known worldtest.Known) *harness {
	h := &harness{known: known, proves: proofsOf(q) != nil}
	h.API = New(Options{Queries: q, Proofs: proofsOf(q), Version: "test", Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err := json.Unmarshal(h.Document(), &h.document); err != nil {
		t.Fatal(err)
	}
	whole, err := jsonschema.UnmarshalJSON(bytes.NewReader(h.Document()))
	if err != nil {
		t.Fatal(err)
	}
	h.compiler = jsonschema.NewCompiler() // of draft 2020-12, which OpenAPI 3.1 uses
	if err := h.compiler.AddResource("https://document.test/", whole); err != nil {
		t.Fatal(err)
	}
	return h
}

// proofsOf is who proves the receipts of a world: that in memory has the form of
// proofs, and of an index alone none is provable.
func proofsOf(q query.Queries) Prover {
	if judged, ok := q.(realtest.Judged); ok {
		q = judged.Queries
	}
	proofs, _ := q.(Prover)
	return proofs
}

// unproven reports whether an operation has no answer but a problem here.
func (h *harness) unproven(path string) bool { return strings.HasSuffix(path, "/proof") && !h.proves }

func (h *harness) get(target string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "http://explorer.test/", nil)
	u, err := url.ParseRequestURI(target)
	if err != nil {
		panic(target + ": " + err.Error())
	}
	r.URL, r.RequestURI = u, target
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// check judges an answer by the document.
func (h *harness) check(t *testing.T, path, target string, w *httptest.ResponseRecorder) {
	t.Helper()
	operation := h.document.Paths[path].Get
	kind, _, err := mime.ParseMediaType(w.Header().Get("Content-Type"))
	if err != nil {
		t.Errorf("%s: content type: %v", target, err)
		return
	}
	status := http.StatusText(w.Code)
	response, ok := operation.Responses[jsonPointer(w.Code)]
	if !ok {
		t.Errorf("%s: %s (%d) is not in the document", target, status, w.Code)
		return
	}
	if _, ok := response.Content[kind]; !ok {
		t.Errorf("%s: %s is not in the document for %d", target, kind, w.Code)
		return
	}
	if !strings.HasSuffix(kind, "json") {
		return
	}
	escape := strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D")
	schema, err := h.compiler.Compile("https://document.test/#/paths/" + escape.Replace(path) + "/get/responses/" + jsonPointer(w.Code) + "/content/" + escape.Replace(kind) + "/schema")
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	body, err := jsonschema.UnmarshalJSON(bytes.NewReader(w.Body.Bytes()))
	if err != nil {
		t.Errorf("%s: %v: %s", target, err, w.Body)
		return
	}
	if err := schema.Validate(body); err != nil {
		t.Errorf("%s: %v", target, err)
	}
}

func jsonPointer(code int) string {
	return strings.TrimSpace(strings.Trim(string(mustJSON(code)), `"`))
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// good are values with which every operation answers, to be changed.
func (h *harness) good() map[string]string { return maps.Clone(h.known) }

// fill puts values into a path and the required parameters after it.
func (h *harness) fill(path string, values map[string]string) string {
	query := url.Values{}
	for _, p := range h.document.Paths[path].Get.Parameters {
		switch {
		case p.In == "path":
			path = strings.ReplaceAll(path, "{"+p.Name+"}", url.PathEscape(values[p.Name]))
		case p.Required && p.In == "query":
			query.Set(p.Name, values[p.Name])
		}
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return path
}

// Every operation of the document answers, as the document says.
func TestEveryOperationAnswers(t *testing.T) {
	realtest.Each(t, func(t *testing.T, w realtest.Judged) { everyOperationAnswers(t, harnessOf(t, w, w.Known)) })
}

func everyOperationAnswers(t *testing.T, h *harness) {
	if h.document.OpenAPI[:3] != "3.1" || len(h.document.Paths) < 35 {
		t.Fatalf("OpenAPI %s with %d paths", h.document.OpenAPI, len(h.document.Paths))
	}
	for path, item := range h.document.Paths {
		if item.Get == nil || item.Get.Summary == "" || len(item.Get.Tags) != 1 {
			t.Errorf("%s is not described", path)
			continue
		}
		if strings.HasSuffix(path, "/events") && path == Prefix+"/events" {
			continue // a stream: package live
		}
		target := h.fill(path, h.good())
		w := h.get(target)
		if h.unproven(path) && w.Code == http.StatusConflict {
			h.check(t, path, target, w)
			continue
		}
		if w.Code != http.StatusOK || w.Header().Get("Cache-Control") == "" {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
			continue
		}
		h.check(t, path, target, w)
	}
}

// hostile are values that no parameter wants.
var hostile = []string{
	"", " ", "0", "-1", "-0", "1e9", "1.5", "00", "NaN", "null", "true", "latest", "9007199254740992", "18446744073709551616", strings.Repeat("9", 400),
	"' OR 1=1; DROP TABLE blocks; --", `"; SELECT 1`, "<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "%00", "\x00", "a\x00b", "\xff\xfe", "\u202e\u2066",
	"../../etc/passwd", "{{.}}", "${7*7}", "0x", "0x" + strings.Repeat("0", 40), "0x" + strings.Repeat("f", 64), "0x" + strings.Repeat("g", 40), strings.Repeat("A", 10_000),
	worldtest.HostileMemo, worldtest.HostileName, "2026-13-45", "9999-12-31", "-9999-01-01T00:00:00Z", "2026-01-01T00:00:00+99:99", "\r\nSet-Cookie: a=b", "*", "\"*\"", "NEAR(", "a AND", "^", "USD OR", "\\",
	"a NEAR b", "NEAR/2", "NOT a", "a:b", "words:a", "-a", "a*b", "%%", "_", "LIKE '%'", "0xabc", "0xabcdef0", "abcdef0", "0x" + strings.Repeat("a", 63), strings.Repeat("a", 41), "#", "#0", "1,000", "\xed\xa0\x80",
}

var markup = regexp.MustCompile(`(?i)<script|<img`)

// Whatever stands in any parameter, an operation refuses it with a reason or
// answers; it never fails, and never answers with something that is not JSON or CSV.
func TestHostileParameters(t *testing.T) {
	realtest.Each(t, func(t *testing.T, w realtest.Judged) { hostileParameters(t, harnessOf(t, w, w.Known)) })
}

func hostileParameters(t *testing.T, h *harness) {
	asked := 0
	for path, item := range h.document.Paths {
		if path == Prefix+"/events" {
			continue
		}
		for _, p := range item.Get.Parameters {
			for _, value := range hostile {
				values := h.good()
				values[p.Name] = value
				target := h.fill(path, values)
				if p.In == "query" && !p.Required {
					target += map[bool]string{true: "&", false: "?"}[strings.Contains(target, "?")] + p.Name + "=" + url.QueryEscape(value)
				}
				w := h.get(target)
				asked++
				kind := w.Header().Get("Content-Type")
				switch {
				case w.Code >= 500:
					t.Errorf("%s: %d %s", target, w.Code, w.Body)
				case w.Code >= 400 && (kind != "application/problem+json" || !json.Valid(w.Body.Bytes())):
					t.Errorf("%s: %d as %s: %s", target, w.Code, kind, w.Body)
				case w.Code >= 300 && w.Code < 400: // the mux cleans "." and ".." out of paths
				case strings.Contains(kind, "html") || markup.MatchString(w.Header().Get("Location")):
					t.Errorf("%s: %s", target, kind)
				}
				if w.Code != http.StatusMovedPermanently && w.Code != http.StatusTemporaryRedirect && strings.HasPrefix(kind, "application/") && value != "" && p.In == "query" {
					h.check(t, path, target, w)
				}
			}
		}
	}
	if asked < 3000 {
		t.Errorf("%d requests were made", asked)
	}
}

// Parameters that an operation does not have are refused, not passed over.
func TestUnknownParameter(t *testing.T) {
	h := newHarness(t)
	w := h.get(Prefix + "/blocks?hieght=5")
	if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "hieght") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestNoSuchThing(t *testing.T) {
	h := newHarness(t)
	for _, target := range []string{
		"/blocks/999999", "/blocks/" + worldtest.Hash("none", 0).String(), "/blocks/999999/transactions", "/transactions/" + worldtest.Hash("none", 0).String(),
		"/transactions/" + worldtest.Hash("none", 0).String() + "/receipt", "/accounts/0x0000000000000000000000000000000000000001",
		"/assets/NONE", "/holds/0x0000000000000000000000000000000000000001", "/members/0x0000000000000000000000000000000000000001",
		"/validators/0x0000000000000000000000000000000000000001/votes", "/proposals/99", "/nothing", "/blocks/1/nothing",
	} {
		w := h.get(Prefix + target)
		if w.Code != http.StatusNotFound || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
	r := httptest.NewRequest(http.MethodPost, Prefix+"/blocks", strings.NewReader("{}"))
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") == "" {
		t.Errorf("POST: %d %s", w.Code, w.Body)
	}
}

// A fault of the database is a 500 that tells nothing of it.
func TestDatabaseFails(t *testing.T) {
	h := newHarness(t)
	h.world.Err = errSecret
	for path := range h.document.Paths {
		if path == Prefix+"/events" {
			continue
		}
		w := h.get(h.fill(path, h.good()))
		if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

var errSecret = jsonError("secret: dial postgres://user:password@db")

type jsonError string

func (e jsonError) Error() string { return string(e) }

// What can never change may be kept for ever; nothing else may.
func TestLifetimes(t *testing.T) {
	h := newHarness(t)
	tx := worldtest.Hash("tx", 3).String()
	for target, want := range map[string]string{
		"/blocks/5": lasting, "/blocks/latest": revalidate, "/blocks/" + worldtest.Hash("block", 5).String(): forever,
		"/transactions/" + tx: forever, "/transactions/" + tx + "/receipt": forever, "/transactions": revalidate, "/status": revalidate,
		"/accounts/" + worldtest.Address('u', 1).String(): revalidate,
	} {
		if w := h.get(Prefix + target); w.Header().Get("Cache-Control") != want {
			t.Errorf("%s: %q", target, w.Header().Get("Cache-Control"))
		}
	}
}

// Pages of a list join up, whatever their size.
func TestPages(t *testing.T) {
	h := newHarness(t)
	for _, limit := range []string{"1", "7", "1000"} {
		seen, target := 0, Prefix+"/blocks?order=asc&limit="+limit
		for cursor := ""; ; {
			var page struct {
				Items []struct{ Height uint64 }
				Next  *string
			}
			w := h.get(target + cursor)
			if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil {
				t.Fatal(err)
			}
			for _, b := range page.Items {
				if b.Height != uint64(seen) {
					t.Fatalf("limit %s: block %d where %d should be", limit, b.Height, seen)
				}
				seen++
			}
			if page.Next == nil {
				break
			}
			cursor = "&cursor=" + url.QueryEscape(*page.Next)
		}
		if seen != 121 {
			t.Errorf("limit %s: %d blocks", limit, seen)
		}
	}
}
