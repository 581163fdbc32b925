package loadtest

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer"
	"github.com/tallystick/tallystick/explorer/explorertest"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

const (
	seed     = 1
	preface  = 200    // blocks of the ledger itself: members, proposals, refusals
	accounts = 60_000 // that are made and paid then
	opening  = preface + accounts/each
	each     = 100 // transactions of a block after that
	apart    = 13  // seconds between blocks
)

// longChain is a chain for an index: first blocks as the ledger makes them, then those
// that open accounts, and then as many transfers, holds and refusals as are asked for,
// made up as they are read, so that neither a ledger nor a signature costs anything here. A few accounts take
// part in very much, as some do everywhere.
type longChain struct {
	explorer.Source
	base    *explorertest.Chain
	who     []crypto.Address
	assets  []crypto.Address
	symbols []string
	txs     int
	top     ledger.Height
}

func newLongChain(t testing.TB, txs int) *longChain {
	base := explorertest.New(t, seed)
	base.Grow(preface)
	c := &longChain{Source: base.Source(), base: base, txs: txs, top: opening + ledger.Height((txs+each-1)/each)}
	for _, e := range base.At(0).Events {
		if e.Type == ledger.EventAssetCreated {
			c.assets, c.symbols = append(c.assets, e.Asset), append(c.symbols, e.Symbol)
		}
	}
	for i := range accounts {
		h := crypto.Keccak256(fmt.Appendf(nil, "account %d", i))
		c.who = append(c.who, crypto.Address(h[:20]))
	}
	return c
}

// dice are numbers that a place always gives.
type dice crypto.Hash

func throw(what string, n int) dice {
	return dice(crypto.Keccak256(binary.BigEndian.AppendUint64([]byte(what), uint64(n))))
}

func (d dice) of(i, sides int) int {
	return int(binary.BigEndian.Uint32(d[4*i:]) % uint32(sides))
}

var memoWords = []string{"invoice", "rent", "salary", "March", "deposit", "refund", "Zürich", "office", "order", "fees"}

// party is one of the accounts: one in four times one of the busy ten.
func (c *longChain) party(d dice, i, among int) crypto.Address {
	if d.of(i, 4) == 0 {
		return c.who[d.of(i+1, 10)]
	}
	return c.who[d.of(i+1, among)]
}

// hold is the hold that transaction n makes, if it makes one.
func holdOf(n int) crypto.Address {
	d := throw("hold", n)
	return crypto.Address(d[:20])
}

// opens is the transaction that makes account i.
func (c *longChain) opens(i int) (*ledger.Tx, ledger.TxResult) {
	issue := ledger.Issue{Asset: c.assets[0], To: c.who[i], Amount: ledger.NewAmount(1 << 40)}
	result := ledger.TxResult{Events: []ledger.Event{{Type: ledger.EventAccountCreated, Account: issue.To},
		{Type: ledger.EventAccountAdmitted, Account: issue.To, Other: ledgertest.Address("m1")}}}
	for k, asset := range c.assets {
		if k == 0 || i < 5_000 {
			result.Events = append(result.Events, ledger.Event{Type: ledger.EventIssue, Asset: asset, To: issue.To, Amount: issue.Amount})
		}
	}
	return c.written(ledger.Body{Sender: ledgertest.Address("issuer"), Nonce: ledger.Nonce(1_000_000_000 + i), Op: &issue}, result)
}

// written is a transaction as it stands in a block. Nobody has signed it.
func (c *longChain) written(body ledger.Body, result ledger.TxResult) (*ledger.Tx, ledger.TxResult) {
	raw := ledger.EncodeNative(c.Network(), &body, make([]ledger.Signature, 1))
	result.BodyHash = crypto.Keccak256(raw[1:])
	return &ledger.Tx{Raw: raw, Hash: crypto.Keccak256(raw), Envelope: ledger.EnvelopeNative, Signers: []crypto.Address{body.Sender}, Body: body}, result
}

