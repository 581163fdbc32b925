package network

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/rpc"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
	"github.com/tallystick/tallystick/rpc/wire"
)

// storm is a fixed set of transactions, sent as a whole from many connections to
// all validators at once: each of them arrives everywhere, many times over.
type storm struct {
	n       *Network
	txs     []stormTx
	methods []string // by which raw bytes are sent
	sent    atomic.Int64

	mu      sync.Mutex
	problem error // the first answer that was wrong; mu
}

// stormTx is one of them, and what must become of it.
type stormTx struct {
	raw      []byte
	hash     crypto.Hash
	from, to int
	nonce    ledger.Nonce
	amount   uint64
}

// stormConnections is from how many connections each transaction is sent: as
// many to each validator, by HTTP and by WebSocket.
const stormConnections = 16

// newStorm signs so many transactions, which begin at the nonces given and move
// them on. They are of every kind: signed over typed data, over the body hash,
// and Ethereum's own.
func (n *Network) newStorm(count int, nonces *[accounts]ledger.Nonce) *storm {
	s := &storm{n: n, methods: []string{"ledger_sendRawTransaction"}}
	for i := range count {
		from := i % accounts
		t := stormTx{from: from, to: (from + 1 + i/accounts%(accounts-1)) % accounts, nonce: nonces[from], amount: uint64(1 + i)}
		nonces[from]++
		switch i / accounts % 3 {
		case 0:
			t.raw = n.nativeTransfer(t, ledger.SchemeTypedData)
		case 1:
			t.raw = n.nativeTransfer(t, ledger.SchemeBodyHash)
		case 2:
			t.raw = n.ethereumTransfer(t)
		}
		t.hash = crypto.Keccak256(t.raw)
		s.txs = append(s.txs, t)
	}
	if n.serves("eth_sendRawTransaction") {
		s.methods = append(s.methods, "eth_sendRawTransaction")
	}
	return s
}

// serves reports whether the first validator knows a method.
func (n *Network) serves(method string) bool {
	_, err := n.RPC(0).Call(context.Background(), Ask(method))
	no, answered := isRPCError(err)
	return err == nil || answered && no.Code != -32601
}

// nativeTransfer encodes a transfer of the settlement asset.
func (n *Network) nativeTransfer(t stormTx, scheme ledger.Scheme) []byte {
	body := ledger.Body{Sender: address(t.from), Nonce: t.nonce, Op: &ledger.Transfer{Legs: []ledger.Leg{
		{From: address(t.from), To: address(t.to), Asset: n.Ledger.Settlement, Amount: ledger.NewAmount(t.amount)},
	}}}
	tx, code := ledger.Sign(n.Ledger, body, scheme, key(t.from))
	if code != ledger.Applied {
		panic("network: sign a transfer: " + code.String())
	}
	return tx.Raw
}

// ethereumTransfer is the same as a wallet's Send button makes it.
func (n *Network) ethereumTransfer(t stormTx) []byte {
	return ledgertest.EthereumRaw(n.Ledger, key(t.from), ledgertest.EthereumInner(n.Ledger, ledger.EnvelopeDynamicFee,
		t.nonce, address(t.to), n.Ledger.Settlement, ledger.NewAmount(t.amount)))
}

// rage sends everything from every connection, until each has handed over each
// transaction. meanwhile runs beside it, in the test's goroutine, and may kill
// and start validators; all must run when it returns.
func (s *storm) rage(seed uint64, meanwhile func()) {
	s.n.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var all sync.WaitGroup
	for i := range stormConnections {
		all.Go(func() { s.connection(ctx, i, rand.New(rand.NewPCG(seed, uint64(i)))) })
	}
	done := make(chan struct{})
	go func() {
		all.Wait()
		close(done)
	}()
	meanwhile()
	select {
	case <-done:
	case <-time.After(patience):
		cancel()
		<-done
		s.n.t.Fatalf("after %s only %d of %d were handed over", patience, s.sent.Load(), s.total())
	}
	s.check()
}

