package ledger

import (
	"fmt"

	"github.com/tallystick/tallystick/crypto"
)

// Reader reads committed state as of one height. Get answers nil for a key
// that is absent; the caller does not change what it gets. An error is a
// failure of the machine.
type Reader interface {
	Get(key []byte) ([]byte, error)
}

// balanceID names a balance.
type balanceID struct{ account, asset crypto.Address }

// state is committed state as seen through the effects of the transactions
// applied so far in a block. Effects since the last keep can be undone.
type state struct {
	net    *Network
	params Params
	time   UnixTime

	accounts table[crypto.Address, Account]
	assets   table[crypto.Address, Asset]
	balances table[balanceID, Balance]
	symbols  table[string, crypto.Address]

	created     uint64 // accounts created so far in the block
	keptCreated uint64
	events      []Event // of the current transaction
}

func newState(net *Network, time UnixTime, r Reader) (*state, error) {
	params, err := ReadParams(r)
	if err != nil {
		return nil, err
	}
	s := &state{net: net, params: params, time: time}
	s.open(r)
	return s, nil
}

// open connects the tables with r.
func (s *state) open(r Reader) {
	s.accounts = table[crypto.Address, Account]{
		reader: r, keyOf: KeyAccount, decode: DecodeAccount,
		encode: func(a *Account) []byte { return encodeAccount(a) },
	}
	s.assets = table[crypto.Address, Asset]{
		reader: r, keyOf: KeyAsset, decode: DecodeAsset,
		encode: func(a *Asset) []byte { return encodeAssetRecord(a) },
	}
	s.balances = table[balanceID, Balance]{
		reader: r, keyOf: func(id balanceID) []byte { return KeyBalance(id.account, id.asset) }, decode: DecodeBalance,
		encode: func(b *Balance) []byte { return encodeBalance(*b) },
	}
	s.symbols = table[string, crypto.Address]{
		reader: r, keyOf: KeySymbol,
		decode: func(v []byte) (a crypto.Address, err error) {
			if len(v) != len(a) {
				return a, fmt.Errorf("symbol record %x is not an address", v)
			}
			copy(a[:], v)
			return a, nil
		},
		encode: func(a *crypto.Address) []byte { return a[:] },
	}
}

// keep makes the effects so far part of the block.
func (s *state) keep() {
	s.accounts.keep()
	s.assets.keep()
	s.balances.keep()
	s.symbols.keep()
	s.keptCreated = s.created
}

// undo takes back the effects since the last keep.
func (s *state) undo() {
	s.accounts.undo()
	s.assets.undo()
	s.balances.undo()
	s.symbols.undo()
	s.created = s.keptCreated
	s.events = nil
}

// changes returns what differs from committed state, ascending by key. The
// tables are joined in the order of their prefixes.
func (s *state) changes() []Change {
	var out []Change
	out = s.accounts.changes(out)
	out = s.assets.changes(out)
	out = s.balances.changes(out)
	return s.symbols.changes(out)
}

func (s *state) emit(e Event) { s.events = append(s.events, e) }
