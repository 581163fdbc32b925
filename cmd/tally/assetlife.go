package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// assetFlags are the controls of an asset by their names, from the lowest bit.
var assetFlags = []struct {
	name string
	flag uint32
}{
	{"freezable", ledger.FlagFreezable}, {"clawback", ledger.FlagClawback}, {"restricted", ledger.FlagRestricted},
}

// parseAssetFlags reads the names of controls.
func parseAssetFlags(names []string) (flags uint32, err error) {
next:
	for _, name := range names {
		for _, f := range assetFlags {
			if f.name == name {
				flags |= f.flag
				continue next
			}
		}
		return 0, fails(exitUsage, fmt.Errorf("--flags: %q is none of freezable, clawback, restricted", name), "")
	}
	return flags, nil
}

// assetFlagNames is the inverse of parseAssetFlags, for people.
func assetFlagNames(flags uint32) string {
	var names []string
	for _, f := range assetFlags {
		if flags&f.flag != 0 {
			names = append(names, f.name)
		}
	}
	if names == nil {
		return "none"
	}
	return strings.Join(names, ", ")
}

func newAssetRetire() *cobra.Command {
	c := newAssetSwitch("retire", "End an asset for ever", func(a crypto.Address) ledger.Operation { return &ledger.RetireAsset{Asset: a} })
	c.Long = "End an asset for ever: nobody can issue or move it again. It can still be redeemed and clawed back.\n" +
		"There must be no holds of it."
	return c
}

func newAssetIssuer() *cobra.Command {
	c := &cobra.Command{
		Use:   "issuer ASSET",
		Short: "Hand an asset to another issuer",
		Long: "Make another account the issuer of an asset. Both sign: with --also-sign where the new issuer's\n" +
			"key is here, and otherwise by --build and `tally tx sign`.",
		Example: "  tally asset issuer GOLD --to 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --build handover.json",
		Args:    exactly("ASSET"),
	}
	f := sendFlags{}
	f.add(c)
	to := c.Flags().String("to", "", "the `address` of the new issuer")
	required(c, "to")
	c.RunE = run(func(c *cobra.Command, arguments []string) error {
		next, err := parseAddress(*to)
		if err != nil {
			return err
		}
		return f.offerOf(c, arguments[0], func(asset, _ crypto.Address) (ledger.Operation, error) {
			return &ledger.ChangeIssuer{Asset: asset, To: next}, nil
		})
	})
	return c
}

func newAssetMetadata() *cobra.Command {
	c := &cobra.Command{
		Use:   "metadata ASSET",
		Short: "Say where an asset's terms stand",
		Long: "Set the URI and the hash of an asset's terms, in place of those before. The ledger fetches nothing;\n" +
			"whoever reads the document compares the hash. `tally asset show` shows both.",
		Example: "  tally asset metadata GOLD --uri https://example.org/gold.pdf --hash 0x9ff867f6592aa9d6d039e7aad6bd71f1659720cbc4dd9eae1554f6eab490098b\n" +
			"  tally asset metadata GOLD --none",
		Args: exactly("ASSET"),
	}
	f := sendFlags{}
	f.add(c)
	uri := c.Flags().String("uri", "", "up to 256 bytes of text")
	hash := c.Flags().String("hash", "", "0x and 64 hex digits: the hash of the document, by the function you choose")
	none := c.Flags().Bool("none", false, "take the metadata away")
	c.RunE = run(func(c *cobra.Command, arguments []string) error {
		op := &ledger.SetMetadata{URI: *uri}
		if *hash != "" {
			var err error
			if op.Hash, err = crypto.ParseHash(*hash); err != nil {
				return fails(exitUsage, fmt.Errorf("--hash: %w", err), "")
			}
		}
		if *none != (op.URI == "" && op.Hash == crypto.Hash{}) {
			return fails(exitUsage, errors.New("give --uri or --hash, or --none alone"), "")
		}
		return f.offerOf(c, arguments[0], func(asset, _ crypto.Address) (ledger.Operation, error) {
			op.Asset = asset
			return op, nil
		})
	})
	return c
}

// offerOf offers an operation about the asset that the command line names.
func (f *sendFlags) offerOf(c *cobra.Command, name string, operation func(asset, sender crypto.Address) (ledger.Operation, error)) error {
	return f.send(c, func(ctx context.Context, node *client.Client, sender crypto.Address) (ledger.Operation, error) {
		asset, err := findAsset(ctx, node, name)
		if err != nil {
			return nil, err
		}
		return operation(asset.Asset, sender)
	})
}

// assetRule speaks of an asset as a whole.
func (s speech) assetRule(op ledger.Operation) []string {
	switch o := op.(type) {
	case *ledger.CreateAsset:
		return said("create the asset %s, %s, with %d decimals, %s, whose issuer is the sender", o.Symbol, quoted(o.Name), o.Decimals, assetTerms(o))
	case *ledger.PauseAsset:
		return said("pause the asset %s", s.asset(o.Asset))
	case *ledger.ResumeAsset:
		return said("resume the asset %s", s.asset(o.Asset))
	case *ledger.RetireAsset:
		return said("retire the asset %s, for ever", s.asset(o.Asset))
	case *ledger.ChangeIssuer:
		return said("make %s the issuer of the asset %s", o.To, s.asset(o.Asset))
	case *ledger.SetMetadata:
		if o.URI == "" && o.Hash == (crypto.Hash{}) {
			return said("take the metadata of the asset %s away", s.asset(o.Asset))
		}
		return said("set the metadata of the asset %s to %s with the hash %s", s.asset(o.Asset), quoted(o.URI), o.Hash)
	}
	return nil
}

// assetTerms says how many units of a new asset there may be, and what its issuer
// may do.
func assetTerms(o *ledger.CreateAsset) string {
	terms := "without a limit"
	if !o.Cap.IsZero() {
		terms = "of which at most " + client.FormatDecimal(o.Cap, o.Decimals) + " may exist"
	}
	if o.Flags == 0 {
		return terms
	}
	return terms + ", and the flags " + assetFlagNames(o.Flags)
}
