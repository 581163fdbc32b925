package index

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer"
	"github.com/tallystick/tallystick/explorer/store"
	"github.com/tallystick/tallystick/ledger"
)

// block writes a block into the open transaction.
func (s *state) block(ctx context.Context, b *explorer.Block) error {
	if len(b.Txs) != len(b.Results) || len(b.Txs) > store.MaxTransactions {
		return fmt.Errorf("it has %d transactions and %d results", len(b.Txs), len(b.Results))
	}
	if b.Height > 1 && b.ParentHash != s.prevHash {
		return fmt.Errorf("its parent is %s and block %d is %s: the source tells of another chain", b.ParentHash, b.Height-1, s.prevHash)
	}
	h := &happening{state: s, ctx: ctx, height: b.Height, time: b.Time}
	if err := h.genesis(b); err != nil {
		return err
	}
	if err := h.own(b, false); err != nil {
		return err
	}
	refused := int64(0)
	for i, tx := range b.Txs {
		if err := first(h.transaction(i, tx, &b.Results[i]), h.w.Relieve(ctx)); err != nil {
			return fmt.Errorf("transaction %d: %w", i, err)
		}
		if b.Results[i].Code != ledger.Applied {
			refused++
		}
	}
	if err := h.own(b, true); err != nil { // a power moves after what may have made the member
		return err
	}
	h.subjects(crypto.Address{}, b.Events)
	if err := h.votes(b); err != nil {
		return err
	}
	h.header(b, refused)
	return h.versions()
}

// genesis writes what no event tells of a network's beginning.
func (h *happening) genesis(b *explorer.Block) error {
	if b.Height > 0 {
		return nil
	}
	if b.Params == nil {
		return fmt.Errorf("the genesis comes without its parameters")
	}
	for _, name := range countNames {
		h.counts[name] = 0
	}
	return h.create(store.KindParameters, parametersKey, &store.ParametersRecord{Protocol: 1, Params: *b.Params})
}

// countNames are the things that are counted.
var countNames = []string{"accounts", "assets", "members", "proposals", "holds"}

// own applies the block's own events: those before its transactions, or the powers
// that moved after them.
func (h *happening) own(b *explorer.Block, after bool) error {
	h.position = store.OwnAt(b.Height)
	for i := range b.Events {
		if (b.Events[i].Type == ledger.EventPowerMoved) != after {
			continue
		}
		h.n = int64(i)
		if err := first(h.apply(&b.Events[i]), h.w.Relieve(h.ctx)); err != nil {
			return fmt.Errorf("its own event %d: %w", i, err)
		}
	}
	return nil
}

func (h *happening) transaction(i int, tx *ledger.Tx, result *ledger.TxResult) error {
	h.position, h.movements, h.firstMovement = store.TxAt(h.height, i), 0, -1
	for n := range result.Events {
		h.n = int64(n)
		if err := h.apply(&result.Events[n]); err != nil {
			return fmt.Errorf("event %d: %w", n, err)
		}
	}
	kind := ledger.Kind(0)
	if tx.Op != nil {
		kind = tx.Op.Kind()
	}
	signers := make([]byte, 0, 20*len(tx.Signers))
	for _, a := range tx.Signers {
		signers = append(signers, a[:]...)
	}
	memo := strings.ReplaceAll(strings.ToValidUTF8(tx.Memo, "�"), "\x00", "�") // of bytes at fault
	h.w.Add(store.Transactions, int64(h.position), tx.Hash[:], result.BodyHash[:], tx.Sender[:], int64(tx.Nonce), int64(kind),
		int64(tx.Envelope), int64(result.Code), int64(tx.ValidUntil), int64(len(tx.Raw)), int64(len(result.Events)), h.movements, h.firstMovement,
		memo, signers, tx.Raw)
	if words := store.Tokens(memo); len(words) > 0 {
		h.w.Add(store.Memos, int64(h.position), strings.Join(words, " "))
	}
	h.subjects(tx.Sender, result.Events)
	return nil
}

// subjects writes whom and what a transaction concerns, or what a block did by
// itself, each once.
func (h *happening) subjects(sender crypto.Address, events []ledger.Event) {
	var few [8]crypto.Address
	list := append(few[:0], sender)
	for i := range events {
		parties := events[i].Parties()
		list = append(list, parties[:]...)
	}
	known := func(i int) bool { // of lists as short as most are
		for _, a := range list[:i] {
			if a == list[i] {
				return true
			}
		}
		return false
	}
	if len(list) > 32 {
		seen := make(map[crypto.Address]bool, len(list))
		known = func(i int) bool {
			before := seen[list[i]]
			seen[list[i]] = true
			return before
		}
	}
	for i, a := range list {
		if !known(i) && !a.IsZero() {
			h.w.Add(store.Subjects, a[:], int64(h.position))
		}
	}
}

// header writes the block itself, and counts it.
func (h *happening) header(b *explorer.Block, refused int64) {
	time := int64(b.Time)*1000 + int64(b.Millis)
	interval := int64(0)
	if b.Height > 1 {
		interval = max(time-h.prevTime, 0)
	}
	setHeight, votes := int64(-1), []byte{}
	if len(b.LastCommit) > 0 {
		setHeight = h.set.height
		for _, v := range b.LastCommit {
			votes = append(votes, byte(v.Vote))
		}
	}
	proposer := b.Proposer[:]
	if b.Height == 0 {
		proposer = []byte{}
	}
	h.w.Add(store.Blocks, int64(b.Height), b.Hash[:], b.ParentHash[:], b.AppHash[:], b.ResultsHash[:], time, interval, proposer,
		int64(b.SizeBytes), int64(len(b.Txs)), refused, h.transfers, int64(len(b.Events)), setHeight, votes)
	if b.Height > 0 { // genesis is no block of the statistics
		h.tally(blockFigures{time / 1000, int64(len(b.Txs)), refused, h.transfers, int64(b.SizeBytes), interval})
	}
	h.prevHash, h.prevTime = b.Hash, time
}

// versions writes each record that the block changed, as it is after it.
func (h *happening) versions() error {
	for _, r := range h.changed {
		r.changed = false
		text, err := json.Marshal(r.value)
		if err != nil {
			return fmt.Errorf("record of kind %d: %w", r.kind, err)
		}
		h.w.Add(store.Versions, int64(r.kind), []byte(r.key), int64(h.height), string(text))
		if err := h.w.Relieve(h.ctx); err != nil {
			return err
		}
	}
	h.changed = h.changed[:0]
	return nil
}
