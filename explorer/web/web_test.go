package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/tallystick/tallystick/explorer/api"
	"github.com/tallystick/tallystick/explorer/explorertest/realtest"
	"github.com/tallystick/tallystick/explorer/query"
	"github.com/tallystick/tallystick/explorer/worldtest"
)

func newPages(q query.Queries) http.Handler {
	return New(Options{Queries: q, OpenAPI: api.New(api.Options{Queries: q, Version: "test"}).OpenAPI()})
}

func get(pages http.Handler, target string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "http://explorer.test/", nil)
	u, err := url.ParseRequestURI(target)
	if err != nil {
		panic(target + ": " + err.Error())
	}
	r.URL, r.RequestURI = u, target
	w := httptest.NewRecorder()
	pages.ServeHTTP(w, r)
	return w
}

// paths are a page of every kind.
func paths() map[string]string {
	consensus := strings.ToLower(worldtest.Address('v', 1).String())
	return map[string]string{
		"home": "/", "blocks": "/blocks", "block": "/blocks/5", "genesis": "/blocks/0", "latest": "/blocks/latest", "block by hash": "/blocks/" + worldtest.Hash("block", 7).String(),
		"transactions": "/transactions", "transaction": "/transactions/" + worldtest.Hash("tx", 4).String(), "refused": "/transactions/" + worldtest.Hash("tx", 3).String(),
		"hostile": "/transactions/" + worldtest.Hash("tx", 5).String(), "accounts": "/accounts", "account": "/accounts/" + worldtest.Address('u', 0).String(),
		"account then": "/accounts/" + worldtest.Address('u', 0).String() + "?at=2026-10-01&asset=GOLD", "assets": "/assets", "asset": "/assets/GOLD", "asset by address": "/assets/" + worldtest.Address('a', 0).String(),
		"holds": "/holds", "hold": "/holds/" + worldtest.Address('h', 1).String(), "members": "/members", "member": "/members/" + worldtest.Address('m', 2).String(),
		"validators": "/validators", "validator": "/validators/" + consensus, "proposals": "/proposals", "proposal": "/proposals/2", "failed proposal": "/proposals/5",
		"search": "/search?q=invoice", "no search": "/search", "network": "/network?period=hour", "api": "/api", "references": "/transactions?reference=" + url.QueryEscape(worldtest.HostileReference),
	}
}

// maxPage is what a page may be at most.
const maxPage = 100_000

// Every page is there, small, whole HTML, and keeps to the policy: no inline script,
// no style or handler attribute, nothing from elsewhere, one heading of the first
// order, a name for everything that can be used.
func TestEveryPage(t *testing.T) {
	pages := newPages(worldtest.New(300))
	for name, path := range paths() {
		w := get(pages, path)
		if w.Code != http.StatusOK || w.Body.Len() > maxPage {
			t.Errorf("%s: %d, %d bytes: %.300s", name, w.Code, w.Body.Len(), w.Body)
			continue
		}
		judge(t, name, w.Body.String())
	}
}

// judge looks at every element of a page.
func judge(t *testing.T, name, page string) {
	t.Helper()
	document, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	ids := map[string]bool{}
	for n := range document.Descendants() {
		if n.Type != html.ElementNode || n.Namespace == "svg" && n.Data == "title" {
			continue
		}
		count[n.Data]++
		attributes := map[string]string{}
		for _, a := range n.Attr {
			attributes[a.Key] = a.Val
			switch {
			case a.Key == "style" || strings.HasPrefix(a.Key, "on"):
				t.Errorf("%s: <%s %s=%q>", name, n.Data, a.Key, a.Val)
			case a.Key == "id" && ids[a.Val]:
				t.Errorf("%s: the id %s stands twice", name, a.Val)
			case (a.Key == "href" || a.Key == "src" || a.Key == "action") && !strings.HasPrefix(a.Val, "/") && !strings.HasPrefix(a.Val, "#"):
				t.Errorf("%s: <%s %s=%q> leads elsewhere", name, n.Data, a.Key, a.Val)
			}
		}
		ids[attributes["id"]] = attributes["id"] != ""
		switch {
		case n.Data == "script" && (attributes["src"] == "" || n.FirstChild != nil):
			t.Errorf("%s: an inline script", name)
		case n.Data == "img" || n.Data == "iframe" || n.Data == "object":
			t.Errorf("%s: <%s>", name, n.Data)
		case n.Data == "th" && attributes["scope"] == "":
			t.Errorf("%s: a heading of a table without scope", name)
		}
	}
	for element, want := range map[string]int{"h1": 1, "main": 1, "header": 1, "footer": 1, "script": 1, "title": 1} {
		if count[element] != want {
			t.Errorf("%s: %d <%s>", name, count[element], element)
		}
	}
}

