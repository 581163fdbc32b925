package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/rpc/wire"
)

func newProposalParams() *cobra.Command {
	c := &cobra.Command{
		Use:     "params",
		Short:   "Show what members can change by vote, and how many it takes",
		Example: "  tally proposal params",
		Args:    exactly(),
	}
	f := nodeFlags{}
	f.add(c)
	c.RunE = run(func(c *cobra.Command, _ []string) error {
		return f.with(c.Context(), func(ctx context.Context, node *client.Client) error {
			p, err := node.Params(ctx)
			if err != nil {
				return err
			}
			return show(c, p, paramsText(p))
		})
	})
	return c
}

// secondsOf are the parameters that are times.
var secondsOf = []string{"maxMultiPartyLifetime", "minProposalDelay", "keyRotationCooldown"}

func paramsText(p *wire.Params) string {
	var t strings.Builder
	fmt.Fprintf(&t, "rules of version %d\n", p.Protocol)
	if u := p.Upgrade; u != nil {
		fmt.Fprintf(&t, "from height %d on those of version %d, release %q\n", u.Height, u.Version, u.Name)
	}
	t.WriteString("parameters\n")
	for _, n := range p.Parameters {
		meaning := ""
		switch {
		case n.Name == "accountPolicy" && n.Value < uint64(len(policies)):
			meaning = " (" + policies[n.Value] + ")"
		case slices.Contains(secondsOf, n.Name):
			meaning = " seconds"
			if text := lasting(n.Value); text != fmt.Sprintf("%ds", n.Value) {
				meaning += " (" + text + ")"
			}
		case n.Name == "maxBlockBytes":
			meaning = " bytes"
		}
		fmt.Fprintf(&t, "  %-22s %d%s, from %d to %d\n", n.Name, n.Value, meaning, n.Least, n.Most)
	}
	t.WriteString("more than this part of the active members is needed for\n")
	for _, n := range p.Thresholds {
		fmt.Fprintf(&t, "  %-22s %d/%d\n", n.Action, n.Numerator, n.Denominator)
	}
	return t.String()
}
