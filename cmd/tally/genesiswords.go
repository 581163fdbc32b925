package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/tallystick/tallystick/node"
)

// genesisWords says what a genesis document means.
func genesisWords(r *node.GenesisReport) string {
	var b strings.Builder
	fmt.Fprintf(&b, "hash        %s\nnetwork     %s (chain %d)\nbegins      %s\n", r.Hash, r.NetworkID, r.ChainID, utc(r.Time))
	signed := "each proved by a card with three good signatures"
	if !r.Signed {
		signed = "without cards"
	}
	if len(r.Members) > 0 {
		fmt.Fprintf(&b, "\nMembers: %d, %s\n", len(r.Members), signed)
	}
	for _, m := range r.Members {
		fmt.Fprintf(&b, "  %s\n    admin     %s\n    roles     %s\n", m.Name, m.Admin, strings.Join(m.Roles, ", "))
		if m.Power > 0 {
			fmt.Fprintf(&b, "    power     %d, %s%% of the whole\n", m.Power, m.PowerPercent)
		}
		fmt.Fprintf(&b, "    key       %s\n", m.ConsensusKey)
		for _, id := range m.NodeIDs {
			fmt.Fprintf(&b, "    node      %s", id)
			if m.Address != "" {
				fmt.Fprintf(&b, "@%s", m.Address)
			}
			b.WriteByte('\n')
		}
	}
	are := "are"
	if r.StoppedBy == 1 {
		are = "is"
	}
	fmt.Fprintf(&b, "\nThe network stops while %d of its %d validators %s away (those with the most power).\n", r.StoppedBy, r.Validators, are)
	thresholdWords(&b, r.Thresholds)
	policy := "Only accounts that a member has admitted may act or receive."
	if r.AccountPolicy == "open" {
		policy = "Anybody may receive, and has an account then."
	}
	fmt.Fprintf(&b, "\nAccounts: %d at the start, %d balances. %s\n", r.Accounts, r.Balances, policy)
	for _, a := range r.Assets {
		issuer := a.IssuerName
		if issuer == "" {
			issuer = a.Issuer.String()
		}
		settlement := ""
		if a.Settlement {
			settlement = "; what a wallet's Send button moves"
		}
		fmt.Fprintf(&b, "  %s, %q, %d decimals, issued by %s%s\n", a.Symbol, a.Name, a.Decimals, issuer, settlement)
	}
	if left := time.Until(time.Unix(int64(r.Time), 0)); left > 0 {
		fmt.Fprintf(&b, "\nIt begins in %s: nodes that are started wait until then.\n", left.Round(time.Second))
	}
	for _, w := range r.Warnings {
		fmt.Fprintf(&b, "\nWarning: %s.\n", w)
	}
	return b.String()
}

// thresholdWords groups what needs the same number of votes.
func thresholdWords(b *strings.Builder, thresholds []node.ThresholdReport) {
	if len(thresholds) == 0 {
		return
	}
	fmt.Fprintf(b, "Votes that a proposal needs:\n")
	done := map[int]bool{}
	for _, t := range thresholds {
		if done[t.Needs] {
			continue
		}
		done[t.Needs] = true
		var actions []string
		for _, other := range thresholds {
			if other.Needs == t.Needs {
				actions = append(actions, other.Action)
			}
		}
		head := fmt.Sprintf("  %d of %d  ", t.Needs, t.Of)
		fmt.Fprintf(b, "%s%s\n", head, wrapped(actions, len(head)))
	}
}

// wrapped joins names with commas, in lines of helpColumns that begin after an
// indent.
func wrapped(names []string, indent int) string {
	var b strings.Builder
	column := indent
	for i, name := range names {
		if i > 0 {
			b.WriteByte(',')
			if column+len(name)+2 > helpColumns {
				b.WriteString("\n" + strings.Repeat(" ", indent))
				column = indent
			} else {
				b.WriteByte(' ')
			}
		}
		b.WriteString(name)
		column += len(name) + 2
	}
	return b.String()
}
