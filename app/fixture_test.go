package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"io"
	"log/slog"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/store"
)

var ctx = context.Background()

// key is the key of a person called name.
func key(name string) *crypto.PrivateKey {
	h := crypto.Keccak256([]byte("key of " + name))
	k, err := crypto.PrivateKeyFromBytes(h[:])
	if err != nil {
		panic(err)
	}
	return k
}

func address(name string) crypto.Address { return key(name).Address() }

const (
	networkID   = "app-test-1"
	genesisTime = 1_700_000_000
	funds       = 1_000_000
)

// jointAccount needs the signatures of alice and bob.
var jointAccount = address("joint")

// genesisDoc is a network where people hold funds of the settlement asset.
func genesisDoc(people []string, change func(*ledger.Genesis)) []byte {
	params := ledger.DefaultParams()
	params.AccountPolicy = ledger.PolicyOpen
	g := ledger.Genesis{
		NetworkID: networkID, ChainID: ledger.DeriveChainID(networkID), Settlement: "SET",
		Params: ledger.NewGenesisParams(params),
		Assets: []ledger.GenesisAsset{
			{Symbol: "SET", Name: "Settlement", Decimals: 18, Issuer: address(people[0])},
			{Symbol: "EUR", Name: "Euro", Decimals: 2, Issuer: address(people[0])},
		},
	}
	for _, p := range people {
		g.Accounts = append(g.Accounts, ledger.GenesisAccount{Address: address(p)})
		g.Balances = append(g.Balances, ledger.GenesisBalance{Account: address(p), Symbol: "SET", Amount: ledger.NewAmount(funds)})
	}
	both := []ledger.Key{{Address: address("alice"), Weight: 1}, {Address: address("bob"), Weight: 1}}
	if both[0].Address.Compare(both[1].Address) > 0 {
		both[0], both[1] = both[1], both[0]
	}
	g.Accounts = append(g.Accounts, ledger.GenesisAccount{Address: jointAccount, Keys: both, Threshold: 2})
	g.Balances = append(g.Balances, ledger.GenesisBalance{Account: jointAccount, Symbol: "SET", Amount: ledger.NewAmount(funds)})
	if change != nil {
		change(&g)
	}
	data, err := json.Marshal(g)
	if err != nil {
		panic(err)
	}
	return data
}

var everybody = []string{"alice", "bob", "carol", "dave"}

func initRequest(appState []byte) *abci.RequestInitChain {
	return &abci.RequestInitChain{
		Time: time.Unix(genesisTime, 0), ChainId: networkID, InitialHeight: 1, AppStateBytes: appState,
		ConsensusParams: &cmtproto.ConsensusParams{
			Block:   &cmtproto.BlockParams{MaxBytes: -1, MaxGas: -1},
			Version: &cmtproto.VersionParams{App: ledger.Protocol},
			Abci:    &cmtproto.ABCIParams{},
		},
	}
}

// chain drives one application by hand, as CometBFT would.
type chain struct {
	*Application
	t     testing.TB
	store *store.Store
	dir   string
	time  int64
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// openChain opens an application over the store in dir.
func openChain(t testing.TB, dir string, o Options) *chain {
	t.Helper()
	s, err := store.Open(dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if o.Logger == nil {
		o.Logger = quiet()
	}
	a, err := New(s, o)
	if err != nil {
		t.Fatal(err)
	}
	c := &chain{Application: a, t: t, store: s, dir: dir, time: max(int64(s.Time()), genesisTime)}
	t.Cleanup(c.stop)
	return c
}

// in is the same chain, failing another test.
func (c *chain) in(t testing.TB) *chain {
	other := *c
	other.t = t
	return &other
}

func (c *chain) stop() {
	c.Close()
	c.store.Close()
}

// reopen stops the application and opens it again over what is on disk.
func (c *chain) reopen() *chain {
	c.t.Helper()
	c.stop()
	return openChain(c.t, c.dir, c.options)
}

// newChain is a chain after InitChain, before block 1.
func newChain(t testing.TB, o Options, change func(*ledger.Genesis)) *chain {
	t.Helper()
	c := openChain(t, t.TempDir(), o)
	c.initChain(genesisDoc(everybody, change))
	return c
}

func (c *chain) initChain(doc []byte) *abci.ResponseInitChain {
	c.t.Helper()
	res, err := c.InitChain(ctx, initRequest(doc))
	if err != nil {
		c.t.Fatal(err)
	}
	return res
}

func (c *chain) nextHeight() int64 { return int64(c.store.Height()) + 1 }

// hashOf stands for CometBFT's block hash.
func hashOf(height, at int64, txs [][]byte) []byte {
	h := sha256.New()
	h.Write(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(height)), uint64(at)))
	for _, tx := range txs {
		sum := sha256.Sum256(tx)
		h.Write(sum[:])
	}
	return h.Sum(nil)
}

func (c *chain) proposal(txs ...[]byte) *abci.RequestProcessProposal {
	at := c.time + 1
	return &abci.RequestProcessProposal{
		Height: c.nextHeight(), Time: time.Unix(at, 999), Txs: txs, Hash: hashOf(c.nextHeight(), at, txs),
		ProposerAddress: []byte("a stranger's address"),
	}
}

// accepts asks the application about a proposal.
func (c *chain) accepts(req *abci.RequestProcessProposal) bool {
	c.t.Helper()
	res, err := c.ProcessProposal(ctx, req)
	if err != nil {
		c.t.Fatal(err)
	}
	return res.Status == abci.ResponseProcessProposal_ACCEPT
}

