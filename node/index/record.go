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

// formatVersion is the version of the keys and values below.
const formatVersion = 2

// Keys: a letter, then fixed-width parts, numbers big-endian. Values are RLP
// where no width is given. No key is ever deleted, and none but m is written
// twice, so that counting the keys finds what is lost.
//
//	m                            cursor: [format, networkHash, height, [count…], unspent]
//	b height8                    block: [hash, time, root]
//	B hash32                     height8 of the block with this hash
//	t hash32                     place of a transaction: height8 index4
//	n sender20 nonce8            place of the transaction that spent the nonce
//	r height8 index4             receipt
//	e height8                    events of the block itself: [event…]; only where there are any
//	a account20 height8 order4   what touches the account: order 0 is the block's own events,
//	                             n the transaction with the index n - 1 (no bytes)
//	h asset20 height8 order4     what touches the asset (no bytes)
//	f reference 00 height8 order4  what has the reference (no bytes)
//	v account20 asset20 height8  balance from this height on: [available, held]
//	u account20 height8          account from this height on: [nextNonce, status, member]
//	s asset20 height8            asset from this height on
//	y symbol                     asset20
var keyMeta = []byte{'m'}

const (
	spaceBlock        = 'b'
	spaceBlockHash    = 'B'
	spaceTx           = 't'
	spaceNonce        = 'n'
	spaceReceipt      = 'r'
	spaceEvents       = 'e'
	spaceHistory      = 'a'
	spaceAssetHistory = 'h'
	spaceReference    = 'f'
	spaceBalance      = 'v'
	spaceAccount      = 'u'
	spaceAsset        = 's'
	spaceSymbol       = 'y'
)

// spaces are those whose keys the cursor counts, in its order.
var spaces = [...]struct {
	letter byte
	name   string
}{
	{spaceBlock, "blocks"},
	{spaceBlockHash, "blocks by hash"},
	{spaceTx, "transactions by hash"},
	{spaceNonce, "transactions by nonce"},
	{spaceReceipt, "receipts"},
	{spaceHistory, "history of accounts"},
	{spaceBalance, "balances"},
	{spaceAccount, "accounts"},
	{spaceAsset, "assets"},
	{spaceSymbol, "symbols"},
	{spaceEvents, "events of blocks"},
	{spaceAssetHistory, "history of assets"},
	{spaceReference, "history of references"},
}

// keyCounts is how many keys there are in each space, by its letter.
type keyCounts [256]uint64

func (c *keyCounts) list() []uint64 {
	out := make([]uint64, len(spaces))
	for i, s := range spaces {
		out[i] = c[s.letter]
	}
	return out
}

// key joins a space and its parts.
func key(space byte, parts ...[]byte) []byte {
	k := make([]byte, 1, 64)
	k[0] = space
	for _, p := range parts {
		k = append(k, p...)
	}
	return k
}

func be64(v uint64) []byte { return binary.BigEndian.AppendUint64(nil, v) }
func be32(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }

func height8(h ledger.Height) []byte { return be64(uint64(h)) }

// metaRecord is the cursor. In every format the first field means the same.
type metaRecord struct {
	Format  uint64
	Network crypto.Hash
	Height  uint64
	Counts  []uint64 // of the keys in each of spaces
	Unspent uint64   // transactions so far that spent no nonce
}

// errFormat: the index was written by another version.
var errFormat = errors.New("use the version that wrote it, or delete the directory and the index is rebuilt from the blocks")

// decodeMeta errs with errFormat, or because the cursor is damaged.
func decodeMeta(raw []byte) (m metaRecord, err error) {
	var any struct {
		Format uint64
		Rest   []rlp.RawValue `rlp:"tail"`
	}
	if err := rlp.DecodeBytes(raw, &any); err != nil {
		return m, err
	}
	if any.Format != formatVersion {
		return m, fmt.Errorf("format %d is not format %d, which this version reads: %w", any.Format, formatVersion, errFormat)
	}
	if err := rlp.DecodeBytes(raw, &m); err != nil {
		return m, err
	}
	if len(m.Counts) != len(spaces) {
		return m, fmt.Errorf("it counts %d spaces and not %d", len(m.Counts), len(spaces))
	}
	return m, nil
}

type blockRecord struct {
	Hash crypto.Hash
	Time uint64
	Root crypto.Hash
}

func decodePlace(raw []byte) (Place, error) {
	if len(raw) != 12 {
		return Place{}, fmt.Errorf("place record %x is damaged", raw)
	}
	return Place{ledger.Height(binary.BigEndian.Uint64(raw)), binary.BigEndian.Uint32(raw[8:])}, nil
}

// receiptRecord is a receipt without what its place and its block say.
type receiptRecord struct {
	Hash     crypto.Hash
	BodyHash crypto.Hash
	Sender   crypto.Address
	Nonce    uint64
	Kind     uint8
	Code     uint32
	Events   []eventRecord
}

// eventRecord is an event whose addresses and hash are empty where they are zero.
type eventRecord struct {
	Type                     uint8
	Account, From, To, Asset []byte
	Amount                   []byte
	Reference                string
	Symbol                   string `rlp:"optional"`
	Name                     string `rlp:"optional"`
	Decimals                 uint8  `rlp:"optional"`
	Flags                    uint32 `rlp:"optional"`
	Other                    []byte `rlp:"optional"`
	Number                   uint64 `rlp:"optional"`
	Until                    uint64 `rlp:"optional"`
	Keys                     string `rlp:"optional"`
	Nodes                    string `rlp:"optional"`
	Hash                     []byte `rlp:"optional"`
}

