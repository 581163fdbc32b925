package node

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/crypto/mnemonic"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

const (
	// demoPause is the mean time between two payments of the demo.
	demoPause = 700 * time.Millisecond
	// demoHolds and demoProposals are after how many payments there is one of them.
	demoHolds     = 12
	demoProposals = 60
	demoBoards    = 10 // payments that two must sign
	// demoWithin bounds the wait for what another transaction builds on.
	demoWithin = 2 * time.Minute
)

// demo is a small, steady load on a devnet, such as a few firms would make.
type demo struct {
	node    *Node
	log     *slog.Logger
	random  *rand.Rand
	keys    []*crypto.PrivateKey // of the funded accounts
	admins  []*crypto.PrivateKey // of the members
	firms   []*crypto.PrivateKey // of accounts that the members answer for
	nonces  map[crypto.Address]ledger.Nonce
	payment int
	pause   time.Duration // the mean time between two payments
}

func newDemo(n *Node, log *slog.Logger, mean time.Duration) *demo {
	now := uint64(time.Now().UnixNano())
	return &demo{node: n, log: log, pause: mean, random: rand.New(rand.NewPCG(now, now>>1)), nonces: map[crypto.Address]ledger.Nonce{}}
}

// run makes the load until ctx ends. What the node does not take is not tried again.
func (d *demo) run(ctx context.Context) {
	err := d.prepare()
	if err == nil {
		err = d.found(ctx)
	}
	if err != nil && ctx.Err() == nil {
		d.log.Error("the demo load cannot begin", "err", err)
		return
	}
	for pause(ctx, d.pause/2+time.Duration(d.random.Int64N(int64(d.pause)))) {
		err := d.pay(ctx)
		d.payment++
		if err == nil && d.payment%demoBoards == demoBoards/2 {
			err = d.payTogether(ctx)
		}
		if err == nil && d.payment%demoHolds == 0 {
			err = d.hold(ctx)
		}
		if err == nil && d.payment%demoProposals == demoProposals/10 {
			err = d.govern(ctx)
		}
		if err != nil && ctx.Err() == nil {
			d.log.Warn("a transaction of the demo load was not taken", "err", err)
		}
	}
}

// prepare derives the keys, which all the world knows.
func (d *demo) prepare() (err error) {
	if d.keys, err = devnetKeys(); err != nil {
		return err
	}
	members, err := d.members()
	if err != nil {
		return err
	}
	for i := range members {
		key, err := mnemonic.Derive(DevnetMnemonic, "", devnetFirstAdmin+uint32(i))
		if err != nil {
			return err
		}
		d.admins = append(d.admins, key)
	}
	return nil
}

// members are how many organisations the devnet has: one for each validator.
func (d *demo) members() ([]wire.Validator, error) {
	v, err := d.node.backend.Validators()
	if err != nil {
		return nil, err
	}
	return v.Items, nil
}

// demoWords are what firms write on payments.
var demoWords = []struct{ reference, memo string }{
	{"INV-%05d", "Invoice %d, thank you for your order"},
	{"PO-%06d", "Purchase order %d, second delivery"},
	{"RENT-%04d", "Rent of the warehouse, contract %d"},
	{"SAL-%05d", ""},
	{"RF18539%06d", "Refund of invoice %d"},
	{"TRADE-%05d", "Settlement of trade %d"},
}

// pay moves an amount between two accounts.
func (d *demo) pay(ctx context.Context) error {
	from, to := d.pair()
	asset := d.random.IntN(len(devnetAssets))
	words := demoWords[d.random.IntN(len(demoWords))]
	number := 1000 + d.payment
	leg := ledger.Leg{From: from.Address(), To: to.Address(), Asset: d.asset(asset), Amount: d.amount(asset), Reference: fmt.Sprintf(words.reference, number)}
	memo := words.memo
	if memo != "" {
		memo = fmt.Sprintf(memo, number)
	}
	_, err := d.send(ctx, from, &ledger.Transfer{Legs: []ledger.Leg{leg}}, memo)
	return err
}

func (d *demo) pair() (from, to *crypto.PrivateKey) {
	i := d.random.IntN(len(d.keys))
	return d.keys[i], d.keys[(i+1+d.random.IntN(len(d.keys)-1))%len(d.keys)]
}

func (d *demo) asset(i int) crypto.Address {
	return d.node.Network().AssetAddress(crypto.Address{}, ledger.Nonce(i))
}

// amount is 1.00 to 999.99 of an asset.
func (d *demo) amount(asset int) ledger.Amount {
	cents := ledger.NewAmount(uint64(100 + d.random.IntN(99_900)))
	for range int(devnetAssets[asset].decimals) - 2 {
		cents = tenfold(cents)
	}
	return cents
}

func tenfold(a ledger.Amount) ledger.Amount {
	sum := a
	for range 9 {
		sum, _ = sum.Add(a) // far below 2^128
	}
	return sum
}