// total is how often a transaction is handed over in all.
func (s *storm) total() int64 { return int64(stormConnections * len(s.txs)) }

// connection sends all transactions in an order of its own to one validator.
func (s *storm) connection(ctx context.Context, i int, random *rand.Rand) {
	validators := len(s.n.validators)
	v := s.n.validators[i%validators]
	scheme := []string{"http://", "ws://"}[i/validators%2]
	method := s.methods[i/validators/2%len(s.methods)]
	var conn *rpc.Client
	for _, at := range random.Perm(len(s.txs)) {
		for ctx.Err() == nil {
			var err error
			if conn == nil {
				conn, err = rpc.DialContext(ctx, scheme+v.rpc)
			}
			if err == nil && s.handOver(ctx, conn, method, &s.txs[at]) {
				break
			}
			pause(ctx, tryAgain)
		}
		s.sent.Add(1)
	}
	if conn != nil {
		conn.Close()
	}
}

// handOver sends one transaction once, and reports whether the validator has it.
func (s *storm) handOver(ctx context.Context, conn *rpc.Client, method string, t *stormTx) bool {
	within, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var hash crypto.Hash
	err := conn.CallContext(within, &hash, method, wire.Bytes(t.raw))
	if err == nil && hash != t.hash {
		s.wrong(fmt.Errorf("%s answers with the hash %s to the transaction %s", method, hash, t.hash))
	}
	var no rpc.Error
	if errors.As(err, &no) && no.ErrorCode() != wire.CodeUnavailable {
		if method == "eth_sendRawTransaction" && t.isThere(no) {
			return true
		}
		s.wrong(fmt.Errorf("%s refuses the transaction %s, nonce %d of %s: %w", method, t.hash, t.nonce, address(t.from), err))
		return true
	}
	return err == nil
}

// isThere reports whether an error of Ethereum's method says that this very
// transaction waits or stands in a block: go-ethereum's clients want to be told so.
func (t *stormTx) isThere(no rpc.Error) bool {
	with, ok := no.(rpc.DataError)
	if !ok {
		return false
	}
	text, err := json.Marshal(with.ErrorData())
	var data wire.ErrorData
	if err != nil || json.Unmarshal(text, &data) != nil || data.Hash == nil {
		return false
	}
	return *data.Hash == t.hash && (data.Name == "alreadyKnown" || data.Name == ledger.CodeNonceSpent.String())
}

// wrong keeps the first problem.
func (s *storm) wrong(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.problem == nil {
		s.problem = err
	}
}

func (s *storm) check() {
	s.n.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.problem != nil {
		s.n.t.Fatal(s.problem)
	}
}

// waitSent waits until so many more have been handed over, or all.
func (s *storm) waitSent(more int64) {
	s.n.t.Helper()
	want := min(s.sent.Load()+more, s.total())
	s.n.Until(patience, fmt.Sprintf("%d transactions are handed over", want), func() error {
		s.n.t.Helper()
		s.check()
		if got := s.sent.Load(); got < want {
			return fmt.Errorf("it is %d", got)
		}
		return nil
	})
}

