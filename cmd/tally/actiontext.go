package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/node/card"
)

// parseActions reads a list of actions in JSON, as a transaction has them.
func parseActions(data []byte, _ *ledger.Network) (ledger.ActionList, error) {
	op, err := parseOperation(ledger.KindPropose, fmt.Appendf(nil, `{"actions":%s,"votingPeriod":60,"delay":0}`, data))
	if err != nil {
		return nil, err
	}
	return op.(*ledger.Propose).Actions, nil
}

// parseAdmission reads one admitMember action: a member's card, whose signatures
// it checks, or the action's fields, for which nobody vouches.
func parseAdmission(data []byte, network *ledger.Network) (ledger.ActionList, error) {
	var signed struct{ AdminSignature json.RawMessage }
	if json.Unmarshal(data, &signed) == nil && signed.AdminSignature != nil {
		c, err := card.Parse(data)
		switch {
		case err != nil:
			return nil, err
		case c.NetworkID != "" && c.NetworkID != network.ID:
			return nil, fmt.Errorf("networkId: the card is for the network %q, and this is %q", c.NetworkID, network.ID)
		}
		if data, err = json.Marshal(c.Member()); err != nil {
			return nil, err
		}
	}
	return parseActions(fmt.Appendf(nil, `[{%q:%s}]`, ledger.ActionAdmitMember, data), network)
}

// number reads a whole number that JSON can carry.
func number(text string) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n > ledger.MaxJSONInteger {
		return 0, fmt.Errorf("%q is not a whole number up to 2^53 - 1", text)
	}
	return n, nil
}

// cut splits text of the form "A<separator>B".
func cut(text, separator, form string) (before, after string, err error) {
	before, after, found := strings.Cut(text, separator)
	if !found || before == "" || after == "" {
		err = fmt.Errorf("want %s", form)
	}
	return before, after, err
}

// memberAnd reads MEMBER=VALUE.
func memberAnd(text, form string) (member crypto.Address, value string, err error) {
	name, value, err := cut(text, "=", form)
	if err != nil {
		return member, "", err
	}
	member, err = crypto.ParseAddress(name)
	return member, value, err
}

func parseSetRoles(text string) (ledger.Action, error) {
	member, names, err := memberAnd(text, "MEMBER=ROLE,…")
	if err != nil {
		return nil, err
	}
	roles, err := ledger.ParseRoles(strings.Split(names, ","))
	return &ledger.SetRolesAction{Member: member, Roles: ledger.RoleNames(roles)}, err
}

func parseSetPower(text string) (ledger.Action, error) {
	member, value, err := memberAnd(text, "MEMBER=POWER")
	if err != nil {
		return nil, err
	}
	power, err := number(value)
	return &ledger.SetPowerAction{Member: member, Power: power}, err
}

// policies are the values of the parameter accountPolicy by their names.
var policies = []string{"", "admitted", "open"}

func parseSetParameter(text string) (ledger.Action, error) {
	name, value, err := cut(text, "=", "NAME=VALUE")
	if err != nil {
		return nil, err
	}
	if !slices.Contains(ledger.ParameterNames(), name) {
		return nil, fmt.Errorf("%q is none of the parameters %s", name, strings.Join(ledger.ParameterNames(), ", "))
	}
	if policy := slices.Index(policies, value); name == "accountPolicy" && policy > 0 {
		return &ledger.SetParameterAction{Name: name, Value: uint64(policy)}, nil
	}
	n, err := number(value)
	return &ledger.SetParameterAction{Name: name, Value: n}, err
}

func parseSetThreshold(text string) (ledger.Action, error) {
	const form = "ACTION=N/D, such as setPower=2/3"
	action, fraction, err := cut(text, "=", form)
	if err != nil {
		return nil, err
	}
	if _, known := ledger.ParseActionKind(action); !known {
		var names []string
		for _, k := range ledger.ActionKinds() {
			names = append(names, k.String())
		}
		return nil, fmt.Errorf("%q is none of the actions %s", action, strings.Join(names, ", "))
	}
	n, d, err := cut(fraction, "/", form)
	if err != nil {
		return nil, err
	}
	numerator, err1 := number(n)
	denominator, err2 := number(d)
	return &ledger.SetThresholdAction{Action: action, Numerator: numerator, Denominator: denominator}, errors.Join(err1, err2)
}

