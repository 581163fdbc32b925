package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// Clear signing: whoever signs reads before what will happen, in words that are
// made of the very transaction whose digest is signed. No digest comes from a
// file or a node, and what has no words is not signed.

// agreed is a transaction that was shown to who signs it, and not declined. Only
// present makes one, and only this file signs.
type agreed struct {
	network *ledger.Network
	body    ledger.Body
}

// present shows a transaction in words and has it confirmed. With --json and
// --yes nothing is shown: then a program has asked for it.
func present(c *cobra.Command, s speech, network *ledger.Network, body ledger.Body, yes bool, question string) (agreed, error) {
	if _, said := s.words(body.Op); !said {
		return agreed{}, fails(exitFailed, fmt.Errorf("this program has no words for %q, and signs nothing that it cannot say", body.Op.Kind()),
			"use a newer version")
	}
	if !asJSON(c) || !yes {
		fmt.Fprint(c.ErrOrStderr(), visible(s.statement(network, &body, time.Now())))
	}
	return agreed{network, body}, confirm(c, yes, question)
}

// sign adds a signature by each signer, and builds the transaction.
func (a agreed) sign(ctx context.Context, node *client.Client, scheme ledger.Scheme, signers ...client.Signer) (*ledger.Tx, error) {
	return node.Sign(ctx, a.body, scheme, signers...)
}

// signature is one signer's, made without a node.
func (a agreed) signature(ctx context.Context, scheme ledger.Scheme, signer client.Signer) (crypto.Signature, error) {
	return client.SignDigest(ctx, signer, a.network.Digest(&a.body, scheme))
}

// statement says all that a transaction binds and does.
func (s speech) statement(network *ledger.Network, body *ledger.Body, now time.Time) string {
	s, met := s.remembering()
	var t strings.Builder
	fmt.Fprintf(&t, "network     %s (chain %d)\nsender      %s, nonce %d\nvalid until %s\n",
		network.ID, network.ChainID, body.Sender, body.Nonce, lastTime(body.ValidUntil, now))
	if body.Memo != "" {
		fmt.Fprintf(&t, "memo        %s, which everybody sees\n", quoted(body.Memo))
	}
	t.WriteString(s.operation(body.Op))
	t.WriteString(s.sums(body))
	for _, address := range *met {
		t.WriteString(s.identity(address))
	}
	return t.String()
}

// lastTime says until when a transaction may be included, by the clocks of who
// reads it.
func lastTime(until ledger.UnixTime, now time.Time) string {
	if until == 0 {
		return "for ever: it can be included at any time until its nonce is spent"
	}
	if until > math.MaxInt32<<8 {
		return fmt.Sprintf("second %d of Unix time, which nobody will live to see", until)
	}
	t := time.Unix(int64(until), 0)
	text := t.UTC().Format("2006-01-02 15:04:05 UTC")
	if local := t.In(now.Location()); local.Format("-0700") != "+0000" {
		text = local.Format("2006-01-02 15:04:05 -0700") + " (" + text + ")"
	}
	if left := t.Sub(now); left >= 0 {
		return text + ", in " + about(left)
	}
	return text + ", which has passed"
}

// about is a duration as people say it.
func about(d time.Duration) string {
	for _, unit := range []struct {
		name   string
		length time.Duration
	}{{"days", 24 * time.Hour}, {"hours", time.Hour}, {"minutes", time.Minute}} {
		if d >= 2*unit.length {
			return fmt.Sprintf("%d %s", int64((d+unit.length/2)/unit.length), unit.name)
		}
	}
	return fmt.Sprintf("%d seconds", int64(d/time.Second))
}

// remembering is the same speech, which lists the assets that it meets.
func (s speech) remembering() (speech, *[]crypto.Address) {
	met, find := &[]crypto.Address{}, s.find
	s.find = func(address crypto.Address) *wire.Asset {
		if !slices.Contains(*met, address) {
			*met = append(*met, address)
		}
		return find(address)
	}
	return s, met
}

// identity says which asset a symbol stands for.
func (s speech) identity(address crypto.Address) string {
	a := s.find(address)
	if a == nil {
		return fmt.Sprintf("unknown     asset %s: its name and decimals are not known here, amounts are in its smallest unit\n", address)
	}
	return fmt.Sprintf("asset       %s is %s, %s, with %d decimals, issued by %s\n", a.Symbol, address, quoted(a.Name), a.Decimals, a.Issuer)
}

// sums says what each account that must authorise several movements pays and
// receives in all.
func (s speech) sums(body *ledger.Body) string {
	var legs []ledger.Leg
	switch o := body.Op.(type) {
	case *ledger.Transfer:
		legs = o.Legs
	case *ledger.Settle:
		legs = o.Legs
	}
	if len(legs) < 2 {
		return ""
	}
	var t strings.Builder
	for _, account := range body.Authorisers() {
		pays := s.total(legs, func(l ledger.Leg) bool { return l.From == account && l.To != account })
		receives := s.total(legs, func(l ledger.Leg) bool { return l.To == account && l.From != account })
		fmt.Fprintf(&t, "in all      %s pays %s and receives %s\n", account, pays, receives)
	}
	return t.String()
}

// total adds up the legs that count, asset by asset, in the order they come.
func (s speech) total(legs []ledger.Leg, counts func(ledger.Leg) bool) string {
	type sum struct {
		asset  crypto.Address
		amount ledger.Amount
		over   bool // more than an amount can say
	}
	var sums []sum
	for _, l := range legs {
		if !counts(l) {
			continue
		}
		at := slices.IndexFunc(sums, func(x sum) bool { return x.asset == l.Asset })
		if at < 0 {
			at, sums = len(sums), append(sums, sum{asset: l.Asset})
		}
		added, fits := sums[at].amount.Add(l.Amount)
		sums[at].amount, sums[at].over = added, sums[at].over || !fits
	}
	words := make([]string, len(sums))
	for i, x := range sums {
		words[i] = s.money(x.amount, x.asset)
		if x.over {
			words[i] = "more than there can be of " + s.asset(x.asset)
		}
	}
	if len(words) == 0 {
		return "nothing"
	}
	return strings.Join(words, " and ")
}
