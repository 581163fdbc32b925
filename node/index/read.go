package index

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/rlp"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// BlockInfo is what the index knows of a block.
type BlockInfo struct {
	Height ledger.Height
	Hash   crypto.Hash
	Time   ledger.UnixTime
	Root   crypto.Hash // of the state after the block
}

// Block answers nil for a height that is not indexed.
func (x *Index) Block(height ledger.Height) (info *BlockInfo, err error) {
	defer x.watch(&err)
	if height > x.Height() {
		return nil, nil
	}
	raw, err := x.db.Get(key(spaceBlock, height8(height)))
	if err != nil || raw == nil {
		return nil, err
	}
	var r blockRecord
	if err := rlp.DecodeBytes(raw, &r); err != nil {
		return nil, fmt.Errorf("block record %d: %w", height, err)
	}
	return &BlockInfo{height, r.Hash, ledger.UnixTime(r.Time), r.Root}, nil
}

// BlockEvents are the events of the block itself at height: of what fell due
// there.
func (x *Index) BlockEvents(height ledger.Height) (events []ledger.Event, err error) {
	defer x.watch(&err)
	if height > x.Height() {
		return nil, nil
	}
	raw, err := x.db.Get(key(spaceEvents, height8(height)))
	if err != nil || raw == nil {
		return nil, err
	}
	var records []eventRecord
	if err := rlp.DecodeBytes(raw, &records); err != nil {
		return nil, fmt.Errorf("events of block %d: %w", height, err)
	}
	for i := range records {
		e, err := records[i].event()
		if err != nil {
			return nil, fmt.Errorf("events of block %d: %w", height, err)
		}
		events = append(events, e)
	}
	return events, nil
}

// HeightOf finds the block with this hash; ok is false when there is none.
func (x *Index) HeightOf(block crypto.Hash) (height ledger.Height, ok bool, err error) {
	defer x.watch(&err)
	raw, err := x.db.Get(key(spaceBlockHash, block[:]))
	if err != nil || raw == nil {
		return 0, false, err
	}
	if len(raw) != 8 {
		return 0, false, fmt.Errorf("block hash record %x is damaged", raw)
	}
	height = ledger.Height(binary.BigEndian.Uint64(raw))
	return height, height <= x.Height(), nil
}

// Place finds a transaction in the chain; ok is false when it is not there.
// A block that is written but not yet published is not there: otherwise a
// receipt could be seen before the height that its effects are read at.
func (x *Index) Place(tx crypto.Hash) (height ledger.Height, index uint32, ok bool, err error) {
	defer x.watch(&err)
	raw, err := x.db.Get(key(spaceTx, tx[:]))
	if err != nil || raw == nil {
		return 0, 0, false, err
	}
	p, err := decodePlace(raw)
	return p.Height, p.Index, err == nil && p.Height <= x.Height(), err
}

// Receipt answers nil for a transaction that the chain does not have.
func (x *Index) Receipt(tx crypto.Hash) (r *wire.Receipt, err error) {
	defer x.watch(&err)
	height, index, ok, err := x.Place(tx)
	if err != nil || !ok {
		return nil, err
	}
	return x.receiptAt(Place{height, index})
}

// ReceiptByNonce answers nil for a nonce that the sender has not spent.
func (x *Index) ReceiptByNonce(sender crypto.Address, nonce ledger.Nonce) (r *wire.Receipt, err error) {
	defer x.watch(&err)
	raw, err := x.db.Get(key(spaceNonce, sender[:], be64(uint64(nonce))))
	if err != nil || raw == nil {
		return nil, err
	}
	p, err := decodePlace(raw)
	if err != nil || p.Height > x.Height() {
		return nil, err
	}
	return x.receiptAt(p)
}

func (x *Index) receiptAt(p Place) (*wire.Receipt, error) {
	raw, err := x.db.Get(key(spaceReceipt, p.bytes()))
	if err != nil {
		return nil, fmt.Errorf("receipt %d/%d: %w", p.Height, p.Index, err)
	}
	block, err := x.Block(p.Height)
	if err == nil && block == nil {
		err = errors.New("block record is missing")
	}
	if err != nil {
		return nil, fmt.Errorf("receipt %d/%d: %w", p.Height, p.Index, err)
	}
	return decodeReceipt(raw, p, block)
}

