package rpc

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// memory is a whole node in one struct: real ledger rules over states kept in
// maps, one for each height.
type memory struct {
	mu       sync.Mutex // guards what follows
	net      *ledger.Network
	states   []map[string][]byte
	blocks   []*wire.Block // from height 1
	done     []*Done       // from height 0
	receipts map[crypto.Hash]*wire.Receipt
	raws     map[crypto.Hash]*Transaction
	byNonce  map[string]crypto.Hash
	pending  []*ledger.Tx
	peers    []wire.Peer
	hold     bool          // keep what is submitted pending until commit is called
	changed  chan struct{} // closed and replaced by commit
	fail     error         // what every method answers with, if set
	crash    bool          // Status panics
	catching bool          // up with the network
	pruned   uint64        // up to this height it has no proofs any more

	reading sync.RWMutex // held by holdDone
	reads   atomic.Int64 // calls of Done

	admitted  []crypto.Hash
	admission chan struct{} // closed and replaced when there is one more
	asked     func()        // called when Pending begins; nil for nothing
	followed  func()        // called by Follow; nil for nothing
}

// aliceKey and bobKey are the first keys of the well-known test mnemonic.
var (
	aliceKey, bobKey = mustKey("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"), mustKey("59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d")
	alice, bob       = aliceKey.Address(), bobKey.Address()
	strangerAddress  = crypto.Address{19: 7}
)

func mustKey(text string) *crypto.PrivateKey {
	k, err := crypto.ParsePrivateKey(text)
	if err != nil {
		k, err = crypto.ParsePrivateKey("0x" + text)
	}
	if err != nil {
		panic(err)
	}
	return k
}

const genesisTime = 1_700_000_000

func newMemory(t testing.TB) *memory {
	t.Helper()
	return newMemoryOf(t, memoryGenesis())
}

// memoryGenesis is what a memory begins with.
func memoryGenesis() *ledger.Genesis {
	params := ledger.NewGenesisParams(ledger.DefaultParams())
	params.AccountPolicy = "open"
	return &ledger.Genesis{
		NetworkID: "rpc-test", ChainID: 777_777, Settlement: "TALLY", Params: params,
		Assets: []ledger.GenesisAsset{
			{Symbol: "TALLY", Name: "Tally", Decimals: 18, Issuer: alice},
			{Symbol: "EUR", Name: "Euro", Decimals: 2, Issuer: bob},
		},
		Accounts: []ledger.GenesisAccount{{Address: alice}, {Address: bob}},
		Balances: []ledger.GenesisBalance{
			{Account: alice, Symbol: "TALLY", Amount: ledger.NewAmount(1_000_000)},
			{Account: bob, Symbol: "EUR", Amount: ledger.NewAmount(50_000)},
		},
	}
}

func newMemoryOf(t testing.TB, g *ledger.Genesis) *memory {
	t.Helper()
	built, err := g.Build()
	if err != nil {
		t.Fatal(err)
	}
	m := &memory{
		net: built.Network, receipts: map[crypto.Hash]*wire.Receipt{}, raws: map[crypto.Hash]*Transaction{},
		byNonce: map[string]crypto.Hash{}, changed: make(chan struct{}), admission: make(chan struct{}),
	}
	m.states = []map[string][]byte{applied(map[string][]byte{}, built.Changes)}
	m.done = []*Done{{Hash: crypto.Keccak256([]byte("genesis")), Time: genesisTime, Receipts: []*wire.Receipt{}, Events: built.Events}}
	return m
}

func applied(before map[string][]byte, changes []ledger.Change) map[string][]byte {
	after := maps.Clone(before)
	for _, c := range changes {
		if c.Value == nil {
			delete(after, string(c.Key))
		} else {
			after[string(c.Key)] = c.Value
		}
	}
	return after
}

func (m *memory) top() ledger.MapState { return m.states[len(m.states)-1] }

func nonceKey(sender crypto.Address, nonce ledger.Nonce) string {
	return fmt.Sprintf("%s/%d", sender, nonce)
}

// commit makes a block of what is pending.
func (m *memory) commit(t testing.TB) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.commitLocked(); err != nil {
		t.Fatal(err)
	}
}

