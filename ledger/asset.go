package ledger

import (
	"encoding/binary"
	"fmt"

	"github.com/tallystick/tallystick/crypto"
)

// AssetFlags are controls fixed at an asset's creation.
type AssetFlags = uint32

// The flags. Other bits are refused (CodeUnsupportedFlags).
const (
	FlagFreezable  AssetFlags = 1 // the issuer may freeze what a holder has of it
	FlagClawback   AssetFlags = 2 // the issuer may move it from any holder
	FlagRestricted AssetFlags = 4 // only whom the issuer has approved may receive it
)

const allFlags = FlagFreezable | FlagClawback | FlagRestricted

// AssetStatus says whether an asset moves.
type AssetStatus uint8

// The statuses.
const (
	AssetActive          AssetStatus = 1
	AssetPaused          AssetStatus = 2 // by its issuer
	AssetPausedByNetwork AssetStatus = 3 // by a vote of the members
	AssetPausedByBoth    AssetStatus = 4
	AssetRetired         AssetStatus = 5 // for ever: it can only be redeemed and clawed back
	// AssetRetiredAndPaused is retired, and the members have stopped that too.
	AssetRetiredAndPaused AssetStatus = 6
)

// String returns the status's name in JSON.
func (s AssetStatus) String() string {
	switch s {
	case AssetActive:
		return "active"
	case AssetPaused:
		return "paused"
	case AssetPausedByNetwork:
		return "pausedByNetwork"
	case AssetPausedByBoth:
		return "pausedByBoth"
	case AssetRetired:
		return "retired"
	case AssetRetiredAndPaused:
		return "retiredAndPaused"
	}
	return "unknown"
}

// Asset is an asset's record.
type Asset struct {
	Symbol   string
	Name     string
	Decimals uint8
	Issuer   crypto.Address
	Cap      Amount // 0: no cap but 2^128 - 1
	Supply   Amount // the sum of all balances
	Flags    AssetFlags
	Status   AssetStatus
	Holds    uint64 // how many holds of it there are
}

// AssetAddress is the address of the asset that creator made under nonce: the
// last 20 bytes of
//
//	keccak256("tallystick/asset" ‖ networkHash ‖ creator ‖ nonce)
//
// with nonce in 8 bytes, big-endian. The assets of genesis have the zero
// address as creator and their place in the list, from 0, as nonce.
func (n *Network) AssetAddress(creator crypto.Address, nonce Nonce) crypto.Address {
	return assetAddress(n.Hash, creator, nonce)
}

func assetAddress(network crypto.Hash, creator crypto.Address, nonce Nonce) (a crypto.Address) {
	var number [8]byte
	binary.BigEndian.PutUint64(number[:], uint64(nonce))
	h := crypto.Keccak256([]byte("tallystick/asset"), network[:], creator[:], number[:])
	copy(a[:], h[12:])
	return a
}

// limit is the largest supply.
func (a *Asset) limit() Amount {
	if a.Cap.IsZero() {
		return MaxAmount
	}
	return a.Cap
}

// room is how much more of the asset may be issued.
func (a *Asset) room() Amount {
	left, ok := a.limit().Sub(a.Supply)
	if !ok {
		return Amount{}
	}
	return left
}

// writeAsset writes rlp([symbol, name, decimals, issuer, cap, supply, flags, status, holds]).
func writeAsset(w *encoder, a *Asset) {
	l := w.list()
	w.string(a.Symbol)
	w.string(a.Name)
	w.uint(uint64(a.Decimals))
	w.address(a.Issuer)
	w.amount(a.Cap)
	w.amount(a.Supply)
	w.uint(uint64(a.Flags))
	w.uint(uint64(a.Status))
	w.uint(a.Holds)
	w.end(l)
}

// DecodeAsset reads an asset's record as the state keeps it.
func DecodeAsset(value []byte) (Asset, error) {
	d := decoder{rest: value}
	l := d.list()
	a := Asset{
		Symbol: string(l.bytes()), Name: string(l.bytes()), Decimals: uint8(l.uintUpTo(MaxDecimals)),
		Issuer: l.address(), Cap: l.amount(), Supply: l.amount(),
		Flags: uint32(l.uintUpTo(1<<32 - 1)), Status: AssetStatus(l.uintUpTo(255)), Holds: l.uint(),
	}
	d.close(l)
	made := CreateAsset{Symbol: a.Symbol, Name: a.Name, Decimals: a.Decimals}
	if !d.done() || a.Status.String() == "unknown" || made.check(a.Issuer, a.Issuer) != Applied || a.Issuer.IsZero() || a.Supply.Cmp(a.limit()) > 0 {
		return Asset{}, fmt.Errorf("asset record %x is not well formed", value)
	}
	return a, nil
}

// Balance is what an account has of one asset.
type Balance struct {
	Available Amount // can be spent
	Held      Amount // belongs to the account but is set aside
}

// IsZero reports whether nothing is there: such balances are not kept.
func (b Balance) IsZero() bool { return b.Available.IsZero() && b.Held.IsZero() }

// writeBalance writes rlp([available, held]).
func writeBalance(w *encoder, b *Balance) {
	l := w.list()
	w.amount(b.Available)
	w.amount(b.Held)
	w.end(l)
}

// DecodeBalance reads a balance as the state keeps it; nothing (an absent
// key) is a zero balance.
func DecodeBalance(value []byte) (Balance, error) {
	if len(value) == 0 {
		return Balance{}, nil
	}
	d := decoder{rest: value}
	l := d.list()
	b := Balance{Available: l.amount(), Held: l.amount()}
	d.close(l)
	if !d.done() || b.IsZero() {
		return Balance{}, fmt.Errorf("balance record %x is not well formed", value)
	}
	return b, nil
}
