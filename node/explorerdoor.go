package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/tallystick/tallystick/explorer/door"
	"github.com/tallystick/tallystick/explorer/index"
	"github.com/tallystick/tallystick/explorer/query"
	"github.com/tallystick/tallystick/explorer/store"
)

// Pauses after the explorer's database could not be opened, or written to.
const (
	explorerRetry   = 200 * time.Millisecond // of the first failure
	explorerLongest = 30 * explorerRetry
	explorerAgain   = time.Minute      // after an error that no retry cures, but perhaps an operator
	explorerAsk     = 10 * time.Second // how long a client may take to ask, meanwhile
)

// explorerFile is the explorer's index where the configuration names none.
func (h Home) explorerFile() string { return filepath.Join(h.DataDir(), "explorer.db") }

// explorerPlace is the explorer's database: a path or a URL.
func (n *Node) explorerPlace() string {
	where := n.config.Explorer.Database
	switch {
	case where == "":
		return n.home.explorerFile()
	case !strings.Contains(where, "://") && !filepath.IsAbs(where):
		return filepath.Join(string(n.home), where)
	}
	return where
}

// startExplorer serves the explorer, if the configuration says where, until ctx
// ends. An address that cannot be had is an error; nothing else that goes wrong in it
// ends the node, or keeps it from starting: it stands beside consensus, and says itself
// what is wrong.
func (n *Node) startExplorer(ctx context.Context) error {
	c := n.config.Explorer
	if c.Listen == "" {
		return nil
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("explorer.listen = %s: %w: stop what uses that address, or set another", c.Listen, err)
	}
	n.explorer = listener.Addr().String()
	log := n.log.With("module", "explorer")
	n.routine.Go(func() {
		defer listener.Close()
		defer caught(log)
		db, err := store.Open(ctx, n.explorerPlace())
		if err != nil {
			db = n.awaitExplorer(ctx, listener.(*net.TCPListener), log, err)
		}
		if db == nil { // ctx has ended
			return
		}
		defer db.Close()
		n.serveExplorer(ctx, listener, db, log)
	})
	return nil
}

// explorerLeaves is how many bytes the explorer's index leaves free on the disk that
// it shares with the chain: the node cannot go on without, and the index can.
const explorerLeaves = 1 << 30

// explorerRoom refuses to fill the disk.
func (n *Node) explorerRoom() error {
	where := n.explorerPlace()
	if strings.Contains(where, "://") {
		return nil // not this machine's disk, or at least not the node's
	}
	free, ok := freeBytes(filepath.Dir(where))
	if ok && free < explorerLeaves {
		return fmt.Errorf("the disk of %s has %d MiB left, of which the explorer's index takes none below %d: free some, or move the index with explorer.database",
			where, free>>20, explorerLeaves>>20)
	}
	return nil
}

// caught logs a panic of the explorer, which ends that and not the node.
func caught(log *slog.Logger) {
	if crash := recover(); crash != nil {
		log.Error("a fault of the explorer, please report it; the node goes on without it", "err", crash, "stack", string(debug.Stack()))
	}
}

// serveExplorer indexes and serves until ctx ends.
func (n *Node) serveExplorer(ctx context.Context, listener net.Listener, db *store.Store, log *slog.Logger) {
	source := n.ExplorerSource()
	follower := index.New(db, source, index.Options{Logger: log, Registry: n.registry, Retry: explorerRetry, Room: n.explorerRoom})
	pages := door.New(door.Options{Queries: query.New(db, follower), Proofs: source, TrustedProxies: n.reload.trustedProxies, Version: n.options.Version, Log: log})
	indexed := make(chan struct{})
	go func() {
		defer close(indexed)
		defer caught(log)
		for err := follower.Run(ctx); err != nil; err = follower.Run(ctx) {
			log.Error("the explorer's index has ended; the node goes on, and begins it again", "err", err, "in", explorerAgain)
			if !pause(ctx, explorerAgain) {
				return
			}
		}
	}()
	if err := pages.Serve(ctx, listener); err != nil {
		log.Error("the explorer is not served any more; the node goes on", "err", err)
	}
	<-indexed
}

// awaitExplorer opens the database once it can be, or returns nil when ctx ends, and
// tells whoever asks meanwhile.
func (n *Node) awaitExplorer(ctx context.Context, listener *net.TCPListener, log *slog.Logger, err error) *store.Store {
	server := &http.Server{ReadHeaderTimeout: explorerAsk, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "5")
		w.Header().Set("Cache-Control", "no-store")
		http.Error(w, "The explorer's database cannot be opened at present. The node goes on without it; its log says why.", http.StatusServiceUnavailable)
	})}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(lent{listener}) // it ends when it is closed
	}()
	defer func() {
		_ = server.Close()
		<-ended
		_ = listener.SetDeadline(time.Time{}) // from here on it is the explorer's
	}()
	for wait := explorerRetry; ; wait = min(2*wait, explorerLongest) {
		log.Error("the explorer's database cannot be opened; the node goes on, and tries again", "err", err, "in", wait)
		if !pause(ctx, wait) {
			return nil
		}
		var db *store.Store
		if db, err = store.Open(ctx, n.explorerPlace()); err == nil {
			return db
		}
		if errors.Is(err, context.Canceled) {
			return nil
		}
	}
}

// lent is a listener that its server cannot close: closing it ends the waiting for
// connections alone.
type lent struct{ *net.TCPListener }

// Close implements net.Listener.
func (l lent) Close() error { return l.SetDeadline(time.Unix(1, 0)) }

// ExplorerAddress is where the explorer listens, or "".
func (n *Node) ExplorerAddress() string { return n.explorer }
