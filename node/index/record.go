package index

import (
	"encoding/binary"
	"fmt"

	"github.com/ethereum/go-ethereum/rlp"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// formatVersion is the version of the keys and values below.
const formatVersion = 1

// Keys: a letter, then fixed-width parts, numbers big-endian. Values are RLP.
//
//	m                            cursor: [format, networkHash, height]
//	b height8                    block: [hash, time, root]
//	B hash32                     height8 of the block with this hash
//	t hash32                     place of a transaction: height8 index4
//	n sender20 nonce8            hash32 of the transaction that spent the nonce
//	r height8 index4             receipt
//	a account20 height8 index4   a transaction that touches the account (empty list)
//	v account20 asset20 height8  balance from this height on: [available, held]
//	u account20 height8          account from this height on: [nextNonce]
//	s asset20 height8            asset from this height on
//	y symbol                     asset20
var keyMeta = []byte{'m'}

const (
	spaceBlock     = 'b'
	spaceBlockHash = 'B'
	spaceTx        = 't'
	spaceNonce     = 'n'
	spaceReceipt   = 'r'
	spaceHistory   = 'a'
	spaceBalance   = 'v'
	spaceAccount   = 'u'
	spaceAsset     = 's'
	spaceSymbol    = 'y'
)

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

type metaRecord struct {
	Format  uint64
	Network crypto.Hash
	Height  uint64
}

func decodeMeta(raw []byte) (m metaRecord, err error) {
	if err := rlp.DecodeBytes(raw, &m); err != nil {
		return m, fmt.Errorf("the cursor is damaged: %w: delete the directory and the index is rebuilt from the blocks", err)
	}
	return m, nil
}

type blockRecord struct {
	Hash crypto.Hash
	Time uint64
	Root crypto.Hash
}

type place struct {
	height ledger.Height
	index  uint32
}

func (p place) bytes() []byte { return append(height8(p.height), be32(p.index)...) }

func decodePlace(raw []byte) (place, error) {
	if len(raw) != 12 {
		return place{}, fmt.Errorf("place record %x is damaged", raw)
	}
	return place{ledger.Height(binary.BigEndian.Uint64(raw)), binary.BigEndian.Uint32(raw[8:])}, nil
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

type eventRecord struct {
	Name       string
	Attributes []ledger.Attribute
}

func recordOf(tx *ledger.Tx, result *ledger.TxResult) *receiptRecord {
	r := &receiptRecord{
		Hash: tx.Hash, BodyHash: result.BodyHash, Sender: tx.Sender, Nonce: uint64(tx.Nonce), Code: uint32(result.Code),
	}
	if tx.Op != nil {
		r.Kind = uint8(tx.Op.Kind())
	}
	for i := range result.Events {
		e := &result.Events[i]
		r.Events = append(r.Events, eventRecord{e.Type.Name(), e.Attributes()})
	}
	return r
}

// newReceipt is the one place where a receipt gets its public form.
func newReceipt(r *receiptRecord, hash crypto.Hash, h ledger.Height, index uint32, block crypto.Hash, time ledger.UnixTime) *wire.Receipt {
	out := &wire.Receipt{
		Hash: hash, BodyHash: r.BodyHash, Height: uint64(h), Index: index,
		BlockHash: block, BlockTime: uint64(time), Sender: r.Sender, Nonce: r.Nonce,
		Kind: ledger.Kind(r.Kind).String(), Code: r.Code, Status: "applied", Events: []wire.Event{},
	}
	if code := ledger.Code(r.Code); code != ledger.Applied {
		out.Status, out.Message = "refused", code.Info().Meaning
	}
	for _, e := range r.Events {
		if event, ok := ledger.ParseEvent(e.Name, e.Attributes); ok {
			out.Events = append(out.Events, wire.Event{Event: event})
		}
	}
	return out
}

type balanceRecord struct{ Available, Held []byte }

func encodeBalance(b ledger.Balance) ([]byte, error) {
	return rlp.EncodeToBytes(balanceRecord{b.Available.Bytes(), b.Held.Bytes()})
}

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

type accountRecord struct{ NextNonce uint64 }

type assetRecord struct {
	Symbol, Name string
	Decimals     uint8
	Issuer       crypto.Address
	Cap, Supply  []byte
	Flags        uint32
	Status       uint8
}

func encodeAsset(a *ledger.Asset) ([]byte, error) {
	return rlp.EncodeToBytes(assetRecord{a.Symbol, a.Name, a.Decimals, a.Issuer, a.Cap.Bytes(), a.Supply.Bytes(), a.Flags, uint8(a.Status)})
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
