package ledger

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/tallystick/tallystick/crypto"
)

// Reader reads committed state as of one height. Nobody changes what it
// answered, neither the caller nor the reader, and records keep views of it. An
// error is a failure of the machine.
type Reader interface {
	// Get answers nil for a key that is absent.
	Get(key []byte) ([]byte, error)
	// Scan visits, ascending, the keys with the prefix that are strictly above
	// after (nil: all of them), with their values, until visit returns false.
	Scan(prefix, after []byte, visit func(key, value []byte) bool) error
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

	accountTable  table[crypto.Address, Account]
	assetTable    table[crypto.Address, Asset]
	balanceTable  table[balanceID, Balance]
	dueTable      table[dueID, byte]
	holdTable     table[crypto.Address, Hold]
	holderTable   table[holderID, Holder]
	memberTable   table[crypto.Address, Member]
	metadataTable table[crypto.Address, Metadata]
	symbolTable   table[string, crypto.Address]
	keyOwnerTable table[ConsensusAddress, crypto.Address]

	memberListTable   table[single, memberList]
	proposalTable     table[ProposalID, Proposal]
	proposalListTable table[single, proposalList]
	protocolTable     table[single, uint64]
	upgradeTable      table[single, Upgrade]

	dueFromTable  table[single, dueID]         // where the search for what is due begins
	happenedTable table[single, blockHappened] // the events of the last block that had any of its own

	paramsTable table[single, Params]

	height      Height
	again       bool   // who votes, or how many must, has changed: open proposals are to be decided again
	created     uint64 // accounts created so far in the block
	keptCreated uint64
	keptParams  Params
	events      []Event // of the current transaction; behind them is room for more
	eventRoom   int     // how many events the room was made for
}

// single is the id of a record of which there is one.
type single struct{}

// records is what the state needs of each of its tables.
type records interface {
	keep()
	mark() int
	undo(mark int)
	touched() int
	changes(out []Change) []Change
}

// tables lists the tables, those with most records in the order of their keys.
func (s *state) tables() [tableCount]records {
	return [...]records{
		&s.accountTable, &s.assetTable, &s.balanceTable, &s.dueTable, &s.dueFromTable, &s.happenedTable,
		&s.holdTable, &s.holderTable, &s.memberTable, &s.memberListTable, &s.metadataTable, &s.paramsTable, &s.proposalTable, &s.proposalListTable,
		&s.protocolTable, &s.symbolTable, &s.upgradeTable, &s.keyOwnerTable,
	}
}

const tableCount = 18

func newState(net *Network, time UnixTime, r Reader) (*state, error) {
	params, err := ReadParams(r)
	if err != nil {
		return nil, err
	}
	s := &state{net: net, params: params, keptParams: params, time: time}
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
	s.dueTable.kind = &dueRecords
	s.holdTable.kind = &holdRecords
	s.memberTable.kind = &memberRecords
	s.memberListTable.kind = &memberListRecords
	s.paramsTable.kind = &paramsRecords
	s.proposalTable.kind = &proposalRecords
	s.proposalListTable.kind = &proposalListRecords
	s.protocolTable.kind = &protocolRecords
	s.upgradeTable.kind = &upgradeRecords
	s.holderTable.kind = &holderRecords
	s.metadataTable.kind = &metadataRecords
	s.symbolTable.kind = &symbolRecords
	s.keyOwnerTable.kind = &keyOwnerRecords
	s.dueFromTable.kind = &dueFromRecords
	s.happenedTable.kind = &happenedRecords
}

