package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/config"
	"github.com/tallystick/tallystick/node"
)

func newStart() *cobra.Command {
	c := &cobra.Command{
		Use:   "start",
		Short: "Run the node",
		Long: "Run the node in --home until Ctrl-C. The log goes to standard error. On SIGHUP it reads its\n" +
			"configuration, API keys and certificate again, and takes what can change while it runs.",
		Example: "  tally start --home /srv/tally",
		Args:    exactly(),
	}
	home := homeFlag(c)
	c.RunE = run(func(c *cobra.Command, _ []string) error {
		// From the very first: before the node can heed it, SIGHUP must not end it.
		hangUp := make(chan os.Signal, 1)
		signal.Notify(hangUp, syscall.SIGHUP)
		defer signal.Stop(hangUp)
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
		log, level := node.NewLeveledLogger(c.ErrOrStderr(), settings.Log)
		return node.Run(c.Context(), settings, *home, node.Options{
			Logger: log, Version: readBuild().Version,
			Reload: node.Reload{When: hangUp, Level: level, Read: func() (config.Config, error) { return config.Load(node.Home(*home).ConfigFile()) }},
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
