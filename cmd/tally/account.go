package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/rpc/wire"
)

func newAccount() *cobra.Command { return group("account", "Show accounts", newAccountShow()) }

func newAccountShow() *cobra.Command {
	c := &cobra.Command{
		Use:     "show ADDRESS",
		Short:   "Show an account and its balances",
		Example: "  tally account show 0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf\n  tally account show 0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf --height 12 --json",
		Args:    exactly("ADDRESS"),
	}
	f := nodeFlags{}
	f.add(c)
	height := heightFlag(c)
	c.RunE = run(func(c *cobra.Command, arguments []string) error {
		address, err := parseAddress(arguments[0])
		if err != nil {
			return err
		}
		return f.with(c.Context(), func(ctx context.Context, node *client.Client) error {
			account, err := node.Account(ctx, address, atHeight(c, *height))
			if err != nil {
				return err
			}
			if asJSON(c) {
				return show(c, account, "")
			}
			text, err := accountText(ctx, node, account)
			if err != nil {
				return err
			}
			return show(c, account, text)
		})
	})
	return c
}

// parseAddress reads an address of the command line.
func parseAddress(text string) (crypto.Address, error) {
	address, err := crypto.ParseAddress(text)
	return address, fails(exitUsage, err, "an address is 0x and 40 hex digits")
}

func accountText(ctx context.Context, node *client.Client, a *wire.Account) (string, error) {
	var t strings.Builder
	fmt.Fprintf(&t, "address     %s\nstatus      %s\nnext nonce  %d\n", a.Address, a.Status, a.NextNonce)
	for _, b := range a.Balances {
		asset, err := node.Asset(ctx, b.Asset.String())
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&t, "%-12s%s", b.Symbol, client.FormatDecimal(b.Available, asset.Decimals))
		if !b.Held.IsZero() {
			fmt.Fprintf(&t, ", held %s", client.FormatDecimal(b.Held, asset.Decimals))
		}
		t.WriteString("\n")
	}
	if len(a.Balances) == 0 {
		t.WriteString("no balances\n")
	}
	return t.String(), nil
}
