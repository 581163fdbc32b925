package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// execute runs one command line and returns its exit code.
func execute(ctx context.Context, arguments []string, out, errs io.Writer) int {
	root := newRoot()
	root.SetArgs(arguments)
	root.SetOut(out)
	root.SetErr(errs)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	f := asFailure(plainGroupError(err))
	if f.code == exitUsage && f.hint == "" {
		f.hint = suggest(root, arguments)
	}
	f.print(errs, wantsJSON(arguments))
	return f.code
}

// suggest says what to do about a command line that cannot be understood.
func suggest(root *cobra.Command, arguments []string) string {
	found, rest, _ := root.Find(arguments) // its error is the one at hand
	if len(rest) > 0 {
		if near := found.SuggestionsFor(rest[0]); len(near) > 0 {
			return fmt.Sprintf("did you mean `%s %s`?", found.CommandPath(), near[0])
		}
	}
	return fmt.Sprintf("see `%s --help`", found.CommandPath())
}

// newRoot makes the command with all commands beneath it.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "tally",
		Short: "Run a Tallystick node, and talk to one",
		Long: "Tallystick gives every member of a consortium a full, matching, signed copy of one ledger.\n" +
			"`tally devnet` starts a whole network on this machine.",
		SilenceErrors: true,
		SilenceUsage:  true,
		// suggest makes one line of them.
		DisableSuggestions:         true,
		SuggestionsMinimumDistance: 2,
	}
	root.PersistentFlags().Bool("json", false, "write JSON, for programs")
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return plainFlagError(err) })
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), "Flags.FlagUsages ", fmt.Sprintf("Flags.FlagUsagesWrapped %d ", helpColumns)))
	root.AddCommand(newDevnet(), newInit(), newStart(), newHealth(), newVersion(), newGenesis())
	root.AddCommand(clientCommands()...)
	return root
}

// flagForms say how the values of a type of flag are written, where the library's
// own errors speak of Go.
var flagForms = map[string]string{
	"bool": "true or false", "duration": "a duration such as 90s, 10m or 72h",
	"int":  "a whole number",
	"uint": "a whole number from 0", "uint8": "a whole number from 0 to 255", "uint16": "a whole number from 0 to 65535",
	"uint32": "a whole number from 0 to 4294967295", "uint64": "a whole number from 0",
	"float64": "a number",
}

// plainFlagError names a flag and its value, and what is wanted there: in the
// flag's own words, or in ours where those are Go's.
func plainFlagError(err error) error {
	invalid, ok := errors.AsType[*pflag.InvalidValueError](err)
	if !ok {
		return err
	}
	cause := invalid.Unwrap()
	_, notNumber := errors.AsType[*strconv.NumError](cause)
	if form, known := flagForms[invalid.GetFlag().Value.Type()]; known && (notNumber || strings.HasPrefix(cause.Error(), "time: ")) {
		cause = fmt.Errorf("want %s", form)
	}
	return fmt.Errorf("--%s %q: %w", invalid.GetFlag().Name, invalid.GetValue(), cause)
}

// groupErrors are the library's errors about flags that are missing or do not go
// together, and how we say them of the flags that they name.
var groupErrors = []struct {
	library *regexp.Regexp
	ours    string
}{
	{regexp.MustCompile(`^required flag\(s\) (.+) not set$`), "%s: missing"},
	{regexp.MustCompile(`^at least one of the flags in the group \[(.+)\] is required$`), "%s: one of them is missing"},
	{regexp.MustCompile(`^if any flags in the group \[.+\] are set none of the others can be; \[(.+)\] were all set$`), "%s: give only one of them"},
}

// plainGroupError says what the library says of several flags as we do.
func plainGroupError(err error) error {
	for _, e := range groupErrors {
		if m := e.library.FindStringSubmatch(err.Error()); m != nil {
			names := strings.FieldsFunc(m[1], func(r rune) bool { return strings.ContainsRune(`", `, r) })
			return fmt.Errorf(e.ours, "--"+strings.Join(names, ", --"))
		}
	}
	return err
}

// helpColumns is the width to which the descriptions of flags are wrapped.
const helpColumns = 80

// action is what a command does. Its errors that are no failure yet become one.
type action func(c *cobra.Command, arguments []string) error

func run(f action) action {
	return func(c *cobra.Command, arguments []string) error {
		err := fromClient(f(c, arguments))
		if err == nil {
			return nil
		}
		if _, is := err.(*failure); is {
			return err
		}
		return fails(exitFailed, err, "")
	}
}

// exactly wants as many arguments as it names.
func exactly(names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, given []string) error {
		if len(given) < len(names) {
			return fmt.Errorf("the argument %s is missing", names[len(given)])
		}
		return atMost(names...)(nil, given)
	}
}

// atMost wants no more arguments than it names.
func atMost(names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, given []string) error {
		if len(given) > len(names) {
			return fmt.Errorf("the argument %q is one too many%s", given[len(names)], wanted(names))
		}
		return nil
	}
}

// wanted says which arguments there may be.
func wanted(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return ": want " + strings.Join(names, " ")
}

// asJSON reports whether the command was asked for JSON.
func asJSON(c *cobra.Command) bool {
	yes, err := c.Flags().GetBool("json")
	return err == nil && yes
}

// show writes v as JSON, or text for a person.
func show(c *cobra.Command, v any, text string) error {
	if asJSON(c) {
		return json.NewEncoder(c.OutOrStdout()).Encode(v)
	}
	_, err := fmt.Fprint(c.OutOrStdout(), visible(text))
	return err
}

// homeVariable names the environment variable for the node's directory.
const homeVariable = "TALLY_HOME"

// homeFlag adds --home.
func homeFlag(c *cobra.Command) *string {
	return c.Flags().String("home", defaultHome(), "the node's `directory`; also $"+homeVariable)
}

// defaultHome is $TALLY_HOME, or .tallystick/node in the user's directory.
func defaultHome() string {
	if home := os.Getenv(homeVariable); home != "" {
		return home
	}
	return underUser("node")
}

// underUser is a place of ours in the user's directory, or in the working
// directory where the user has none.
func underUser(name string) string {
	user, err := os.UserHomeDir()
	if err != nil {
		user = "."
	}
	return filepath.Join(user, ".tallystick", name)
}
