package query

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer/explorertest"
	"github.com/tallystick/tallystick/explorer/store"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

// wholeList reads a list in pages of several sizes and compares it with lines that
// ascend; both ways, where the list goes both ways.
func wholeList[T any](t *testing.T, what string, want []string, both bool, read func(Page) (*List[T], error), line func(*T) string) {
	t.Helper()
	for _, limit := range []int{1, 7, 1000} {
		for _, ascending := range []bool{true, false}[:1+map[bool]int{true: 1}[both]] {
			got := []string{}
			for _, item := range pages(t, limit, ascending, read) {
				got = append(got, line(&item))
			}
			if !ascending {
				slices.Reverse(got)
			}
			sameList(t, fmt.Sprintf("%s, %d a page, ascending %t", what, limit, ascending), got, want)
		}
	}
}

// Blocks are all there with all that they say, by every filter.
func TestBlocks(t *testing.T) {
	eachBook(t, 81, func(t *testing.T, r *Reader, b *book) {
		chain := b.chain
		times := func(from, to ledger.Height) BlockFilter {
			f, l := chain.At(from).Time, chain.At(to).Time
			return BlockFilter{From: &f, To: &l}
		}
		proposer, pause, greatest, zero := chain.At(7).Proposer, chain.At(pausedAfter).Time+9, ^ledger.UnixTime(0), ledger.UnixTime(0)
		end := pause + 100
		for _, f := range []BlockFilter{{}, {NonEmpty: true}, {Proposer: &proposer}, {Proposer: &proposer, NonEmpty: true}, {Proposer: &ledger.ConsensusAddress{1}}, times(5, 20), times(0, 0), times(20, 5),
			{From: &pause, To: &end}, {From: &greatest}, {To: &greatest}, {To: &zero}, {From: &zero}, {From: &pause, NonEmpty: true}} {
			want := []string{}
			for h := ledger.Height(1); h <= chain.Top(); h++ {
				x := chain.At(h)
				if (!f.NonEmpty || len(x.Txs) > 0) && (f.Proposer == nil || *f.Proposer == x.Proposer) && (f.From == nil || x.Time >= *f.From) && (f.To == nil || x.Time <= *f.To) {
					want = append(want, b.blockLine(h))
				}
			}
			wholeList(t, fmt.Sprintf("%+v", f), want, true, func(p Page) (*List[Block], error) { return r.Blocks(t.Context(), f, p) }, lineOf)
		}
		for h := ledger.Height(0); h <= chain.Top(); h++ {
			one, err := r.Block(t.Context(), h)
			if err != nil || h > 0 && lineOf(one) != b.blockLine(h) {
				t.Fatalf("block %d is %+v (%v)", h, one, err)
			}
			if same, err := r.BlockByHash(t.Context(), chain.At(h).Hash); err != nil || lineOf(same) != lineOf(one) {
				t.Fatalf("by its hash block %d is %+v (%v)", h, same, err)
			}
		}
		if genesis, _ := r.Block(t.Context(), 0); genesis.IntervalMs != 0 || len(genesis.Proposer) != 0 || genesis.Events != uint64(len(chain.At(0).Events)) {
			t.Errorf("genesis is %+v", genesis)
		}
		for _, h := range []ledger.Height{chain.Top() + 1, ledger.Height(ledger.MaxJSONInteger), ^ledger.Height(0)} {
			if _, err := r.Block(t.Context(), h); err != ErrNotFound {
				t.Errorf("block %d: %v", h, err)
			}
		}
	})
}

func lineOf(b *Block) string {
	return fmt.Sprintf("%d %s after %s at %d.%d by %x, %s %s, %d bytes, %d txs, %d refused, %d events, %d transfers", b.Height, b.Hash, b.ParentHash, b.Time, b.Millis, b.Proposer, b.AppHash, b.ResultsHash,
		b.SizeBytes, b.Transactions, b.Refused, b.Events, b.Transfers)
}

func (b *book) blockLine(h ledger.Height) string {
	x := b.chain.At(h)
	refused, transfers := 0, 0
	for _, r := range x.Results {
		if r.Code != ledger.Applied {
			refused++
		}
	}
	for i := range b.moved {
		if m := &b.moved[i]; m.height == h && (m.Type == ledger.EventTransfer || m.Type == ledger.EventClawback || m.Type == ledger.EventHoldCaptured) {
			transfers++
		}
	}
	return fmt.Sprintf("%d %s after %s at %d.%d by %x, %s %s, %d bytes, %d txs, %d refused, %d events, %d transfers", h, x.Hash, x.ParentHash, x.Time, x.Millis, x.Proposer[:], x.AppHash, x.ResultsHash,
		x.SizeBytes, len(x.Txs), refused, len(x.Events), transfers)
}

