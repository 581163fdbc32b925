package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

func newAsset() *cobra.Command {
	c := group("asset", "Create, issue, control and show assets", newAssetCreate(), newAssetIssue(), newAssetRedeem(),
		newAssetPause(), newAssetResume(), newAssetRetire(), newAssetIssuer(), newAssetMetadata(), newAssetShow(), newAssetList())
	c.AddCommand(newAssetHistory())
	c.AddCommand(newAssetHolderVerbs()...)
	return c
}

func newAssetCreate() *cobra.Command {
	c := &cobra.Command{
		Use:   "create",
		Short: "Create an asset, with the sender as its issuer",
		Long: "Create an asset, with the sender as its issuer. Its flags are fixed for ever: freezable lets the issuer\n" +
			"freeze holders and parts of their balances, clawback lets it take balances, and restricted lets only\n" +
			"accounts receive that the issuer has approved.",
		Example: "  tally asset create --symbol GOLD --name 'Gold, fine, grams' --decimals 3 --cap 1000000\n" +
			"  tally asset create --symbol BOND --name 'Bond 2030' --decimals 0 --flags freezable,clawback,restricted",
		Args: exactly(),
	}
	f := sendFlags{}
	f.add(c)
	symbol := c.Flags().String("symbol", "", "1 to 12 capital letters and digits that no other asset has")
	name := c.Flags().String("name", "", "what it is called, up to 64 bytes")
	decimals := c.Flags().Uint8("decimals", 0, "digits after the point, 0 to 18; fixed for ever")
	limit := c.Flags().String("cap", "0", "the most that may ever exist, as people write it; 0 is no limit")
	flags := c.Flags().StringSlice("flags", nil, "the issuer's controls, of `freezable,clawback,restricted`; left out, none")
	required(c, "symbol", "name", "decimals")
	c.RunE = run(func(c *cobra.Command, _ []string) error {
		op := &ledger.CreateAsset{Symbol: *symbol, Name: *name, Decimals: *decimals}
		switch {
		case !ledger.ValidSymbol(op.Symbol):
			return fails(exitUsage, fmt.Errorf("--symbol %q: want 1 to %d of A-Z and 0-9", op.Symbol, ledger.MaxSymbolBytes), "")
		case op.Decimals > ledger.MaxDecimals:
			return fails(exitUsage, fmt.Errorf("--decimals %d: at most %d", op.Decimals, ledger.MaxDecimals), "")
		}
		var err error
		if op.Cap, err = client.ParseDecimal(*limit, op.Decimals); err != nil {
			return fails(exitUsage, fmt.Errorf("--cap: %w", err), "")
		}
		if op.Flags, err = parseAssetFlags(*flags); err != nil {
			return err
		}
		return f.send(c, func(context.Context, *client.Client, crypto.Address) (ledger.Operation, error) { return op, nil })
	})
	return c
}

func newAssetIssue() *cobra.Command {
	c := &cobra.Command{
		Use:     "issue",
		Short:   "Issue more of an asset",
		Example: "  tally asset issue --asset GOLD --amount 100 --to 0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
		Args:    exactly(),
	}
	f, m := sendFlags{}, moneyFlags{}
	f.add(c)
	m.add(c)
	to := c.Flags().String("to", "", "the `address` that receives; left out, the issuer")
	required(c, "asset", "amount")
	c.RunE = run(func(c *cobra.Command, _ []string) error {
		recipient, err := optionalAddress(*to)
		if err != nil {
			return err
		}
		return f.send(c, func(ctx context.Context, node *client.Client, sender crypto.Address) (ledger.Operation, error) {
			asset, amount, err := m.read(ctx, node)
			return &ledger.Issue{Asset: asset, To: orSender(recipient, sender), Amount: amount, Reference: m.reference}, err
		})
	})
	return c
}

func newAssetRedeem() *cobra.Command {
	c := &cobra.Command{
		Use:   "redeem",
		Short: "Take some of an asset out of existence",
		Long: "Destroy an amount of an asset that an account holds. The issuer sends it, and the holder signs\n" +
			"too: with --also-sign where the key is here, and otherwise by --build and `tally tx sign`.",
		Example: "  tally asset redeem --asset GOLD --amount 5\n  tally asset redeem --asset GOLD --amount 5 --holder 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --build redeem.json",
		Args:    exactly(),
	}
	f, m := sendFlags{}, moneyFlags{}
	f.add(c)
	m.add(c)
	holder := c.Flags().String("holder", "", "the `address` whose balance it is; left out, the issuer's")
	required(c, "asset", "amount")
	c.RunE = run(func(c *cobra.Command, _ []string) error {
		from, err := optionalAddress(*holder)
		if err != nil {
			return err
		}
		return f.send(c, func(ctx context.Context, node *client.Client, sender crypto.Address) (ledger.Operation, error) {
			asset, amount, err := m.read(ctx, node)
			return &ledger.Redeem{Asset: asset, From: orSender(from, sender), Amount: amount, Reference: m.reference}, err
		})
	})
	return c
}