func (m *memory) commitLocked() error {
	height := len(m.blocks) + 1
	b := ledger.Block{Height: ledger.Height(height), Time: ledger.UnixTime(genesisTime + height), Txs: m.pending}
	result, err := ledger.Apply(m.net, b, m.top())
	if err != nil {
		return err
	}
	block := &wire.Block{
		Height: uint64(height), Hash: crypto.Keccak256([]byte{byte(height)}), Time: uint64(b.Time),
		Proposer: make([]byte, 20), Transactions: []crypto.Hash{},
	}
	done := &Done{Height: b.Height, Hash: block.Hash, Time: b.Time, Receipts: []*wire.Receipt{}, Events: result.Events}
	for i, tx := range m.pending {
		r := result.Results[i]
		block.Transactions = append(block.Transactions, tx.Hash)
		block.SizeBytes += uint64(len(tx.Raw))
		receipt := &wire.Receipt{
			Hash: tx.Hash, BodyHash: tx.BodyHash, Height: block.Height, Index: uint32(i), BlockHash: block.Hash, BlockTime: block.Time,
			Sender: tx.Sender, Nonce: uint64(tx.Nonce), Kind: tx.Op.Kind().String(), Code: uint32(r.Code), Status: "applied", Events: []wire.Event{},
		}
		for _, e := range r.Events {
			receipt.Events = append(receipt.Events, wire.Event{Event: e})
		}
		if r.Code != ledger.Applied {
			receipt.Status, receipt.Message = "refused", r.Code.Info().Meaning
		}
		m.receipts[tx.Hash] = receipt
		done.Receipts = append(done.Receipts, receipt)
		m.raws[tx.Hash] = &Transaction{Raw: tx.Raw, Height: b.Height, Index: uint32(i), BlockHash: block.Hash}
		m.byNonce[nonceKey(tx.Sender, tx.Nonce)] = tx.Hash
	}
	m.states = append(m.states, applied(m.top(), result.Changes))
	m.blocks = append(m.blocks, block)
	m.done = append(m.done, done)
	m.pending = nil
	close(m.changed)
	m.changed = make(chan struct{})
	return nil
}

func (m *memory) Network() *ledger.Network { return m.net }

func (m *memory) Height() ledger.Height {
	m.mu.Lock()
	defer m.mu.Unlock()
	return ledger.Height(len(m.blocks))
}

func (m *memory) Status(context.Context) (*wire.Status, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.crash {
		panic("the test's own panic")
	}
	if m.fail != nil {
		return nil, m.fail
	}
	return &wire.Status{
		ChainID: m.net.ChainID, NetworkID: m.net.ID, Height: uint64(len(m.blocks)), BlockTime: uint64(genesisTime + len(m.blocks)),
		CatchingUp: m.catching,
		Version:    "test", NodeID: strings.Repeat("ab", 20), ValidatorAddress: make([]byte, 20), SettlementAsset: m.net.Settlement,
	}, nil
}

func (m *memory) Submit(_ context.Context, raw []byte) (Verdict, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return Verdict{}, m.fail
	}
	tx, code := ledger.Decode(m.net, raw)
	v := Verdict{Hash: tx.Hash, Code: code}
	if code != ledger.Applied || m.raws[tx.Hash] != nil {
		return v, nil
	}
	if v.Code = tx.RecoverSigners(); v.Code != ledger.Applied {
		return v, nil
	}
	for _, p := range m.pending {
		if p.Sender == tx.Sender && p.Nonce == tx.Nonce {
			if p.Hash != tx.Hash {
				v.Code, v.HolderHash, v.HolderBodyHash = ledger.CodeDuplicateNonce, &p.Hash, &p.BodyHash
			}
			return v, nil
		}
	}
	result, err := ledger.Simulate(m.net, ledger.UnixTime(genesisTime+len(m.blocks)), m.top(), tx)
	if err != nil {
		return v, err
	}
	v.Code = result.Code
	if result.Code == ledger.CodeNonceSpent {
		holder := m.receipts[m.byNonce[nonceKey(tx.Sender, tx.Nonce)]]
		v.HolderHash, v.HolderBodyHash = &holder.Hash, &holder.BodyHash
	}
	if result.Code != ledger.Applied {
		return v, nil
	}
	m.pending = append(m.pending, tx)
	m.admitted = append(m.admitted, tx.Hash)
	close(m.admission)
	m.admission = make(chan struct{})
	if m.hold {
		return v, nil
	}
	return v, m.commitLocked()
}

func (m *memory) Receipt(hash crypto.Hash) (*wire.Receipt, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.receipts[hash], m.fail
}

func (m *memory) ReceiptByNonce(sender crypto.Address, nonce ledger.Nonce) (*wire.Receipt, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.receipts[m.byNonce[nonceKey(sender, nonce)]], m.fail
}

