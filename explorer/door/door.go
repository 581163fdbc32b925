// Package door serves the explorer over HTTP: its pages, its REST API and its live
// updates, with what all of them need in front: a limit for each address, headers
// for security, compression, and ETags, so that what has not changed is not sent
// again.
package door

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/netutil"

	"github.com/tallystick/tallystick/explorer/api"
	"github.com/tallystick/tallystick/explorer/live"
	"github.com/tallystick/tallystick/explorer/query"
	"github.com/tallystick/tallystick/explorer/web"
	"github.com/tallystick/tallystick/rpc/pace"
)

// Options are what a door needs.
type Options struct {
	Queries query.Queries
	// Proofs proves receipts; without it none is provable.
	Proofs api.Prover
	Limits Limits
	// TrustedProxies tells the networks whose X-Forwarded-For says who asks; nil is
	// none. It may tell others later, and is called from many goroutines.
	TrustedProxies func() []netip.Prefix
	// Version is the program's.
	Version string
	Log     *slog.Logger
}

// Limits bound what clients can make the door do. Zero stands for the default.
type Limits struct {
	// Rate is how many requests a second one address may make, and Burst how many at
	// once after a pause; -1 for Rate is no limit.
	Rate, Burst int
	// Connections bounds open connections, live streams among them, and
	// AddressConnections those of one address that is no trusted proxy. All of them
	// are never more than a quarter of the files that the process may open: in a
	// validator's, consensus needs the others.
	Connections, AddressConnections int
	// Streams bounds live streams, and AddressStreams those of one address.
	Streams, AddressStreams int
	// Concurrent bounds the requests that are answered at the same time, and
	// AddressConcurrent those of one address; more wait.
	Concurrent, AddressConcurrent int
	// Exports bounds exports at the same time, and AddressExports those of one
	// address; more are refused.
	Exports, AddressExports int
}

// withDefaults fills in what is zero.
func (l Limits) withDefaults() Limits {
	for _, d := range []struct {
		at    *int
		value int
	}{{&l.Rate, 50}, {&l.Burst, 200}, {&l.Connections, 8192}, {&l.AddressConnections, 256}, {&l.Streams, 4096}, {&l.AddressStreams, 64}, {&l.Concurrent, 64}, {&l.AddressConcurrent, 16},
		{&l.Exports, 16}, {&l.AddressExports, 2}} {
		if *d.at == 0 {
			*d.at = d.value
		}
	}
	if files := openFiles(); files > 0 {
		l.Connections = min(l.Connections, max(1, files/4))
	}
	return l
}

// Timeouts of the server.
const (
	headerWithin  = 10 * time.Second
	readWithin    = 30 * time.Second
	answerWithin  = 30 * time.Second // of everything but streams and exports
	sendWithin    = 20 * time.Second // how long a client may take for an answer that is made
	writeWithin   = 90 * time.Second // from the request on; what takes longer says so itself
	idleWithin    = 2 * time.Minute
	stopWithin    = 5 * time.Second
	maxHeaderSize = 32 << 10
)

// Door is the explorer's HTTP side.
type Door struct {
	o      Options
	pages  http.Handler
	api    *api.API
	hub    *live.Hub
	limits *pace.Limits // nil: none
	turns  chan struct{}
	crowd  *crowd // of who has a turn or waits for one

	exports   chan struct{}
	exporters *crowd

	sendWithin time.Duration    // the constant, but in tests
	now        func() time.Time // likewise, the clock
}

// New makes a door, which answers once it is served.
func New(o Options) *Door {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.TrustedProxies == nil {
		o.TrustedProxies = func() []netip.Prefix { return nil }
	}
	o.Limits = o.Limits.withDefaults()
	d := &Door{o: o, turns: make(chan struct{}, o.Limits.Concurrent), crowd: newCrowd(o.Limits.AddressConcurrent),
		exports: make(chan struct{}, o.Limits.Exports), exporters: newCrowd(o.Limits.AddressExports), sendWithin: sendWithin, now: time.Now}
	if o.Limits.Rate > 0 {
		d.limits = pace.NewLimits(o.Limits.Rate, o.Limits.Burst)
	}
	d.hub = live.New(live.Options{
		Queries: o.Queries, MaxStreams: o.Limits.Streams, MaxPerAddress: o.Limits.AddressStreams,
		Address: func(r *http.Request) string { return pace.AddressOf(r, o.TrustedProxies()).String() },
		Refuse:  api.Problem, Log: o.Log,
	})
	d.api = api.New(api.Options{Queries: o.Queries, Proofs: o.Proofs, Events: d.hub, Version: o.Version, Log: o.Log})
	d.pages = web.New(web.Options{Queries: o.Queries, OpenAPI: d.api.OpenAPI(), Log: o.Log})
	return d
}

