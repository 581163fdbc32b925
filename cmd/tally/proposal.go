package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

func newProposal() *cobra.Command {
	return group("proposal", "Put changes to the vote of the members", newProposalCreate(), newProposalVote(), newProposalWithdraw(),
		newProposalShow(), newProposalList(), newProposalParams())
}

func newProposalCreate() *cobra.Command {
	c := &cobra.Command{
		Use:   "create",
		Short: "Propose something to the members, and vote yes",
		Long: "Put 1 to 16 actions before the members, in the order of the flags, applied together or not at all.\n" +
			"The sender is a member's admin account, and votes yes by proposing. Actions that no flag covers, such\n" +
			"as a resolution with a document's hash, come from --file: a JSON list [{\"setPower\": {…}}, …] whose\n" +
			"actions docs/FORMATS.md describes. MEMBER is the address of a member's admin account.",
		Example: "  tally proposal create --set-power 0x7099…=2000000 --set-threshold removeMember=3/4 --voting-period 7d\n" +
			"  tally proposal create --admit bank-e.json --voting-period 72h --delay 24h\n" +
			"  tally proposal create --file actions.json",
		Args: exactly(),
	}
	f, actions := sendFlags{}, actionFlags{}
	f.add(c)
	actions.add(c)
	period, delay := days(7*24*time.Hour), days(0)
	c.Flags().Var(&period, "voting-period", "how long members may vote, from 60s to 90d")
	c.Flags().Var(&delay, "delay", "how long it waits after it has passed, when members may veto it, up to 90d")
	c.RunE = run(func(c *cobra.Command, _ []string) error {
		if len(actions.makers) == 0 {
			return fails(exitUsage, errors.New("there is no action to propose"), "run `tally proposal create --help`")
		}
		if len(actions.makers) > ledger.MaxActions {
			return fails(exitUsage, fmt.Errorf("%d actions: at most %d", len(actions.makers), ledger.MaxActions), "make a second proposal of the rest")
		}
		return f.send(c, func(ctx context.Context, node *client.Client, _ crypto.Address) (ledger.Operation, error) {
			list, err := actions.make(ctx, c, node)
			return &ledger.Propose{Actions: list, VotingPeriod: period.seconds(), Delay: delay.seconds()}, err
		})
	})
	return c
}

// days is a duration flag in whole seconds that knows days.
type days time.Duration

func (d *days) seconds() uint64 { return uint64(time.Duration(*d) / time.Second) }

// Type implements pflag.Value.
func (*days) Type() string { return "duration" }

// String implements pflag.Value.
func (d *days) String() string {
	const day = 24 * time.Hour
	if v := time.Duration(*d); v == 0 || v%day != 0 {
		return v.String()
	}
	return fmt.Sprintf("%dd", time.Duration(*d)/day)
}

// Set implements pflag.Value.
func (d *days) Set(text string) error {
	const most = 1 << 16 // days, so that nothing wraps
	v, err := time.ParseDuration(text)
	if number, found := strings.CutSuffix(text, "d"); found {
		var n uint64
		n, err = strconv.ParseUint(number, 10, 32)
		v = time.Duration(min(n, most)) * 24 * time.Hour
	}
	if err != nil || v < 0 || v%time.Second != 0 {
		return errors.New("want whole seconds, written as 90s, 72h or 7d")
	}
	*d = days(v)
	return nil
}

// lasting writes a number of seconds in the greatest units that go into it: 7d,
// 36h, 90m or 61s.
func lasting(seconds uint64) string {
	for _, unit := range []struct {
		seconds uint64
		name    string
	}{{24 * 3600, "d"}, {3600, "h"}, {60, "m"}} {
		if seconds > 0 && seconds%unit.seconds == 0 {
			return fmt.Sprintf("%d%s", seconds/unit.seconds, unit.name)
		}
	}
	return fmt.Sprintf("%ds", seconds)
}

// choices are the choices by their names.
var choices = map[string]ledger.Choice{"yes": ledger.ChoiceYes, "no": ledger.ChoiceNo, "veto": ledger.ChoiceVeto}

func choiceName(choice ledger.Choice) string {
	for name, c := range choices {
		if c == choice {
			return name
		}
	}
	return fmt.Sprint(uint8(choice))
}

func newProposalVote() *cobra.Command {
	c := &cobra.Command{
		Use:   "vote N yes|no|veto",
		Short: "Vote on a proposal; a vote cannot be changed",
		Long: "Vote yes or no on an open proposal, or veto one that has passed and waits. The sender is a member's\n" +
			"admin account. A vote cannot be changed.",
		Example: "  tally proposal vote 3 yes",
		Args:    exactly("N", "yes|no|veto"),
	}
	f := sendFlags{}
	f.add(c)
	c.RunE = run(func(c *cobra.Command, arguments []string) error {
		id, err := parseProposal(arguments[0])
		if err != nil {
			return err
		}
		choice, known := choices[arguments[1]]
		if !known {
			return fails(exitUsage, fmt.Errorf("vote %q: want yes, no or veto", arguments[1]), "")
		}
		return f.offerOn(c, id, &ledger.CastVote{Proposal: uint64(id), Choice: choice})
	})
	return c
}

func newProposalWithdraw() *cobra.Command {
	c := &cobra.Command{
		Use: "withdraw N", Short: "End an open proposal of your member", Example: "  tally proposal withdraw 3", Args: exactly("N"),
	}
	f := sendFlags{}
	f.add(c)
	c.RunE = run(func(c *cobra.Command, arguments []string) error {
		id, err := parseProposal(arguments[0])
		if err != nil {
			return err
		}
		return f.offerOn(c, id, &ledger.WithdrawProposal{Proposal: uint64(id)})
	})
	return c
}

