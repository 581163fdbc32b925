package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/config"
	"github.com/tallystick/tallystick/explorer"
	"github.com/tallystick/tallystick/explorer/door"
	"github.com/tallystick/tallystick/explorer/index"
	"github.com/tallystick/tallystick/explorer/query"
	"github.com/tallystick/tallystick/explorer/store"
	"github.com/tallystick/tallystick/ledger"
)

func newExplorer() *cobra.Command {
	c := &cobra.Command{
		Use:   "explorer",
		Short: "Show a network to everybody, apart from its nodes",
		Long: "Follow a node over JSON-RPC, keep every block in an SQL database, and serve pages and a REST API\n" +
			"over it, until it is stopped. With --listen empty it keeps the index alone.\n" +
			"It goes on from where it was stopped, however that was. The database is a file (SQLite), or\n" +
			"PostgreSQL where its URL is given; it may be deleted at any time, and costs the time to make it again.",
		Example: "  tally explorer --rpc http://127.0.0.1:8545 --db explorer.db --listen 127.0.0.1:8080\n" +
			"  tally explorer --rpc https://node1:8545,https://node2:8545 --db postgres://tally@db/explorer\n" +
			"  tally explorer --db explorer.db --from 0",
		Args: exactly(),
	}
	f := nodeFlags{}
	f.add(c)
	where := c.Flags().String("db", "explorer.db", "the `database`: a file, or postgres://user@host/name")
	listen := c.Flags().String("listen", "127.0.0.1:8080", "where pages and API are served, `host:port`; empty for none")
	proxies := c.Flags().StringSlice("trusted-proxies", nil, "the `networks` (CIDR) of proxies whose X-Forwarded-For says who asks")
	from := c.Flags().Int64("from", -1, "index again from this `height` on; 0 is everything")
	every := c.Flags().Duration("reconcile", time.Minute, "how often to compare the index with proofs of the node's state; 0 for never")
	c.RunE = run(func(c *cobra.Command, _ []string) error {
		o := index.Options{Reconcile: *every, Logger: slog.New(slog.NewTextHandler(c.ErrOrStderr(), nil))}
		if *every <= 0 {
			o.Reconcile = -1
		}
		if *from >= 0 {
			height := ledger.Height(*from)
			o.From = &height
		}
		s := explorerService{where: *where, listen: *listen, index: o}
		for _, text := range *proxies {
			network, ok := config.ParseNetwork(text)
			if !ok {
				return fails(exitUsage, fmt.Errorf("--trusted-proxies: %q is no network", text), "write an address, or a network such as 10.0.0.0/8")
			}
			s.proxies = append(s.proxies, network)
		}
		return s.run(c, &f)
	})
	return c
}

// explorerService is an explorer in a process of its own.
type explorerService struct {
	where, listen string
	proxies       []netip.Prefix
	index         index.Options
}

// run indexes and serves until it is told to stop, or cannot go on.
func (s explorerService) run(c *cobra.Command, f *nodeFlags) error {
	ctx, stop := signal.NotifyContext(c.Context(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	options, err := f.access.options()
	if err != nil {
		return err
	}
	dialling, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	node, err := client.DialWith(dialling, options, f.urls...)
	if err != nil {
		return err
	}
	defer node.Close()
	db, err := store.Open(ctx, s.where)
	if err != nil {
		if errors.Is(err, store.ErrNewer) {
			return fails(exitUsage, err, "use the program that made it, or give another --db")
		}
		return fails(exitFailed, err, "check the path or URL after --db")
	}
	defer db.Close()
	height, _ := db.Height()
	fmt.Fprintf(c.OutOrStdout(), "indexing network %s into %s, from block %d\n", node.Network().ID, db.Name(), height)
	source := remoteSource{node}
	follower := index.New(db, source, s.index)
	if s.listen == "" {
		return explorerError(follower.Run(ctx))
	}
	listener, err := net.Listen("tcp", s.listen)
	if err != nil {
		return fails(exitFailed, fmt.Errorf("--listen %s: %w", s.listen, err), "stop what uses that address, or give another")
	}
	fmt.Fprintf(c.OutOrStdout(), "serving http://%s\n", listener.Addr())
	return s.serve(ctx, listener, db, follower, source)
}

// serve answers while the index is kept. Either of them ends both.
func (s explorerService) serve(ctx context.Context, listener net.Listener, db *store.Store, follower *index.Index, source explorer.Source) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return explorerError(follower.Run(ctx)) })
	pages := door.New(door.Options{Queries: query.New(db, follower), Proofs: source, TrustedProxies: s.proxies, Version: readBuild().Version, Log: s.index.Logger})
	group.Go(func() error { return pages.Serve(ctx, listener) })
	return group.Wait()
}

// explorerError says what to do about an error that no retry cures.
func explorerError(err error) error {
	switch {
	case errors.Is(err, store.ErrBusy):
		return fails(exitFailed, err, "stop the other tally explorer, or give another --db")
	case errors.Is(err, index.ErrOtherNetwork):
		return fails(exitFailed, err, "give another --db, or a node of its network after --rpc")
	case errors.Is(err, explorer.ErrPruned):
		return fails(exitFailed, err, "give a node that keeps all blocks after --rpc")
	}
	return err
}
