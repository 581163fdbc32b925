package worldtest

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer/query"
	"github.com/tallystick/tallystick/explorer/worldtest/hostile"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// Texts that must never be taken for markup, and never steer a terminal or the
// order of a line.
const (
	HostileName      = hostile.Name
	HostileMemo      = hostile.Memo
	HostileReference = hostile.Reference
)

// Start is the time of the first block.
const Start = 1_790_000_000

// World is the ledger. Its fields may be changed before it is asked.
type World struct {
	mu     sync.Mutex // guards grown, and what Grow changes
	grown  chan struct{}
	status query.Status

	blocks    []query.Block
	details   []*query.TransactionDetail // in order of place
	accounts  []query.Account
	assets    []query.Asset
	members   []query.Member
	validator []query.Validator
	proposals []query.Proposal
	holds     []query.Hold
	// Err, if it is set, is what every question is answered with.
	Err error
	// ProofErr, if it is set, is what ReceiptProof answers with.
	ProofErr error
}

var _ query.Queries = (*World)(nil)

// Address is the n-th account's; assets, members and validators have theirs by the
// letter.
func Address(kind byte, n int) (a crypto.Address) {
	sum := sha256.Sum256([]byte{kind, byte(n), byte(n >> 8)})
	copy(a[:], sum[:])
	return a
}

// Hash is the hash of something.
func Hash(kind string, n int) crypto.Hash { return sha256.Sum256(fmt.Appendf(nil, "%s %d", kind, n)) }

// Known are values with which operations and pages answer, by the names that the
// parameters of the API have: block, height, hash, account, asset, hold, member,
// validator, proposal, and q, which is searched for.
type Known map[string]string

// Known are the World's.
func (w *World) Known() Known {
	return Known{
		"block": "5", "height": "5", "hash": Hash("tx", 3).String(), "account": Address('u', 1).String(), "asset": "USD", "hold": Address('h', 0).String(),
		"member": Address('m', 2).String(), "validator": strings.ToLower(Address('v', 1).String()), "proposal": "2", "q": "USD",
	}
}

// New makes a ledger of so many blocks.
func New(blocks int) *World {
	w := &World{grown: make(chan struct{})}
	w.status = query.Status{NetworkID: "test-1", ChainID: 7, Checked: &query.Reconciliation{Height: 1, Time: Start, Compared: 12, TotalRuns: 1}}
	w.makeMembers()
	w.makeAssets()
	w.makeAccounts()
	w.Grow(blocks + 1)
	w.makeProposals()
	w.makeHolds()
	return w
}

// Set changes the status.
func (w *World) Set(change func(*query.Status)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(&w.status)
}

// Grow adds blocks, the first of which is the genesis.
func (w *World) Grow(blocks int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for range blocks {
		w.addBlock()
	}
	close(w.grown)
	w.grown = make(chan struct{})
}

func (w *World) addBlock() {
	h := len(w.blocks)
	b := query.Block{
		Height: uint64(h), Hash: Hash("block", h), Time: uint64(Start + h), Millis: uint16(h * 37 % 1000), IntervalMs: uint64(600 + h*131%900),
		AppHash: Hash("app", h), ResultsHash: Hash("results", h), SizeBytes: uint64(400 + h*97%2000), Proposer: wire.Bytes{},
	}
	if h > 0 {
		b.ParentHash = Hash("block", h-1)
		b.Proposer = w.validator[h%len(w.validator)].ConsensusAddress
		for i := range h % 4 {
			w.details = append(w.details, w.makeTransaction(&b, i))
			b.Transactions++
			b.Transfers++
			b.Refused += uint64(w.details[len(w.details)-1].Code / 100)
		}
	}
	w.blocks = append(w.blocks, b)
	w.status.Height, w.status.Source, w.status.BlockTime = b.Height, b.Height, b.Time
}

// makeTransaction makes a transfer; every seventh is refused, and some say what an
// enemy would.
func (w *World) makeTransaction(b *query.Block, i int) *query.TransactionDetail {
	n := len(w.details)
	from, to, asset := w.accounts[n%len(w.accounts)], w.accounts[(n+3)%len(w.accounts)], w.assets[n%2]
	memo, reference := fmt.Sprintf("invoice %d, thank you", n), fmt.Sprintf("INV-%05d", n)
	if n%5 == 0 {
		memo, reference = HostileMemo, HostileReference
	}
	amount := ledger.NewAmount(uint64(n*7919%1_000_000 + 1))
	index := uint32(i)
	place := query.Place{Height: b.Height, Index: &index, Time: b.Time}
	hash := Hash("tx", n)
	t := &query.TransactionDetail{
		Transaction: query.Transaction{
			Hash: hash, Place: place, Sender: from.Address, Nonce: uint64(n), Kind: "transfer", Envelope: "native", CodeName: "applied",
			Status: "applied", Memo: memo, SizeBytes: 231, Events: 1, Movements: 1,
			First: &query.Movement{Place: place, Hash: &hash, Type: "transfer", AssetRef: asset.AssetRef, From: &from.Address, To: &to.Address, Amount: amount, Reference: reference},
		},
		BodyHash: Hash("body", n), BlockHash: b.Hash, Signers: []crypto.Address{from.Address}, Raw: wire.Bytes{0x54, byte(n)},
		Body: &ledger.Body{Sender: from.Address, Nonce: ledger.Nonce(n), Memo: memo,
			Op: &ledger.Transfer{Legs: []ledger.Leg{{From: from.Address, To: to.Address, Asset: asset.Asset, Amount: amount, Reference: reference}}}},
	}
	event := ledger.Event{Type: ledger.EventTransfer, From: from.Address, To: to.Address, Asset: asset.Asset, Amount: amount, Reference: reference}
	t.EventList = []query.Event{{Place: place, Hash: &hash, Event: wire.Event{Event: event}}}
	if n%7 == 3 {
		code := ledger.CodeInsufficientBalance
		t.Code, t.CodeName, t.Status, t.Message = uint32(code), code.String(), "refused", code.Info().Meaning
		t.Events, t.Movements, t.First, t.EventList = 0, 0, nil, []query.Event{}
	}
	return t
}

