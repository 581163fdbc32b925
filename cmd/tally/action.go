package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// actionMaker makes the actions of one flag.
type actionMaker func(ctx context.Context, c *cobra.Command, node *client.Client) (ledger.ActionList, error)

// actionFlags collect the actions of the command line in its order.
type actionFlags struct{ makers []actionMaker }

// actionFlag is one of them.
type actionFlag struct {
	all   *actionFlags
	form  string
	parse func(text string) (actionMaker, error)
}

// Type implements pflag.Value.
func (f *actionFlag) Type() string { return f.form }

// String implements pflag.Value.
func (*actionFlag) String() string { return "" }

// Set implements pflag.Value.
func (f *actionFlag) Set(text string) error {
	maker, err := f.parse(text)
	if err != nil {
		return err
	}
	f.all.makers = append(f.all.makers, maker)
	return nil
}

// make makes all actions.
func (f *actionFlags) make(ctx context.Context, c *cobra.Command, node *client.Client) (list ledger.ActionList, err error) {
	for _, maker := range f.makers {
		actions, err := maker(ctx, c, node)
		if err != nil {
			return nil, err
		}
		list = append(list, actions...)
	}
	return list, nil
}

func (f *actionFlags) add(c *cobra.Command) {
	c.Flags().SortFlags = false
	for _, a := range []struct {
		name, form, usage string
		parse             func(string) (actionMaker, error)
	}{
		{"admit", "FILE", "admit a member: its card, of `tally member card`, or JSON {admin, name, roles, consensusKey, power, nodeIds}", fromFile(parseAdmission)},
		{"suspend", "MEMBER", "take a member's vote, power and rights until it is reinstated", ofAddress(func(m crypto.Address) ledger.Action { return &ledger.SuspendMemberAction{Member: m} })},
		{"reinstate", "MEMBER", "end a suspension", ofAddress(func(m crypto.Address) ledger.Action { return &ledger.ReinstateMemberAction{Member: m} })},
		{"remove", "MEMBER", "end a membership for ever", ofAddress(func(m crypto.Address) ledger.Action { return &ledger.RemoveMemberAction{Member: m} })},
		{"set-roles", "MEMBER=ROLE,…", "give a member these roles, of validator, issuer, registrar, auditor, and no others", fixedAction(parseSetRoles)},
		{"set-power", "MEMBER=POWER", "move the power of a member's validator there: 0, or from 1000000 on", fixedAction(parseSetPower)},
		{"set-parameter", "NAME=VALUE", "set a parameter: " + strings.Join(ledger.ParameterNames(), ", "), fixedAction(parseSetParameter)},
		{"set-threshold", "ACTION=N/D", "let a kind of action, such as setPower, need more than N/D of the active members", fixedAction(parseSetThreshold)},
		{"freeze", "ACCOUNT[:REFERENCE]", "freeze an account whatever its member says", fixedAction(func(text string) (ledger.Action, error) {
			account, reference, err := accountAndReason(text)
			return &ledger.FreezeAccountAction{Account: account, Reference: reference}, err
		})},
		{"unfreeze", "ACCOUNT[:REFERENCE]", "end a freeze by the members", fixedAction(func(text string) (ledger.Action, error) {
			account, reference, err := accountAndReason(text)
			return &ledger.UnfreezeAccountAction{Account: account, Reference: reference}, err
		})},
		{"pause", "ASSET", "stop every movement of an asset whatever its issuer says", ofAsset(func(a crypto.Address) ledger.Action { return &ledger.PauseAssetAction{Asset: a} })},
		{"resume", "ASSET", "end a pause by the members", ofAsset(func(a crypto.Address) ledger.Action { return &ledger.ResumeAssetAction{Asset: a} })},
		{"schedule-upgrade", "VERSION@HEIGHT:NAME", "switch to the rules of a version at a height; NAME is the release that knows them", fixedAction(parseUpgrade)},
		{"cancel-upgrade", "VERSION", "take back the scheduled upgrade to this version", fixedAction(func(text string) (ledger.Action, error) {
			version, err := number(text)
			return &ledger.CancelUpgradeAction{Version: version}, err
		})},
		{"resolution", "TEXT", "record what the members agree upon", fixedAction(func(text string) (ledger.Action, error) { return &ledger.ResolutionAction{Text: text}, nil })},
		{"file", "FILE", "a JSON list of actions, [{\"setPower\": {…}}, …]; - for standard input", fromFile(parseActions)},
	} {
		c.Flags().Var(&actionFlag{f, a.form, a.parse}, a.name, a.usage)
	}
}

// fixedAction makes a flag's action from its text alone.
func fixedAction(parse func(text string) (ledger.Action, error)) func(string) (actionMaker, error) {
	return func(text string) (actionMaker, error) {
		action, err := parse(text)
		return func(context.Context, *cobra.Command, *client.Client) (ledger.ActionList, error) {
			return ledger.ActionList{action}, nil
		}, err
	}
}

func ofAddress(action func(crypto.Address) ledger.Action) func(string) (actionMaker, error) {
	return fixedAction(func(text string) (ledger.Action, error) {
		address, err := crypto.ParseAddress(text)
		return action(address), err
	})
}

// ofAsset makes an action about an asset, which a node may have to find.
func ofAsset(action func(crypto.Address) ledger.Action) func(string) (actionMaker, error) {
	return func(text string) (actionMaker, error) {
		return func(ctx context.Context, _ *cobra.Command, node *client.Client) (ledger.ActionList, error) {
			asset, err := findAsset(ctx, node, text)
			if err != nil {
				return nil, err
			}
			return ledger.ActionList{action(asset.Asset)}, nil
		}, nil
	}
}

// fromFile makes the actions that a file holds.
func fromFile(parse func(data []byte, network *ledger.Network) (ledger.ActionList, error)) func(string) (actionMaker, error) {
	return func(name string) (actionMaker, error) {
		return func(_ context.Context, c *cobra.Command, node *client.Client) (ledger.ActionList, error) {
			data, err := readLimited(c, name)
			if err != nil {
				return nil, err
			}
			list, err := parse(data, node.Network())
			if err != nil {
				return nil, fails(exitConfig, fmt.Errorf("%s: %w", name, err), "see `tally proposal create --help` for its form")
			}
			return list, nil
		}, nil
	}
}
