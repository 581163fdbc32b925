package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/config"
	"github.com/tallystick/tallystick/node"
)

func newStart() *cobra.Command {
	c := &cobra.Command{
		Use:     "start",
		Short:   "Run the node",
		Long:    "Run the node in --home until Ctrl-C. The log goes to standard error.",
		Example: "  tally start --home /srv/tally",
		Args:    exactly(),
	}
	home := homeFlag(c)
	c.RunE = run(func(c *cobra.Command, _ []string) error {
		settings, err := loadConfig(*home)
		if err != nil {
			return err
		}
		if _, err := node.ReadIdentity(node.Home(*home)); err != nil {
			return fails(exitConfig, err, "the node's keys are made by `tally init`, once; put them back from a backup, or make a new node in another --home")
		}
		if _, err := node.CheckGenesis(node.Home(*home).GenesisFile()); err != nil {
			return fails(exitConfig, err, "get genesis.json from another founder, every node has the same, and put it there with `tally genesis install`")
		}
		return node.Run(c.Context(), settings, *home, node.Options{
			Logger: node.NewLogger(c.ErrOrStderr(), settings.Log), Version: readBuild().Version,
		})
	})
	return c
}

// loadConfig loads the configuration in home.
func loadConfig(home string) (config.Config, error) {
	settings, err := config.Load(node.Home(home).ConfigFile())
	if errors.Is(err, fs.ErrNotExist) {
		return settings, fails(exitConfig, fmt.Errorf("there is no node in %s: %w", home, err),
			fmt.Sprintf("make one with `tally init --home %s`, or start a whole network with `tally devnet`", home))
	}
	return settings, fails(exitConfig, err, "")
}
