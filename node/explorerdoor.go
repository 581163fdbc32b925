package node

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strings"

	"github.com/tallystick/tallystick/explorer/door"
	"github.com/tallystick/tallystick/explorer/index"
	"github.com/tallystick/tallystick/explorer/query"
	"github.com/tallystick/tallystick/explorer/store"
)

// explorerFile is the explorer's index where the configuration names none.
func (h Home) explorerFile() string { return filepath.Join(h.DataDir(), "explorer.db") }

// startExplorer serves the explorer, if the configuration says where, until ctx
// ends. Nothing that goes wrong in it ends the node: it stands beside consensus, and
// says itself what is wrong.
func (n *Node) startExplorer(ctx context.Context) error {
	c := n.config.Explorer
	if c.Listen == "" {
		return nil
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("explorer.listen = %s: %w: stop what uses that address, or set another", c.Listen, err)
	}
	where := c.Database
	if where == "" {
		where = n.home.explorerFile()
	} else if !strings.Contains(where, "://") && !filepath.IsAbs(where) {
		where = filepath.Join(string(n.home), where)
	}
	db, err := store.Open(ctx, where)
	if err != nil {
		listener.Close()
		return fmt.Errorf("explorer.database: %w", err)
	}
	log := n.log.With("module", "explorer")
	source := n.ExplorerSource()
	follower := index.New(db, source, index.Options{Logger: log, Registry: n.registry})
	pages := door.New(door.Options{Queries: query.New(db, follower), Proofs: source, TrustedProxies: n.reload.access.TrustedProxies, Version: n.options.Version, Log: log})
	n.explorer = listener.Addr().String()
	n.routine.Go(func() {
		defer db.Close()
		indexed := make(chan struct{})
		go func() {
			defer close(indexed)
			if err := follower.Run(ctx); err != nil {
				log.Error("the explorer's index has ended; the node goes on", "err", err)
			}
		}()
		if err := pages.Serve(ctx, listener); err != nil {
			log.Error("the explorer is not served any more; the node goes on", "err", err)
		}
		<-indexed
	})
	return nil
}

// ExplorerAddress is where the explorer listens, or "".
func (n *Node) ExplorerAddress() string { return n.explorer }
