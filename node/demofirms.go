package node

import (
	"context"
	"slices"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/crypto/mnemonic"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

const (
	// demoFirstFirm is the index of the first firm's key in the devnet's mnemonic.
	demoFirstFirm uint32 = 200
	// demoBoard is how many keys a firm with a board has, and demoQuorum how many of
	// them must sign.
	demoBoard, demoQuorum = 3, 2
)

// found lets every member admit a firm for which it answers, gives the firms
// something to pay with, and puts the first of them under a board. The devnet's own
// accounts have no member; these show who answers for whom. What an earlier run did
// stays.
func (d *demo) found(ctx context.Context) error {
	for i, admin := range d.admins {
		firm, err := mnemonic.Derive(DevnetMnemonic, "", demoFirstFirm+uint32(i))
		if err != nil {
			return err
		}
		d.firms = append(d.firms, firm)
		if account, err := d.account(firm.Address()); account != nil || err != nil {
			if err != nil {
				return err
			}
			continue
		}
		if _, err := d.done(ctx, admin, &ledger.AdmitAccount{Account: firm.Address()}, ""); err != nil {
			return err
		}
		for asset := range devnetAssets {
			leg := ledger.Leg{From: d.keys[0].Address(), To: firm.Address(), Asset: d.asset(asset), Amount: tenfold(tenfold(d.amount(asset))), Reference: "CAPITAL"}
			if _, err := d.done(ctx, d.keys[0], &ledger.Transfer{Legs: []ledger.Leg{leg}}, "Capital to begin with"); err != nil {
				return err
			}
		}
	}
	if err := d.seatBoard(ctx); err != nil || len(d.firms) < 2 {
		return err
	}
	d.keys = append(d.keys, d.firms[1:]...) // they pay and are paid as the others are
	return nil
}

// account is nil where the ledger has none.
func (d *demo) account(a crypto.Address) (*wire.Account, error) {
	backend := d.node.backend
	view, err := backend.View(backend.Height())
	if err != nil {
		return nil, err
	}
	return view.Account(a)
}

// board are the keys of the first firm's board; nil where there are too few firms.
func (d *demo) board() []*crypto.PrivateKey {
	if len(d.firms) < demoBoard {
		return nil
	}
	keys := slices.Clone(d.firms[:demoBoard])
	slices.SortFunc(keys, func(a, b *crypto.PrivateKey) int { return a.Address().Compare(b.Address()) })
	return keys
}

// seatBoard puts the first firm under its board, which is the first thing that the
// firm does, and the last that its own key can do alone.
func (d *demo) seatBoard(ctx context.Context) error {
	board := d.board()
	if board == nil {
		return nil
	}
	firm, err := d.account(d.firms[0].Address())
	if err != nil || firm == nil || firm.NextNonce > 0 {
		return err
	}
	op := ledger.SetKeys{Threshold: demoQuorum}
	for _, key := range board {
		op.Keys = append(op.Keys, ledger.Key{Address: key.Address(), Weight: 1})
	}
	_, err = d.done(ctx, d.firms[0], &op, "From now on two of the board sign")
	return err
}

// payTogether is a payment of the first firm, which two of its board sign. Another
// account has paid the firm as much before: it would soon have nothing left.
func (d *demo) payTogether(ctx context.Context) error {
	board := d.board()
	if board == nil {
		return nil
	}
	from, to := d.pair()
	income := ledger.Leg{From: from.Address(), To: d.firms[0].Address(), Asset: d.asset(1), Amount: d.amount(1), Reference: "BOARD-1"}
	r, err := d.done(ctx, from, &ledger.Transfer{Legs: []ledger.Leg{income}}, "Order for the board's firm")
	if err != nil || r.Code != uint32(ledger.Applied) {
		return err // nor is there anything to pay out
	}
	leg := ledger.Leg{From: income.To, To: to.Address(), Asset: income.Asset, Amount: income.Amount, Reference: income.Reference}
	tx, err := d.signFor(leg.From, &ledger.Transfer{Legs: []ledger.Leg{leg}}, "Agreed by the board", board[:demoQuorum]...)
	if err != nil {
		return err
	}
	return d.submit(ctx, tx)
}
