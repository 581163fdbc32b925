package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// docs/CLI.md has an example of every command, and every exit code.
func TestDocumented(t *testing.T) {
	data, err := os.ReadFile("../../docs/CLI.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	eachCommand(newRoot(), func(c *cobra.Command) {
		if !strings.Contains(text, c.CommandPath()+" ") && !strings.Contains(text, c.CommandPath()+"\n") {
			t.Errorf("docs/CLI.md has no example of `%s`", c.CommandPath())
		}
	})
	for code, name := range exitNames {
		if !strings.Contains(text, fmt.Sprintf("| %d | `%s` |", code, name)) {
			t.Errorf("docs/CLI.md does not explain the exit code %d, %s", code, name)
		}
	}
}

// Every command explains itself, with an example that begins as it does.
func TestEveryCommandHasAnExample(t *testing.T) {
	eachCommand(newRoot(), func(c *cobra.Command) {
		if c.Short == "" || !strings.HasPrefix(strings.TrimSpace(c.Example), c.CommandPath()) {
			t.Errorf("`%s` has no short text, or no example that begins with it: %q", c.CommandPath(), c.Example)
		}
	})
}

// eachCommand visits the commands that have none beneath them.
func eachCommand(c *cobra.Command, visit func(*cobra.Command)) {
	if !c.HasSubCommands() {
		visit(c)
	}
	for _, child := range c.Commands() {
		if child.Name() != "help" && child.Name() != "completion" {
			eachCommand(child, visit)
		}
	}
}
