package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// speech says in words what operations do.
type speech struct {
	// find finds an asset. A file that no node reads with knows none: amounts
	// are in smallest units then.
	find func(crypto.Address) *wire.Asset
	// findHold and findProposal find what an operation only names.
	findHold     func(crypto.Address) *wire.OpenHold
	findProposal func(ledger.ProposalID) *wire.Proposal
}

// plain is the speech about a file.
var plain = speech{
	find:         func(crypto.Address) *wire.Asset { return nil },
	findHold:     func(crypto.Address) *wire.OpenHold { return nil },
	findProposal: func(ledger.ProposalID) *wire.Proposal { return nil },
}

// knowing is the speech of who can ask a node. Without an answer, what plain
// says will do.
func knowing(ctx context.Context, node *client.Client) speech {
	return speech{
		find: remembered(func(address crypto.Address) *wire.Asset {
			asset, err := node.Asset(ctx, address.String())
			// What is no asset of this address is not believed.
			if err != nil || asset.Asset != address || asset.Decimals > ledger.MaxDecimals || !ledger.ValidSymbol(asset.Symbol) {
				return nil
			}
			return asset
		}),
		findHold: remembered(func(id crypto.Address) *wire.OpenHold {
			hold, err := node.Hold(ctx, id)
			if err != nil || hold.Hold != id {
				return nil
			}
			return hold
		}),
		findProposal: remembered(func(id ledger.ProposalID) *wire.Proposal {
			proposal, err := node.Proposal(ctx, id)
			if err != nil || proposal.Proposal != uint64(id) {
				return nil
			}
			return proposal
		}),
	}
}

// remembered asks for each thing once.
func remembered[K comparable, V any](find func(K) *V) func(K) *V {
	known := map[K]*V{}
	return func(key K) *V {
		v, asked := known[key]
		if !asked {
			v = find(key)
			known[key] = v
		}
		return v
	}
}

// money writes an amount of an asset.
func (s speech) money(amount ledger.Amount, address crypto.Address) string {
	if asset := s.find(address); asset != nil {
		return money(amount, asset)
	}
	return fmt.Sprintf("%s units of asset %s", amount, address)
}

// asset names an asset.
func (s speech) asset(address crypto.Address) string {
	if asset := s.find(address); asset != nil {
		return fmt.Sprintf("%s (%s)", asset.Symbol, address)
	}
	return address.String()
}

// operation says what an operation does, a line for each thing.
func (s speech) operation(op ledger.Operation) string {
	text, _ := s.words(op)
	return text
}

// words says what an operation does, and whether there are words for it.
func (s speech) words(op ledger.Operation) (text string, said bool) {
	for _, say := range []func(ledger.Operation) []string{
		s.movement, s.assetRule, s.holderRule, s.holdOperation, s.accountRule, s.memberRule, s.governance,
	} {
		if lines := say(op); lines != nil {
			return "  " + strings.Join(lines, "\n  ") + "\n", true
		}
	}
	return fmt.Sprintf("  %s\n", op.Kind()), false
}

func (s speech) leg(l ledger.Leg) string {
	return fmt.Sprintf("%s pays %s to %s%s", l.From, s.money(l.Amount, l.Asset), l.To, referenceWords(l.Reference))
}

// movement speaks of what moves, makes and destroys amounts.
func (s speech) movement(op ledger.Operation) (lines []string) {
	switch o := op.(type) {
	case *ledger.Transfer:
		for _, l := range o.Legs {
			lines = append(lines, s.leg(l))
		}
	case *ledger.Issue:
		return said("issue %s to %s%s", s.money(o.Amount, o.Asset), o.To, referenceWords(o.Reference))
	case *ledger.Redeem:
		return said("redeem %s of %s%s", s.money(o.Amount, o.Asset), o.From, referenceWords(o.Reference))
	case *ledger.Clawback:
		return said("claw back %s from %s to %s, reason %d%s", s.money(o.Amount, o.Asset), o.From, o.To, o.Reason, referenceWords(o.Reference))
	}
	return lines
}

// said is one line.
func said(format string, args ...any) []string { return []string{fmt.Sprintf(format, args...)} }
