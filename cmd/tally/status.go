package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/client"
)

func newStatus() *cobra.Command {
	c := &cobra.Command{
		Use:     "status",
		Short:   "Show a node's network, height and version",
		Example: "  tally status\n  tally status --rpc http://node1:8545 --json",
		Args:    exactly(),
	}
	f := nodeFlags{}
	f.add(c)
	c.RunE = run(func(c *cobra.Command, _ []string) error {
		return f.with(c.Context(), func(ctx context.Context, node *client.Client) error {
			s, err := node.Status(ctx)
			if err != nil {
				return err
			}
			state := "up to date"
			if s.CatchingUp {
				state = "catching up with the network"
			}
			return show(c, s, fmt.Sprintf("network     %s (chain %d)\nheight      %d, %s\nblock       %s\ntime        %s\n"+
				"app hash    %s\nnode        %s\nvalidator   0x%x\nsettlement  %s\nversion     %s\n",
				s.NetworkID, s.ChainID, s.Height, state, s.BlockHash, utc(s.BlockTime), s.AppHash, s.NodeID,
				s.ValidatorAddress, s.SettlementAsset, s.Version))
		})
	})
	return c
}