// Serve answers on a listener, which it closes, until ctx ends. It returns nil then,
// and otherwise why it cannot go on.
func (d *Door) Serve(ctx context.Context, listener net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	followed := make(chan struct{})
	go func() {
		defer close(followed)
		d.hub.Run(ctx)
	}()
	server := &http.Server{
		Handler: d, ReadHeaderTimeout: headerWithin, ReadTimeout: readWithin, WriteTimeout: writeWithin, IdleTimeout: idleWithin, MaxHeaderBytes: maxHeaderSize,
		ErrorLog:    slog.NewLogLogger(d.o.Log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	ended := make(chan error, 1)
	go func() {
		ended <- server.Serve(netutil.LimitListener(newFair(listener, d.o.Limits.AddressConnections, d.o.TrustedProxies), d.o.Limits.Connections))
	}()
	select {
	case err := <-ended:
		cancel()
		<-followed
		return fmt.Errorf("explorer on %s: %w", listener.Addr(), err)
	case <-ctx.Done():
	}
	<-followed // and with it every stream
	stop, done := context.WithTimeout(context.Background(), stopWithin)
	defer done()
	if err := server.Shutdown(stop); err != nil {
		return errors.Join(ignoreLate(err), server.Close())
	}
	return nil
}

// ignoreLate is nil for a client that did not go away in time.
func ignoreLate(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// ServeHTTP implements http.Handler.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	head := w.Header()
	head.Set("Content-Security-Policy", web.Policy)
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Referrer-Policy", "no-referrer")
	head.Set("Cross-Origin-Opener-Policy", "same-origin")
	isAPI := r.URL.Path == api.Prefix || strings.HasPrefix(r.URL.Path, api.Prefix+"/")
	if isAPI && d.crossOrigin(w, r) {
		return
	}
	if wait := d.charge(r); wait > 0 {
		d.refuse(w, isAPI, wait)
		return
	}
	switch {
	case r.URL.Path == eventsPath:
		d.api.ServeHTTP(w, r)
	case isAPI && strings.HasSuffix(r.URL.Path, ".csv"):
		d.export(w, r)
	default:
		d.answer(w, r, isAPI)
	}
}

// answer answers with what is made before any of it is sent. A client that does not
// take it keeps its turn until sendWithin is over, so that no more answers are in
// memory than there are turns; and of one address there are never so many that the
// others have none.
func (d *Door) answer(w http.ResponseWriter, r *http.Request, isAPI bool) {
	ctx, cancel := context.WithTimeout(r.Context(), answerWithin)
	defer cancel()
	leave, ok := d.crowd.enter(ctx, pace.AddressOf(r, d.o.TrustedProxies()))
	if ok {
		defer leave()
		select {
		case d.turns <- struct{}{}:
			defer func() { <-d.turns }()
		case <-ctx.Done():
			ok = false
		}
	}
	if !ok {
		api.Problem(w, http.StatusServiceUnavailable, "there are too many requests at the same time: come again later")
		return
	}
	next := d.pages
	if isAPI {
		next = d.api
	}
	respond(w, r.WithContext(ctx), d.guarded(next), d.sendWithin)
}

// guarded answers a panic and logs it.
func (d *Door) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if crash := recover(); crash != nil {
				d.o.Log.Error("explorer: a fault, please report it", "path", r.URL.Path, "err", crash, "stack", string(debug.Stack()))
				api.Problem(w, http.StatusInternalServerError, "this is a fault of the explorer, and has been logged")
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// export answers with a part of the index after another, for as long as it takes.
func (d *Door) export(w http.ResponseWriter, r *http.Request) {
	leave, ok := d.exporter(r)
	if !ok {
		w.Header().Set("Retry-After", "10")
		api.Problem(w, http.StatusTooManyRequests, "there are too many exports at the same time, of this address or in all: wait for one to end")
		return
	}
	defer leave()
	d.api.ServeHTTP(w, r)
}

// exporter takes a turn to export.
func (d *Door) exporter(r *http.Request) (leave func(), ok bool) {
	own, ok := d.exporters.try(pace.AddressOf(r, d.o.TrustedProxies()))
	if !ok {
		return nil, false
	}
	select {
	case d.exports <- struct{}{}:
		return func() { <-d.exports; own() }, true
	default:
		own()
		return nil, false
	}
}

// eventsPath is where the live updates are.
const eventsPath = api.Prefix + "/events"

// crossOrigin lets scripts of any web page read the API, which has no secrets and
// takes no credentials. It is true where that was all that was asked.
func (d *Door) crossOrigin(w http.ResponseWriter, r *http.Request) bool {
	head := w.Header()
	head.Set("Access-Control-Allow-Origin", "*")
	head.Set("Access-Control-Expose-Headers", "ETag, Retry-After")
	if r.Method != http.MethodOptions {
		return false
	}
	head.Set("Access-Control-Allow-Methods", "GET, HEAD")
	head.Set("Access-Control-Allow-Headers", "Last-Event-ID, If-None-Match")
	head.Set("Access-Control-Max-Age", "86400")
	w.WriteHeader(http.StatusNoContent)
	return true
}

// charge counts a request for its address; above 0 it is how long until there is
// room for one.
func (d *Door) charge(r *http.Request) time.Duration {
	if d.limits == nil {
		return 0
	}
	return pace.Take(d.limits.Of(pace.AddressOf(r, d.o.TrustedProxies())), d.now())
}

// refuse answers a request that came too soon.
func (d *Door) refuse(w http.ResponseWriter, isAPI bool, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	const says = "there were too many requests from this address: wait a moment"
	if isAPI {
		api.Problem(w, http.StatusTooManyRequests, says)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, says, http.StatusTooManyRequests)
}
