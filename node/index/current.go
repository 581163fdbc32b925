package index

import (
	"fmt"
	"maps"

	dbm "github.com/cosmos/cosmos-db"
	"github.com/ethereum/go-ethereum/rlp"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// maxRemembered bounds the balances and accounts kept in memory, each about
// 150 bytes. Past it the memory is dropped and filled again from the database.
const maxRemembered = 200_000

type balanceID struct{ account, asset crypto.Address }

// currentState is the newest of every balance and account, remembered from
// recent blocks and otherwise read from the database. One goroutine owns it.
type currentState struct {
	db       dbm.DB
	balances map[balanceID]ledger.Balance
	accounts map[crypto.Address]accountRecord
}

func newCurrentState(db dbm.DB) *currentState {
	return &currentState{db: db, balances: map[balanceID]ledger.Balance{}, accounts: map[crypto.Address]accountRecord{}}
}

// blockState is what one block changes, over the current state.
type blockState struct {
	current  *currentState
	balances map[balanceID]ledger.Balance
	accounts map[crypto.Address]accountRecord
	assets   map[crypto.Address]*ledger.Asset
}

func (c *currentState) begin() *blockState {
	return &blockState{
		current: c, balances: map[balanceID]ledger.Balance{},
		accounts: map[crypto.Address]accountRecord{}, assets: map[crypto.Address]*ledger.Asset{},
	}
}

// remember takes the block's changes into the current state. A batch that
// fails after it ends the index, so that nothing reads what was not written.
func (s *blockState) remember() {
	c := s.current
	if len(c.balances)+len(c.accounts) > maxRemembered {
		clear(c.balances)
		clear(c.accounts)
	}
	maps.Copy(c.balances, s.balances)
	maps.Copy(c.accounts, s.accounts)
}

func (s *blockState) balance(id balanceID) (ledger.Balance, error) {
	if b, ok := s.balances[id]; ok {
		return b, nil
	}
	if b, ok := s.current.balances[id]; ok {
		return b, nil
	}
	return balanceAt(s.current.db, id, newest)
}

// account finds an account; ok is false where there is none.
func (s *blockState) account(a crypto.Address) (record accountRecord, ok bool, err error) {
	if record, ok := s.accounts[a]; ok {
		return record, true, nil
	}
	if record, ok := s.current.accounts[a]; ok {
		return record, true, nil
	}
	found, err := accountAt(s.current.db, a, newest)
	if err != nil || found == nil {
		return accountRecord{}, false, err
	}
	return *found, true, nil
}

func (s *blockState) asset(a crypto.Address) (*ledger.Asset, error) {
	if record, ok := s.assets[a]; ok {
		return record, nil
	}
	record, err := assetAt(s.current.db, a, newest)
	if record != nil {
		s.assets[a] = record
	}
	return record, err
}

// newest is above every height.
const newest = ledger.Height(1<<63 - 1)

// lastAt returns the newest value under prefix + height8 that is not above
// height, or nil.
func lastAt(db dbm.DB, prefix []byte, height ledger.Height) ([]byte, error) {
	end := append(append([]byte{}, prefix...), height8(height+1)...)
	it, err := db.ReverseIterator(prefix, end)
	if err != nil {
		return nil, err
	}
	defer it.Close()
	if !it.Valid() {
		return nil, it.Error()
	}
	return append([]byte{}, it.Value()...), nil
}

func balanceAt(db dbm.DB, id balanceID, height ledger.Height) (ledger.Balance, error) {
	raw, err := lastAt(db, key(spaceBalance, id.account[:], id.asset[:]), height)
	if err != nil || raw == nil {
		return ledger.Balance{}, err
	}
	return decodeBalance(raw)
}

func accountAt(db dbm.DB, account crypto.Address, height ledger.Height) (*accountRecord, error) {
	raw, err := lastAt(db, key(spaceAccount, account[:]), height)
	if err != nil || raw == nil {
		return nil, err
	}
	var r accountRecord
	if err := rlp.DecodeBytes(raw, &r); err != nil {
		return nil, fmt.Errorf("account record %x: %w", raw, err)
	}
	return &r, nil
}

func assetAt(db dbm.DB, asset crypto.Address, height ledger.Height) (*ledger.Asset, error) {
	raw, err := lastAt(db, key(spaceAsset, asset[:]), height)
	if err != nil || raw == nil {
		return nil, err
	}
	return decodeAsset(raw)
}