// settle has the client see to it that each transaction has its receipt: a
// validator that was killed has lost what only it had, and the same bytes do no
// harm. It returns the receipts, in the order of the transactions.
func (s *storm) settle() []*wire.Receipt {
	s.n.t.Helper()
	urls := make([]string, len(s.n.validators))
	for i, v := range s.n.validators {
		urls[i] = "http://" + v.rpc
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := client.Dial(ctx, urls...)
	if err != nil {
		s.n.t.Fatal(err)
	}
	defer c.Close()
	receipts, failures := make([]*wire.Receipt, len(s.txs)), make([]error, len(s.txs))
	var all sync.WaitGroup
	for worker := range stormConnections {
		all.Go(func() {
			for i := worker; i < len(s.txs); i += stormConnections {
				receipts[i], failures[i] = c.SubmitAndWait(ctx, s.txs[i].raw)
			}
		})
	}
	all.Wait()
	if err := errors.Join(failures...); err != nil {
		s.n.t.Fatal(err)
	}
	return receipts
}

// outcomes checks that there is exactly one outcome of each transaction on each
// validator: one place in one block, one receipt, the same everywhere.
func (s *storm) outcomes(receipts []*wire.Receipt) {
	s.n.t.Helper()
	var top uint64
	want := make([][]byte, len(receipts))
	for i, r := range receipts {
		if t := s.txs[i]; r.Hash != t.hash || r.Status != "applied" || r.Nonce != uint64(t.nonce) || r.Sender != address(t.from) {
			s.n.t.Fatalf("the receipt of transaction %d, %s, is %+v", i, t.hash, r)
		}
		top = max(top, r.Height)
		var err error
		if want[i], err = json.Marshal(r); err != nil {
			s.n.t.Fatal(err)
		}
	}
	for v := range s.n.validators {
		s.n.WaitHeight(v, top)
		s.sameReceipts(v, want)
		s.onceInBlocks(v, top)
	}
}

// sameReceipts asks validator v for every receipt, by hash and by nonce.
func (s *storm) sameReceipts(v int, want [][]byte) {
	s.n.t.Helper()
	var questions []Question
	for _, t := range s.txs {
		questions = append(questions, Ask("ledger_getReceipt", t.hash), Ask("ledger_getReceiptByNonce", address(t.from), t.nonce))
	}
	answers, err := s.n.RPC(v).CallAll(context.Background(), questions)
	if err != nil {
		s.n.t.Fatal(err)
	}
	for i, a := range answers {
		var r wire.Receipt
		if err := json.Unmarshal(a, &r); err != nil {
			s.n.t.Fatal(err)
		}
		if got, err := json.Marshal(r); err != nil || string(got) != string(want[i/2]) {
			s.n.t.Fatalf("%s answers %s with\n%s\nand not with\n%s", s.n.validators[v].name(), questions[i], got, want[i/2])
		}
	}
}

// onceInBlocks counts the transactions in all blocks of validator v.
func (s *storm) onceInBlocks(v int, top uint64) {
	s.n.t.Helper()
	count := map[crypto.Hash]int{}
	for _, data := range s.n.Blocks(v, 1, top) {
		var b wire.Block
		if err := json.Unmarshal(data, &b); err != nil {
			s.n.t.Fatal(err)
		}
		for _, hash := range b.Transactions {
			count[hash]++
		}
	}
	for i, t := range s.txs {
		if count[t.hash] != 1 {
			s.n.t.Fatalf("transaction %d, %s, stands %d times in the blocks of %s", i, t.hash, count[t.hash], s.n.validators[v].name())
		}
	}
}

// settledBalances checks every account's balance and nonce on every validator,
// after storms that have moved so much.
func (n *Network) settledBalances(nonces [accounts]ledger.Nonce, storms ...*storm) {
	n.t.Helper()
	var want [accounts]int64
	for i := range want {
		want[i] = funds
	}
	for _, s := range storms {
		for _, t := range s.txs {
			want[t.from] -= int64(t.amount)
			want[t.to] += int64(t.amount)
		}
	}
	for v := range n.validators {
		for i := range accounts {
			var a wire.Account
			if err := n.RPC(v).Read(context.Background(), &a, Ask("ledger_getAccount", address(i))); err != nil {
				n.t.Fatal(err)
			}
			at := slices.IndexFunc(a.Balances, func(b wire.AssetBalance) bool { return b.Asset == n.Ledger.Settlement })
			if at < 0 || a.Balances[at].Available != ledger.NewAmount(uint64(want[i])) || a.NextNonce != uint64(nonces[i]) {
				n.t.Errorf("%s has account %d as %+v; want %d and the next nonce %d", n.validators[v].name(), i, a, want[i], nonces[i])
			}
		}
	}
}