// The kinds of records.
var (
	accountRecords      = recordKind[crypto.Address, Account]{len(prefixAccount), appendKeyAccount, DecodeAccount, writeAccount}
	assetRecords        = recordKind[crypto.Address, Asset]{len(prefixAsset), appendKeyAsset, DecodeAsset, writeAsset}
	balanceRecords      = recordKind[balanceID, Balance]{len(prefixBalance), appendKeyBalance, DecodeBalance, writeBalance}
	dueRecords          = recordKind[dueID, byte]{len(prefixDue), appendKeyDue, decodeDue, writeDue}
	holdRecords         = recordKind[crypto.Address, Hold]{len(prefixHold), appendKeyHold, DecodeHold, writeHold}
	memberRecords       = recordKind[crypto.Address, Member]{len(prefixMember), appendKeyMember, DecodeMember, writeMember}
	memberListRecords   = recordKind[single, memberList]{len(KeyMembers), singleKey(KeyMembers), decodeMemberList, writeMemberList}
	keyOwnerRecords     = recordKind[ConsensusAddress, crypto.Address]{len(prefixKeyOwner), appendKeyKeyOwner, decodeAddress, writeAddress}
	paramsRecords       = recordKind[single, Params]{len(KeyParams), singleKey(KeyParams), DecodeParams, writeParams}
	proposalRecords     = recordKind[ProposalID, Proposal]{len(prefixProposal), appendKeyProposal, DecodeProposal, writeProposal}
	proposalListRecords = recordKind[single, proposalList]{len(KeyProposals), singleKey(KeyProposals), decodeProposalList, writeProposalList}
	protocolRecords     = recordKind[single, uint64]{len(KeyProtocol), singleKey(KeyProtocol), decodeProtocol, writeProtocol}
	upgradeRecords      = recordKind[single, Upgrade]{len(KeyUpgrade), singleKey(KeyUpgrade), decodeUpgrade, writeUpgrade}
	symbolRecords       = recordKind[string, crypto.Address]{len(prefixSymbol), appendKeySymbol, decodeAddress, writeAddress}
	dueFromRecords      = recordKind[single, dueID]{len(KeyDueFrom), singleKey(KeyDueFrom), decodeDueFrom, writeDueFrom}
	happenedRecords     = recordKind[single, blockHappened]{len(KeyEvents), singleKey(KeyEvents), decodeHappened, writeHappened}
	holderRecords       = recordKind[holderID, Holder]{len(prefixHolder), appendKeyHolder, DecodeHolder, writeHolder}
	metadataRecords     = recordKind[crypto.Address, Metadata]{len(prefixMetadata), appendKeyMetadata, DecodeMetadata, writeMetadata}
)

// singleKey is the key of a record of which there is one.
func singleKey(key string) func([]byte, single) []byte {
	return func(dst []byte, _ single) []byte { return append(dst, key...) }
}

// The record of a symbol is its asset's address, and that of a consensus address
// its member's: 20 bytes.
func writeAddress(w *encoder, a *crypto.Address) { w.out = append(w.out, a[:]...) }

func decodeAddress(value []byte) (a crypto.Address, err error) {
	if len(value) != len(a) {
		return a, fmt.Errorf("record %x is not an address", value)
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
	for _, t := range s.tables() {
		t.keep()
	}
	s.keptCreated, s.keptParams = s.created, s.params
}

// undo takes back the effects since the last keep.
func (s *state) undo() {
	for _, t := range s.tables() {
		t.undo(0)
	}
	s.created, s.params, s.again = s.keptCreated, s.keptParams, false
	s.events = s.events[:0]
}

// savepoint is a point since the last keep.
type savepoint struct {
	marks   [tableCount]int // of tables
	created uint64
	events  int
	params  Params
	again   bool
}

func (s *state) save() (p savepoint) {
	for i, t := range s.tables() {
		p.marks[i] = t.mark()
	}
	p.created, p.events, p.params, p.again = s.created, len(s.events), s.params, s.again
	return p
}

// restore takes back the effects since p.
func (s *state) restore(p savepoint) {
	for i, t := range s.tables() {
		t.undo(p.marks[i])
	}
	s.created, s.events, s.params, s.again = p.created, s.events[:p.events], p.params, p.again
}

// changes returns what differs from committed state, ascending by key. The
// tables stand nearly in the order of their keys, so sorting is cheap.
func (s *state) changes() []Change {
	count := 0
	for _, t := range s.tables() {
		count += t.touched()
	}
	out := make([]Change, 0, count)
	for _, t := range s.tables() {
		out = t.changes(out)
	}
	ascending := func(a, b Change) int { return bytes.Compare(a.Key, b.Key) }
	if !slices.IsSortedFunc(out, ascending) {
		slices.SortFunc(out, ascending)
	}
	return out
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
