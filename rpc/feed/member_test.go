package feed

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// moved is a chain in which an account passes from one member to another at height 3,
// and at height 4 a block's own events are about each of them, and about an account.
type moved struct{ *chain }

var account, former, present, payee = crypto.Address{1}, crypto.Address{2}, crypto.Address{3}, crypto.Address{4}

func (m moved) Done(height ledger.Height) (*Done, error) {
	transfer := ledger.Event{Type: ledger.EventTransfer, From: account, To: payee}
	done := &Done{Height: height, Receipts: []*wire.Receipt{
		{Height: uint64(height), Sender: account, Events: []wire.Event{{Event: transfer}}},
		{Height: uint64(height), Index: 1, Sender: payee},
	}}
	if height == 4 {
		done.Events = []ledger.Event{
			{Type: ledger.EventMemberSuspended, Other: former}, {Type: ledger.EventMemberSuspended, Other: present},
			{Type: ledger.EventAccountFrozen, Account: account},
		}
	}
	return done, nil
}

func (m moved) Member(height ledger.Height, a crypto.Address) (crypto.Address, error) {
	switch {
	case a != account:
		return crypto.Address{}, nil
	case height < 3:
		return former, nil
	}
	return present, nil
}

// A member is told of what its accounts did while they were its own, and of itself;
// whatever becomes of the accounts, the same cursor means the same.
func TestMemberAsOfTheBlock(t *testing.T) {
	f := New(t.Context(), moved{newChain(5)})
	for _, c := range []struct {
		filter Filter
		want   []wire.Cursor
		own    int // of the own events of block 4
	}{
		{Filter{Member: &former}, []wire.Cursor{{Height: 1}, {Height: 2}, {Height: 4, Index: -1}}, 1},
		{Filter{Member: &present}, []wire.Cursor{{Height: 3}, {Height: 4, Index: -1}, {Height: 4}, {Height: 5}}, 2},
		{Filter{Member: &present, Account: &payee}, []wire.Cursor{{Height: 3}, {Height: 4}, {Height: 5}}, 0},
		{Filter{Member: &payee}, []wire.Cursor{{Height: 1}, {Height: 1, Index: 1}, {Height: 2}, {Height: 2, Index: 1}, {Height: 3}, {Height: 3, Index: 1},
			{Height: 4}, {Height: 4, Index: 1}, {Height: 5}, {Height: 5, Index: 1}}, 0},
		{Filter{Member: &crypto.Address{9}}, nil, 0},
	} {
		r := f.ReadNotices(&c.filter, wire.Cursor{Height: 0, Index: wire.IndexBlockEnd})
		var got []wire.Cursor
		for range 5 {
			items, _, err := r.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, item := range items {
				got = append(got, item.Cursor)
				text, err := item.JSON()
				if err != nil {
					t.Fatal(err)
				}
				if item.Cursor.Index != wire.IndexOwnEvents {
					continue
				}
				var n wire.Notice
				if err := json.Unmarshal(text, &n); err != nil || len(n.Own.Events) != c.own {
					t.Errorf("%+v: %v, %s", c.filter, err, text)
				}
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%+v: got %v, want %v", c.filter, got, c.want)
		}
	}
}
