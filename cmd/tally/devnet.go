package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/config"
	"github.com/tallystick/tallystick/node"
)

func newDevnet() *cobra.Command {
	c := &cobra.Command{
		Use:   "devnet",
		Short: "Run a whole network on this machine, for development",
		Long: "Run a network of validators in this process, on loopback, with funded accounts whose keys\n" +
			"every Ethereum developer knows, and the explorer's pages over it. It is kept in --dir and goes on at the next start.\n" +
			"With --json it prints one line when it is ready, and nothing else.",
		Example: "  tally devnet\n  tally devnet --demo\n  tally devnet --validators 1 --dir ./chain --base-port 18545 --json",
		Args:    exactly(),
	}
	o := node.DevnetOptions{}
	c.Flags().IntVar(&o.Validators, "validators", 0, fmt.Sprintf("how many, 1 to %d; a new devnet has 4", node.MaxDevnetValidators))
	c.Flags().StringVar(&o.Dir, "dir", underUser("devnet"), "the `directory` that keeps it")
	c.Flags().IntVar(&o.BasePort, "base-port", 8545, "JSON-RPC `port` of the first validator; the next ones follow, peers are 100 above, metrics 200 above, the explorer 300 above")
	c.Flags().BoolVar(&o.Demo, "demo", false, "make a small, steady load: payments, a hold and a proposal now and then")
	c.Flags().BoolVar(&o.Reset, "reset", false, "throw away what is in --dir and start over")
	level := c.Flags().String("log-level", "warn", "the least severe `level` that is logged to standard error: debug, info, warn or error")
	c.RunE = run(func(c *cobra.Command, _ []string) error {
		settings := config.Default()
		settings.Log.Level = *level
		if err := settings.Validate(); err != nil {
			return fails(exitUsage, err, "choose another --log-level")
		}
		switch validators := c.Flags().Changed("validators"); {
		case validators && (o.Validators < 1 || o.Validators > node.MaxDevnetValidators):
			return fails(exitUsage, fmt.Errorf("--validators %d: want 1 to %d", o.Validators, node.MaxDevnetValidators), "")
		case o.BasePort < 1 || o.BasePort > node.MaxDevnetBasePort:
			return fails(exitUsage, fmt.Errorf("--base-port %d: want 1 to %d", o.BasePort, node.MaxDevnetBasePort), "")
		case o.Dir == "":
			return fails(exitUsage, errors.New("--dir: is empty"), "name a directory, or leave it out")
		}
		o.JSON, o.Version = asJSON(c), readBuild().Version
		o.Out, o.Log = c.OutOrStdout(), node.NewLogger(c.ErrOrStderr(), settings.Log)
		return node.RunDevnet(c.Context(), o)
	})
	return c
}
