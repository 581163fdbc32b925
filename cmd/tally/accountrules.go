package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// accountVerb is a command of a member's registrar about one account.
type accountVerb struct {
	verb, short string
	reasoned    bool // it takes --reference
	operation   func(account crypto.Address, reference string) ledger.Operation
}

var accountVerbs = []accountVerb{
	{"admit", "Create an account for which your member answers", false, func(a crypto.Address, _ string) ledger.Operation {
		return &ledger.AdmitAccount{Account: a}
	}},
	{"freeze", "Keep an account of your member from acting and receiving", true, func(a crypto.Address, reference string) ledger.Operation {
		return &ledger.FreezeAccount{Account: a, Reference: reference}
	}},
	{"unfreeze", "End what freeze began", true, func(a crypto.Address, reference string) ledger.Operation {
		return &ledger.UnfreezeAccount{Account: a, Reference: reference}
	}},
	{"close", "End an account of your member for ever; it must hold nothing", false, func(a crypto.Address, _ string) ledger.Operation {
		return &ledger.CloseAccount{Account: a}
	}},
}

// newAccountVerbs makes the commands of a registrar.
func newAccountVerbs() (commands []*cobra.Command) {
	for _, v := range accountVerbs {
		commands = append(commands, v.command())
	}
	return commands
}

func (v accountVerb) command() *cobra.Command {
	c := &cobra.Command{
		Use: v.verb + " ACCOUNT", Short: v.short, Args: exactly("ACCOUNT"),
		Long:    v.short + ". The sender is the admin account of a\nmember with the role registrar.",
		Example: "  tally account " + v.verb + " 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --from 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
	}
	f := sendFlags{}
	f.add(c)
	reference := new(string)
	if v.reasoned {
		reference = reasonFlag(c)
	}
	c.RunE = run(func(c *cobra.Command, arguments []string) error {
		account, err := parseAddress(arguments[0])
		if err != nil {
			return err
		}
		return f.send(c, func(context.Context, *client.Client, crypto.Address) (ledger.Operation, error) {
			return v.operation(account, *reference), nil
		})
	})
	return c
}

// accountRule speaks of accounts and their keys.
func (s speech) accountRule(op ledger.Operation) []string {
	switch o := op.(type) {
	case *ledger.AdmitAccount:
		return said("admit the account %s", o.Account)
	case *ledger.FreezeAccount:
		return said("freeze the account %s%s", o.Account, referenceWords(o.Reference))
	case *ledger.UnfreezeAccount:
		return said("unfreeze the account %s%s", o.Account, referenceWords(o.Reference))
	case *ledger.CloseAccount:
		return said("close the account %s, for ever", o.Account)
	case *ledger.SetKeys:
		if len(o.Keys) == 0 {
			return said("make the sender's own key the only one that acts for its account")
		}
		lines := said("let these keys act for the sender's account, and no others, where their weights reach %d:", o.Threshold)
		for _, k := range o.Keys {
			lines = append(lines, fmt.Sprintf("  %s  weight %d", k.Address, k.Weight))
		}
		return lines
	}
	return nil
}
