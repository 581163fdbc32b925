package rpc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	gethrpc "github.com/ethereum/go-ethereum/rpc"
	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/feed"
)

// Options are the server's limits and surroundings. A zero value stands for
// the default.
type Options struct {
	MaxBodyBytes   int // of an HTTP body or a WebSocket message; 5 MiB
	MaxBatch       int // calls in one batch; 100
	MaxWaiting     int // calls that wait for a receipt at the same time; 4096
	MaxConcurrent  int // other calls that run at the same time; 1024
	MaxConnections int // open WebSockets; 4096. (The listener bounds plain HTTP.)

	MaxSubscriptions           int // in all; 10,000
	MaxConnectionSubscriptions int // of one WebSocket; 1024

	WaitTimeout time.Duration // the longest wait; a longer timeoutMs means this one; 30 s
	ReadTimeout time.Duration // for the body of one HTTP request; 30 s

	// Access says who may call at first; SetAccess changes it.
	Access Access

	Logger  *slog.Logger          // nil: slog.Default
	Metrics prometheus.Registerer // nil: counted, but not registered
	Version string                // of the node, shown in the OpenRPC document; "dev"
}

// Limits that nobody needs to set.
const (
	maxBatchWaits    = 4                // waiting calls in one batch
	maxBatchResponse = 32 << 20         // bytes of all results of one batch
	heavyAtOnce      = 4                // searches of the history, for each processor
	queueWait        = 2 * time.Second  // for a place among the concurrent calls
	writeTimeout     = 30 * time.Second // for one response to leave
	defaultWait      = 10 * time.Second // where timeoutMs is left out
	drainFactor      = 8                // an oversized message is read away up to this many times the limit
)

