package rpc

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// historyMethods are the rows about what has been.
var historyMethods = []*method{
	{
		name: "ledger_getHistory", summary: "Everything that concerns an account, an asset or a reference, page by page, the newest first, with whole receipts.",
		description: "An item is a transaction with its receipt, or, where receipt is null, what a block did by itself before its transactions: holds that fell due, and at height 0 what the network began with. " +
			"An account's history has what it sent, refused transactions included, and every event that names it; the address of a hold or of a member has one too. " +
			"The histories of an asset and of a reference have the events about them, and so no refused transactions. " +
			"A page may have fewer items than limit, so that an answer stays short, and a block's own events may come in several items; next says where it goes on, and stays valid while new blocks come.",
		params: []param{
			{"subject", true, formSubject, "Whose history."},
			{"page", false, formPage, "Which part of it; the newest 100 items where it is left out."},
		},
		result: result{"page", "", refTo[wire.HistoryPage]}, errors: []errorComponent{errorNotFound}, heavy: true,
	},
}

var (
	formSubject = form{"an account's address, or an object with one of account (an address), asset (an address or symbol) and reference (1 to 35 bytes)", named("HistorySubject")}
	subjectKeys = jsonNames(subjectType)
)

const (
	// historyBytes is the length from which on a page of a history has no further
	// item. The largest receipt has some 3 MiB.
	historyBytes = 4 << 20
	// historyEvents bounds the events of a block itself that stand in one item.
	historyEvents = 1000
)

// GetHistory is ledger_getHistory.
func (a *ledgerAPI) GetHistory(ctx context.Context, subject, page arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "ledger_getHistory", []arg{subject, page}, func(_ context.Context, p *params) (any, error) {
		q, symbol := p.subject()
		limit, from := p.historyPage()
		if p.err != nil {
			return nil, p.err
		}
		if symbol != "" {
			asset, err := a.s.assetNamed(symbol)
			if err != nil {
				return nil, err
			}
			q.Asset = asset
		}
		return a.s.history(q, limit, from)
	})
}

// assetNamed finds an asset by its symbol, which must be there.
func (s *Server) assetNamed(symbol string) (*crypto.Address, error) {
	view, err := s.view(0, true)
	if err != nil {
		return nil, err
	}
	asset, err := view.AssetBySymbol(symbol)
	if err != nil {
		return nil, err
	}
	if asset == nil {
		return nil, kindNoSuchAsset.with("no asset has the symbol %s", symbol)
	}
	return &asset.Asset, nil
}

// historyCursor is where a page of a history ended: everything up to place, which
// is the last shown, has been shown; but of a block's own events only some, if
// events is not 0.
type historyCursor struct {
	place  Place
	events int
}

// String is height.order, or height.0.events, with order as in histories: 0 for
// a block's own events, index + 1 for a transaction.
func (c historyCursor) String() string {
	text := fmt.Sprintf("%d.%d", c.place.Height, c.place.Index+1)
	if c.events > 0 {
		text += "." + strconv.Itoa(c.events)
	}
	return text
}

// parseHistoryCursor is the inverse of String; ok is false for any other text.
func parseHistoryCursor(text string) (c historyCursor, ok bool) {
	parts := strings.Split(text, ".")
	if len(parts) < 2 || len(parts) > 3 {
		return c, false
	}
	height, err := strconv.ParseUint(parts[0], 10, 53)
	order, bad := strconv.ParseUint(parts[1], 10, 32)
	if err != nil || bad != nil {
		return c, false
	}
	c.place = Place{ledger.Height(height), uint32(order) - 1}
	if len(parts) == 3 {
		events, err := strconv.ParseUint(parts[2], 10, 31)
		if err != nil || order != 0 {
			return c, false
		}
		c.events = int(events)
	}
	return c, c.String() == text
}

// rest is the last place that has not been shown whole; ok is false where all has.
func (c historyCursor) rest() (last Place, ok bool) {
	switch {
	case c.events > 0:
		return c.place, true
	case c.place.Index != OwnEvents:
		return Place{c.place.Height, c.place.Index - 1}, true // 0 - 1 is OwnEvents
	case c.place.Height == 0:
		return Place{}, false
	}
	return LastPlace(c.place.Height - 1), true
}

// history makes a page of up to limit items, of what has not been shown at from;
// nil begins with the newest.
func (s *Server) history(q PlaceQuery, limit int, from *historyCursor) (written, error) {
	top := s.backend.Height()
	q.From, q.To, q.Descending, q.Limit = FirstPlace(0), LastPlace(top), true, limit+1
	page, skip := newHistoryPage(limit), 0
	if from != nil {
		if from.place.Height > top { // a cursor of another node, which is ahead: between them would be a gap
			return nil, unknownHeight(from.place.Height, top)
		}
		last, ok := from.rest()
		if !ok {
			return page.json(), nil
		}
		q.To, skip = last, from.events
	}
	places, err := s.backend.Places(q)
	if err != nil {
		return nil, err
	}
	for _, at := range places {
		if page.full() {
			page.more = true
			break
		}
		done, err := s.backend.DoneAt(at)
		if err == nil && done == nil {
			err = fmt.Errorf("a history names block %d, index %d, where nothing is", at.Height, at.Index)
		}
		if err == nil {
			err = page.add(&q, at, done, skip)
		}
		if err != nil {
			return nil, err
		}
		skip = 0
	}
	return page.json(), nil
}

// historyPage is a page of a history as it is written. Receipts may be long, so
// that its length is known only then.
type historyPage struct {
	limit int
	items int
	last  historyCursor // after the items
	more  bool          // there is more after them
	out   []byte
}

func newHistoryPage(limit int) *historyPage {
	return &historyPage{limit: limit, out: []byte(`{"items":[`)}
}

func (h *historyPage) full() bool { return h.items == h.limit || len(h.out) >= historyBytes }

// json ends the page.
func (h *historyPage) json() written {
	if !h.more {
		return append(h.out, `],"next":null}`...)
	}
	return append(h.out, `],"next":"`+h.last.String()+`"}`...)
}

// add writes what was done at a place, without the first skip of its own events
// that concern what is sought.
func (h *historyPage) add(q *PlaceQuery, at Place, done *Done, skip int) error {
	if len(done.Receipts) > 0 {
		receipt := done.Receipts[0]
		return h.write(historyCursor{place: at}, &wire.HistoryItem{
			Height: uint64(at.Height), Index: &receipt.Index, Hash: &receipt.Hash,
			BlockHash: done.Hash, BlockTime: uint64(done.Time), Receipt: receipt, Events: []wire.Event{},
		})
	}
	events := slices.DeleteFunc(slices.Clone(done.Events), func(e ledger.Event) bool { return !q.Concerns(&e) })
	for skip < len(events) {
		if h.full() {
			h.more = true
			return nil
		}
		some := events[skip:min(skip+historyEvents, len(events))]
		skip += len(some)
		item := &wire.HistoryItem{
			Height: uint64(at.Height), BlockHash: done.Hash, BlockTime: uint64(done.Time), Events: make([]wire.Event, len(some)),
		}
		for i := range some {
			item.Events[i].Event = some[i]
		}
		last := historyCursor{place: at}
		if skip < len(events) {
			last.events = skip
		}
		if err := h.write(last, item); err != nil {
			return err
		}
	}
	return nil
}

func (h *historyPage) write(last historyCursor, item *wire.HistoryItem) (err error) {
	if h.items > 0 {
		h.out = append(h.out, ',')
	}
	h.items, h.last = h.items+1, last
	h.out, err = item.AppendJSON(h.out)
	return err
}