func recordOf(tx *ledger.Tx, result *ledger.TxResult) *receiptRecord {
	r := &receiptRecord{
		Hash: tx.Hash, BodyHash: result.BodyHash, Sender: tx.Sender, Nonce: uint64(tx.Nonce), Code: uint32(result.Code),
		Events: recordsOf(result.Events),
	}
	if tx.Op != nil {
		r.Kind = uint8(tx.Op.Kind())
	}
	return r
}

// recordsOf keeps views of events.
func recordsOf(events []ledger.Event) []eventRecord {
	out := make([]eventRecord, len(events))
	for i := range events {
		e := &events[i]
		out[i] = eventRecord{
			Type: uint8(e.Type), Account: unlessZero(&e.Account), From: unlessZero(&e.From), To: unlessZero(&e.To),
			Asset: unlessZero(&e.Asset), Amount: e.Amount.Bytes(), Reference: e.Reference,
			Symbol: e.Symbol, Name: e.Name, Decimals: e.Decimals, Flags: e.Flags,
			Other: unlessZero(&e.Other), Number: e.Number, Until: uint64(e.Until), Keys: e.Keys, Nodes: e.Nodes,
		}
		if e.Hash != (crypto.Hash{}) {
			out[i].Hash = e.Hash[:]
		}
	}
	return out
}

// unlessZero is a view of a, or nothing.
func unlessZero(a *crypto.Address) []byte {
	if a.IsZero() {
		return nil
	}
	return a[:]
}

// event is the inverse of what recordsOf does with an event.
func (r *eventRecord) event() (ledger.Event, error) {
	e := ledger.Event{
		Type: ledger.EventType(r.Type), Reference: r.Reference,
		Symbol: r.Symbol, Name: r.Name, Decimals: r.Decimals, Flags: r.Flags,
		Number: r.Number, Until: ledger.UnixTime(r.Until), Keys: r.Keys, Nodes: r.Nodes,
	}
	ok := e.Type.Name() != "unknown" && (len(r.Hash) == 0 || len(r.Hash) == len(e.Hash))
	copy(e.Hash[:], r.Hash)
	for _, part := range []struct {
		to   *crypto.Address
		from []byte
	}{{&e.Account, r.Account}, {&e.From, r.From}, {&e.To, r.To}, {&e.Asset, r.Asset}, {&e.Other, r.Other}} {
		ok = ok && (len(part.from) == 0 || len(part.from) == len(part.to))
		copy(part.to[:], part.from)
	}
	amount, inRange := ledger.AmountFromBytes(r.Amount)
	if !ok || !inRange {
		return ledger.Event{}, fmt.Errorf("event record %+v is damaged", *r)
	}
	e.Amount = amount
	return e, nil
}

// newReceipt is the one place where a receipt gets its public form.
func newReceipt(r *receiptRecord, at Place, block crypto.Hash, time ledger.UnixTime) (*wire.Receipt, error) {
	out := &wire.Receipt{
		Hash: r.Hash, BodyHash: r.BodyHash, Height: uint64(at.Height), Index: at.Index,
		BlockHash: block, BlockTime: uint64(time), Sender: r.Sender, Nonce: r.Nonce,
		Kind: ledger.Kind(r.Kind).String(), Code: r.Code, Status: "applied", Events: make([]wire.Event, len(r.Events)),
	}
	if code := ledger.Code(r.Code); code != ledger.Applied {
		out.Status, out.Message = "refused", code.Info().Meaning
	}
	for i := range r.Events {
		event, err := r.Events[i].event()
		if err != nil {
			return nil, fmt.Errorf("receipt of %s: %w", r.Hash, err)
		}
		out.Events[i] = wire.Event{Event: event}
	}
	return out, nil
}

type balanceRecord struct{ Available, Held []byte }

func decodeBalance(raw []byte) (ledger.Balance, error) {
	var r balanceRecord
	if err := rlp.DecodeBytes(raw, &r); err != nil {
		return ledger.Balance{}, fmt.Errorf("balance record %x: %w", raw, err)
	}
	available, ok1 := ledger.AmountFromBytes(r.Available)
	held, ok2 := ledger.AmountFromBytes(r.Held)
	if !ok1 || !ok2 {
		return ledger.Balance{}, fmt.Errorf("balance record %x is damaged", raw)
	}
	return ledger.Balance{Available: available, Held: held}, nil
}

type accountRecord struct {
	NextNonce uint64
	Status    uint8
	Member    crypto.Address // zero for none
}

type assetRecord struct {
	Symbol, Name string
	Decimals     uint8
	Issuer       crypto.Address
	Cap, Supply  []byte
	Flags        uint32
	Status       uint8
}

func recordOfAsset(a *ledger.Asset) *assetRecord {
	return &assetRecord{a.Symbol, a.Name, a.Decimals, a.Issuer, a.Cap.Bytes(), a.Supply.Bytes(), a.Flags, uint8(a.Status)}
}

func decodeAsset(raw []byte) (*ledger.Asset, error) {
	var r assetRecord
	if err := rlp.DecodeBytes(raw, &r); err != nil {
		return nil, fmt.Errorf("asset record %x: %w", raw, err)
	}
	most, ok1 := ledger.AmountFromBytes(r.Cap)
	supply, ok2 := ledger.AmountFromBytes(r.Supply)
	if !ok1 || !ok2 {
		return nil, fmt.Errorf("asset record %x is damaged", raw)
	}
	return &ledger.Asset{
		Symbol: r.Symbol, Name: r.Name, Decimals: r.Decimals, Issuer: r.Issuer,
		Cap: most, Supply: supply, Flags: r.Flags, Status: ledger.AssetStatus(r.Status),
	}, nil
}
