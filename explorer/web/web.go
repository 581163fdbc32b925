package web

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/explorer/query"
)

// Policy is the content security policy of every page.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

// Options are what pages need.
type Options struct {
	Queries query.Queries
	// OpenAPI is what the reference page shows.
	OpenAPI *huma.OpenAPI
	Log     *slog.Logger
}

// site has the pages.
type site struct {
	q       query.Queries
	names   *names
	pages   pageSet
	files   *files
	openAPI *huma.OpenAPI
	log     *slog.Logger
}

// New makes the pages' handler.
func New(o Options) http.Handler {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &site{q: o.Queries, names: newNames(o.Queries), files: loadFiles(), openAPI: o.OpenAPI, log: o.Log}
	s.pages = parsePages(s.functions())
	mux := http.NewServeMux()
	for path, f := range map[string]handler{
		"/{$}":                    s.home,
		"/blocks":                 s.blocks,
		"/blocks/{block}":         s.block,
		"/transactions":           s.transactions,
		"/transactions/{hash}":    s.transaction,
		"/accounts":               s.accounts,
		"/accounts/{account}":     s.account,
		"/assets":                 s.assets,
		"/assets/{asset}":         s.asset,
		"/holds":                  s.holds,
		"/holds/{hold}":           s.hold,
		"/members":                s.members,
		"/members/{member}":       s.member,
		"/validators":             s.validators,
		"/validators/{validator}": s.validator,
		"/proposals":              s.proposals,
		"/proposals/{proposal}":   s.proposal,
		"/search":                 s.search,
		"/network":                s.network,
		"/api":                    s.reference,
	} {
		mux.Handle("GET "+path, s.page(f))
	}
	mux.HandleFunc("GET /static/{name}", s.files.serve)
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, s.files.path("icon.svg"), http.StatusFound)
	})
	mux.HandleFunc("POST /theme", s.theme)
	mux.Handle("/", s.page(func(r *http.Request) (*view, error) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			return nil, &refusal{http.StatusMethodNotAllowed, "These pages can only be read."}
		}
		return nil, query.ErrNotFound
	}))
	return mux
}

// handler makes a page's content.
type handler func(*http.Request) (*view, error)

// view is a page's content.
type view struct {
	name  string // of its template
	Title string
	Nav   string // the entry of the navigation that it belongs to
	Live  bool   // it follows new blocks
	Data  any
	moved string // in place of all that: where to go
}

// refusal is an error that the reader can do something about.
type refusal struct {
	status int
	reason string // a sentence
}

func (r *refusal) Error() string { return r.reason }

// frame is what every page has around its content.
type frame struct {
	*view
	Path   string // of the page, for the way back from the theme's form
	Theme  string // light, dark, or "" for the system's
	Query  string // in the search box
	Status *query.Status
	Index  bool // the index answers
	Code   int
}

// page serves a page, or says why there is none.
func (s *site) page(f handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status := http.StatusOK
		v, err := f(r)
		if err != nil {
			status, v = s.failure(r, err)
		} else if v.moved != "" {
			http.Redirect(w, r, v.moved, http.StatusFound)
			return
		}
		s.write(w, r, status, v)
	})
}

// failure is the page for an error.
func (s *site) failure(r *http.Request, err error) (int, *view) {
	var refused *refusal
	var invalid *query.InvalidError
	var status huma.StatusError
	sorry := func(code int, title, reason string) (int, *view) {
		return code, &view{name: "sorry", Title: title, Data: map[string]any{"Code": code, "Reason": reason}}
	}
	switch {
	case errors.As(err, &refused):
		return sorry(refused.status, "This cannot be shown", refused.reason)
	case errors.As(err, &invalid):
		return sorry(http.StatusBadRequest, "This cannot be shown", "The part “"+invalid.Field+"” of the address cannot be meant: "+invalid.Reason+".")
	case errors.As(err, &status):
		return sorry(http.StatusBadRequest, "This cannot be shown", "The address cannot be meant: "+detail(status)+".")
	case errors.Is(err, query.ErrNotFound):
		return sorry(http.StatusNotFound, "There is no such page", s.missing(r))
	case r.Context().Err() != nil:
		return sorry(http.StatusServiceUnavailable, "Too late", "The request ended before its answer was there.")
	}
	s.log.Error("explorer: the index does not answer", "path", r.URL.Path, "err", err)
	return sorry(http.StatusInternalServerError, "The index does not answer", "This is a fault of the explorer, not of the ledger, and has been logged. Try again in a moment.")
}

// detail is what a problem of the API says of its parameter.
func detail(err huma.StatusError) string {
	if model, ok := err.(*huma.ErrorModel); ok && len(model.Errors) > 0 {
		return model.Errors[0].Location + " " + model.Errors[0].Message
	}
	return err.Error()
}

// missing says what is not there, and how far the index is: what was asked for may
// be younger.
func (s *site) missing(r *http.Request) string {
	kind, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	what := map[string]string{
		"blocks": "This block", "transactions": "This transaction", "accounts": "This account", "assets": "This asset", "holds": "This hold",
		"members": "This member", "validators": "This validator", "proposals": "This proposal",
	}[kind]
	if what == "" {
		return "Nothing stands at this address. The search above finds blocks, transactions, accounts, assets, members and proposals."
	}
	reason := what + " is not in the index. It may not exist on this network, or be so new that it is not indexed yet."
	if status, err := s.q.Status(r.Context()); err == nil {
		reason += " The index has the blocks up to " + count(status.Height) + "."
	}
	return reason
}

// write renders a page. A template that fails sends nothing of itself.
func (s *site) write(w http.ResponseWriter, r *http.Request, code int, v *view) {
	f := frame{view: v, Path: r.URL.RequestURI(), Theme: themeOf(r), Code: code}
	f.Query = r.URL.Query().Get("q")
	if status, err := s.q.Status(r.Context()); err == nil {
		f.Status, f.Index = status, true
	}
	var out bytes.Buffer
	if err := s.pages[v.name].ExecuteTemplate(&out, "layout", f); err != nil {
		s.log.Error("explorer: a page does not render", "page", v.name, "err", err)
		http.Error(w, "This page could not be made. It has been logged.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "private, no-cache")
	h.Set("Vary", "Cookie")
	w.WriteHeader(code)
	w.Write(out.Bytes())
}
