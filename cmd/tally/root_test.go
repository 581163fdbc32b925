package main

import (
	"testing"

	"github.com/spf13/cobra"
)

// Every command is there once, and says what it is for.
func TestCommandsOnce(t *testing.T) {
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		names := map[string]bool{}
		for _, verb := range c.Commands() {
			if names[verb.Name()] || verb.Short == "" {
				t.Errorf("%s is there twice, or says nothing", verb.CommandPath())
			}
			names[verb.Name()] = true
			walk(verb)
		}
	}
	walk(newRoot())
}