// happens is transaction n, and what becomes of it.
func (c *longChain) happens(n int, now ledger.UnixTime) (*ledger.Tx, ledger.TxResult) {
	captures := n%50 == 25
	at := n
	if captures {
		at = n - 25
	}
	d := throw("tx", at)
	k, among := 0, accounts
	if d.of(6, 10) == 0 {
		k, among = 1+d.of(7, len(c.assets)-1), 5_000
	}
	leg := ledger.Leg{From: c.party(d, 0, among), To: c.party(d, 2, among), Asset: c.assets[k], Amount: ledger.NewAmount(uint64(1 + d.of(4, 9_999))), Reference: fmt.Sprintf("INV-%d", n)}
	if leg.From == leg.To {
		leg.To = c.who[11]
	}
	if n%20 == 3 {
		leg.Reference = "RENT"
	}
	body := ledger.Body{Sender: leg.From, Nonce: ledger.Nonce(n)}
	if n%2 == 0 {
		body.Memo = fmt.Sprintf("%s %s %d", memoWords[throw("tx", n).of(5, len(memoWords))], memoWords[n%len(memoWords)], n)
	}
	event := ledger.Event{Type: ledger.EventTransfer, From: leg.From, To: leg.To, Asset: leg.Asset, Amount: leg.Amount, Reference: leg.Reference}
	result := ledger.TxResult{}
	switch {
	case captures:
		body.Sender = leg.To
		body.Op = &ledger.CaptureHold{Hold: holdOf(at), Amount: leg.Amount}
		event.Type, event.Other = ledger.EventHoldCaptured, holdOf(at)
	case n%50 == 0:
		hold := ledger.Hold{From: leg.From, To: leg.To, Asset: leg.Asset, Amount: leg.Amount, Expiry: now + 1_000_000, Reference: leg.Reference}
		body.Op = (*ledger.CreateHold)(&hold)
		event.Type, event.Other, event.Until = ledger.EventHoldCreated, holdOf(n), hold.Expiry
	default:
		body.Op = &ledger.Transfer{Legs: []ledger.Leg{leg}}
	}
	if n%40 == 7 {
		result.Code = ledger.CodeInsufficientBalance
	} else {
		result.Events = []ledger.Event{event}
	}
	return c.written(body, result)
}

func (c *longChain) time(h ledger.Height) ledger.UnixTime {
	if h <= preface {
		return c.base.At(h).Time
	}
	return c.base.At(preface).Time + apart*ledger.UnixTime(h-preface)
}

func (c *longChain) hash(h ledger.Height) crypto.Hash {
	if h <= preface {
		return c.base.At(h).Hash
	}
	return crypto.Hash(throw("block", int(h)))
}

func (c *longChain) Height(context.Context) (ledger.Height, error) { return c.top, nil }

func (c *longChain) WaitHeight(ctx context.Context, _ ledger.Height) error {
	<-ctx.Done()
	return ctx.Err()
}

func (c *longChain) Block(ctx context.Context, h ledger.Height) (*explorer.Block, error) {
	switch {
	case h <= preface:
		return c.Source.Block(ctx, h)
	case h > c.top:
		return nil, nil
	}
	last := c.base.At(preface)
	b := &explorer.Block{Height: h, Hash: c.hash(h), ParentHash: c.hash(h - 1), Time: c.time(h), Millis: last.Millis, SizeBytes: 700}
	for i, v := range last.LastCommit {
		v.Vote = explorer.VoteSigned
		if throw("vote", int(h)).of(i%8, 20) == 0 {
			v.Vote = explorer.VoteMissing
		}
		b.LastCommit = append(b.LastCommit, v)
	}
	b.Proposer = last.LastCommit[int(h)%len(last.LastCommit)].Validator
	if h <= opening {
		for i := range each {
			tx, result := c.opens(int(h-preface-1)*each + i)
			b.Txs, b.Results = append(b.Txs, tx), append(b.Results, result)
		}
		return b, nil
	}
	first := int(h-opening-1) * each
	for n := first; n < min(first+each, c.txs); n++ {
		tx, result := c.happens(n, b.Time)
		b.Txs, b.Results = append(b.Txs, tx), append(b.Results, result)
		b.SizeBytes += uint64(len(tx.Raw))
	}
	return b, nil
}