// bare are characters that turn text around or steer a terminal.
var bare = regexp.MustCompile("[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f\x7f]")

// What an enemy wrote stands on pages as text that can be seen.
func TestHostileTexts(t *testing.T) {
	pages := newPages(worldtest.New(300))
	seen := 0
	for name, path := range paths() {
		page := get(pages, path).Body.String()
		if bare.MatchString(page) {
			t.Errorf("%s: %q", name, bare.FindString(page))
		}
		for _, raw := range []string{"<script>alert", "<img src=x", "href=\"javascript:"} {
			if strings.Contains(page, raw) {
				t.Errorf("%s has %s", name, raw)
			}
		}
		if strings.Contains(page, "&lt;script&gt;alert(1)") || strings.Contains(page, "[U&#43;202E]gnp.exe") {
			seen++
		}
	}
	if seen < 10 {
		t.Errorf("hostile texts stand on %d pages only", seen)
	}
}

// hostile are values that nothing in an address wants.
var hostile = []string{
	"-1", "1e9", "9007199254740993", strings.Repeat("9", 300), "' OR 1=1; --", "<script>alert(1)</script>", "\x00", "a\x00b", "\xff\xfe", "\u202e", "..", "{{.}}", "0x", "0x" + strings.Repeat("g", 40),
	"0x" + strings.Repeat("f", 64), strings.Repeat("A", 5000), worldtest.HostileMemo, "2026-13-45", "\r\nX: y", "%", "*", `"`, "NEAR(", "",
	"a NEAR b", "NOT a", "a:b", "_", "\\", "0xabcdef0", strings.Repeat("a", 41), "#0", "18446744073709551615", "9007199254740991", "9999-12-31", "0001-01-01", "\xed\xa0\x80",
}

// Whatever stands in an address, the answer is a page: of what was meant, or of why
// it cannot be shown, and never one that failed.
func TestHostileAddresses(t *testing.T) {
	realtest.Each(t, func(t *testing.T, w realtest.Judged) { hostileAddresses(t, newPages(w), w.Known) })
}

func hostileAddresses(t *testing.T, pages http.Handler, known worldtest.Known) {
	bases := []string{"/blocks/%", "/transactions/%", "/accounts/%", "/assets/%", "/holds/%", "/members/%", "/validators/%", "/proposals/%", "/search?q=%", "/%"}
	lists := map[string][]string{
		"/blocks": {"from", "to", "proposer", "nonempty", "cursor"}, "/transactions": {"from", "to", "kind", "result", "account", "reference", "cursor"},
		"/accounts": {"status", "member", "cursor"}, "/assets": {"status", "issuer", "cursor"}, "/holds": {"status", "account", "cursor"}, "/proposals": {"status", "proposer", "cursor"},
		"/network": {"period"}, "/accounts/" + known["account"]: {"asset", "from", "to", "at", "cursor"}, "/assets/" + known["asset"]: {"cursor"}, "/blocks/5": {"cursor"},
	}
	for path, names := range lists {
		for _, name := range names {
			bases = append(bases, path+"?"+name+"=%")
		}
	}
	refused := 0
	for _, base := range bases {
		for _, value := range hostile {
			escape := url.PathEscape
			if strings.Contains(base, "?") {
				escape = url.QueryEscape
			}
			target := strings.Replace(base, "%", escape(value), 1)
			w := get(pages, target)
			page := w.Body.String()
			switch {
			case w.Code >= 500:
				t.Errorf("%s: %d", target, w.Code)
			case strings.Contains(page, "<script>alert"), strings.Contains(page, "<img src=x"), bare.MatchString(page):
				t.Errorf("%s: it stands there as it was written", target)
			case w.Code >= 400:
				refused++
				if !strings.Contains(page, "class=\"lead\"") {
					t.Errorf("%s: %d without a reason", target, w.Code)
				}
			}
			if w.Header().Get("X") != "" {
				t.Errorf("%s: a header was added", target)
			}
		}
	}
	if refused < 400 {
		t.Errorf("%d addresses were refused", refused)
	}
}

// A hit that can be nothing else is gone to; others are listed with what they are.
func TestSearch(t *testing.T) {
	pages := newPages(worldtest.New(30))
	if w := get(pages, "/search?q=7"); w.Code != http.StatusFound || w.Header().Get("Location") != "/blocks/7" {
		t.Errorf("a height: %d %s", w.Code, w.Header().Get("Location"))
	}
	if w := get(pages, "/search?q=invoice"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "memo of a transaction") {
		t.Errorf("a word: %d", w.Code)
	}
	if w := get(pages, "/search?q=nothinglikethis"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Nothing was found") {
		t.Errorf("nothing: %d", w.Code)
	}
}