func (m *memory) Transaction(hash crypto.Hash) (*Transaction, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range m.pending {
		if p.Hash == hash {
			return &Transaction{Raw: p.Raw}, nil
		}
	}
	return m.raws[hash], m.fail
}

func (m *memory) Block(height ledger.Height) (*wire.Block, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if height == 0 || int(height) > len(m.blocks) {
		return nil, m.fail
	}
	return m.blocks[height-1], m.fail
}

func (m *memory) BlockByHash(hash crypto.Hash) (*wire.Block, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, b := range m.blocks {
		if b.Hash == hash {
			return b, m.fail
		}
	}
	return nil, m.fail
}

func (m *memory) WaitReceipt(ctx context.Context, hash crypto.Hash) (*wire.Receipt, error) {
	for {
		m.mu.Lock()
		receipt, changed, fail := m.receipts[hash], m.changed, m.fail
		m.mu.Unlock()
		if receipt != nil || fail != nil {
			return receipt, fail
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (m *memory) WaitHeight(ctx context.Context, height ledger.Height) error {
	for {
		m.mu.Lock()
		top, changed := ledger.Height(len(m.blocks)), m.changed
		m.mu.Unlock()
		if top >= height {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (m *memory) Done(height ledger.Height) (*Done, error) {
	m.reads.Add(1)
	m.reading.RLock()
	defer m.reading.RUnlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil || int(height) >= len(m.done) {
		return nil, m.fail
	}
	return m.done[height], nil
}

func (m *memory) Raw(height ledger.Height) ([][]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil || height == 0 || int(height) > len(m.blocks) {
		return nil, m.fail
	}
	var raw [][]byte
	for _, hash := range m.blocks[height-1].Transactions {
		raw = append(raw, m.raws[hash].Raw)
	}
	return raw, nil
}

// Places looks at everything that ever happened.
func (m *memory) Places(q PlaceQuery) ([]Place, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []Place
	for _, d := range m.done {
		if slices.ContainsFunc(d.Events, func(e ledger.Event) bool { return q.Concerns(&e) }) {
			found = append(found, FirstPlace(d.Height))
		}
		for i, r := range d.Receipts {
			concerns := func(e wire.Event) bool { return q.Concerns(&e.Event) }
			if q.Account != nil && r.Sender == *q.Account || slices.ContainsFunc(r.Events, concerns) {
				found = append(found, Place{d.Height, uint32(i)})
			}
		}
	}
	found = slices.DeleteFunc(found, func(p Place) bool { return p.Compare(q.From) < 0 || p.Compare(q.To) > 0 })
	if q.Descending {
		slices.Reverse(found)
	}
	return found[:min(len(found), q.Limit)], m.fail
}

func (m *memory) DoneAt(at Place) (*Done, error) {
	d, err := m.Done(at.Height)
	if err != nil || d == nil {
		return nil, err
	}
	one := &Done{Height: d.Height, Hash: d.Hash, Time: d.Time, Receipts: []*wire.Receipt{}, Events: []ledger.Event{}}
	switch {
	case at.Index == OwnEvents && len(d.Events) > 0:
		one.Events = d.Events
	case int(at.Index) < len(d.Receipts):
		one.Receipts = d.Receipts[at.Index : at.Index+1]
	default:
		return nil, nil
	}
	return one, nil
}

// Follow has nothing to wait for: commit takes from what waits and adds to the chain
// in one step. Some tests commit here.
func (m *memory) Follow(context.Context) {
	if m.followed != nil {
		m.followed()
	}
}

func (m *memory) Pending(q PendingQuery) (*Pending, error) {
	if m.asked != nil {
		m.asked()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	out := &Pending{Total: len(m.pending)}
	for i, tx := range m.pending {
		seq := uint64(len(m.receipts) + i + 1)
		if seq > q.After && (q.Sender == nil || *q.Sender == tx.Sender) && len(out.Items) < q.Limit {
			out.Items = append(out.Items, PendingTx{Tx: tx, Seq: seq, Since: time.Now(), Reason: wire.PendingNext})
		}
	}
	return out, m.fail
}

func (m *memory) Peers() ([]wire.Peer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]wire.Peer{}, m.peers...), m.fail
}

func (m *memory) State() (ledger.Reader, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.top(), m.fail
}

func (m *memory) StateAt(height ledger.Height) (ledger.Reader, ledger.UnixTime, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if int(height) >= len(m.states) {
		return nil, 0, ErrUnknownHeight
	}
	return ledger.MapState(m.states[height]), m.done[height].Time, m.fail
}

func (m *memory) Validators() (*wire.Validators, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &wire.Validators{Items: []wire.Validator{}}, m.fail
}

func (m *memory) View(height ledger.Height) (View, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return nil, m.fail
	}
	if int(height) >= len(m.states) {
		return nil, ErrUnknownHeight
	}
	return memoryView(m.states[height]), nil
}

// memoryView is the state at one height.
type memoryView ledger.MapState

func (v memoryView) Account(address crypto.Address) (*wire.Account, error) {
	raw := v[string(ledger.KeyAccount(address))]
	if raw == nil {
		return nil, nil
	}
	record, err := ledger.DecodeAccount(raw)
	if err != nil {
		return nil, err
	}
	out := &wire.Account{Address: address, Status: record.Status.String(), NextNonce: uint64(record.Window.Next), Balances: []wire.AssetBalance{}}
	if !record.Member.IsZero() {
		out.Member = &record.Member
	}
	prefix := string(ledger.KeyBalances(address))
	for _, key := range slices.Sorted(maps.Keys(v)) {
		if !strings.HasPrefix(key, prefix) {
			continue
		}
		b, err := ledger.DecodeBalance(v[key])
		if err != nil {
			return nil, err
		}
		asset := crypto.Address([]byte(key[len(prefix):]))
		known, err := v.Asset(asset)
		if err != nil {
			return nil, err
		}
		out.Balances = append(out.Balances, wire.AssetBalance{Asset: asset, Symbol: known.Symbol, Available: b.Available, Held: b.Held})
	}
	return out, nil
}

func (v memoryView) Balance(account, asset crypto.Address) (ledger.Balance, error) {
	return ledger.DecodeBalance(v[string(ledger.KeyBalance(account, asset))])
}

func (v memoryView) Asset(asset crypto.Address) (*wire.Asset, error) {
	raw := v[string(ledger.KeyAsset(asset))]
	if raw == nil {
		return nil, nil
	}
	a, err := ledger.DecodeAsset(raw)
	return &wire.Asset{
		Asset: asset, Symbol: a.Symbol, Name: a.Name, Decimals: a.Decimals, Issuer: a.Issuer,
		Cap: a.Cap, Supply: a.Supply, Flags: a.Flags, Status: a.Status.String(),
	}, err
}

func (v memoryView) AssetBySymbol(symbol string) (*wire.Asset, error) {
	raw := v[string(ledger.KeySymbol(symbol))]
	if raw == nil {
		return nil, nil
	}
	return v.Asset(crypto.Address(raw))
}

func (v memoryView) Assets(after crypto.Address, limit int) ([]wire.Asset, error) {
	var out []wire.Asset
	prefix := string(ledger.KeyAssets())
	for _, key := range slices.Sorted(maps.Keys(v)) {
		if !strings.HasPrefix(key, prefix) || bytes.Compare([]byte(key[len(prefix):]), after[:]) <= 0 || len(out) == limit {
			continue
		}
		a, err := v.Asset(crypto.Address([]byte(key[len(prefix):])))
		if err != nil {
			return nil, err
		}
		out = append(out, *a)
	}
	return out, nil
}

func (v memoryView) Member(account crypto.Address) (crypto.Address, error) {
	raw := v[string(ledger.KeyAccount(account))]
	if raw == nil {
		return crypto.Address{}, nil
	}
	record, err := ledger.DecodeAccount(raw)
	return record.Member, err
}

// repeatBlock appends the newest block once more, at the next height.
func (m *memory) repeatBlock() {
	m.mu.Lock()
	defer m.mu.Unlock()
	last := len(m.done) - 1
	done, block := *m.done[last], *m.blocks[last-1]
	done.Height++
	block.Height++
	m.done, m.blocks, m.states = append(m.done, &done), append(m.blocks, &block), append(m.states, m.states[last])
	close(m.changed)
	m.changed = make(chan struct{})
}

// holdDone keeps Done from answering until release is called.
func (m *memory) holdDone() (release func()) {
	m.reading.Lock()
	return m.reading.Unlock
}

func (m *memory) Admitted(behind uint64, limit int) ([]crypto.Hash, uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	behind = min(behind, uint64(len(m.admitted)))
	list := m.admitted[behind:]
	list = list[:min(limit, len(list))]
	return list, behind + uint64(len(list))
}

func (m *memory) AwaitAdmission(ctx context.Context, behind uint64) error {
	for {
		m.mu.Lock()
		count, admission := len(m.admitted), m.admission
		m.mu.Unlock()
		if uint64(count) > behind {
			return nil
		}
		select {
		case <-admission:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
