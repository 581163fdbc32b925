package index

import (
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
	batch := x.db.NewBatch()
	defer batch.Close()
	w := &writer{batch: batch, height: b.Height, state: x.current.begin()}
	if b.Height == 0 {
		w.genesis(b.Results[0].Events)
	} else {
		w.block(b)
	}
	w.flush()
	w.put(keyMeta, metaRecord{formatVersion, x.net.Hash, uint64(b.Height)})
	if w.err != nil {
		return w.err
	}
	if err := batch.Write(); err != nil {
		return fmt.Errorf("write batch: %w", err)
	}
	x.publish(b)
	return nil
}

// writer fills one block's batch. The first error sticks.
type writer struct {
	batch  dbm.Batch
	height ledger.Height
	state  *blockState
	err    error
}

func (w *writer) set(k, v []byte) {
	if w.err == nil {
		w.err = w.batch.Set(k, v)
	}
}

func (w *writer) put(k []byte, record any) {
	raw, err := rlp.EncodeToBytes(record)
	if err != nil && w.err == nil {
		w.err = err
	}
	w.set(k, raw)
}

func (w *writer) genesis(events []ledger.Event) {
	for i := range events {
		w.apply(&events[i])
	}
}

func (w *writer) block(b *Block) {
	w.put(key(spaceBlock, height8(b.Height)), blockRecord{b.Hash, uint64(b.Time), b.Root})
	w.set(key(spaceBlockHash, b.Hash[:]), height8(b.Height))
	for i, tx := range b.Txs {
		w.transaction(tx, &b.Results[i], place{b.Height, uint32(i)})
	}
}

func (w *writer) transaction(tx *ledger.Tx, result *ledger.TxResult, at place) {
	w.put(key(spaceReceipt, at.bytes()), recordOf(tx, result))
	w.set(key(spaceTx, tx.Hash[:]), at.bytes())
	if result.Code.SpendsNonce() {
		w.set(key(spaceNonce, tx.Sender[:], be64(uint64(tx.Nonce))), tx.Hash[:])
		w.nonce(tx.Sender, uint64(tx.Nonce))
	}
	parties := []crypto.Address{tx.Sender}
	for i := range result.Events {
		w.apply(&result.Events[i])
		parties = appendParties(parties, &result.Events[i])
	}
	slices.SortFunc(parties, crypto.Address.Compare)
	for _, a := range slices.Compact(parties) {
		if !a.IsZero() {
			w.set(key(spaceHistory, a[:], at.bytes()), []byte{0xc0})
		}
	}
}

// appendParties adds the accounts that an event concerns.
func appendParties(to []crypto.Address, e *ledger.Event) []crypto.Address {
	return append(to, e.From, e.To, e.Account)
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
	case ledger.EventAssetCreated:
		w.set(key(spaceSymbol, []byte(e.Symbol)), e.Asset[:])
		w.state.assets[e.Asset] = &ledger.Asset{
			Symbol: e.Symbol, Name: e.Name, Decimals: e.Decimals, Issuer: e.Account,
			Cap: e.Amount, Flags: e.Flags, Status: ledger.AssetActive,
		}
	case ledger.EventAssetPaused:
		w.asset(e.Asset, func(a *ledger.Asset) bool { a.Status = ledger.AssetPaused; return true })
	case ledger.EventAssetResumed:
		w.asset(e.Asset, func(a *ledger.Asset) bool { a.Status = ledger.AssetActive; return true })
	case ledger.EventAccountCreated:
		w.state.accounts[e.Account] = 0
	default:
		w.err = fmt.Errorf("event type %d is not known to the index", e.Type)
	}
}

// arithmetic is Amount.Add or Amount.Sub.
type arithmetic func(ledger.Amount, ledger.Amount) (ledger.Amount, bool)

func (w *writer) move(account, asset crypto.Address, amount ledger.Amount, op arithmetic) {
	if w.err != nil {
		return
	}
	id := balanceID{account, asset}
	b, err := w.state.balance(id)
	if err != nil {
		w.err = err
		return
	}
	available, ok := op(b.Available, amount)
	if !ok {
		w.err = fmt.Errorf("the events do not add up: balance of %s in asset %s", account, asset)
		return
	}
	b.Available = available
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
	next, err := w.state.account(sender)
	if err != nil {
		w.err = err
		return
	}
	w.state.accounts[sender] = max(next, nonce+1)
}

// flush writes what the block left of every account, asset and balance it
// touched. The order of a batch's keys does not matter.
func (w *writer) flush() {
	at := height8(w.height)
	for account, next := range w.state.accounts {
		w.put(key(spaceAccount, account[:], at), accountRecord{next})
	}
	for asset, record := range w.state.assets {
		raw, err := encodeAsset(record)
		if err != nil && w.err == nil {
			w.err = err
		}
		w.set(key(spaceAsset, asset[:], at), raw)
	}
	for id, b := range w.state.balances {
		raw, err := encodeBalance(b)
		if err != nil && w.err == nil {
			w.err = err
		}
		w.set(key(spaceBalance, id.account[:], id.asset[:], at), raw)
	}
	if w.err == nil {
		w.state.remember()
	}
}