// Receipts are those of a block, in its order; empty for a height that is not
// indexed.
func (x *Index) Receipts(height ledger.Height) (out []*wire.Receipt, err error) {
	defer x.watch(&err)
	block, err := x.Block(height)
	if err != nil || block == nil {
		return nil, err
	}
	prefix := key(spaceReceipt, height8(height))
	it, err := x.db.Iterator(prefix, nextPrefix(prefix))
	if err != nil {
		return nil, err
	}
	defer it.Close()
	for ; it.Valid(); it.Next() {
		at, err := decodePlace(it.Key()[1:])
		if err != nil {
			return nil, err
		}
		r, err := decodeReceipt(it.Value(), at, block)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, it.Error()
}

// decodeReceipt makes the receipt at a place of a block.
func decodeReceipt(raw []byte, at Place, block *BlockInfo) (*wire.Receipt, error) {
	var r receiptRecord
	if err := rlp.DecodeBytes(raw, &r); err != nil {
		return nil, fmt.Errorf("receipt %d/%d: %w", at.Height, at.Index, err)
	}
	return newReceipt(&r, at, block.Hash, block.Time)
}

// watch tells Options.Failed of a failed read.
func (x *Index) watch(err *error) {
	if *err != nil && x.failed != nil {
		x.failed(fmt.Errorf("receipt index in %s: %w: delete that directory and start again, and the index is rebuilt from the blocks", x.dir, *err))
	}
}

// AccountInfo is what the index knows of an account besides its balances.
type AccountInfo struct {
	NextNonce ledger.Nonce
	Status    ledger.AccountStatus
	Member    crypto.Address // zero for none
}

// AccountAt is an account after the block at height; ok is false when there was
// none.
func (x *Index) AccountAt(account crypto.Address, height ledger.Height) (info AccountInfo, ok bool, err error) {
	defer x.watch(&err)
	r, err := accountAt(x.db, account, height)
	if err != nil || r == nil {
		return AccountInfo{}, false, err
	}
	return AccountInfo{ledger.Nonce(r.NextNonce), ledger.AccountStatus(r.Status), r.Member}, true, nil
}

// BalanceAt is a balance after the block at height.
func (x *Index) BalanceAt(account, asset crypto.Address, height ledger.Height) (b ledger.Balance, err error) {
	defer x.watch(&err)
	return balanceAt(x.db, balanceID{account, asset}, height)
}

// HeldAsset is one asset of an account and how much of it there is.
type HeldAsset struct {
	Asset   crypto.Address
	Balance ledger.Balance
}

// BalancesAt lists what an account had after the block at height, ascending
// by asset. Cost: one seek for each asset it ever had.
func (x *Index) BalancesAt(account crypto.Address, height ledger.Height) (out []HeldAsset, err error) {
	defer x.watch(&err)
	err = x.eachSuffix(key(spaceBalance, account[:]), crypto.Address{}, func(asset crypto.Address) (bool, error) {
		b, err := x.BalanceAt(account, asset, height)
		if err == nil && !b.IsZero() {
			out = append(out, HeldAsset{asset, b})
		}
		return true, err
	})
	return out, err
}

// AssetAt answers nil where there was no asset after the block at height. Holds
// is 0 whatever holds there are: no answer of the node shows an asset's number of
// them, the rule that needs it reads the state, and to count holds out of events
// the index would have to know what is left of each.
func (x *Index) AssetAt(asset crypto.Address, height ledger.Height) (record *ledger.Asset, err error) {
	defer x.watch(&err)
	return assetAt(x.db, asset, height)
}

// AssetBySymbol finds an asset's address, whenever it was created.
func (x *Index) AssetBySymbol(symbol string) (asset crypto.Address, ok bool, err error) {
	defer x.watch(&err)
	raw, err := x.db.Get(key(spaceSymbol, []byte(symbol)))
	if err != nil || len(raw) != len(asset) {
		return asset, false, err
	}
	copy(asset[:], raw)
	return asset, true, nil
}

// AssetsAt visits the assets that there were after the block at height, those
// above after, ascending, until visit answers false. They are as AssetAt has them.
func (x *Index) AssetsAt(after crypto.Address, height ledger.Height, visit func(crypto.Address, *ledger.Asset) bool) (err error) {
	defer x.watch(&err)
	return x.eachSuffix([]byte{spaceAsset}, after, func(asset crypto.Address) (bool, error) {
		a, err := x.AssetAt(asset, height)
		if err != nil || a == nil {
			return true, err
		}
		return visit(asset, a), nil
	})
}

// eachSuffix visits the distinct addresses above after that follow prefix.
func (x *Index) eachSuffix(prefix []byte, after crypto.Address, visit func(crypto.Address) (bool, error)) error {
	end := nextPrefix(prefix)
	start := append(append([]byte{}, prefix...), after[:]...)
	if !after.IsZero() {
		start = nextPrefix(start)
	}
	for start != nil {
		address, found, err := x.firstSuffix(start, end, len(prefix))
		if err != nil || !found {
			return err
		}
		more, err := visit(address)
		if err != nil || !more {
			return err
		}
		start = nextPrefix(append(append([]byte{}, prefix...), address[:]...))
	}
	return nil
}

func (x *Index) firstSuffix(start, end []byte, skip int) (address crypto.Address, found bool, err error) {
	it, err := x.db.Iterator(start, end)
	if err != nil {
		return address, false, err
	}
	defer it.Close()
	if !it.Valid() {
		return address, false, it.Error()
	}
	copy(address[:], it.Key()[skip:])
	return address, true, nil
}

// nextPrefix is the least key above every key that begins with p, or nil.
func nextPrefix(p []byte) []byte {
	out := append([]byte{}, p...)
	for i := len(out) - 1; i >= 0; i-- {
		if out[i]++; out[i] != 0 {
			return out[:i+1]
		}
	}
	return nil
}
