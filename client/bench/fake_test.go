package bench

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/rpc"
	"github.com/holiman/uint256"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

var settlement = crypto.Address{19: 7}

// fakeLedger is a ledger of one asset in memory, which some fake nodes share.
type fakeLedger struct {
	mu       sync.Mutex
	network  *ledger.Network
	height   uint64
	balances map[crypto.Address]*uint256.Int
	next     map[crypto.Address]uint64
	receipts map[crypto.Hash]*wire.Receipt
	applied  int
}

func newLedger(t *testing.T, funder crypto.Address) *fakeLedger {
	t.Helper()
	network, err := ledger.NewNetwork("fake", 7077, settlement, 18)
	if err != nil {
		t.Fatal(err)
	}
	rich := new(uint256.Int).Lsh(uint256.NewInt(1), 100)
	return &fakeLedger{
		network: network, height: 1, balances: map[crypto.Address]*uint256.Int{funder: rich},
		next: map[crypto.Address]uint64{}, receipts: map[crypto.Hash]*wire.Receipt{},
	}
}

// commit puts a transaction in a block of its own, once. A code other than
// Applied refuses it.
func (l *fakeLedger) commit(raw []byte, code ledger.Code) (*wire.Receipt, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	hash := crypto.Keccak256(raw)
	if r := l.receipts[hash]; r != nil {
		return r, nil
	}
	tx, bad := ledger.Decode(l.network, raw)
	if bad == ledger.Applied {
		bad = tx.RecoverSigners()
	}
	if bad != ledger.Applied {
		return nil, rejected(bad)
	}
	l.height++
	if code == ledger.Applied {
		for _, leg := range tx.Op.(*ledger.Transfer).Legs {
			l.move(leg)
		}
		l.applied++
	}
	l.next[tx.Sender] = max(l.next[tx.Sender], uint64(tx.Nonce)+1)
	r := &wire.Receipt{
		Hash: hash, BodyHash: tx.BodyHash, Height: l.height, Sender: tx.Sender, Nonce: uint64(tx.Nonce), Kind: "transfer",
		Code: uint32(code), Status: "applied", Events: []wire.Event{},
	}
	l.receipts[hash] = r
	return r, nil
}

func (l *fakeLedger) move(leg ledger.Leg) {
	from, to := l.balances[leg.From], l.balances[leg.To]
	if to == nil {
		to = new(uint256.Int)
		l.balances[leg.To] = to
	}
	from.Sub(from, leg.Amount.Uint256())
	to.Add(to, leg.Amount.Uint256())
}

// rpcError is an error as a node gives it.
type rpcError struct {
	code int
	data wire.ErrorData
}

func (e *rpcError) Error() string  { return e.data.Name }
func (e *rpcError) ErrorCode() int { return e.code }
func (e *rpcError) ErrorData() any { return e.data }

func rejected(code ledger.Code) error {
	return &rpcError{wire.CodeRejected, wire.ErrorData{Name: code.String(), Code: uint32(code)}}
}

func unavailable(name string) error {
	return &rpcError{wire.CodeUnavailable, wire.ErrorData{Name: name}}
}

// fakeNode serves a fakeLedger over HTTP and WebSocket.
type fakeNode struct {
	ledger *fakeLedger
	url    string

	mu    sync.Mutex
	sent  int // transactions that arrived
	conns []net.Conn
	// hook, if set, is asked before the n-th transaction is committed, from 1:
	// an error is the answer, a code other than Applied the receipt's.
	hook func(n int, raw []byte) (ledger.Code, error)
	// lie, if set, changes a balance that is shown.
	lie func(account crypto.Address, available *uint256.Int)
	// fork, if set, is the app hash of every block.
	fork crypto.Hash
}

// start serves on a port of its own.
func (l *fakeLedger) start(t *testing.T) *fakeNode {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &fakeNode{ledger: l, url: "http://" + listener.Addr().String()}
	n.serve(t, listener)
	return n
}

func (n *fakeNode) serve(t *testing.T, listener net.Listener) {
	t.Helper()
	calls := rpc.NewServer()
	if err := calls.RegisterName("ledger", &api{n}); err != nil {
		t.Fatal(err)
	}
	sockets := calls.WebsocketHandler([]string{"*"})
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Upgrade") != "" {
				sockets.ServeHTTP(w, r)
				return
			}
			calls.ServeHTTP(w, r)
		}),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.conns = append(n.conns, c)
			return ctx
		},
		ReadHeaderTimeout: time.Minute,
	}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() {
		_ = server.Close()
		n.hangUp()
		calls.Stop()
	})
}

// hangUp breaks every connection.
func (n *fakeNode) hangUp() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.conns {
		_ = c.Close()
	}
	n.conns = nil
}

// api are the methods of a fake node.
type api struct{ node *fakeNode }

func (a *api) Status() wire.Status {
	l := a.node.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	return wire.Status{NetworkID: l.network.ID, ChainID: l.network.ChainID, Height: l.height, SettlementAsset: settlement}
}

func (a *api) GetAsset(string) wire.Asset {
	return wire.Asset{Asset: settlement, Symbol: "TALLY", Decimals: 18}
}

func (a *api) GetAccount(address crypto.Address, _ *uint64) *wire.Account {
	l := a.node.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.balances[address]
	if b == nil {
		return nil
	}
	shown := b.Clone()
	if a.node.lie != nil {
		a.node.lie(address, shown)
	}
	amount, _ := ledger.AmountFromUint256(shown)
	return &wire.Account{
		Address: address, Status: "active", NextNonce: l.next[address],
		Balances: []wire.AssetBalance{{Asset: settlement, Symbol: "TALLY", Available: amount}},
	}
}

func (a *api) GetBalance(address, _ crypto.Address) wire.Balance {
	account := a.GetAccount(address, nil)
	if account == nil {
		return wire.Balance{}
	}
	return wire.Balance{Available: account.Balances[0].Available}
}

func (a *api) GetBlock(height uint64) wire.Block {
	return wire.Block{Height: height, Hash: crypto.Keccak256([]byte{byte(height)}), AppHash: a.node.fork}
}

func (a *api) GetReceipt(hash crypto.Hash) *wire.Receipt {
	l := a.node.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.receipts[hash]
}

func (a *api) SendRawTransactionSync(raw wire.Bytes, _ int64) (*wire.Receipt, error) {
	n := a.node
	n.mu.Lock()
	n.sent++
	count, hook := n.sent, n.hook
	n.mu.Unlock()
	code := ledger.Applied
	if hook != nil {
		var err error
		if code, err = hook(count, raw); err != nil {
			return nil, err
		}
	}
	return n.ledger.commit(raw, code)
}