func (o Options) withDefaults() (Options, error) {
	for _, limit := range []struct {
		name     string
		value    *int
		fallback int
	}{
		{"MaxBodyBytes", &o.MaxBodyBytes, 5 << 20}, {"MaxBatch", &o.MaxBatch, 100},
		{"MaxWaiting", &o.MaxWaiting, 4096}, {"MaxConcurrent", &o.MaxConcurrent, 1024},
		{"MaxConnections", &o.MaxConnections, 4096},
		{"MaxSubscriptions", &o.MaxSubscriptions, 10_000},
		{"MaxConnectionSubscriptions", &o.MaxConnectionSubscriptions, 1024},
	} {
		if *limit.value < 0 {
			return o, fmt.Errorf("rpc: %s %d: must be above 0, or 0 for %d", limit.name, *limit.value, limit.fallback)
		}
		if *limit.value == 0 {
			*limit.value = limit.fallback
		}
	}
	if o.WaitTimeout < 0 || o.ReadTimeout < 0 {
		return o, errors.New("rpc: WaitTimeout and ReadTimeout must not be negative")
	}
	if o.WaitTimeout == 0 {
		o.WaitTimeout = 30 * time.Second
	}
	if o.ReadTimeout == 0 {
		o.ReadTimeout = 30 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Version == "" {
		o.Version = "dev"
	}
	return o, nil
}

// Server serves JSON-RPC on "/", and for clients that send their key in the path
// on "/key/…": HTTP POST and WebSocket. It is safe for
// concurrent use. The http.Server around it should have no WriteTimeout (calls
// wait, and responses have their own deadline) and a ReadHeaderTimeout.
type Server struct {
	backend  Backend
	options  Options
	geth     *gethrpc.Server
	openRPC  []byte
	metrics  *metrics
	access   atomic.Pointer[access]
	now      func() time.Time // of the limits
	upgrader websocket.Upgrader

	waiting    gate // calls that wait for a receipt
	concurrent gate // other calls
	heavy      gate // calls that may read thousands of blocks or receipts
	patient    gate // of those, calls that wait a little for the receipt of what is pending
	requests   gate // HTTP requests, from their headers to their response
	sockets    gate // open WebSockets
	admitting  gate // transactions that are being admitted
	subscribed gate // subscriptions

	feed *feed.Feed
	slow slowness

	receiptPatience time.Duration // the constant, but in tests

	held atomic.Int64 // bytes of results that wait to be sent

	ethBlocks   *ethBlockCache
	ethFilters  *ethFilters
	startHeight ledger.Height // when the server was made

	stopping context.Context // ends when Shutdown begins
	stop     context.CancelFunc
	workers  workers // run what does not take go-ethereum's way
	calls    tracker // calls that are running
	opened   tracker // WebSockets that are open

	mu    sync.Mutex // guards conns
	conns map[string]*wsConn
}

// NewServer makes a server over b. It errs when an option is out of range or
// the metrics cannot be registered.
func NewServer(b Backend, o Options) (*Server, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Server{backend: b, options: o, geth: gethrpc.NewServer(), workers: newWorkers(), conns: map[string]*wsConn{}}
	s.ethFilters = newEthFilters()
	s.ethBlocks, s.startHeight = newEthBlockCache(), b.Height()
	s.stopping, s.stop = context.WithCancel(context.Background())
	s.now = time.Now
	s.SetAccess(o.Access)
	s.upgrader = websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }} // serveWebSocket has checked it
	s.waiting = newGate(o.MaxWaiting)
	s.concurrent = newGate(o.MaxConcurrent)
	s.heavy = newGate(min(heavyAtOnce*runtime.GOMAXPROCS(0), o.MaxConcurrent))
	s.patient = newGate(max(o.MaxConcurrent/2, 1))
	s.requests = newGate(o.MaxWaiting + 4*o.MaxConcurrent)
	s.sockets = newGate(o.MaxConnections)
	s.admitting = newGate(admittedAtOnce())
	s.subscribed = newGate(o.MaxSubscriptions)
	s.feed, s.slow, s.receiptPatience = feed.New(s.stopping, feedSource{b}), usualSlowness, receiptPatience
	if s.metrics, err = newMetrics(o.Metrics, s); err != nil {
		return nil, err
	}
	document, err := openRPCDocument(o.Version)
	if err != nil {
		return nil, err
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, document); err != nil {
		return nil, fmt.Errorf("rpc: the OpenRPC document: %w", err)
	}
	s.openRPC = compact.Bytes()
	// screen has judged size and length before; here they must not bind.
	s.geth.SetHTTPBodyLimit(2*o.MaxBodyBytes + 1<<20)
	for namespace, api := range s.apis() {
		if err := s.geth.RegisterName(namespace, api); err != nil {
			return nil, fmt.Errorf("rpc: %w", err)
		}
	}
	return s, nil
}

// apis are the receivers of the methods, by the first part of the methods' names.
func (s *Server) apis() map[string]any {
	return map[string]any{"ledger": &ledgerAPI{s}, "rpc": &rpcAPI{s}, "eth": &ethAPI{s}, "net": &netAPI{s}, "web3": &web3API{s}}
}

// Shutdown ends the server: new calls and waiting calls are answered with
// "shuttingDown", running calls finish, WebSockets are closed. When ctx ends
// first, what is left is cut off and ctx's error returned. Call it before the
// http.Server's own Shutdown.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stop()
	idle := s.calls.close()
	closed := s.opened.close()
	for _, c := range s.connections() {
		c.finish()
	}
	var err error
	for _, done := range []<-chan struct{}{idle, closed} {
		select {
		case <-done:
		case <-ctx.Done():
			err = fmt.Errorf("rpc: shutdown: %w", ctx.Err())
		}
	}
	for _, c := range s.connections() {
		c.cut()
	}
	// go-ethereum's server is not stopped: it holds nothing once the WebSockets
	// are gone, and what comes after this must still be refused in JSON.
	return err
}

// Feed is the chain as one stream, for other readers in the same process. It ends
// when Shutdown begins.
func (s *Server) Feed() *feed.Feed { return s.feed }

func (s *Server) connections() []*wsConn {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*wsConn, 0, len(s.conns))
	for _, c := range s.conns {
		out = append(out, c)
	}
	return out
}
