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

func newAccount() *cobra.Command {
	c := group("account", "Show accounts, admit them and change their keys", newAccountShow(), newAccountKeys())
	c.AddCommand(newAccountHistory())
	c.AddCommand(newAccountVerbs()...)
	return c
}

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
			shown := accountDocument{Account: account}
			if !c.Flags().Changed("height") {
				if shown.Authority, err = node.Authority(ctx, address); err != nil {
					return err
				}
			}
			if asJSON(c) {
				return show(c, shown, "")
			}
			text, err := shown.text(ctx, node)
			if err != nil {
				return err
			}
			return show(c, shown, text)
		})
	})
	return c
}

// parseAddress reads an address of the command line.
func parseAddress(text string) (crypto.Address, error) {
	address, err := crypto.ParseAddress(text)
	return address, fails(exitUsage, err, "an address is 0x and 40 hex digits")
}

// accountDocument is an account and its keys, which are not known at past heights.
type accountDocument struct {
	*wire.Account
	Authority *wire.Authority `json:"authority,omitempty"`
}

func (a accountDocument) text(ctx context.Context, node *client.Client) (string, error) {
	var t strings.Builder
	fmt.Fprintf(&t, "address     %s\nstatus      %s\nnext nonce  %d\n", a.Address, a.Status, a.NextNonce)
	if a.Member != nil {
		fmt.Fprintf(&t, "member      %s\n", a.Member)
	}
	if a.Authority != nil {
		t.WriteString(authorityText(a.Authority))
		fmt.Fprintf(&t, "holds       %d\n", a.Authority.Holds)
	}
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
