package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

func newHold() *cobra.Command {
	return group("hold", "Set funds aside, and settle with them", newHoldCreate(), newHoldCapture(), newHoldRelease(), newHoldSettle(), newHoldShow())
}

func newHoldCreate() *cobra.Command {
	c := &cobra.Command{
		Use:   "create",
		Short: "Set an amount aside for a payee",
		Long: "Set an amount of an asset aside for a payee until an expiry, at most 366 days ahead. The receipt's\n" +
			"event names the hold. Funds of another account than the sender's need its signature too: with\n" +
			"--also-sign where the key is here, and otherwise by --build and `tally tx sign`.",
		Example: "  tally hold create --to 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --asset USD --amount 100 --expires-in 72h",
		Args:    exactly(),
	}
	f, m := sendFlags{}, moneyFlags{}
	f.add(c)
	m.add(c)
	to := c.Flags().String("to", "", "the `address` of the payee")
	payer := c.Flags().String("payer", "", "the `address` whose funds they are; left out, the sender's")
	arbiter := c.Flags().String("arbiter", "", "the `address` that captures in place of the payee, and may release")
	in := days(0)
	c.Flags().Var(&in, "expires-in", "how long from now the hold lasts, such as 72h or 7d")
	at := c.Flags().String("expiry", "", "in place of that the `time`, such as 2027-01-31T12:00:00Z")
	required(c, "to", "asset", "amount")
	c.RunE = run(func(c *cobra.Command, _ []string) error {
		terms := &ledger.CreateHold{Reference: m.reference}
		var err error
		if terms.Expiry, err = expiry(time.Duration(in), *at); err != nil {
			return err
		}
		if terms.To, err = parseAddress(*to); err != nil {
			return err
		}
		if terms.Arbiter, err = optionalAddress(*arbiter); err != nil {
			return err
		}
		from, err := optionalAddress(*payer)
		if err != nil {
			return err
		}
		return f.send(c, func(ctx context.Context, node *client.Client, sender crypto.Address) (ledger.Operation, error) {
			asset, amount, err := m.read(ctx, node)
			if err != nil {
				return nil, err
			}
			terms.From, terms.Asset, terms.Amount = orSender(from, sender), asset, amount
			return terms, nil
		})
	})
	return c
}

// expiry reads --expires-in and --expiry, of which one is given.
func expiry(in time.Duration, at string) (ledger.UnixTime, error) {
	switch {
	case (in == 0) == (at == ""):
		return 0, fails(exitUsage, errors.New("give either --expires-in or --expiry"), "")
	case in < 0:
		return 0, fails(exitUsage, fmt.Errorf("--expires-in %s: must be above 0", in), "")
	case in > 0:
		return ledger.UnixTime(time.Now().Add(in).Unix()), nil
	}
	t, err := time.Parse(time.RFC3339, at)
	if err == nil && t.Unix() < 0 {
		err = errors.New("lies before 1970")
	}
	if err != nil {
		return 0, fails(exitUsage, fmt.Errorf("--expiry: %w", err), "write it as 2027-01-31T12:00:00Z")
	}
	return ledger.UnixTime(t.Unix()), nil
}

func newHoldCapture() *cobra.Command {
	c := &cobra.Command{
		Use:     "capture HOLD",
		Short:   "Pay a hold, or a part of it, to its payee",
		Long:    "Pay a hold to its payee. The payee sends it, or the arbiter alone where the hold has one.",
		Example: "  tally hold capture 0xF911a17e00061977a0C7De94656709B9990C1C2D --amount 40 --reference 'part 1'",
		Args:    exactly("HOLD"),
	}
	f := sendFlags{}
	f.add(c)
	amount := c.Flags().String("amount", "", "how much; left out, all that is left")
	reference := c.Flags().String("reference", "", "up to 35 bytes of text for the recipient's books, visible to everybody")
	c.RunE = run(func(c *cobra.Command, arguments []string) error {
		return f.offerHeld(c, arguments[0], func(ctx context.Context, node *client.Client, h *wire.OpenHold) (ledger.Operation, error) {
			op := &ledger.CaptureHold{Hold: h.Hold, Amount: h.Amount, Reference: *reference}
			if *amount == "" {
				return op, nil
			}
			m := moneyFlags{asset: h.Asset.String(), amount: *amount}
			var err error
			_, op.Amount, err = m.read(ctx, node)
			return op, err
		})
	})
	return c
}

func newHoldRelease() *cobra.Command {
	c := &cobra.Command{
		Use:   "release HOLD",
		Short: "Give what is left of a hold back to the payer",
		Long: "End a hold: what is left goes back to the payer. The payee sends it, the arbiter, or the issuer of\n" +
			"an asset with the flag clawback; the payer cannot.",
		Example: "  tally hold release 0xF911a17e00061977a0C7De94656709B9990C1C2D",
		Args:    exactly("HOLD"),
	}
	f := sendFlags{}
	f.add(c)
	c.RunE = run(func(c *cobra.Command, arguments []string) error {
		return f.offerHeld(c, arguments[0], func(_ context.Context, _ *client.Client, h *wire.OpenHold) (ledger.Operation, error) {
			return &ledger.ReleaseHold{Hold: h.Hold}, nil
		})
	})
	return c
}

