package feed

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// Done is what a block did: rpc.Done has the same fields.
type Done struct {
	Height   ledger.Height
	Hash     crypto.Hash
	Time     ledger.UnixTime
	Receipts []*wire.Receipt
	Events   []ledger.Event
}

// Block is a block as many readers see it: what they ask is made once. It may be
// read by many goroutines.
type Block struct {
	Done
	source Source

	receipts []Fragment // JSON of the notices of receipts
	events   []Fragment // JSON of the own events, each
	own      Fragment   // JSON of the notice of all own events
	whole    Fragment   // JSON of the notice of the block

	touched func() *touched
	members func() (*members, error)

	mu    sync.Mutex     // guards memos, and is held while one is made
	memos map[string]any // see Memo
}

// Memo returns what make has made of the block under a name, for all who need it.
func (b *Block) Memo(name string, make func() (any, error)) (any, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if made, ok := b.memos[name]; ok {
		return made, nil
	}
	made, err := make()
	if err == nil {
		b.memos[name] = made
	}
	return made, err
}

// Fragment is a piece of JSON that is rendered when it is first needed. Two that
// need it first at the same time both render it, to the same bytes.
type Fragment struct{ text atomic.Pointer[[]byte] }

// Get renders the JSON, or returns what was rendered before.
func (f *Fragment) Get(render func() ([]byte, error)) ([]byte, error) {
	if text := f.text.Load(); text != nil {
		return *text, nil
	}
	text, err := render()
	if err == nil {
		f.text.Store(&text)
	}
	return text, err
}

func newBlock(source Source, done *Done) *Block {
	b := &Block{Done: *done, source: source, receipts: make([]Fragment, len(done.Receipts)), events: make([]Fragment, len(done.Events)), memos: map[string]any{}}
	b.touched = sync.OnceValue(b.findTouched)
	b.members = sync.OnceValues(b.findMembers)
	return b
}

// weight is about how many bytes the block takes, all JSON included.
func (b *Block) weight() int {
	const fixed, receipt, event = 4 << 10, 2 << 10, 2 << 10
	total := fixed + event*len(b.Events)
	for _, r := range b.Receipts {
		total += receipt + event*len(r.Events)
	}
	return total
}

// End is the cursor behind everything in the block.
func (b *Block) End() wire.Cursor {
	return wire.Cursor{Height: uint64(b.Height), Index: int64(len(b.Receipts)) - 1}
}

// Item is one notice of a block. Its JSON is made when it is asked for.
type Item struct {
	Cursor wire.Cursor
	JSON   func() ([]byte, error)
}

// Notices are the block's own events and its receipts that filter chooses, those
// behind index after, in order. Cost: O(1) where the filter chooses nothing, once
// the first filtered reader has been there.
func (b *Block) Notices(filter *Filter, after int64) ([]Item, error) {
	if filter.everything() {
		return b.everyNotice(after), nil
	}
	places, err := b.places(filter)
	if err != nil {
		return nil, err
	}
	var items []Item
	for _, p := range places {
		switch {
		case int64(p) <= after:
		case p != ownPlace:
			items = append(items, b.receiptItem(int(p)))
		default:
			chosen, err := b.chosen(filter)
			if err != nil {
				return nil, err
			}
			if len(chosen) > 0 {
				items = append(items, b.item(wire.IndexOwnEvents, func() ([]byte, error) { return b.ownNotice(chosen) }))
			}
		}
	}
	return items, nil
}

func (b *Block) everyNotice(after int64) []Item {
	var items []Item
	if after < wire.IndexOwnEvents && len(b.Events) > 0 {
		items = append(items, b.item(wire.IndexOwnEvents, func() ([]byte, error) {
			return b.own.Get(func() ([]byte, error) { return b.ownNotice(nil) })
		}))
	}
	for i := int(max(after+1, 0)); i < len(b.Receipts); i++ {
		items = append(items, b.receiptItem(i))
	}
	return items
}

func (b *Block) item(index int64, render func() ([]byte, error)) Item {
	return Item{wire.Cursor{Height: uint64(b.Height), Index: index}, render}
}

func (b *Block) receiptItem(i int) Item {
	return b.item(int64(i), func() ([]byte, error) {
		return b.receipts[i].Get(func() ([]byte, error) { return b.receiptNotice(i) })
	})
}

// Whole is the notice of the block as such. The genesis has none.
func (b *Block) Whole(after int64) ([]Item, error) {
	end := b.End()
	if b.Height == 0 || after >= end.Index {
		return nil, nil
	}
	return []Item{{end, func() ([]byte, error) { return b.whole.Get(b.wholeNotice) }}}, nil
}

func (b *Block) wholeNotice() ([]byte, error) {
	block, err := b.source.Block(b.Height)
	if err == nil && block == nil {
		err = ErrNotKept
	}
	if err != nil {
		return nil, fmt.Errorf("block %d: %w", b.Height, err)
	}
	n := wire.Notice{Cursor: b.End(), Block: block}
	if len(b.Events) > 0 {
		own := b.ownEvents()
		n.Own = &own
	}
	return json.Marshal(n)
}

func (b *Block) ownEvents() wire.BlockEvents {
	own := wire.BlockEvents{Height: uint64(b.Height), BlockHash: b.Hash, BlockTime: uint64(b.Time), Events: make([]wire.Event, len(b.Events))}
	for i, e := range b.Events {
		own.Events[i].Event = e
	}
	return own
}

