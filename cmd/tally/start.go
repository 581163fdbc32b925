package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"

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
		Args:    cobra.NoArgs,
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
			return fails(exitConfig, err, "get genesis.json from whoever founded the network: every node has the same")
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

func newInit() *cobra.Command {
	c := &cobra.Command{
		Use:   "init",
		Short: "Make the directory, keys and configuration of a new node",
		Long: "Make a new node in --home: its two keys, and config.toml with every setting explained.\n" +
			"It prints what the other members need to know. Nothing that exists is replaced.",
		Example: "  tally init --home /srv/tally --moniker bank-a",
		Args:    cobra.NoArgs,
	}
	home := homeFlag(c)
	moniker := c.Flags().String("moniker", defaultMoniker(), "the `name` that the node shows to its peers")
	c.RunE = run(func(c *cobra.Command, _ []string) error {
		settings := config.Default()
		settings.Moniker = *moniker
		if err := settings.Validate(); err != nil {
			return fails(exitUsage, err, "choose another --moniker")
		}
		identity, err := node.Init(node.Home(*home), settings)
		if errors.Is(err, fs.ErrExist) {
			return fails(exitConfig, err, "choose another --home, or remove what is there if nobody needs those keys")
		}
		if err != nil {
			return err
		}
		return showIdentity(c, node.Home(*home), identity)
	})
	return c
}

// showIdentity says what init has made.
func showIdentity(c *cobra.Command, home node.Home, identity node.Identity) error {
	document := struct {
		Home string `json:"home"`
		node.Identity
	}{string(home), identity}
	return show(c, document, fmt.Sprintf(`A new node is in %s

  node ID             %s
  consensus key       %s
  validator address   %s

Next: put the network's genesis.json into it, name its peers in %s
(p2p.peers, by their node IDs), and run

  tally start --home %s
`, home, identity.NodeID, base64.StdEncoding.EncodeToString(identity.ConsensusKey), identity.ValidatorAddress,
		home.ConfigFile(), home))
}

// defaultMoniker is the machine's name, where that is a moniker.
func defaultMoniker() string {
	settings := config.Default()
	if name, err := os.Hostname(); err == nil {
		settings.Moniker = name
		if settings.Validate() == nil {
			return name
		}
	}
	return config.Default().Moniker
}