// hold sets an amount aside; of every three one is paid, one is given back, and one
// is left open. The first is asked for twice, so that there are refusals to see.
func (d *demo) hold(ctx context.Context) error {
	from, to := d.pair()
	h := ledger.CreateHold{From: from.Address(), To: to.Address(), Asset: d.asset(1), Amount: d.amount(1),
		Expiry: ledger.UnixTime(time.Now().Add(time.Hour).Unix()), Reference: fmt.Sprintf("DEPOSIT-%04d", d.payment)}
	r, err := d.done(ctx, from, &h, "Deposit until the goods have come")
	if err != nil || len(r.Events) == 0 {
		return err
	}
	made := r.Events[0].Other
	switch d.payment / demoHolds % 3 {
	case 1:
		err = d.twice(ctx, to, &ledger.CaptureHold{Hold: made, Amount: h.Amount, Reference: h.Reference}, "The goods have come")
	case 2:
		_, err = d.send(ctx, to, &ledger.ReleaseHold{Hold: made}, "Cancelled: the deposit goes back")
	}
	return err
}

// demoResolutions are what members decide.
var demoResolutions = []string{
	"Publish the audit report of the last quarter",
	"Move the yearly meeting of the members to October",
	"Adopt version 3 of the operations handbook",
	"Admit guests to the technical committee",
}

// govern lets a member propose something, and the others vote.
func (d *demo) govern(ctx context.Context) error {
	if len(d.admins) == 0 {
		return nil
	}
	turn := d.payment / demoProposals
	propose := &ledger.Propose{VotingPeriod: 3600,
		Actions: ledger.ActionList{&ledger.ResolutionAction{Text: demoResolutions[turn%len(demoResolutions)]}}}
	r, err := d.done(ctx, d.admins[turn%len(d.admins)], propose, "")
	if err != nil || len(r.Events) == 0 {
		return err
	}
	number := r.Events[0].Number
	for i, admin := range d.admins {
		if i == turn%len(d.admins) {
			continue // who proposes has said yes by that
		}
		choice := ledger.ChoiceYes
		if i == (turn+1)%len(d.admins) && len(d.admins) > 1 {
			choice = ledger.ChoiceNo
		}
		r, err := d.done(ctx, admin, &ledger.CastVote{Proposal: number, Choice: choice}, "")
		if err != nil || slices.ContainsFunc(r.Events, decides) {
			return err
		}
	}
	return nil
}

// decides reports whether an event ends the voting on a proposal.
func decides(e wire.Event) bool {
	return e.Type == ledger.EventProposalEnded || e.Type == ledger.EventProposalPassed
}

// done sends an operation and waits for its receipt.
func (d *demo) done(ctx context.Context, key *crypto.PrivateKey, op ledger.Operation, memo string) (*wire.Receipt, error) {
	hash, err := d.send(ctx, key, op, memo)
	if err != nil {
		return nil, err
	}
	wait, cancel := context.WithTimeout(ctx, demoWithin)
	defer cancel()
	return d.node.backend.WaitReceipt(wait, hash)
}

// twice sends an operation that can be done once, and the same again under the next
// nonce before it is: the ledger refuses the second.
func (d *demo) twice(ctx context.Context, key *crypto.PrivateKey, op ledger.Operation, memo string) error {
	first, err := d.sign(key, op, memo)
	if err != nil {
		return err
	}
	again, err := d.sign(key, op, memo+" (sent again by mistake)")
	if err != nil {
		return err
	}
	if err := d.submit(ctx, first); err != nil {
		return err
	}
	_ = d.submit(ctx, again) // where the first is in a block by now, the node does not take it at all
	return nil
}

// send signs an operation and hands it to the node.
func (d *demo) send(ctx context.Context, key *crypto.PrivateKey, op ledger.Operation, memo string) (crypto.Hash, error) {
	tx, err := d.sign(key, op, memo)
	if err != nil {
		return crypto.Hash{}, err
	}
	return tx.Hash, d.submit(ctx, tx)
}

// sign makes a transaction of a key's own account, under its next nonce.
func (d *demo) sign(key *crypto.PrivateKey, op ledger.Operation, memo string) (*ledger.Tx, error) {
	return d.signFor(key.Address(), op, memo, key)
}

// signFor makes a transaction of an account with the keys that act for it.
func (d *demo) signFor(sender crypto.Address, op ledger.Operation, memo string, keys ...*crypto.PrivateKey) (*ledger.Tx, error) {
	backend := d.node.backend
	view, err := backend.View(backend.Height())
	if err != nil {
		return nil, err
	}
	account, err := view.Account(sender)
	if err != nil {
		return nil, err
	}
	if account == nil {
		return nil, fmt.Errorf("there is no account %s", sender)
	}
	nonce := max(d.nonces[sender], ledger.Nonce(account.NextNonce))
	tx, code := ledger.Sign(d.node.Network(), ledger.Body{Sender: sender, Nonce: nonce, Memo: memo, Op: op}, ledger.SchemeBodyHash, keys...)
	if code != ledger.Applied {
		return nil, fmt.Errorf("%s: %s", op.Kind(), code.Info().Meaning)
	}
	d.nonces[sender] = nonce + 1
	return tx, nil
}

// submit hands a transaction to the node.
func (d *demo) submit(ctx context.Context, tx *ledger.Tx) error {
	verdict, err := d.node.backend.Submit(ctx, tx.Raw)
	if err != nil || verdict.Code != ledger.Applied {
		d.nonces[tx.Sender] = tx.Nonce // it was not spent
	}
	if err != nil {
		return err
	}
	if verdict.Code != ledger.Applied {
		return fmt.Errorf("%s of %s: %s", tx.Body.Op.Kind(), tx.Sender, verdict.Code.Info().Meaning)
	}
	return nil
}