// offerHeld offers an operation about a hold that there is.
func (f *sendFlags) offerHeld(c *cobra.Command, id string, operation func(context.Context, *client.Client, *wire.OpenHold) (ledger.Operation, error)) error {
	hold, err := parseAddress(id)
	if err != nil {
		return err
	}
	return f.send(c, func(ctx context.Context, node *client.Client, _ crypto.Address) (ledger.Operation, error) {
		h, err := node.Hold(ctx, hold)
		if err != nil {
			return nil, err
		}
		return operation(ctx, node, h)
	})
}

func newHoldSettle() *cobra.Command {
	c := &cobra.Command{
		Use:   "settle",
		Short: "Capture, pay and set aside together, all or nothing",
		Long: "Apply captures, then legs, then new holds, together or not at all. The file is the operation in\n" +
			"JSON, with amounts in the assets' smallest units:\n\n" +
			`  {"captures": [{"hold": "0x…", "by": "0x…", "amount": "100"}],` + "\n" +
			`   "legs": [{"from": "0x…", "to": "0x…", "asset": "0x…", "amount": "100"}],` + "\n" +
			`   "holds": [{"from": "0x…", "to": "0x…", "asset": "0x…", "amount": "100", "expiry": 1800000000}]}` + "\n\n" +
			"Whoever captures or pays signs: with --also-sign, or by --build and `tally tx sign`.",
		Example: "  tally hold settle --file settle.json --build deal.json",
		Args:    exactly(),
	}
	f := sendFlags{}
	f.add(c)
	file := c.Flags().String("file", "", "the `file` with the settlement, - for standard input")
	required(c, "file")
	c.RunE = run(func(c *cobra.Command, _ []string) error {
		data, err := readLimited(c, *file)
		if err != nil {
			return err
		}
		op, err := parseOperation(ledger.KindSettle, data)
		if err != nil {
			return fails(exitConfig, fmt.Errorf("settlement in %s: %w", *file, err), "see `tally hold settle --help` for its form")
		}
		return f.send(c, func(context.Context, *client.Client, crypto.Address) (ledger.Operation, error) { return op, nil })
	})
	return c
}

// parseOperation reads the JSON form of an operation as strictly as that of a
// whole transaction.
func parseOperation(kind ledger.Kind, data []byte) (ledger.Operation, error) {
	if !json.Valid(data) {
		return nil, errors.New("it is not one JSON value")
	}
	whole := fmt.Sprintf(`{"sender":%q,"nonce":0,%q:%s}`, crypto.Address{19: 1}, kind, data)
	var body ledger.Body
	err := strictly([]byte(whole), &body)
	return body.Op, err
}

func newHoldShow() *cobra.Command {
	return showing(&cobra.Command{
		Use:     "show HOLD",
		Short:   "Show a hold and what is left of it",
		Example: "  tally hold show 0xF911a17e00061977a0C7De94656709B9990C1C2D",
		Args:    exactly("HOLD"),
	}, parseAddress, func(ctx context.Context, node *client.Client, hold crypto.Address) (any, string, error) {
		h, err := node.Hold(ctx, hold)
		if err != nil {
			return nil, "", err
		}
		return h, holdText(knowing(ctx, node), h), nil
	})
}

func holdText(s speech, h *wire.OpenHold) string {
	arbiter := "none"
	if h.Arbiter != nil {
		arbiter = h.Arbiter.String()
	}
	text := fmt.Sprintf("hold      %s\nfrom      %s\nto        %s\narbiter   %s\nleft      %s\nexpiry    %s\n",
		h.Hold, h.From, h.To, arbiter, s.money(h.Amount, h.Asset), utc(h.Expiry))
	if h.Reference != "" {
		text += fmt.Sprintf("reference %s\n", quoted(h.Reference))
	}
	return text
}

// holdOperation speaks of holds.
func (s speech) holdOperation(op ledger.Operation) (lines []string) {
	switch o := op.(type) {
	case *ledger.CreateHold:
		return []string{s.hold((*ledger.Hold)(o))}
	case *ledger.CaptureHold:
		return said("capture %s%s", s.ofHold(o.Hold, &o.Amount), referenceWords(o.Reference))
	case *ledger.ReleaseHold:
		return said("release %s", s.ofHold(o.Hold, nil))
	case *ledger.Settle:
		for _, capture := range o.Captures {
			lines = append(lines, said("%s captures %s", capture.By, s.ofHold(capture.Hold, &capture.Amount))...)
		}
		for _, l := range o.Legs {
			lines = append(lines, s.leg(l))
		}
		for i := range o.Holds {
			lines = append(lines, s.hold(&o.Holds[i]))
		}
	}
	return lines
}

// ofHold says how much of a hold it is about, or all that is left, and whose the
// hold is.
func (s speech) ofHold(id crypto.Address, amount *ledger.Amount) string {
	h := s.findHold(id)
	switch {
	case h == nil && amount == nil:
		return fmt.Sprintf("all that is left of the hold %s, which is not known here", id)
	case h == nil:
		return fmt.Sprintf("%s units of the hold %s, which is not known here", amount, id)
	case amount == nil:
		amount = &h.Amount
	}
	return fmt.Sprintf("%s of the hold %s, which %s made for %s", s.money(*amount, h.Asset), h.Hold, h.From, h.To)
}

func (s speech) hold(h *ledger.Hold) string {
	arbiter := ""
	if !h.Arbiter.IsZero() {
		arbiter = ", with the arbiter " + h.Arbiter.String()
	}
	return fmt.Sprintf("set %s of %s aside for %s until %s%s%s",
		s.money(h.Amount, h.Asset), h.From, h.To, utc(uint64(h.Expiry)), arbiter, referenceWords(h.Reference))
}
