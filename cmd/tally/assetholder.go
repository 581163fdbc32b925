package main

import (
	"context"
	"fmt"
	"math"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// holderVerb is a command of an issuer about one account: what it says, and
// the operation that it sends.
type holderVerb struct {
	verb, short string
	reasoned    bool // it takes --reference
	operation   func(asset, account crypto.Address, reference string) ledger.Operation
}

var holderVerbs = []holderVerb{
	{"approve", "Let an account receive a restricted asset", false, func(asset, account crypto.Address, _ string) ledger.Operation {
		return &ledger.ApproveHolder{Asset: asset, Account: account}
	}},
	{"revoke", "Take an approval back; what the account has stays", false, func(asset, account crypto.Address, _ string) ledger.Operation {
		return &ledger.RevokeHolder{Asset: asset, Account: account}
	}},
	{"freeze", "Keep an account from spending and receiving a freezable asset", true, func(asset, account crypto.Address, reference string) ledger.Operation {
		return &ledger.FreezeHolder{Asset: asset, Account: account, Reference: reference}
	}},
	{"unfreeze", "End what freeze began", true, func(asset, account crypto.Address, reference string) ledger.Operation {
		return &ledger.UnfreezeHolder{Asset: asset, Account: account, Reference: reference}
	}},
}

// newAssetHolderVerbs makes the commands of an issuer about one account.
func newAssetHolderVerbs() []*cobra.Command {
	commands := []*cobra.Command{newAssetFreezeBalance(), newAssetClawback(), newAssetHolder()}
	for _, v := range holderVerbs {
		commands = append(commands, v.command())
	}
	return commands
}

func (v holderVerb) command() *cobra.Command {
	c := &cobra.Command{
		Use: v.verb + " ASSET ACCOUNT", Short: v.short, Args: exactly("ASSET", "ACCOUNT"),
		Example: "  tally asset " + v.verb + " GOLD 0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
	}
	f := sendFlags{}
	f.add(c)
	reference := new(string)
	if v.reasoned {
		reference = reasonFlag(c)
	}
	c.RunE = run(func(c *cobra.Command, arguments []string) error {
		account, err := parseAddress(arguments[1])
		if err != nil {
			return err
		}
		return f.offerOf(c, arguments[0], func(asset, _ crypto.Address) (ledger.Operation, error) {
			return v.operation(asset, account, *reference), nil
		})
	})
	return c
}

// reasonFlag adds --reference to a command that somebody may have to answer for.
func reasonFlag(c *cobra.Command) *string {
	return c.Flags().String("reference", "", "up to 35 bytes of text: why; visible to everybody")
}

func newAssetFreezeBalance() *cobra.Command {
	c := &cobra.Command{
		Use:     "freeze-balance ASSET ACCOUNT",
		Short:   "Set how much of a freezable asset an account must keep",
		Example: "  tally asset freeze-balance GOLD 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --amount 5 --reference case-17",
		Args:    exactly("ASSET", "ACCOUNT"),
	}
	f := sendFlags{}
	f.add(c)
	amount := c.Flags().String("amount", "", "how much must stay available, in place of what was said before; 0 for nothing")
	reference := reasonFlag(c)
	required(c, "amount")
	c.RunE = run(func(c *cobra.Command, arguments []string) error {
		account, err := parseAddress(arguments[1])
		if err != nil {
			return err
		}
		m := moneyFlags{asset: arguments[0], amount: *amount}
		return f.send(c, func(ctx context.Context, node *client.Client, _ crypto.Address) (ledger.Operation, error) {
			asset, amount, err := m.read(ctx, node)
			if err != nil {
				return nil, err
			}
			return &ledger.FreezeBalance{Asset: asset, Account: account, Amount: amount, Reference: *reference}, nil
		})
	})
	return c
}

func newAssetClawback() *cobra.Command {
	c := &cobra.Command{
		Use:     "clawback",
		Short:   "Take an amount of an asset from an account",
		Long:    "Move an amount of an asset with the flag clawback from an account to another, whatever is frozen.",
		Example: "  tally asset clawback --asset GOLD --amount 5 --holder 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --reason 3 --reference 'order 17'",
		Args:    exactly(),
	}
	f, m := sendFlags{}, moneyFlags{}
	f.add(c)
	m.add(c)
	holder := c.Flags().String("holder", "", "the `address` whose balance it is")
	to := c.Flags().String("to", "", "the `address` that receives; left out, the issuer")
	reason := c.Flags().Uint16("reason", 0, fmt.Sprintf("what for: 1 to %d, of a list that you keep", math.MaxUint16))
	required(c, "asset", "amount", "holder", "reason")
	c.RunE = run(func(c *cobra.Command, _ []string) error {
		from, err := parseAddress(*holder)
		if err != nil {
			return err
		}
		recipient, err := optionalAddress(*to)
		if err != nil {
			return err
		}
		return f.send(c, func(ctx context.Context, node *client.Client, sender crypto.Address) (ledger.Operation, error) {
			asset, amount, err := m.read(ctx, node)
			if err != nil {
				return nil, err
			}
			return &ledger.Clawback{
				Asset: asset, From: from, To: orSender(recipient, sender), Amount: amount, Reason: *reason, Reference: m.reference,
			}, nil
		})
	})
	return c
}

func newAssetHolder() *cobra.Command {
	c := &cobra.Command{
		Use:     "holder ASSET ACCOUNT",
		Short:   "Show whether an issuer has approved or frozen an account",
		Example: "  tally asset holder GOLD 0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
		Args:    exactly("ASSET", "ACCOUNT"),
	}
	f := nodeFlags{}
	f.add(c)
	c.RunE = run(func(c *cobra.Command, arguments []string) error {
		account, err := parseAddress(arguments[1])
		if err != nil {
			return err
		}
		return f.with(c.Context(), func(ctx context.Context, node *client.Client) error {
			asset, err := findAsset(ctx, node, arguments[0])
			if err != nil {
				return err
			}
			h, err := node.Holder(ctx, asset.Asset, account)
			if err != nil {
				return err
			}
			return show(c, h, holderText(h, asset))
		})
	})
	return c
}

// holderText says what an issuer has said of an account, where the asset's flags
// let it say anything.
func holderText(h *wire.Holder, a *wire.Asset) string {
	approved, frozen := yesNo(h.Approved), yesNo(h.Frozen)
	switch {
	case a.Flags&ledger.FlagRestricted == 0:
		approved = "not needed: the asset is not restricted"
	case h.Account == a.Issuer && !h.Approved:
		approved = "not needed: it is the issuer"
	}
	if a.Flags&ledger.FlagFreezable == 0 {
		frozen = "no: the asset is not freezable"
	}
	return fmt.Sprintf("account    %s\napproved   %s\nfrozen     %s\nmust keep  %s\n", h.Account, approved, frozen, money(h.FrozenAmount, a))
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

// holderRule speaks of an account's rights to an asset.
func (s speech) holderRule(op ledger.Operation) []string {
	switch o := op.(type) {
	case *ledger.ApproveHolder:
		return said("approve %s as a holder of %s", o.Account, s.asset(o.Asset))
	case *ledger.RevokeHolder:
		return said("revoke the approval of %s as a holder of %s", o.Account, s.asset(o.Asset))
	case *ledger.FreezeHolder:
		return said("freeze %s as a holder of %s%s", o.Account, s.asset(o.Asset), referenceWords(o.Reference))
	case *ledger.UnfreezeHolder:
		return said("unfreeze %s as a holder of %s%s", o.Account, s.asset(o.Asset), referenceWords(o.Reference))
	case *ledger.FreezeBalance:
		return said("make %s keep at least %s available%s", o.Account, s.money(o.Amount, o.Asset), referenceWords(o.Reference))
	}
	return nil
}
