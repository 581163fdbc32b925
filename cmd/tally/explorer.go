package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/explorer"
	"github.com/tallystick/tallystick/explorer/index"
	"github.com/tallystick/tallystick/explorer/store"
	"github.com/tallystick/tallystick/ledger"
)

func newExplorer() *cobra.Command {
	c := &cobra.Command{
		Use:   "explorer",
		Short: "Keep an SQL index of a network's blocks, apart from its nodes",
		Long: "Follow a node over JSON-RPC and keep every block in an SQL database, until it is stopped.\n" +
			"It goes on from where it was stopped, however that was. The database is a file (SQLite), or\n" +
			"PostgreSQL where its URL is given; it may be deleted at any time, and costs the time to make it again.",
		Example: "  tally explorer --rpc http://127.0.0.1:8545 --db explorer.db\n" +
			"  tally explorer --rpc https://node1:8545,https://node2:8545 --db postgres://tally@db/explorer\n" +
			"  tally explorer --db explorer.db --from 0",
		Args: exactly(),
	}
	f := nodeFlags{}
	f.add(c)
	where := c.Flags().String("db", "explorer.db", "the `database`: a file, or postgres://user@host/name")
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
		return runExplorer(c, &f, *where, o)
	})
	return c
}

// runExplorer indexes until it is told to stop, or cannot go on.
func runExplorer(c *cobra.Command, f *nodeFlags, where string, o index.Options) error {
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
	db, err := store.Open(ctx, where)
	if err != nil {
		if errors.Is(err, store.ErrNewer) {
			return fails(exitUsage, err, "use the program that made it, or give another --db")
		}
		return fails(exitFailed, err, "check the path or URL after --db")
	}
	defer db.Close()
	height, _ := db.Height()
	fmt.Fprintf(c.OutOrStdout(), "indexing network %s into %s, from block %d\n", node.Network().ID, db.Name(), height)
	return explorerError(index.New(db, remoteSource{node}, o).Run(ctx))
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