// offerOn offers an operation about a proposal that there is.
func (f *sendFlags) offerOn(c *cobra.Command, id ledger.ProposalID, op ledger.Operation) error {
	return f.send(c, func(ctx context.Context, node *client.Client, _ crypto.Address) (ledger.Operation, error) {
		_, err := node.Proposal(ctx, id)
		return op, err
	})
}

// parseProposal reads a proposal's number of the command line.
func parseProposal(text string) (ledger.ProposalID, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n == 0 || n > ledger.MaxJSONInteger {
		return 0, fails(exitUsage, fmt.Errorf("proposal %q: want its number, from 1", text), "`tally proposal list` shows them")
	}
	return ledger.ProposalID(n), nil
}

func newProposalShow() *cobra.Command {
	return showing(&cobra.Command{
		Use: "show N", Short: "Show a proposal, and how the members stand on it", Example: "  tally proposal show 3", Args: exactly("N"),
	}, parseProposal, func(ctx context.Context, node *client.Client, id ledger.ProposalID) (any, string, error) {
		p, err := node.Proposal(ctx, id)
		if err != nil {
			return nil, "", err
		}
		return p, proposalText(knowing(ctx, node), p), nil
	})
}

func newProposalList() *cobra.Command {
	c := &cobra.Command{
		Use: "list", Short: "List all proposals, the newest first", Example: "  tally proposal list --json", Args: exactly(),
	}
	f := nodeFlags{}
	f.add(c)
	c.RunE = run(func(c *cobra.Command, _ []string) error {
		return f.with(c.Context(), func(ctx context.Context, node *client.Client) error {
			proposals, err := node.AllProposals(ctx)
			if err != nil {
				return err
			}
			var t strings.Builder
			for i := range proposals {
				p := &proposals[i]
				fmt.Fprintf(&t, "%-4d %-9s  %s  by %s: %s\n", p.Proposal, p.Status, utc(p.Created), p.Proposer, actionNames(p.Actions))
			}
			if len(proposals) == 0 {
				t.WriteString("no proposals\n")
			}
			return show(c, proposals, t.String())
		})
	})
	return c
}

// actionNames lists what a proposal does in as few words as there are.
func actionNames(actions ledger.ActionList) string {
	names := make([]string, len(actions))
	for i, a := range actions {
		names[i] = a.ActionKind().String()
	}
	return strings.Join(names, ", ")
}

// dueWords say what happens to a proposal, or has, at its due time.
var dueWords = map[string]string{"open": "expires", "waiting": "effect"}

func proposalText(s speech, p *wire.Proposal) string {
	var t strings.Builder
	due, found := dueWords[p.Status]
	if !found {
		due = "ended"
	}
	fmt.Fprintf(&t, "proposal  %d\nstatus    %s\nproposer  %s\ncreated   %s\n%-9s %s\n", p.Proposal, p.Status, p.Proposer, utc(p.Created), due, utc(p.Due))
	if p.Delay > 0 {
		fmt.Fprintf(&t, "delay     %s\n", lasting(p.Delay))
	}
	if p.Message != "" {
		fmt.Fprintf(&t, "failed    action %d: %s\n", p.Failed+1, p.Message)
	}
	fmt.Fprintf(&t, "actions\n%s", s.actions("  ", p.Actions))
	for _, v := range p.Votes {
		fmt.Fprintf(&t, "vote      %-4s %s\n", v.Choice, v.Member)
	}
	if found { // who is a member now says nothing of a proposal that has ended
		fmt.Fprintf(&t, "stand     %d yes, %d no, %d veto of %d active members; %d are needed (more than %d/%d)\n",
			p.Tally.Yes, p.Tally.No, p.Tally.Veto, p.Tally.Active, p.Tally.Needed, p.Threshold.Numerator, p.Threshold.Denominator)
	}
	return t.String()
}

// governance speaks of proposals.
func (s speech) governance(op ledger.Operation) []string {
	switch o := op.(type) {
	case *ledger.Propose:
		then := "it takes effect as soon as it has passed"
		if o.Delay > 0 {
			then = "they may veto it for " + lasting(o.Delay) + " after it has passed"
		}
		lines := said("propose to the members, who may vote for %s; %s:", lasting(o.VotingPeriod), then)
		for _, a := range o.Actions {
			lines = append(lines, "  "+s.action(a))
		}
		return lines
	case *ledger.CastVote:
		return append(said("vote %s on proposal %d%s", choiceName(o.Choice), o.Proposal, s.proposed(o.Proposal)), s.proposedActions(o.Proposal)...)
	case *ledger.WithdrawProposal:
		return append(said("withdraw proposal %d%s", o.Proposal, s.proposed(o.Proposal)), s.proposedActions(o.Proposal)...)
	}
	return nil
}

// proposed introduces what a proposal is.
func (s speech) proposed(id uint64) string {
	p := s.findProposal(ledger.ProposalID(id))
	if p == nil {
		return ", which is not known here"
	}
	return fmt.Sprintf(" of %s, which is:", p.Proposer)
}

// proposedActions says what a proposal does.
func (s speech) proposedActions(id uint64) (lines []string) {
	if p := s.findProposal(ledger.ProposalID(id)); p != nil {
		for _, a := range p.Actions {
			lines = append(lines, "  "+s.action(a))
		}
	}
	return lines
}
