package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

func newMemberList() *cobra.Command {
	c := &cobra.Command{
		Use: "list", Short: "List all members, removed ones included", Example: "  tally member list --json", Args: exactly(),
	}
	f := nodeFlags{}
	f.add(c)
	c.RunE = run(func(c *cobra.Command, _ []string) error {
		return f.with(c.Context(), func(ctx context.Context, node *client.Client) error {
			members, err := node.AllMembers(ctx)
			if err != nil {
				return err
			}
			var t strings.Builder
			for _, m := range members {
				fmt.Fprintf(&t, "%s  %s  power %d  %s  (%s)\n", m.Member, m.Status, m.Power, m.Name, strings.Join(m.Roles, ", "))
			}
			if len(members) == 0 {
				t.WriteString("no members: the validators of this network are fixed\n")
			}
			return show(c, members, t.String())
		})
	})
	return c
}

func newMemberShow() *cobra.Command {
	return showing(&cobra.Command{
		Use:     "show MEMBER",
		Short:   "Show a member, by the address of its admin account",
		Example: "  tally member show 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
		Args:    exactly("MEMBER"),
	}, parseAddress, func(ctx context.Context, node *client.Client, member crypto.Address) (any, string, error) {
		m, err := node.Member(ctx, member)
		if err != nil {
			return nil, "", err
		}
		return m, memberText(m), nil
	})
}

func memberText(m *wire.Member) string {
	var t strings.Builder
	key, power := "none", fmt.Sprint(m.Power)
	if m.ConsensusKey != nil {
		key = m.ConsensusKey.String()
	}
	if m.Power != m.Target {
		power += fmt.Sprintf(", on its way to %d", m.Target)
	}
	fmt.Fprintf(&t, "member         %s\nname           %s\nstatus         %s\nroles          %s\nconsensus key  %s\npower          %s\n",
		m.Member, m.Name, m.Status, strings.Join(m.Roles, ", "), key, power)
	for _, id := range m.NodeIDs {
		fmt.Fprintf(&t, "node           %s\n", id)
	}
	fmt.Fprintf(&t, "open proposals %d\n", m.OpenProposals)
	return t.String()
}

func newMemberValidators() *cobra.Command {
	c := &cobra.Command{
		Use:     "validators",
		Short:   "List who votes on the next block, and who has signed lately",
		Example: "  tally member validators",
		Args:    exactly(),
	}
	f := nodeFlags{}
	f.add(c)
	c.RunE = run(func(c *cobra.Command, _ []string) error {
		return f.with(c.Context(), func(ctx context.Context, node *client.Client) error {
			v, err := node.Validators(ctx)
			if err != nil {
				return err
			}
			return show(c, v, validatorsText(v))
		})
	})
	return c
}

func validatorsText(v *wire.Validators) string {
	var t strings.Builder
	for _, one := range v.Items {
		name := one.Name
		if one.Member == nil {
			name = "of no member"
		}
		fmt.Fprintf(&t, "0x%x  power %d of %d  signed %d of %d  %s\n", []byte(one.ConsensusAddress), one.Power, v.TotalPower, one.Signed, v.Window, name)
	}
	return t.String()
}

func newMemberNodes() *cobra.Command {
	return group("nodes", "Say which nodes of your member may connect", newMemberNodesSet())
}

func newMemberNodesSet() *cobra.Command {
	c := &cobra.Command{
		Use:   "set NODEID…",
		Short: "Replace the list of your member's nodes that may connect",
		Long: "Replace the list of the nodes of the sender's member that other nodes let connect, up to 16. A node\n" +
			"that is left out is cut off.",
		Example: "  tally member nodes set 3b5ac5d0a9d4d1d8e2d9b1f0b2f5d7f3a1c2e4f6 9f0d2c4b6a8e1f3d5c7b9a0e2d4c6b8a1f3e5d7c",
	}
	f := sendFlags{}
	f.add(c)
	none := c.Flags().Bool("none", false, "let none connect")
	c.RunE = run(func(c *cobra.Command, arguments []string) error {
		if *none != (len(arguments) == 0) {
			return fails(exitUsage, errors.New("give the IDs of all nodes that may connect, or --none alone"), "")
		}
		op := &ledger.SetNodes{}
		for _, text := range arguments {
			var id ledger.NodeID
			if err := id.UnmarshalText([]byte(text)); err != nil {
				return fails(exitUsage, err, "`tally init` shows a node's ID, and `tally status` that of one that runs")
			}
			op.NodeIDs = append(op.NodeIDs, id)
		}
		slices.SortFunc(op.NodeIDs, func(a, b ledger.NodeID) int { return slices.Compare(a[:], b[:]) })
		return f.send(c, func(context.Context, *client.Client, crypto.Address) (ledger.Operation, error) { return op, nil })
	})
	return c
}

// memberRule speaks of what a member changes about itself.
func (s speech) memberRule(op ledger.Operation) []string {
	switch o := op.(type) {
	case *ledger.RotateValidatorKey:
		return said("make %s the consensus key of the sender's validator", o.ConsensusKey)
	case *ledger.SetNodes:
		lines := said("let these nodes of the sender connect, and no others:")
		for _, id := range o.NodeIDs {
			lines = append(lines, "  "+id.String())
		}
		if len(o.NodeIDs) == 0 {
			lines = said("let no node of the sender connect")
		}
		return lines
	}
	return nil
}
