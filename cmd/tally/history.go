package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

func newAccountHistory() *cobra.Command {
	return historyOf(&cobra.Command{
		Use:   "history ADDRESS",
		Short: "List what an account sent, and what happened to it",
		Long: "List what an account sent, refused transactions included, and everything that happened to it, the newest\n" +
			"first. The address of a hold or of a member has a history too. With --json the document is {\"items\", \"next\"}.",
		Example: "  tally account history 0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf --limit 50",
		Args:    exactly("ADDRESS"),
	}, func(text string) (wire.Subject, error) {
		address, err := parseAddress(text)
		return wire.Subject{Account: &address}, err
	})
}

func newAssetHistory() *cobra.Command {
	return historyOf(&cobra.Command{
		Use:     "history SYMBOL|ADDRESS",
		Short:   "List everything that happened to an asset",
		Long:    "List every movement of an asset and every change of it, the newest first. With --json the document is\n{\"items\", \"next\"}.",
		Example: "  tally asset history EUR",
		Args:    exactly("SYMBOL|ADDRESS"),
	}, func(text string) (wire.Subject, error) {
		if !strings.HasPrefix(text, "0x") && !ledger.ValidSymbol(text) {
			return wire.Subject{}, fails(exitUsage, fmt.Errorf("asset %q: neither a symbol nor an address", text), "")
		}
		return wire.Subject{Asset: text}, nil
	})
}

func newTxFind() *cobra.Command {
	return historyOf(&cobra.Command{
		Use:   "find REFERENCE",
		Short: "Find the transactions with a reference",
		Long: "List the transactions with exactly this reference, in any of their parts, the newest first. Refused\n" +
			"transactions are not among them. With --json the document is {\"items\", \"next\"}.",
		Example: "  tally tx find 'invoice 7'",
		Args:    exactly("REFERENCE"),
	}, func(text string) (wire.Subject, error) {
		if text == "" || len(text) > ledger.MaxReferenceBytes {
			return wire.Subject{}, fails(exitUsage, fmt.Errorf("a reference has 1 to %d bytes, and this one %d", ledger.MaxReferenceBytes, len(text)), "")
		}
		return wire.Subject{Reference: text}, nil
	})
}

// pageFlags say which part of a list to show.
type pageFlags struct{ page wire.Page }

func (f *pageFlags) add(c *cobra.Command) {
	c.Flags().IntVar(&f.page.Limit, "limit", 20, "how many at most, up to 1000")
	c.Flags().StringVar(&f.page.Cursor, "cursor", "", "where to go on: the `next` of the part before")
}

func (f *pageFlags) check() error {
	if f.page.Limit < 1 || f.page.Limit > 1000 {
		return fails(exitUsage, fmt.Errorf("--limit %d: want 1 to 1000", f.page.Limit), "")
	}
	return nil
}

// more says how to go on after a part of a list.
func more(next *string) string {
	if next == nil {
		return ""
	}
	return fmt.Sprintf("more with --cursor %s\n", *next)
}

// historyOf makes c list the history of what its argument names.
func historyOf(c *cobra.Command, parse func(string) (wire.Subject, error)) *cobra.Command {
	f, p := nodeFlags{}, pageFlags{}
	f.add(c)
	p.add(c)
	c.RunE = run(func(c *cobra.Command, arguments []string) error {
		subject, err := parse(arguments[0])
		if err == nil {
			err = p.check()
		}
		if err != nil {
			return err
		}
		return f.with(c.Context(), func(ctx context.Context, node *client.Client) error {
			page, err := node.History(ctx, subject, p.page)
			if err != nil {
				return err
			}
			if asJSON(c) {
				return show(c, page, "")
			}
			s := knowing(ctx, node)
			var t strings.Builder
			for i := range page.Items {
				t.WriteString(s.historyItem(&page.Items[i]))
			}
			if len(page.Items) == 0 {
				t.WriteString("nothing\n")
			}
			return show(c, page, t.String()+more(page.Next))
		})
	})
	return c
}

// mostEvents is how many events of one item are shown to a person.
const mostEvents = 10

