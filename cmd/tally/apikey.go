package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/rpc/apikey"
)

func newAPIKey() *cobra.Command {
	return group("apikey", "Make and list the keys that a node's callers need", newAPIKeyNew(), newAPIKeyList())
}

// apiKey is a key as the commands show it.
type apiKey struct {
	Name   string   `json:"name"`
	Scopes []string `json:"scopes"`
	SHA256 string   `json:"sha256"`
	Rate   int      `json:"rate,omitempty"`
	Burst  int      `json:"burst,omitempty"`
	Secret string   `json:"secret,omitempty"` // shown once
	Entry  string   `json:"entry,omitempty"`  // for the file
	File   string   `json:"file,omitempty"`   // that it was added to
}

func newAPIKeyNew() *cobra.Command {
	c := &cobra.Command{
		Use:   "new",
		Short: "Make an API key for somebody who is to call the node",
		Long: "Draw an API key at random and show it, once, with the entry for the file that rpc.keys_file names;\n" +
			"the entry has only the key's hash. With --file the entry is added there. The node takes it on SIGHUP.\n" +
			"To revoke a key, remove its entry and send SIGHUP.",
		Example: "  tally apikey new --name bank-a-backoffice --scope read,submit\n" +
			"  tally apikey new --name auditor --scope read --rate 20 --file /srv/tally/apikeys.toml",
		Args: exactly(),
	}
	name := c.Flags().String("name", "", "whose `name` the key has in the file and in the log")
	scopes := c.Flags().StringSlice("scope", []string{"read"}, "what it may: `read`, submit (send transactions) and admin (the operator's\nown: bound by no limit), with commas")
	rate := c.Flags().Int("rate", 0, "calls a second that it may make, wherever from; left out, its calls\ncount for the address that they come from")
	burst := c.Flags().Int("burst", 0, "calls at once, after a pause; left out, as many as --rate")
	path := c.Flags().String("file", "", "the `file` to add the entry to, which may be new")
	if err := c.MarkFlagRequired("name"); err != nil {
		panic(err) // the flag is there
	}
	c.RunE = run(func(c *cobra.Command, _ []string) error {
		key, secret, err := newAPIKeyOf(*name, *scopes, *rate, *burst)
		if err != nil {
			return fails(exitUsage, err, "")
		}
		out := shownAPIKey(key)
		out.Secret, out.Entry, out.File = secret, key.Entry(), *path
		text := fmt.Sprintf("key    %s\n\nThis is the only time that it is shown: give it to its user over a safe way.\n", secret)
		if *path == "" {
			return show(c, out, text+"Add this to the file that rpc.keys_file names, and send the node SIGHUP:\n\n"+out.Entry)
		}
		if err := addAPIKey(*path, key); err != nil {
			return err
		}
		return show(c, out, text+fmt.Sprintf("Its entry is in %s: send the node SIGHUP.\n", *path))
	})
	return c
}

// newAPIKeyOf draws a key, and judges it as the node will.
func newAPIKeyOf(name string, names []string, rate, burst int) (apikey.Key, string, error) {
	scopes, err := apikey.ParseScopes(names)
	if err != nil {
		return apikey.Key{}, "", fmt.Errorf("--scope: %w", err)
	}
	if err := apikey.CheckName(name); err != nil {
		return apikey.Key{}, "", fmt.Errorf("--name: %w", err)
	}
	if rate < 0 || burst < 0 || burst > 0 && rate == 0 {
		return apikey.Key{}, "", errors.New("--rate and --burst must not be negative, and --burst goes with --rate only")
	}
	if burst == 0 {
		burst = rate
	}
	secret := apikey.NewSecret()
	key := apikey.Key{Name: name, Scopes: scopes, Hash: apikey.HashOf(secret), Rate: rate, Burst: burst}
	if _, err := apikey.Parse([]byte(key.Entry())); err != nil {
		return apikey.Key{}, "", err
	}
	return key, secret, nil
}

// addAPIKey adds an entry to a file, and leaves it as it is where the result
// would not be in order.
func addAPIKey(path string, key apikey.Key) error {
	before, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fails(exitConfig, fmt.Errorf("--file: %w", err), "")
	}
	entry := key.Entry()
	if len(before) > 0 {
		entry = "\n" + entry
	}
	if len(before) > 0 && before[len(before)-1] != '\n' {
		entry = "\n" + entry
	}
	if _, err := apikey.Parse(slices.Concat(before, []byte(entry))); err != nil {
		return fails(exitConfig, fmt.Errorf("%s: %w", path, err), "nothing was added, and the key is void")
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fails(exitConfig, fmt.Errorf("--file: %w", err), "")
	}
	_, err = f.WriteString(entry)
	return errors.Join(err, f.Sync(), f.Close())
}

func newAPIKeyList() *cobra.Command {
	c := &cobra.Command{
		Use:     "list FILE",
		Short:   "List the keys in a file",
		Example: "  tally apikey list /srv/tally/apikeys.toml",
		Args:    exactly("FILE"),
	}
	c.RunE = run(func(c *cobra.Command, arguments []string) error {
		text, err := os.ReadFile(arguments[0])
		if err != nil {
			return fails(exitConfig, err, "")
		}
		keys, err := apikey.Parse(text)
		if err != nil {
			return fails(exitConfig, fmt.Errorf("%s:\n%w", arguments[0], err), "")
		}
		list, table := []apiKey{}, strings.Builder{}
		for _, k := range keys {
			list = append(list, shownAPIKey(k))
			limit := "as its address"
			switch {
			case k.Scopes.Has(apikey.Admin):
				limit = "no limit"
			case k.Rate != 0:
				limit = fmt.Sprintf("%d a second, %d at once", k.Rate, k.Burst)
			}
			fmt.Fprintf(&table, "%-32s %-18s %s\n", k.Name, k.Scopes, limit)
		}
		return show(c, list, table.String())
	})
	return c
}

func shownAPIKey(k apikey.Key) apiKey {
	return apiKey{Name: k.Name, Scopes: k.Scopes.Names(), SHA256: k.Hash.String(), Rate: k.Rate, Burst: k.Burst}
}
