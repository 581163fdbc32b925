package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/config"
	"github.com/tallystick/tallystick/node"
)

func newConfig() *cobra.Command {
	return group("config", "Show and check a node's configuration", newConfigShow(), newConfigCheck())
}

func newConfigShow() *cobra.Command {
	c := &cobra.Command{
		Use:   "show",
		Short: "Show every setting, its value and where it comes from",
		Long: "Show the settings that the node in --home runs with: those of its config.toml, with the\n" +
			"environment over them and the defaults beneath.",
		Example: "  tally config show --home /srv/tally\n  tally config show --json",
		Args:    exactly(),
	}
	home := homeFlag(c)
	c.RunE = run(func(c *cobra.Command, _ []string) error {
		settings, err := config.Show(node.Home(*home).ConfigFile())
		if err != nil {
			return noConfig(*home, err)
		}
		var t strings.Builder
		for _, s := range settings {
			origin := string(s.Source)
			if s.Source == config.FromEnvironment {
				origin += " " + s.Variable
			}
			// A list has a line for each of its items, and may be long: one line here.
			value := strings.Join(strings.Fields(s.Value), " ")
			if !strings.Contains(s.Value, "\n") {
				value = s.Value
			}
			fmt.Fprintf(&t, "%-36s %-24s %s\n", s.Key, value, origin)
		}
		return show(c, settings, t.String())
	})
	return c
}

func newConfigCheck() *cobra.Command {
	c := &cobra.Command{
		Use:     "check",
		Short:   "Check a node's configuration, without starting it",
		Example: "  tally config check --home /srv/tally",
		Args:    exactly(),
	}
	home := homeFlag(c)
	c.RunE = run(func(c *cobra.Command, _ []string) error {
		file := node.Home(*home).ConfigFile()
		settings, err := config.Load(file)
		if err != nil {
			return noConfig(*home, err)
		}
		if err := node.CheckAccess(settings, node.Home(*home), node.NewLogger(c.ErrOrStderr(), config.Log{Format: "text", Level: "warn"})); err != nil {
			return fails(exitConfig, err, "correct the file, or the setting, and check again")
		}
		return show(c, map[string]any{"file": file, "ok": true}, file+" is in order\n")
	})
	return c
}

// noConfig explains why there is no configuration to show.
func noConfig(home string, err error) error {
	hint := "correct the file, or the environment, and check again"
	if errors.Is(err, fs.ErrNotExist) {
		hint = fmt.Sprintf("make a node with `tally init --home %s`", home)
	}
	return fails(exitConfig, err, hint)
}