func decidedBlock(p *abci.RequestProcessProposal) *abci.RequestFinalizeBlock {
	return &abci.RequestFinalizeBlock{Height: p.Height, Time: p.Time, Txs: p.Txs, Hash: p.Hash, ProposerAddress: p.ProposerAddress}
}

func (c *chain) finalize(p *abci.RequestProcessProposal) *abci.ResponseFinalizeBlock {
	c.t.Helper()
	res, err := c.FinalizeBlock(ctx, decidedBlock(p))
	if err != nil {
		c.t.Fatal(err)
	}
	return res
}

func (c *chain) commit() {
	c.t.Helper()
	if _, err := c.Commit(ctx, &abci.RequestCommit{}); err != nil {
		c.t.Fatal(err)
	}
	c.time = int64(c.store.Time())
}

// block decides and commits a block, whether or not it would be accepted.
func (c *chain) block(txs ...[]byte) *abci.ResponseFinalizeBlock {
	c.t.Helper()
	res := c.finalize(c.proposal(txs...))
	c.commit()
	return res
}

// check offers a transaction as a client does.
func (c *chain) check(raw []byte) Admission {
	c.t.Helper()
	v, err := c.Admit(raw)
	if err != nil {
		c.t.Fatal(err)
	}
	return v
}

// offer offers a transaction as a peer does.
func (c *chain) offer(raw []byte) Admission {
	c.t.Helper()
	v, err := c.Offer(raw, "a peer")
	if err != nil {
		c.t.Fatal(err)
	}
	return v
}

// wantCode fails the test unless an admission has a code.
func wantCode(t testing.TB, what string, v Admission, want ledger.Code) {
	t.Helper()
	if v.Code != want {
		t.Errorf("%s: code %s, want %s", what, v.Code, want)
	}
}

// propose makes a block of these transactions, as if they waited.
func (c *chain) propose(maxBytes int64, raws ...[]byte) [][]byte {
	c.t.Helper()
	now := c.latest.Load()
	params, err := ledger.ReadParams(now.reader)
	if err != nil {
		c.t.Fatal(err)
	}
	var from []*pendingTx
	for i, raw := range raws {
		if tx := c.Decode(raw); tx.RecoverSigners() == ledger.Applied {
			from = append(from, &pendingTx{tx: tx, seq: uint64(i)})
		}
	}
	got, err := c.pick(now, ledger.UnixTime(c.time+1), &room{params: &params, wire: maxBytes}, from)
	if err != nil {
		c.t.Fatal(err)
	}
	return got
}

// prepare asks for a block of what waits.
func (c *chain) prepare() [][]byte {
	c.t.Helper()
	res, err := c.PrepareProposal(ctx, &abci.RequestPrepareProposal{
		Height: c.nextHeight(), Time: time.Unix(c.time+1, 5), MaxTxBytes: 1 << 24, Txs: [][]byte{Token},
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return res.Txs
}

// transfer is the body of a transfer of the settlement asset.
func (c *chain) transfer(from string, nonce uint64, to string, amount uint64) ledger.Body {
	return ledger.Body{Sender: address(from), Nonce: ledger.Nonce(nonce), Op: &ledger.Transfer{Legs: []ledger.Leg{
		{From: address(from), To: address(to), Asset: c.Network().Settlement, Amount: ledger.NewAmount(amount)},
	}}}
}

// sign builds a transaction or fails the test.
func (c *chain) sign(body ledger.Body, scheme ledger.Scheme, names ...string) []byte {
	c.t.Helper()
	keys := make([]*crypto.PrivateKey, len(names))
	for i, n := range names {
		keys[i] = key(n)
	}
	tx, code := ledger.Sign(c.Network(), body, scheme, keys...)
	if code != ledger.Applied {
		c.t.Fatalf("sign: %s", code)
	}
	return tx.Raw
}

// pay is a signed transfer.
func (c *chain) pay(from string, nonce uint64, to string, amount uint64) []byte {
	c.t.Helper()
	return c.sign(c.transfer(from, nonce, to, amount), ledger.SchemeBodyHash, from)
}

// account reads an account at the latest committed height.
func (c *chain) account(name string) ledger.Account {
	c.t.Helper()
	raw, err := c.store.Latest().Get(ledger.KeyAccount(address(name)))
	if err != nil {
		c.t.Fatal(err)
	}
	a, err := ledger.DecodeAccount(raw)
	if err != nil {
		c.t.Fatalf("account of %s: %v", name, err)
	}
	return a
}

// balance reads what a person has of the settlement asset.
func (c *chain) balance(name string) uint64 {
	c.t.Helper()
	raw, err := c.store.Latest().Get(ledger.KeyBalance(address(name), c.Network().Settlement))
	if err != nil {
		c.t.Fatal(err)
	}
	b, err := ledger.DecodeBalance(raw)
	if err != nil {
		c.t.Fatal(err)
	}
	return b.Available.Uint256().Uint64()
}

func codesOf(res *abci.ResponseFinalizeBlock) []ledger.Code {
	var codes []ledger.Code
	for _, r := range res.TxResults {
		codes = append(codes, ledger.Code(r.Code))
	}
	return codes
}

// same compares two responses byte for byte.
func same(t testing.TB, what string, x, y *abci.ResponseFinalizeBlock) {
	t.Helper()
	a, errA := x.Marshal()
	b, errB := y.Marshal()
	if errA != nil || errB != nil || !bytes.Equal(a, b) {
		t.Errorf("%s: the responses differ:\n%v\n%v", what, x, y)
	}
}