// accountAndReason reads ACCOUNT or ACCOUNT:REFERENCE.
func accountAndReason(text string) (account crypto.Address, reference string, err error) {
	name, reference, _ := strings.Cut(text, ":")
	account, err = crypto.ParseAddress(name)
	return account, reference, err
}

func parseUpgrade(text string) (ledger.Action, error) {
	const form = "VERSION@HEIGHT:NAME"
	version, rest, err := cut(text, "@", form)
	if err != nil {
		return nil, err
	}
	height, name, err := cut(rest, ":", form)
	if err != nil {
		return nil, err
	}
	a := &ledger.ScheduleUpgradeAction{Name: name}
	a.Version, err = number(version)
	if err == nil {
		a.Height, err = number(height)
	}
	return a, err
}

// actions says what each of a list of actions does, a line for each.
func (s speech) actions(indent string, list ledger.ActionList) string {
	var t strings.Builder
	for _, a := range list {
		fmt.Fprintf(&t, "%s%s\n", indent, s.action(a))
	}
	return t.String()
}

// action says what an action does.
func (s speech) action(action ledger.Action) string {
	switch a := action.(type) {
	case *ledger.AdmitMemberAction:
		return admissionText(a)
	case *ledger.SuspendMemberAction:
		return fmt.Sprintf("suspend the member %s", a.Member)
	case *ledger.ReinstateMemberAction:
		return fmt.Sprintf("reinstate the member %s", a.Member)
	case *ledger.RemoveMemberAction:
		return fmt.Sprintf("remove the member %s, for ever", a.Member)
	case *ledger.SetRolesAction:
		return fmt.Sprintf("give the member %s the roles %s", a.Member, roleWords(ledger.Roles(a.Roles)))
	case *ledger.SetPowerAction:
		return fmt.Sprintf("move the power of the member %s to %d", a.Member, a.Power)
	case *ledger.FreezeAccountAction:
		return fmt.Sprintf("freeze the account %s%s", a.Account, referenceWords(a.Reference))
	case *ledger.UnfreezeAccountAction:
		return fmt.Sprintf("unfreeze the account %s%s", a.Account, referenceWords(a.Reference))
	case *ledger.PauseAssetAction:
		return fmt.Sprintf("pause the asset %s", s.asset(a.Asset))
	case *ledger.ResumeAssetAction:
		return fmt.Sprintf("resume the asset %s", s.asset(a.Asset))
	}
	return networkActionText(action)
}

// networkActionText says what an action about the network as a whole does.
func networkActionText(action ledger.Action) string {
	switch a := action.(type) {
	case *ledger.SetParameterAction:
		if a.Name == "accountPolicy" && a.Value > 0 && a.Value < uint64(len(policies)) {
			return fmt.Sprintf("set the parameter %s to %d (%s)", a.Name, a.Value, policies[a.Value])
		}
		return fmt.Sprintf("set the parameter %s to %d", a.Name, a.Value)
	case *ledger.SetThresholdAction:
		return fmt.Sprintf("let %s need more than %d/%d of the active members", a.Action, a.Numerator, a.Denominator)
	case *ledger.ScheduleUpgradeAction:
		return fmt.Sprintf("switch to the rules of version %d at height %d, release %s", a.Version, a.Height, quoted(a.Name))
	case *ledger.CancelUpgradeAction:
		return fmt.Sprintf("cancel the upgrade to version %d", a.Version)
	case *ledger.ResolutionAction:
		if a.Hash == (crypto.Hash{}) {
			return "resolve " + quoted(a.Text)
		}
		return fmt.Sprintf("resolve %s, with the document of the hash %s", quoted(a.Text), a.Hash)
	}
	return action.ActionKind().String()
}

func admissionText(a *ledger.AdmitMemberAction) string {
	key, nodes := "no consensus key", make([]string, len(a.NodeIDs))
	if !a.ConsensusKey.IsZero() {
		key = "the consensus key " + a.ConsensusKey.String()
	}
	for i, id := range a.NodeIDs {
		nodes[i] = id.String()
	}
	return fmt.Sprintf("admit the member %s with the admin account %s, the roles %s, %s, power %d, nodes: %s",
		quoted(a.Name), a.Admin, roleWords(ledger.Roles(a.Roles)), key, a.Power, orNone(strings.Join(nodes, ", ")))
}

func roleWords(roles ledger.Roles) string { return orNone(strings.Join(roles.Names(), ", ")) }

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}