// optionalAddress is the zero address where text is empty.
func optionalAddress(text string) (crypto.Address, error) {
	if text == "" {
		return crypto.Address{}, nil
	}
	return parseAddress(text)
}

func orSender(address, sender crypto.Address) crypto.Address {
	if address.IsZero() {
		return sender
	}
	return address
}

func newAssetPause() *cobra.Command {
	return newAssetSwitch("pause", "Stop every movement of an asset", func(a crypto.Address) ledger.Operation { return &ledger.PauseAsset{Asset: a} })
}

func newAssetResume() *cobra.Command {
	return newAssetSwitch("resume", "End an asset's pause", func(a crypto.Address) ledger.Operation { return &ledger.ResumeAsset{Asset: a} })
}

// newAssetSwitch makes a command whose operation has an asset and nothing else.
func newAssetSwitch(verb, short string, operation func(crypto.Address) ledger.Operation) *cobra.Command {
	c := &cobra.Command{
		Use: verb + " ASSET", Short: short, Example: "  tally asset " + verb + " GOLD", Args: exactly("ASSET"),
	}
	f := sendFlags{}
	f.add(c)
	c.RunE = run(func(c *cobra.Command, arguments []string) error {
		return f.offerOf(c, arguments[0], func(asset, _ crypto.Address) (ledger.Operation, error) { return operation(asset), nil })
	})
	return c
}

func newAssetShow() *cobra.Command {
	c := &cobra.Command{
		Use:     "show SYMBOL|ADDRESS",
		Short:   "Show an asset",
		Example: "  tally asset show EUR",
		Args:    exactly("SYMBOL|ADDRESS"),
	}
	f := nodeFlags{}
	f.add(c)
	c.RunE = run(func(c *cobra.Command, arguments []string) error {
		return f.with(c.Context(), func(ctx context.Context, node *client.Client) error {
			a, err := findAsset(ctx, node, arguments[0])
			if err != nil {
				return err
			}
			m, err := node.Metadata(ctx, a.Asset)
			if err != nil {
				return err
			}
			return show(c, struct {
				*wire.Asset
				Metadata *wire.Metadata `json:"metadata"`
			}{a, m}, assetText(a, m))
		})
	})
	return c
}

func assetText(a *wire.Asset, m *wire.Metadata) string {
	limit := "none"
	if !a.Cap.IsZero() {
		limit = client.FormatDecimal(a.Cap, a.Decimals)
	}
	text := fmt.Sprintf("symbol    %s\nname      %s\naddress   %s\ndecimals  %d\nissuer    %s\nsupply    %s\ncap       %s\nstatus    %s\nflags     %s\n",
		a.Symbol, a.Name, a.Asset, a.Decimals, a.Issuer, client.FormatDecimal(a.Supply, a.Decimals), limit, a.Status, assetFlagNames(a.Flags))
	if m.URI != "" || m.Hash != (crypto.Hash{}) {
		text += fmt.Sprintf("terms     %s\nhash      %s\n", m.URI, m.Hash)
	}
	return text
}

func newAssetList() *cobra.Command {
	c := &cobra.Command{
		Use:     "list",
		Short:   "List all assets",
		Example: "  tally asset list --json",
		Args:    exactly(),
	}
	f := nodeFlags{}
	f.add(c)
	c.RunE = run(func(c *cobra.Command, _ []string) error {
		return f.with(c.Context(), func(ctx context.Context, node *client.Client) error {
			assets, err := node.AllAssets(ctx)
			if err != nil {
				return err
			}
			var t strings.Builder
			for _, a := range assets {
				fmt.Fprintf(&t, "%-12s %s  %s  supply %s  %s\n", a.Symbol, a.Asset, a.Status, client.FormatDecimal(a.Supply, a.Decimals), a.Name)
			}
			return show(c, assets, t.String())
		})
	})
	return c
}

// findAsset finds an asset by the symbol or address that the command line gives.
func findAsset(ctx context.Context, node *client.Client, name string) (*wire.Asset, error) {
	if !ledger.ValidSymbol(name) {
		if _, err := crypto.ParseAddress(name); err != nil {
			return nil, fails(exitUsage, fmt.Errorf("asset %q: neither a symbol nor an address", name),
				"a symbol is 1 to 12 of A-Z and 0-9; `tally asset list` shows the assets")
		}
	}
	return node.Asset(ctx, name)
}
