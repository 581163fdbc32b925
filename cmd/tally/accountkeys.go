package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

func newAccountKeys() *cobra.Command {
	return group("keys", "Show and change which keys act for an account", newAccountKeysSet(), newAccountKeysShow())
}

func newAccountKeysSet() *cobra.Command {
	c := &cobra.Command{
		Use:   "set",
		Short: "Replace the keys that act for the sender's account",
		Long: "Replace the keys that act for the sender's account; its address stays. The keys that act now sign.\n" +
			"From then on signatures must have the weight --threshold together: a wrong address locks the account.",
		Example: "  tally account keys set --threshold 2 --key 0xf39F…=1 --key 0x7099…=1 --key 0x3C44…=1\n" +
			"  tally account keys set --own-key",
		Args: exactly(),
	}
	f := sendFlags{}
	f.add(c)
	threshold := c.Flags().Uint64("threshold", 0, "the weight that signatures must have together")
	keys := c.Flags().StringArray("key", nil, "a key and its weight, `ADDRESS=WEIGHT`; may be repeated, up to 16")
	own := c.Flags().Bool("own-key", false, "in place of these: the account's own key alone")
	c.RunE = run(func(c *cobra.Command, _ []string) error {
		if *own == (len(*keys) > 0 || *threshold > 0) {
			return fails(exitUsage, errors.New("give --threshold and each --key, or --own-key alone"), "")
		}
		parsed, err := parseKeys(*keys)
		if err != nil {
			return err
		}
		return f.send(c, func(_ context.Context, _ *client.Client, sender crypto.Address) (ledger.Operation, error) {
			a := ledger.Authority{Threshold: *threshold, Keys: parsed}
			return &ledger.SetKeys{Threshold: a.Threshold, Keys: a.Keys}, fails(exitUsage, a.Check(sender), "`--own-key` is the account's own key alone")
		})
	})
	return c
}

// parseKeys reads keys ADDRESS=WEIGHT and puts them in order.
func parseKeys(texts []string) ([]ledger.Key, error) {
	keys := []ledger.Key{}
	for _, text := range texts {
		name, number, found := strings.Cut(text, "=")
		weight, err := strconv.ParseUint(number, 10, 32)
		if !found || err != nil || weight == 0 {
			return nil, fails(exitUsage, fmt.Errorf("--key %q: want ADDRESS=WEIGHT, with a weight from 1 to 4294967295", text), "")
		}
		address, err := parseAddress(name)
		if err != nil {
			return nil, err
		}
		keys = append(keys, ledger.Key{Address: address, Weight: uint32(weight)})
	}
	slices.SortFunc(keys, func(a, b ledger.Key) int { return a.Address.Compare(b.Address) })
	return keys, nil
}

func newAccountKeysShow() *cobra.Command {
	return showing(&cobra.Command{
		Use:     "show ACCOUNT",
		Short:   "Show which keys act for an account",
		Example: "  tally account keys show 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
		Args:    exactly("ACCOUNT"),
	}, parseAddress, func(ctx context.Context, node *client.Client, account crypto.Address) (any, string, error) {
		a, err := node.Authority(ctx, account)
		if err != nil {
			return nil, "", err
		}
		return a, authorityText(a), nil
	})
}

func authorityText(a *wire.Authority) string {
	var t strings.Builder
	fmt.Fprintf(&t, "threshold   %d\n", a.Threshold)
	for _, k := range a.Keys {
		fmt.Fprintf(&t, "key         %s  weight %d\n", k.Address, k.Weight)
	}
	return t.String()
}