// Accounts, assets and proposals by their filters are those of the ledger's state.
func TestFilters(t *testing.T) {
	eachQuery(t, 82, 150, func(t *testing.T, r *Reader, chain *explorertest.Chain) {
		state := chain.State(chain.Top())
		for _, status := range append([]string{""}, names(accountStatuses)...) {
			for _, member := range []*crypto.Address{nil, addressPointer("m0"), addressPointer("m1"), {}} {
				wholeList(t, "accounts "+status, chosen(t, state, "account/", func(key string, value []byte) (string, bool) {
					a, err := ledger.DecodeAccount(value)
					if err != nil {
						t.Fatal(err)
					}
					return crypto.Address([]byte(key)).String(), (status == "" || a.Status.String() == status) && (member == nil || a.Member == *member && !member.IsZero())
				}), false, func(p Page) (*List[Account], error) {
					return r.Accounts(t.Context(), AccountFilter{Member: member, Status: status}, p)
				}, func(a *Account) string { return a.Address.String() })
			}
		}
		for _, status := range append([]string{""}, names(assetStatuses)...) {
			for _, issuer := range []*crypto.Address{nil, addressPointer("issuer"), addressPointer("alice"), {}} {
				want := chosen(t, state, "asset/", func(_ string, value []byte) (string, bool) {
					a, err := ledger.DecodeAsset(value)
					if err != nil {
						t.Fatal(err)
					}
					return a.Symbol, (status == "" || a.Status.String() == status) && (issuer == nil || a.Issuer == *issuer)
				})
				slices.Sort(want)
				wholeList(t, "assets "+status, want, false, func(p Page) (*List[Asset], error) {
					return r.Assets(t.Context(), AssetFilter{Issuer: issuer, Status: status}, p)
				}, func(a *Asset) string { return a.Symbol })
			}
		}
		for _, status := range append([]string{""}, names(proposalStatuses)...) {
			for _, proposer := range []*crypto.Address{nil, addressPointer("m0"), addressPointer("m2"), {}} {
				want := []string{}
				for id := ledger.ProposalID(1); ; id++ {
					p, ok, err := ledger.ReadProposal(state, id)
					if err != nil || !ok {
						break
					}
					if (status == "" || p.Status.String() == status) && (proposer == nil || p.Proposer == *proposer) {
						want = append(want, fmt.Sprint(id))
					}
				}
				wholeList(t, "proposals "+status, want, true, func(p Page) (*List[Proposal], error) {
					return r.Proposals(t.Context(), ProposalFilter{Status: status, Proposer: proposer}, p)
				}, func(p *Proposal) string { return fmt.Sprint(p.Proposal) })
			}
		}
	})
}

func names[S fmt.Stringer](all []S) (list []string) {
	for _, s := range all {
		list = append(list, s.String())
	}
	return list
}

func addressPointer(name string) *crypto.Address {
	a := ledgertest.Address(name)
	return &a
}