// What is wrong with the index is said on every page.
func TestBanners(t *testing.T) {
	for says, change := range map[string]func(*query.Status){
		"The explorer is behind.":                        func(s *query.Status) { s.Behind, s.Lag = true, 1234 },
		"The index differs from the node’s proven state": func(s *query.Status) { s.Differences = 2 },
		"The index has stopped":                          func(s *query.Status) { s.Error, s.Behind = "disk full <b>", true },
	} {
		world := worldtest.New(30)
		pages := newPages(world)
		for _, path := range []string{"/", "/blocks/5", "/nothing"} {
			if page := get(pages, path).Body.String(); strings.Contains(page, says) {
				t.Errorf("%s says %q while nothing is wrong", path, says)
			}
		}
		world.Set(change)
		for _, path := range []string{"/", "/blocks/5", "/nothing"} {
			page := get(pages, path).Body.String()
			if !strings.Contains(page, says) || strings.Contains(page, "<b>") {
				t.Errorf("%s does not say %q", path, says)
			}
			if strings.Contains(page, "0 blocks ahead") {
				t.Errorf("%s says that the node is ahead, and is not", path)
			}
		}
	}
}

func TestMissing(t *testing.T) {
	pages := newPages(worldtest.New(30))
	for path, says := range map[string]string{"/nothing": "Nothing stands at this address", "/blocks/999": "up to 30", "/accounts/0x0000000000000000000000000000000000000001": "This account is not in the index"} {
		if w := get(pages, path); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), says) {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

// A database that fails shows a page that tells nothing of it.
func TestDatabaseFails(t *testing.T) {
	world := worldtest.New(30)
	pages := newPages(world)
	world.Err = errSecret("secret password")
	for name, path := range paths() {
		w := get(pages, path)
		if name == "api" || name == "no search" {
			continue // they need no database
		}
		if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
}

type errSecret string

func (e errSecret) Error() string { return string(e) }

// The theme is kept in a cookie, the way back stays on this site, and no other site
// can choose it.
func TestTheme(t *testing.T) {
	pages := newPages(worldtest.New(5))
	post := func(form url.Values, origin string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "http://explorer.test/theme", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if origin != "" {
			r.Header.Set("Sec-Fetch-Site", origin)
		}
		w := httptest.NewRecorder()
		pages.ServeHTTP(w, r)
		return w
	}
	w := post(url.Values{"theme": {"dark"}, "back": {"/blocks?x=1"}}, "same-origin")
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/blocks?x=1" || !strings.Contains(w.Header().Get("Set-Cookie"), "theme=dark") {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	for _, back := range []string{"https://evil.example", "//evil.example", "/\\evil.example", "", "javascript:alert(1)"} {
		if w := post(url.Values{"theme": {"light"}, "back": {back}}, ""); w.Header().Get("Location") != "/" {
			t.Errorf("%q leads to %q", back, w.Header().Get("Location"))
		}
	}
	for _, theme := range []string{"", "blue", "<b>", strings.Repeat("x", 20_000)} {
		if w := post(url.Values{"theme": {theme}}, ""); w.Code != http.StatusBadRequest {
			t.Errorf("%.20q: %d", theme, w.Code)
		}
	}
	if w := post(url.Values{"theme": {"dark"}}, "cross-site"); w.Code != http.StatusForbidden {
		t.Errorf("another site: %d", w.Code)
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(&http.Cookie{Name: "theme", Value: "dark"})
	w = httptest.NewRecorder()
	if pages.ServeHTTP(w, r); !strings.Contains(w.Body.String(), `data-theme="dark"`) {
		t.Error("the cookie chooses nothing")
	}
}

// Files have their hash in their names, and are kept for ever.
func TestFiles(t *testing.T) {
	pages := newPages(worldtest.New(5))
	page := get(pages, "/").Body.String()
	for _, path := range regexp.MustCompile(`/static/[^"]+`).FindAllString(page, -1) {
		w := get(pages, path)
		if w.Code != http.StatusOK || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") || w.Header().Get("Content-Type") == "" {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
	}
	if w := get(pages, "/static/style.css"); w.Code != http.StatusNotFound {
		t.Errorf("without its hash: %d", w.Code)
	}
}

func TestVisible(t *testing.T) {
	for text, want := range map[string]string{
		"plain, ünïcode 漢字 🙂": "plain, ünïcode 漢字 🙂", "a\u202Eb": "a[U+202E]b", "a\x1b[31m": "a[U+001B][31m", "two\nlines": "two\nlines", "nul\x00": "nul[U+0000]", "\xff": "�",
		"zero\u200bwidth": "zero[U+200B]width",
	} {
		if got := visible(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// The worst of heat maps is still a small page.
func TestHeatIsBounded(t *testing.T) {
	if n := len(heat(1_000_000, strings.Repeat("sm", 500))); n > 95_000 {
		t.Errorf("%d bytes", n)
	}
	if heat(1, "") != "" {
		t.Error("of nothing")
	}
}