// receiptNotice is a wire.Notice, as encoding/json writes it, at less cost.
func (b *Block) receiptNotice(i int) ([]byte, error) {
	out := appendCursor(make([]byte, 0, 1024), wire.Cursor{Height: uint64(b.Height), Index: int64(i)})
	out, err := b.Receipts[i].AppendJSON(append(out, `,"receipt":`...))
	return append(out, '}'), err
}

// ownNotice has the own events at the places chosen, or all where that is nil.
func (b *Block) ownNotice(chosen []int) ([]byte, error) {
	out := appendCursor(nil, wire.Cursor{Height: uint64(b.Height), Index: wire.IndexOwnEvents})
	hash, err := b.Hash.MarshalText()
	if err != nil {
		return nil, err
	}
	out = fmt.Appendf(out, `,"own":{"height":%d,"blockHash":"%s","blockTime":%d,"events":[`, b.Height, hash, b.Time)
	count := len(chosen)
	if chosen == nil {
		count = len(b.Events)
	}
	for i := range count {
		at := i
		if chosen != nil {
			at = chosen[i]
		}
		text, err := b.events[at].Get(wire.Event{Event: b.Events[at]}.MarshalJSON)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, text...)
	}
	return append(out, `]}}`...), nil
}

// appendCursor begins a notice.
func appendCursor(out []byte, c wire.Cursor) []byte {
	out = strconv.AppendUint(append(out, `{"cursor":{"height":`...), c.Height, 10)
	return append(strconv.AppendInt(append(out, `,"index":`...), c.Index, 10), '}')
}

// Progress is the notice that says only how far everything has been told.
func Progress(c wire.Cursor) []byte { return append(appendCursor(nil, c), '}') }

// ownPlace stands for the block's own events among the places of receipts.
const ownPlace = wire.IndexOwnEvents

// places are in the order of the block, each once.
type places []int32

func (p places) with(place int32) places {
	if len(p) > 0 && p[len(p)-1] == place {
		return p
	}
	return append(p, place)
}

// touched says where in the block something is named.
type touched struct {
	parties, assets map[crypto.Address]places
	references      map[string]places
}

func (b *Block) findTouched() *touched {
	t := &touched{parties: map[crypto.Address]places{}, assets: map[crypto.Address]places{}, references: map[string]places{}}
	for i := range b.Events {
		t.event(ownPlace, &b.Events[i])
	}
	for i, r := range b.Receipts {
		t.parties[r.Sender] = t.parties[r.Sender].with(int32(i))
		for j := range r.Events {
			t.event(int32(i), &r.Events[j].Event)
		}
	}
	return t
}

func (t *touched) event(place int32, e *ledger.Event) {
	partiesOf(e, func(a crypto.Address) { t.parties[a] = t.parties[a].with(place) })
	if !e.Asset.IsZero() {
		t.assets[e.Asset] = t.assets[e.Asset].with(place)
	}
	if r := e.SenderReference(); r != "" {
		t.references[r] = t.references[r].with(place)
	}
}

// members says whose the block's accounts are.
type members struct {
	of map[crypto.Address]crypto.Address // of each account that has one
	at map[crypto.Address]places         // where a member is concerned
}

// findMembers asks for the member of every party in the block.
func (b *Block) findMembers() (*members, error) {
	t := b.touched()
	m := &members{of: map[crypto.Address]crypto.Address{}, at: map[crypto.Address]places{}}
	for party, at := range t.parties {
		m.at[party] = append(m.at[party], at...) // it may be a member itself
		member, err := b.source.Member(b.Height, party)
		if err != nil {
			return nil, fmt.Errorf("the member of account %s at height %d: %w", party, b.Height, err)
		}
		if !member.IsZero() && member != party {
			m.of[party] = member
			m.at[member] = append(m.at[member], at...)
		}
	}
	for member, at := range m.at {
		slices.Sort(at)
		m.at[member] = slices.Compact(at)
	}
	return m, nil
}

// places are where all of filter's conditions hold; for the own events, where
// each holds of some.
func (b *Block) places(f *Filter) (places, error) {
	var lists []places
	t := b.touched()
	if f.Account != nil {
		lists = append(lists, t.parties[*f.Account])
	}
	if f.Asset != nil {
		lists = append(lists, t.assets[*f.Asset])
	}
	if f.Reference != nil {
		lists = append(lists, t.references[*f.Reference])
	}
	for _, list := range lists {
		if len(list) == 0 {
			return nil, nil // before members, which cost reads
		}
	}
	if f.Member != nil {
		m, err := b.members()
		if err != nil {
			return nil, err
		}
		lists = append(lists, m.at[*f.Member])
	}
	common := lists[0]
	for _, list := range lists[1:] {
		common = intersect(common, list)
	}
	return common, nil
}

func intersect(a, b places) places {
	var out places
	for _, place := range a {
		if _, found := slices.BinarySearch(b, place); found {
			out = append(out, place)
		}
	}
	return out
}

// chosen are the own events for which all of filter's conditions hold.
func (b *Block) chosen(f *Filter) ([]int, error) {
	var m *members
	if f.Member != nil {
		var err error
		if m, err = b.members(); err != nil {
			return nil, err
		}
	}
	var out []int
	for i := range b.Events {
		if f.chooses(&b.Events[i], m) {
			out = append(out, i)
		}
	}
	return out, nil
}

// ErrNotKept: the node does not have the block any more.
var ErrNotKept = errors.New("the node no longer keeps this block")
