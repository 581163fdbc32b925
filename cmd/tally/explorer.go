package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
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
	where := c.Flags().String("db", "", "the `database`: a file, or postgres://user@host/name, without a password;\nleft out, $"+databaseVariable+", or explorer.db")
	listen := c.Flags().String("listen", "127.0.0.1:8080", "where pages and API are served, `host:port`; empty for none")
	proxies := c.Flags().StringSlice("trusted-proxies", nil, "the `networks` (CIDR) of proxies whose X-Forwarded-For says who asks")
	from := c.Flags().Uint64("from", 0, "index again from this `height` on; 0 is everything; left out, go on where it stands")
	every := c.Flags().Duration("reconcile", time.Minute, "how often to compare the index with proofs of the node's state; 0 for never")
	c.RunE = run(func(c *cobra.Command, _ []string) error {
		o := index.Options{AtOnce: explorerAtOnce, Reconcile: *every, Retry: explorerRetry, Logger: slog.New(slog.NewTextHandler(c.ErrOrStderr(), nil))}
		if *every <= 0 {
			o.Reconcile = -1
		}
		if f.timeout <= 0 {
			return fails(exitUsage, fmt.Errorf("--timeout %s: must be above 0", f.timeout), "")
		}
		if c.Flags().Changed("from") {
			height := ledger.Height(*from)
			o.From = &height
		}
		database, err := databaseOf(*where)
		if err != nil {
			return err
		}
		s := explorerService{where: database, listen: *listen, index: o}
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

// explorerRetry is the first pause after an error; the longest is thirty of them: so
// long a node may be back before it is noticed.
const explorerRetry = 200 * time.Millisecond

// explorerAtOnce is how many small blocks a node is asked for at once by who is behind:
// from 50 ms away some 140 blocks a second come so.
const explorerAtOnce = 8

// databaseVariable has the database's URL where that has a password: it is the
// variable of a node's setting, too.
const databaseVariable = "TALLY_EXPLORER_DATABASE"

// databaseOf is which database to take. A password is never taken from the command
// line, where other users of the machine could see it.
func databaseOf(flag string) (string, error) {
	switch {
	case flag == "":
		return cmp.Or(os.Getenv(databaseVariable), "explorer.db"), nil
	case config.WithoutPassword(flag) != flag:
		return "", fails(exitUsage, fmt.Errorf("--db %s: other users of this machine could read the password", config.WithoutPassword(flag)),
			"put it in $PGPASSWORD or ~/.pgpass, or the whole URL in $"+databaseVariable)
	}
	return flag, nil
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
	explorer.KeepMemory()
	options, err := f.access.options()
	if err != nil {
		return err
	}
	db, err := store.Open(ctx, s.where)
	if err != nil {
		if errors.Is(err, store.ErrNewer) {
			return fails(exitUsage, err, "use the program that made it, or give another --db")
		}
		return fails(exitFailed, err, "check the path or URL after --db")
	}
	defer db.Close()
	source, err := s.source(ctx, db, f, options)
	if err != nil {
		return err
	}
	defer source.close()
	height, _ := db.Height()
	fmt.Fprintf(c.OutOrStdout(), "indexing network %s into %s, from block %d\n", source.Network().ID, db.Name(), height)
	group, ctx := errgroup.WithContext(ctx)
	follower := index.New(db, source, s.index)
	if s.listen != "" {
		listener, err := net.Listen("tcp", s.listen)
		if err != nil {
			return fails(exitFailed, fmt.Errorf("--listen %s: %w", s.listen, err), "stop what uses that address, or give another")
		}
		fmt.Fprintf(c.OutOrStdout(), "serving http://%s\n", listener.Addr())
		pages := door.New(door.Options{Queries: query.New(db, follower), Proofs: source, TrustedProxies: func() []netip.Prefix { return s.proxies }, Version: readBuild().Version, Log: s.index.Logger})
		group.Go(func() error { return pages.Serve(ctx, listener) })
	}
	group.Go(func() error { source.listen(ctx); return nil })
	group.Go(func() error { return explorerError(follower.Run(ctx)) })
	return group.Wait() // whichever cannot go on ends the others
}

// source connects to the nodes. Where none answers for now, what the database has is
// shown all the same, and says so.
func (s explorerService) source(ctx context.Context, db *store.Store, f *nodeFlags, o client.Options) (*remoteSource, error) {
	stored, err := db.Network(ctx)
	if err != nil {
		return nil, err
	}
	source := newRemoteSource(f, o, stored)
	_, err = source.connect(ctx)
	if e, ok := errors.AsType[*client.Error](err); ok && e.Temporary() && stored != nil {
		s.index.Logger.Warn("no node answers: what is indexed already is shown, and the nodes are asked again", "error", err)
		err = nil
	}
	return source, explorerError(err)
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
