package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

func newBlock() *cobra.Command { return group("block", "Show blocks", newBlockShow()) }

func newBlockShow() *cobra.Command {
	c := &cobra.Command{
		Use:     "show [HEIGHT|HASH|latest]",
		Short:   "Show a block",
		Example: "  tally block show\n  tally block show 12\n  tally block show latest --json",
		Args:    atMost("HEIGHT|HASH|latest"),
	}
	f := nodeFlags{}
	f.add(c)
	c.RunE = run(func(c *cobra.Command, arguments []string) error {
		read, err := blockReader(strings.Join(arguments, ""))
		if err != nil {
			return err
		}
		return f.with(c.Context(), func(ctx context.Context, node *client.Client) error {
			b, err := read(ctx, node)
			if err != nil {
				return err
			}
			return show(c, b, blockText(b))
		})
	})
	return c
}

// blockReader chooses the method that reads the block called name.
func blockReader(name string) (func(context.Context, *client.Client) (*wire.Block, error), error) {
	if name == "" || name == "latest" {
		return func(ctx context.Context, node *client.Client) (*wire.Block, error) { return node.LatestBlock(ctx) }, nil
	}
	if strings.HasPrefix(name, "0x") {
		hash, err := crypto.ParseHash(name)
		return func(ctx context.Context, node *client.Client) (*wire.Block, error) {
				return node.BlockByHash(ctx, hash)
			},
			fails(exitUsage, err, "give a height, a block's hash, or latest")
	}
	height, err := strconv.ParseUint(name, 10, 64)
	if err == nil && height > ledger.MaxJSONInteger {
		err = errors.New("too large")
	}
	if err != nil {
		return nil, fails(exitUsage, fmt.Errorf("block %q: neither a height nor a hash nor latest", name), "")
	}
	return func(ctx context.Context, node *client.Client) (*wire.Block, error) {
		return node.BlockAt(ctx, ledger.Height(height))
	}, nil
}

func blockText(b *wire.Block) string {
	var t strings.Builder
	fmt.Fprintf(&t, "height        %d\nhash          %s\nparent        %s\ntime          %s\nproposer      0x%x\n"+
		"app hash      %s (of the state before)\nsize          %d bytes\ntransactions  %d\n",
		b.Height, b.Hash, b.ParentHash, utc(b.Time), b.Proposer, b.AppHash, b.SizeBytes, len(b.Transactions))
	for _, hash := range b.Transactions {
		fmt.Fprintf(&t, "  %s\n", hash)
	}
	return t.String()
}