// historyItem is a line about a transaction, or about a block, and one for each
// event.
func (s speech) historyItem(h *wire.HistoryItem) string {
	var t strings.Builder
	events := h.Events
	switch {
	case h.Receipt != nil:
		events = h.Receipt.Events
		fmt.Fprintf(&t, "%d/%d  %s  %s %s  %s\n", h.Height, h.Receipt.Index, utc(h.BlockTime), h.Receipt.Kind, h.Receipt.Status, h.Receipt.Hash)
		if h.Receipt.Message != "" {
			fmt.Fprintf(&t, "  %s\n", h.Receipt.Message)
		}
	case h.Height == 0:
		fmt.Fprintf(&t, "0  %s  genesis\n", utc(h.BlockTime))
	default:
		fmt.Fprintf(&t, "%d  %s  by itself\n", h.Height, utc(h.BlockTime))
	}
	for i := range events[:min(len(events), mostEvents)] {
		fmt.Fprintf(&t, "  %s\n", s.event(&events[i].Event))
	}
	if rest := len(events) - mostEvents; rest > 0 {
		fmt.Fprintf(&t, "  and %d more\n", rest)
	}
	return t.String()
}

func newTxPending() *cobra.Command {
	c := &cobra.Command{
		Use:   "pending [SENDER]",
		Short: "List what waits on a node for a block, and why",
		Long: "List what waits on a node for a block, of all or of one sender, in the order in which it came, with the\n" +
			"reason why it waits. Another node may have other transactions waiting.",
		Example: "  tally tx pending\n  tally tx pending 0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf --json",
		Args:    atMost("SENDER"),
	}
	f, p := nodeFlags{}, pageFlags{}
	f.add(c)
	p.add(c)
	c.RunE = run(func(c *cobra.Command, arguments []string) error {
		var filter wire.PendingFilter
		for _, text := range arguments {
			sender, err := parseAddress(text)
			if err != nil {
				return err
			}
			filter.Account = &sender
		}
		if err := p.check(); err != nil {
			return err
		}
		return f.with(c.Context(), func(ctx context.Context, node *client.Client) error {
			page, err := node.Pending(ctx, filter, p.page)
			if err != nil {
				return err
			}
			return show(c, page, pendingText(page))
		})
	})
	return c
}

func pendingText(page *wire.PendingPage) string {
	var t strings.Builder
	for _, w := range page.Items {
		fmt.Fprintf(&t, "%s  %s of %s, nonce %d, for %s\n  %s: %s\n", w.Hash, w.Kind, w.Sender, w.Nonce, sinceText(w.WaitingMs), w.Reason, w.Message)
	}
	fmt.Fprintf(&t, "%d waiting in all; the newest block is %d, of %s\n", page.Total, page.Height, utc(page.BlockTime))
	return t.String() + more(page.Next)
}

// sinceText is a time in milliseconds, to the second once there are some.
func sinceText(ms uint64) string {
	d := time.Duration(min(ms, 1<<43)) * time.Millisecond
	if d > time.Second {
		d = d.Round(time.Second)
	}
	return d.String()
}

func newPeers() *cobra.Command {
	c := &cobra.Command{
		Use:     "peers",
		Short:   "List the nodes that a node is connected with",
		Example: "  tally peers\n  tally peers --rpc http://node1:8545 --json",
		Args:    exactly(),
	}
	f := nodeFlags{}
	f.add(c)
	c.RunE = run(func(c *cobra.Command, _ []string) error {
		return f.with(c.Context(), func(ctx context.Context, node *client.Client) error {
			peers, err := node.Peers(ctx)
			if err != nil {
				return err
			}
			return show(c, peers, peersText(peers))
		})
	})
	return c
}

func peersText(peers *wire.Peers) string {
	var t strings.Builder
	for _, p := range peers.Items {
		height, whose := "height unknown", "no member's"
		if p.Height != nil {
			height = fmt.Sprintf("height %d", *p.Height)
		}
		if p.Member != nil {
			whose = p.MemberName
		}
		fmt.Fprintf(&t, "%s  %s  %s  %s, %s, for %s  (%s)\n", p.NodeID, p.Moniker, p.Address, p.Direction, height, sinceText(p.ConnectedMs), whose)
	}
	if len(peers.Items) == 0 {
		t.WriteString("connected with nobody\n")
	}
	return t.String()
}
