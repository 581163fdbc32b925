package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/tallystick/tallystick/explorer/query"
)

// Prefix is where the operations are.
const Prefix = "/api/v1"

// DocumentPath is where the OpenAPI document is.
const DocumentPath = Prefix + "/openapi.json"

// Options are what an API needs.
type Options struct {
	Queries query.Queries
	// Proofs proves receipts; without it none is provable.
	Proofs Prover
	// Events answers Prefix + "/events", which the document describes.
	Events http.Handler
	// Version is the program's, for the document.
	Version string
	Log     *slog.Logger
}

// API serves the operations and their document.
type API struct {
	handler  http.Handler
	huma     huma.API
	document []byte
}

// server has the operations.
type server struct {
	q      query.Queries
	proofs Prover
	log    *slog.Logger
}

// New makes the API.
func New(o Options) *API {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	nameTypes(registry)
	config := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title:       "Tallystick explorer",
				Version:     o.Version,
				Description: description,
				License:     &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
			},
			Tags:       tags,
			Components: &huma.Components{Schemas: registry},
		},
		Formats:                      huma.DefaultFormats,
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
		Transformers:                 []huma.Transformer{onlyChosen},
	}
	mux := http.NewServeMux()
	a := &API{huma: humago.New(mux, config)}
	s := &server{q: o.Queries, proofs: o.Proofs, log: o.Log}
	s.chain(a.huma)
	s.proof(a.huma)
	s.money(a.huma)
	s.holdings(a.huma)
	s.govern(a.huma)
	s.network(a.huma)
	describeEvents(a.huma.OpenAPI())
	completeSchemas(registry)
	a.document = writeDocument(a.huma.OpenAPI())
	if o.Events != nil {
		mux.Handle("GET "+Prefix+"/events", o.Events)
	}
	mux.HandleFunc("GET "+DocumentPath, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/vnd.oai.openapi+json;version=3.1")
		w.Header().Set("Cache-Control", revalidate)
		w.Write(a.document)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { unknown(w, r, mux) })
	a.handler = mux
	return a
}

// Document is the OpenAPI document in JSON. It must not be changed.
func (a *API) Document() []byte { return a.document }

// OpenAPI is the document as values, for the reference page.
func (a *API) OpenAPI() *huma.OpenAPI { return a.huma.OpenAPI() }

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.handler.ServeHTTP(w, r) }

// Lifetimes of answers, as Cache-Control says them.
const (
	forever    = "public, max-age=31536000, immutable"
	lasting    = "public, max-age=3600" // of a height: another network may come to stand at this address
	revalidate = "public, no-cache"
)

// answer is what every operation answers with.
type answer[T any] struct {
	CacheControl string `header:"Cache-Control" doc:"How long the answer may be kept"`
	Body         T
}

// current is an answer that may be another one in a moment.
func current[T any](v *T, err error) (*answer[T], error) {
	if err != nil {
		return nil, err
	}
	return &answer[T]{revalidate, *v}, nil
}

// fixed is an answer that never changes.
func fixed[T any](v *T) *answer[T] { return &answer[T]{forever, *v} }

// listed is a page of a list.
func listed[T any](l *query.List[T], err error) (*answer[query.List[T]], error) {
	if err != nil {
		return nil, err
	}
	if l.Items == nil {
		l.Items = []T{}
	}
	return &answer[query.List[T]]{revalidate, *l}, nil
}

// series are samples over time, the oldest first.
type series[T any] struct {
	Items []T `json:"items"`
}

// sampled is a series of at most as many samples as were asked for.
func sampled[T any](points []T, err error) (*answer[series[T]], error) {
	if points == nil {
		points = []T{}
	}
	return current(&series[T]{points}, err)
}

// read registers an operation that reads. Errors of the index become problems.
func read[I, O any](a huma.API, s *server, op huma.Operation, f func(context.Context, *I) (*O, error)) {
	op.Method, op.Path = http.MethodGet, Prefix+op.Path
	op.Errors = append(op.Errors, http.StatusBadRequest, http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusTooManyRequests)
	choosable[O](a, &op)
	huma.Register(a, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := f(ctx, in)
		if err != nil {
			return nil, s.problem(ctx, op.OperationID, err)
		}
		return out, nil
	})
}

// problem is what a caller is told of an error.
func (s *server) problem(ctx context.Context, operation string, err error) error {
	var status huma.StatusError
	var invalid *query.InvalidError
	switch {
	case errors.As(err, &status):
		return err // with its headers
	case errors.Is(err, query.ErrNotFound):
		return huma.Error404NotFound("the index has no such thing: it may not exist, or not be indexed yet (see /api/v1/status)")
	case errors.As(err, &invalid):
		return wrong(invalid.Field, "", invalid.Reason)
	case ctx.Err() != nil:
		return huma.NewError(http.StatusServiceUnavailable, "the request ended before its answer was there")
	}
	s.log.Error("explorer: the index does not answer", "operation", operation, "err", err)
	return huma.Error500InternalServerError("the index does not answer; this has been logged")
}

// wrong is the problem of a parameter.
func wrong(name string, value any, reason string) error {
	return huma.Error422UnprocessableEntity("validation failed", &huma.ErrorDetail{Location: name, Message: reason, Value: value})
}

// unknown answers where there is no operation.
func unknown(w http.ResponseWriter, r *http.Request, mux *http.ServeMux) {
	status, text := http.StatusNotFound, "there is no such operation; the reference is at /api"
	get := r.Clone(r.Context())
	get.Method = http.MethodGet
	if _, pattern := mux.Handler(get); pattern != "/" && r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		status, text = http.StatusMethodNotAllowed, "this API is read only: use GET"
	}
	Problem(w, status, text)
}