// chosen are lines of the state's records under a prefix, in the order of their keys.
func chosen(t *testing.T, state ledger.MapState, prefix string, choose func(key string, value []byte) (string, bool)) []string {
	t.Helper()
	keys := []string{}
	for key := range state {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	lines := []string{}
	for _, key := range keys {
		if line, ok := choose(key[len(prefix):], state[key]); ok {
			lines = append(lines, line)
		}
	}
	return lines
}

// An account's history has each height at which the ledger's record of it changed,
// and what it was then.
func TestAccountHistory(t *testing.T) {
	eachBook(t, 83, func(t *testing.T, r *Reader, b *book) {
		for _, account := range b.accounts() {
			key := string(ledger.KeyAccount(account))
			record := func(h ledger.Height) string {
				value := b.chain.State(h)[key]
				if value == nil {
					return ""
				}
				a, err := ledger.DecodeAccount(value)
				if err != nil {
					t.Fatal(err)
				}
				keys, threshold := ownKey(account, a.Authority.Keys, a.Authority.Threshold)
				return fmt.Sprintf("%s, member %s, %d of %v", a.Status, a.Member, threshold, keys)
			}
			changed := map[uint64]bool{}
			before := ""
			for h := ledger.Height(0); h <= b.chain.Top(); h++ {
				now := record(h)
				changed[uint64(h)] = now != before
				before = now
			}
			last := ^uint64(0)
			for _, c := range pages(t, 2, false, func(p Page) (*List[AccountChange], error) { return r.AccountHistory(t.Context(), account, p) }) {
				got := fmt.Sprintf("%s, member %s, %d of %v", c.Status, orZero(c.Member), c.Threshold, c.Keys)
				if got != record(ledger.Height(c.Height)) || c.Height >= last || c.Time != uint64(b.chain.At(ledger.Height(c.Height)).Time) {
					t.Fatalf("%s at %d: %s, want %s", account, c.Height, got, record(ledger.Height(c.Height)))
				}
				last = c.Height
				delete(changed, c.Height)
			}
			for h, missing := range changed {
				if missing {
					t.Fatalf("the history of %s does not say that it changed in block %d", account, h)
				}
			}
		}
	})
}

// heldOnce is a hold as the events tell it.
type heldOnce struct {
	made   moved
	left   ledger.Amount
	status store.HoldStatus
	hold   crypto.Address
}

// Holds by every filter are those that the events made, as the events left them.
func TestHolds(t *testing.T) {
	eachBook(t, 84, func(t *testing.T, r *Reader, b *book) {
		var all []*heldOnce
		by := map[crypto.Address]*heldOnce{}
		for _, m := range b.moved {
			h := by[m.Other]
			switch m.Type {
			case ledger.EventHoldCreated:
				h = &heldOnce{made: m, left: m.Amount, status: store.HoldOpen, hold: m.Other}
				by[m.Other], all = h, append(all, h)
			case ledger.EventHoldCaptured:
				h.left, _ = h.left.Sub(m.Amount)
				if h.left.IsZero() {
					h.status = store.HoldCaptured
				}
			case ledger.EventHoldReleased:
				h.left, _ = h.left.Sub(m.Amount)
				h.status = store.HoldReleased
				if m.Number == uint64(ledger.HoldExpired) {
					h.status = store.HoldExpired
				}
			}
		}
		slices.SortStableFunc(all, func(a, b *heldOnce) int { // of one place by their IDs
			if a.made.height == b.made.height && a.made.index == b.made.index {
				return strings.Compare(string(a.hold[:]), string(b.hold[:]))
			}
			return 0
		})
		alice, asset := ledgertest.Address("alice"), all[0].made.Asset
		filters := []HoldFilter{{}, {Account: &alice}, {Account: &somebody}, {Asset: &asset}, {Account: &alice, Asset: &asset}, {Asset: &somebody}}
		for _, s := range names(holdStatuses) {
			filters = append(filters, HoldFilter{Status: s}, HoldFilter{Account: &alice, Status: s}, HoldFilter{Asset: &asset, Status: s})
		}
		for _, f := range filters {
			want := []string{}
			for _, h := range all {
				if (f.Account == nil || h.made.From == *f.Account || h.made.To == *f.Account) && (f.Asset == nil || h.made.Asset == *f.Asset) && (f.Status == "" || h.status.String() == f.Status) {
					want = append(want, fmt.Sprintf("%s at %d/%d: %s of %s, left %s, from %s to %s, %q", h.hold, h.made.height, h.made.index, h.made.Amount, h.made.Asset, h.left, h.made.From, h.made.To, h.status))
				}
			}
			wholeList(t, fmt.Sprintf("%+v", f), want, true, func(p Page) (*List[Hold], error) { return r.Holds(t.Context(), f, p) }, func(h *Hold) string {
				return fmt.Sprintf("%s at %d/%d: %s of %s, left %s, from %s to %s, %q", h.Hold, h.Created.Height, indexOf(h.Created), h.Amount, h.Asset, h.Left, h.From, h.To, h.Status)
			})
		}
	})
}

// What happened to an asset beside movements is what the events say.
func TestAssetEvents(t *testing.T) {
	eachBook(t, 85, func(t *testing.T, r *Reader, b *book) {
		want := map[crypto.Address][]string{somebody: {}}
		enter := func(h ledger.Height, index int, events []ledger.Event) {
			for n, e := range events {
				if !e.Asset.IsZero() && !slices.Contains(movementTypes, e.Type) {
					want[e.Asset] = append(want[e.Asset], fmt.Sprintf("%d/%d/%d %+v", h, index, n, e))
				}
			}
		}
		for h := ledger.Height(0); h <= b.chain.Top(); h++ {
			enter(h, -1, b.chain.At(h).Events)
			for i, result := range b.chain.At(h).Results {
				enter(h, i, result.Events)
			}
		}
		for asset, lines := range want {
			wholeList(t, asset.String(), lines, true, func(p Page) (*List[Event], error) { return r.AssetEvents(t.Context(), asset, p) }, func(e *Event) string {
				return fmt.Sprintf("%d/%d/%d %+v", e.Height, indexOf(e.Place), e.Order, e.Event.Event)
			})
		}
	})
}

// A cursor that no page gave does not lead through heights that are not there.
func TestBlocksFromNowhere(t *testing.T) {
	eachQuery(t, 86, 5, func(t *testing.T, r *Reader, chain *explorertest.Chain) {
		nowhere := newCursor('b').number(1<<63 - 1).String()
		down, err := r.Blocks(t.Context(), BlockFilter{Proposer: &ledger.ConsensusAddress{1}}, Page{Cursor: nowhere})
		if err != nil || len(down.Items) > 0 || down.Next != nil {
			t.Errorf("down: %+v (%v)", down, err)
		}
		up, err := r.Blocks(t.Context(), BlockFilter{}, Page{Cursor: nowhere, Ascending: true})
		if err != nil || len(up.Items) > 0 || up.Next != nil {
			t.Errorf("up: %+v (%v)", up, err)
		}
		if all, err := r.Blocks(t.Context(), BlockFilter{}, Page{Cursor: nowhere}); err != nil || len(all.Items) != int(chain.Top()) {
			t.Errorf("all: %+v (%v)", all, err)
		}
	})
}
