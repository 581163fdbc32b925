package ledger

import (
	"fmt"

	"github.com/tallystick/tallystick/crypto"
)

// Reader reads committed state as of one height. Get answers nil for a key
// that is absent. Nobody changes what it answered, neither the caller nor the
// reader, and records keep views of it. An error is a failure of the machine.
type Reader interface {
	Get(key []byte) ([]byte, error)
}

// balanceID names a balance.
type balanceID struct{ account, asset crypto.Address }

// state is committed state as seen through the effects of the transactions
// applied so far in a block. Effects since the last keep can be undone.
type state struct {
	reader Reader
	net    *Network
	params Params
	time   UnixTime

	accountTable table[crypto.Address, Account]
	assetTable   table[crypto.Address, Asset]
	balanceTable table[balanceID, Balance]
	symbolTable  table[string, crypto.Address]

	created     uint64 // accounts created so far in the block
	keptCreated uint64
	events      []Event // of the current transaction; behind them is room for more
	eventRoom   int     // how many events the room was made for
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

// expect makes room for what a block of this many legs may touch.
func (s *state) expect(legs int) {
	s.accountTable.expect, s.balanceTable.expect = 2*legs, 2*legs
}

// open connects the tables with r.
func (s *state) open(r Reader) {
	s.reader = r
	s.accountTable.kind = &accountRecords
	s.assetTable.kind = &assetRecords
	s.balanceTable.kind = &balanceRecords
	s.symbolTable.kind = &symbolRecords
}

// The four kinds of records.
var (
	accountRecords = recordKind[crypto.Address, Account]{len(prefixAccount), appendKeyAccount, DecodeAccount, writeAccount}
	assetRecords   = recordKind[crypto.Address, Asset]{len(prefixAsset), appendKeyAsset, DecodeAsset, writeAsset}
	balanceRecords = recordKind[balanceID, Balance]{len(prefixBalance), appendKeyBalance, DecodeBalance, writeBalance}
	symbolRecords  = recordKind[string, crypto.Address]{len(prefixSymbol), appendKeySymbol, decodeSymbol, writeSymbol}
)

// The record of a symbol is its asset's address, 20 bytes.
func writeSymbol(w *encoder, a *crypto.Address) { w.out = append(w.out, a[:]...) }

func decodeSymbol(value []byte) (a crypto.Address, err error) {
	if len(value) != len(a) {
		return a, fmt.Errorf("symbol record %x is not an address", value)
	}
	copy(a[:], value)
	return a, nil
}

func (s *state) account(a crypto.Address) (*cell[crypto.Address, Account], error) {
	return s.accountTable.get(s.reader, a)
}

func (s *state) asset(a crypto.Address) (*cell[crypto.Address, Asset], error) {
	return s.assetTable.get(s.reader, a)
}

func (s *state) balance(account, asset crypto.Address) (*cell[balanceID, Balance], error) {
	return s.balanceTable.get(s.reader, balanceID{account, asset})
}

func (s *state) symbol(symbol string) (*cell[string, crypto.Address], error) {
	return s.symbolTable.get(s.reader, symbol)
}

// keep makes the effects so far part of the block.
func (s *state) keep() {
	s.accountTable.keep()
	s.assetTable.keep()
	s.balanceTable.keep()
	s.symbolTable.keep()
	s.keptCreated = s.created
}

// undo takes back the effects since the last keep.
func (s *state) undo() {
	s.accountTable.undo()
	s.assetTable.undo()
	s.balanceTable.undo()
	s.symbolTable.undo()
	s.created = s.keptCreated
	s.events = s.events[:0]
}

// changes returns what differs from committed state, ascending by key. The
// tables are joined in the order of their prefixes.
func (s *state) changes() []Change {
	out := make([]Change, 0, len(s.accountTable.dirty)+len(s.assetTable.dirty)+len(s.balanceTable.dirty)+len(s.symbolTable.dirty))
	out = s.accountTable.changes(out)
	out = s.assetTable.changes(out)
	out = s.balanceTable.changes(out)
	return s.symbolTable.changes(out)
}

// maxEventRoom is the most events that room is made for at once.
const maxEventRoom = 128

// emit adds an event of the current transaction. The events of several
// transactions share one room.
func (s *state) emit(e Event) {
	if len(s.events) == cap(s.events) {
		s.eventRoom = min(2*s.eventRoom+1, maxEventRoom)
		room := make([]Event, 0, max(s.eventRoom, 2*len(s.events)))
		s.events = append(room, s.events...)
	}
	s.events = append(s.events, e)
}

// takeEvents ends a transaction and returns its events, nil when there are none.
func (s *state) takeEvents() []Event {
	n := len(s.events)
	if n == 0 {
		return nil
	}
	taken := s.events[:n:n]
	s.events = s.events[n:]
	return taken
}
