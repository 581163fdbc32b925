package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

func newTransfer() *cobra.Command {
	c := &cobra.Command{
		Use:   "transfer",
		Short: "Pay somebody",
		Long: "Move an amount of an asset from the sender's account to another. For several legs or several\n" +
			"signers see `tally tx build`.",
		Example: "  tally transfer --to 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --asset USD --amount 12.34\n" +
			"  tally transfer --from 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266 --to 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --asset USD --amount 5 --reference invoice-17 --yes",
		Args: exactly(),
	}
	f := sendFlags{}
	f.add(c)
	to := c.Flags().String("to", "", "the `address` that receives")
	m := moneyFlags{}
	m.add(c)
	required(c, "to", "asset", "amount")
	c.RunE = run(func(c *cobra.Command, _ []string) error {
		recipient, err := parseAddress(*to)
		if err != nil {
			return err
		}
		return f.send(c, func(ctx context.Context, node *client.Client, sender crypto.Address) (ledger.Operation, error) {
			asset, amount, err := m.read(ctx, node)
			leg := ledger.Leg{From: sender, To: recipient, Asset: asset, Amount: amount, Reference: m.reference}
			return &ledger.Transfer{Legs: []ledger.Leg{leg}}, err
		})
	})
	return c
}

// required marks flags that a command cannot do without.
func required(c *cobra.Command, names ...string) {
	for _, name := range names {
		if err := c.MarkFlagRequired(name); err != nil {
			panic("tally: " + err.Error())
		}
	}
}

// moneyFlags say how much of what.
type moneyFlags struct {
	asset, amount, reference string
}

func (m *moneyFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&m.asset, "asset", "", "the `symbol` or address of the asset")
	c.Flags().StringVar(&m.amount, "amount", "", "how much, as people write it, such as 12.34")
	c.Flags().StringVar(&m.reference, "reference", "", "up to 35 bytes of text for the recipient's books, visible to everybody")
}

// read finds the asset and the amount in its smallest unit.
func (m *moneyFlags) read(ctx context.Context, node *client.Client) (crypto.Address, ledger.Amount, error) {
	asset, err := findAsset(ctx, node, m.asset)
	if err != nil {
		return crypto.Address{}, ledger.Amount{}, err
	}
	amount, err := client.ParseDecimal(m.amount, asset.Decimals)
	return asset.Asset, amount, fails(exitUsage, err, "")
}

// money writes an amount with its symbol.
func money(amount ledger.Amount, asset *wire.Asset) string {
	return client.FormatDecimal(amount, asset.Decimals) + " " + asset.Symbol
}

func referenceWords(reference string) string {
	if reference == "" {
		return ""
	}
	return ", reference " + quoted(reference)
}
