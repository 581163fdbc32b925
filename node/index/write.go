package index

import (
	"bytes"
	"fmt"
	"slices"

	dbm "github.com/cosmos/cosmos-db"
	"github.com/ethereum/go-ethereum/rlp"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// write indexes one block in one batch, and then makes it visible. Block 0 is
// the genesis: results without transactions.
func (x *Index) write(b *Block) error {
	x.writes.reset()
	w := &writer{writes: &x.writes, height: b.Height, state: x.current.begin(), db: x.db, counts: x.counts, unspent: x.unspent}
	if b.Height == 0 {
		w.genesis(b.Results[0].Events)
	} else {
		w.block(b)
	}
	w.flush()
	w.put(keyMeta, &metaRecord{formatVersion, x.net.Hash, uint64(b.Height), w.counts.list(), w.unspent})
	if w.err != nil {
		return w.err
	}
	batch := x.db.NewBatch()
	defer batch.Close()
	if err := x.writes.into(batch); err != nil {
		return fmt.Errorf("fill batch: %w", err)
	}
	if err := batch.Write(); err != nil {
		return fmt.Errorf("write batch: %w", err)
	}
	x.counts, x.unspent = w.counts, w.unspent
	return x.publish(b)
}

// writer fills one block's batch. The first error sticks.
type writer struct {
	writes  *ordered
	height  ledger.Height
	state   *blockState
	db      dbm.DB // as it is before the block
	counts  keyCounts
	unspent uint64
	err     error

	key      []byte       // of what is written at present
	record   bytes.Buffer // and its value
	subjects subjects     // of the place at hand
}

// at makes a key, good until the next one is made.
func (w *writer) at(space byte, parts ...[]byte) []byte {
	w.key = append(w.key[:0], space)
	for _, p := range parts {
		w.key = append(w.key, p...)
	}
	return w.key
}

// set writes a key that is not there yet.
func (w *writer) set(k, v []byte) {
	w.counts[k[0]]++
	w.replace(k, v)
}

func (w *writer) replace(k, v []byte) {
	w.writes.set(k, v)
}

// put writes a key that is not there yet, and what record is in RLP.
func (w *writer) put(k []byte, record any) {
	w.record.Reset()
	if err := rlp.Encode(&w.record, record); err != nil && w.err == nil {
		w.err = err
	}
	w.set(k, w.record.Bytes())
}

func (w *writer) genesis(events []ledger.Event) {
	w.happened(events)
	w.history(Place{0, OwnEvents})
}

// happened follows events, and collects whom and what they concern.
func (w *writer) happened(events []ledger.Event) {
	for i := range events {
		w.apply(&events[i])
		w.subjects.add(&events[i])
	}
}

func (w *writer) block(b *Block) {
	w.put(w.at(spaceBlock, height8(b.Height)), &blockRecord{b.Hash, uint64(b.Time), b.Root})
	w.set(w.at(spaceBlockHash, b.Hash[:]), height8(b.Height))
	w.ownEvents(b)
	for i := range b.Txs {
		w.transaction(b, i)
	}
}

// ownEvents writes what happened in a block by itself, before its transactions.
func (w *writer) ownEvents(b *Block) {
	if len(b.Events) == 0 {
		return
	}
	w.put(w.at(spaceEvents, height8(b.Height)), recordsOf(b.Events))
	w.happened(b.Events)
	w.history(Place{b.Height, OwnEvents})
}

func (w *writer) transaction(b *Block, i int) {
	tx, result := b.Txs[i], &b.Results[i]
	place := Place{b.Height, uint32(i)}
	at := place.bytes()
	w.put(w.at(spaceReceipt, at), recordOf(tx, result))
	w.locate(b, i, at)
	if result.Code.SpendsNonce() {
		w.set(w.at(spaceNonce, tx.Sender[:], be64(uint64(tx.Nonce))), at)
		w.nonce(tx.Sender, uint64(tx.Nonce))
	}
	w.subjects.accounts = append(w.subjects.accounts, tx.Sender)
	w.happened(result.Events)
	w.history(place)
}

// locate writes where transaction i stands. No transaction stands in the chain
// twice, but for what dishonest validators alone could agree on: one that spent
// no nonce. Its place is where its nonce was spent, or else the first.
func (w *writer) locate(b *Block, i int, at []byte) {
	hash, spends := b.Txs[i].Hash, b.Results[i].Code.SpendsNonce()
	k := w.at(spaceTx, hash[:])
	if !spends {
		w.unspent++
	}
	if w.unspent == 0 {
		w.set(k, at)
		return
	}
	known, err := w.db.Has(k)
	if err != nil && w.err == nil {
		w.err = err
	}
	known = known || slices.ContainsFunc(b.Txs[:i], func(tx *ledger.Tx) bool { return tx.Hash == hash })
	switch {
	case !known:
		w.set(k, at)
	case spends:
		w.replace(k, at)
	}
}

// apply follows an event's effect on accounts, assets and balances.
func (w *writer) apply(e *ledger.Event) {
	if w.err != nil {
		return
	}
	switch e.Type {
	case ledger.EventTransfer:
		w.move(e.From, e.Asset, e.Amount, ledger.Amount.Sub)
		w.move(e.To, e.Asset, e.Amount, ledger.Amount.Add)
	case ledger.EventIssue:
		w.move(e.To, e.Asset, e.Amount, ledger.Amount.Add)
		w.supply(e.Asset, e.Amount, ledger.Amount.Add)
	case ledger.EventRedeem:
		w.move(e.From, e.Asset, e.Amount, ledger.Amount.Sub)
		w.supply(e.Asset, e.Amount, ledger.Amount.Sub)
	case ledger.EventHoldCreated:
		w.move(e.From, e.Asset, e.Amount, ledger.Amount.Sub)
		w.hold(e.From, e.Asset, e.Amount, ledger.Amount.Add)
	case ledger.EventHoldCaptured:
		w.hold(e.From, e.Asset, e.Amount, ledger.Amount.Sub)
		w.move(e.To, e.Asset, e.Amount, ledger.Amount.Add)
	case ledger.EventHoldReleased:
		w.hold(e.From, e.Asset, e.Amount, ledger.Amount.Sub)
		w.move(e.From, e.Asset, e.Amount, ledger.Amount.Add)
	case ledger.EventAssetCreated:
		w.set(w.at(spaceSymbol, []byte(e.Symbol)), e.Asset[:])
		w.state.assets[e.Asset] = &ledger.Asset{
			Symbol: e.Symbol, Name: e.Name, Decimals: e.Decimals, Issuer: e.Account,
			Cap: e.Amount, Flags: e.Flags, Status: ledger.AssetActive,
		}
	case ledger.EventAssetPaused, ledger.EventAssetResumed, ledger.EventAssetRetired,
		ledger.EventAssetPausedByNetwork, ledger.EventAssetResumedByNetwork:
		w.asset(e.Asset, func(a *ledger.Asset) (ok bool) { a.Status, ok = a.Status.After(e.Type); return ok })
	case ledger.EventAccountCreated:
		w.newAccount(e.Account)
	case ledger.EventAccountAdmitted, ledger.EventAccountFrozen, ledger.EventAccountUnfrozen, ledger.EventAccountClosed, ledger.EventAuthorityChanged:
		w.account(e)
	case ledger.EventMemberAdmitted: // the index answers nothing about members
	case ledger.EventIssuerChanged:
		w.asset(e.Asset, func(a *ledger.Asset) bool { a.Issuer = e.Account; return true })
	case ledger.EventClawback:
		w.move(e.From, e.Asset, e.Amount, ledger.Amount.Sub)
		w.move(e.To, e.Asset, e.Amount, ledger.Amount.Add)
	case ledger.EventMetadataChanged, ledger.EventHolderApproved, ledger.EventHolderRevoked,
		ledger.EventHolderFrozen, ledger.EventHolderUnfrozen, ledger.EventBalanceFrozen:
		// They stand in receipts and histories; the state has what they come to.
	default:
		if governs(e.Type) {
			return // the index answers nothing about members and proposals
		}
		w.err = fmt.Errorf("event type %d is not known to the index", e.Type)
	}
}

// arithmetic is Amount.Add or Amount.Sub.
type arithmetic func(ledger.Amount, ledger.Amount) (ledger.Amount, bool)

// move changes an available balance.
func (w *writer) move(account, asset crypto.Address, amount ledger.Amount, op arithmetic) {
	w.balance(account, asset, func(b *ledger.Balance) (ok bool) {
		b.Available, ok = op(b.Available, amount)
		return ok
	})
}

// hold changes a held balance.
func (w *writer) hold(account, asset crypto.Address, amount ledger.Amount, op arithmetic) {
	w.balance(account, asset, func(b *ledger.Balance) (ok bool) {
		b.Held, ok = op(b.Held, amount)
		return ok
	})
}

func (w *writer) balance(account, asset crypto.Address, change func(*ledger.Balance) bool) {
	if w.err != nil {
		return
	}
	id := balanceID{account, asset}
	b, err := w.state.balance(id)
	if err != nil {
		w.err = err
		return
	}
	if !change(&b) {
		w.err = fmt.Errorf("the events do not add up: balance of %s in asset %s", account, asset)
		return
	}
	w.state.balances[id] = b
}

func (w *writer) supply(asset crypto.Address, amount ledger.Amount, op arithmetic) {
	w.asset(asset, func(a *ledger.Asset) (ok bool) {
		a.Supply, ok = op(a.Supply, amount)
		return ok
	})
}

func (w *writer) asset(asset crypto.Address, change func(*ledger.Asset) bool) {
	if w.err != nil {
		return
	}
	a, err := w.state.asset(asset)
	if err == nil && (a == nil || !change(a)) {
		err = fmt.Errorf("the events do not add up: asset %s", asset)
	}
	w.err = err
}

func (w *writer) nonce(sender crypto.Address, nonce uint64) {
	if w.err != nil {
		return
	}
	record, ok, err := w.state.account(sender)
	if err == nil && !ok {
		err = fmt.Errorf("the events do not add up: %s spends a nonce and has no account", sender)
	}
	if err != nil {
		w.err = err
		return
	}
	record.NextNonce = max(record.NextNonce, nonce+1)
	w.state.accounts[sender] = record
}

// flush writes what the block left of every account, asset and balance it
// touched. The order of a batch's keys does not matter.
func (w *writer) flush() {
	at := height8(w.height)
	for account, record := range w.state.accounts {
		w.put(w.at(spaceAccount, account[:], at), &record)
	}
	for asset, record := range w.state.assets {
		w.put(w.at(spaceAsset, asset[:], at), recordOfAsset(record))
	}
	for id, b := range w.state.balances {
		w.put(w.at(spaceBalance, id.account[:], id.asset[:], at), &balanceRecord{b.Available.Bytes(), b.Held.Bytes()})
	}
	if w.err == nil {
		w.state.remember()
	}
}