func (w *World) makeMembers() {
	for i, name := range []string{"First Bank", "Ledger & Sons", HostileName, "Österreichische Beispielbank AG"} {
		address := Address('m', i)
		consensus := consensusOf(i)
		w.members = append(w.members, query.Member{
			Member: address, Name: name, Status: "active", Roles: []string{"validator", "issuer"}, ConsensusKey: append(consensusOf(i), make([]byte, 12)...),
			ConsensusAddress: consensus, Power: 1_000_000, Target: 1_000_000, NodeIDs: ledger.NodeIDs{{1}}, Accounts: 3, OpenProposals: uint64(i % 2),
		})
		last := uint64(100)
		w.validator = append(w.validator, query.Validator{
			ConsensusAddress: consensus, Member: &address, Name: name, Power: 1_000_000, Signed: uint64(990 - i*120), Missed: uint64(10 + i*120),
			Proposed: 250, LastSigned: &last, Uptime: float64(990-i*120) / 1000,
		})
	}
}

func (w *World) makeAssets() {
	for i, a := range []struct {
		symbol, name string
		decimals     uint8
	}{{"USD", "US Dollar", 2}, {"GOLD", HostileName, 18}, {"BOND7", "Bond 2030", 0}} {
		w.assets = append(w.assets, query.Asset{
			AssetRef: query.AssetRef{Asset: Address('a', i), Symbol: a.symbol, Decimals: a.decimals}, Name: a.name, Issuer: Address('m', 0),
			Supply: ledger.NewAmount(1_000_000_000_000), Flags: []string{"freezable"}, Status: "active", URI: "javascript:alert(1)",
			Holders: 10, Movements: 500, Settlement: i == 0,
		})
	}
}

func (w *World) makeAccounts() {
	for i := range 10 {
		member := Address('m', i%4)
		w.accounts = append(w.accounts, query.Account{
			Address: Address('u', i), Status: "active", Member: &member, MemberName: w.members[i%4].Name, Threshold: 1,
			Keys: []ledger.Key{{Address: Address('u', i), Weight: 1}}, Created: query.Place{Time: Start}, Assets: 2, Holds: 1,
		})
	}
	for i := range w.members {
		w.accounts = append(w.accounts, query.Account{Address: Address('m', i), Status: "active", MemberName: w.members[i].Name, Threshold: 1,
			Keys: []ledger.Key{{Address: Address('m', i), Weight: 1}}, Created: query.Place{Time: Start}, IsMember: true, Issues: 1})
	}
}

func (w *World) makeProposals() {
	statuses := []string{"executed", "open", "rejected", "waiting", "failed"}
	for i, status := range statuses {
		index := uint32(0)
		place := query.Place{Height: uint64(i + 1), Index: &index, Time: uint64(Start + i + 1)}
		w.proposals = append(w.proposals, query.Proposal{
			Proposal: uint64(i + 1), Proposer: Address('m', i%4), ProposerName: w.members[i%4].Name, Status: status,
			Actions: ledger.ActionList{&ledger.ResolutionAction{Text: HostileMemo}, &ledger.SetParameterAction{Name: "maxMultiPartyLifetime", Value: 600}},
			Created: place, Due: Start + 1_000_000, Delay: 60,
			Votes: []query.Vote{{Member: Address('m', 0), Name: w.members[0].Name, Choice: "yes", Cast: place}, {Member: Address('m', 2), Name: w.members[2].Name, Choice: "veto", Cast: place}},
			Tally: wire.Tally{Active: 4, Yes: 1, Veto: 1, Needed: 3}, Threshold: wire.ProposalThreshold{Numerator: 2, Denominator: 3},
		})
	}
	failed := &w.proposals[4]
	failed.Code, failed.Message, failed.FailedAction = uint32(ledger.CodeNoChange), ledger.CodeNoChange.Info().Meaning, 1
}

func (w *World) makeHolds() {
	for i, status := range []string{"open", "captured", "released"} {
		h := query.Hold{
			Hold: Address('h', i), From: Address('u', i), To: Address('u', i+1), AssetRef: w.assets[0].AssetRef, Amount: ledger.NewAmount(12_345),
			Left: ledger.NewAmount(12_345), Expiry: Start + 9_000_000, Reference: HostileReference, Status: status, Created: query.Place{Height: 2, Time: Start + 2},
		}
		if status != "open" {
			h.Left, h.Captured, h.Ended = ledger.Amount{}, h.Amount, &query.Place{Height: 3, Time: Start + 3}
		}
		w.holds = append(w.holds, h)
	}
}

func consensusOf(n int) wire.Bytes {
	a := Address('v', n)
	return wire.Bytes(a[:])
}
