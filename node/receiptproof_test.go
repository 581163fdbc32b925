package node

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/tallystick/tallystick/client/proof"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc"
	"github.com/tallystick/tallystick/rpc/wire"
)

// proofOfReceipt asks validator i, which may be behind the one that gave the receipt,
// until the next block is there.
func (n *testnet) proofOfReceipt(i int, hash crypto.Hash) *wire.ReceiptProof {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), patience)
	defer cancel()
	if _, err := n.nodes[i].Backend().WaitReceipt(ctx, hash); err != nil {
		n.t.Fatalf("receipt of %s on validator %d: %v", hash, i, err)
	}
	for {
		p, err := n.nodes[i].backend.ReceiptProof(hash)
		var early *rpc.NotYetProvableError
		if errors.As(err, &early) {
			err = n.nodes[i].index.WaitHeight(ctx, ledger.Height(early.Height+1))
			if err == nil {
				continue
			}
		}
		if err != nil || p == nil {
			n.t.Fatalf("receipt proof of %s by validator %d: %v, %v", hash, i, p, err)
		}
		return p
	}
}

// settle submits transactions together and waits for their receipts.
func (n *testnet) settle(txs ...*ledger.Tx) (receipts []*wire.Receipt) {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), patience)
	defer cancel()
	b := n.nodes[0].Backend()
	for _, tx := range txs {
		if v, err := b.Submit(ctx, tx.Raw); err != nil || v.Code != ledger.Applied {
			n.t.Fatalf("submit %s: %v, %v", tx.Hash, v.Code, err)
		}
	}
	for _, tx := range txs {
		r, err := b.WaitReceipt(ctx, tx.Hash)
		if err != nil {
			n.t.Fatal(err)
		}
		receipts = append(receipts, r)
	}
	return receipts
}

// overspend submits two transfers of which each is possible alone and not both: the
// second is refused in its block, and spends its nonce. Where a block comes between
// them, the second is refused at the door; then it is tried again with what is left.
func (n *testnet) overspend(network *ledger.Network) []*ledger.Tx {
	n.t.Helper()
	key, b := n.keys[2], n.nodes[0].Backend()
	asset := network.AssetAddress(crypto.Address{}, 1)
	for first := ledger.Nonce(0); ; first++ {
		view, err := b.View(n.nodes[0].Height())
		if err != nil {
			n.t.Fatal(err)
		}
		balance, err := view.Balance(key.Address(), asset)
		if err != nil {
			n.t.Fatal(err)
		}
		most := balance.Available.Uint256().Uint64()
		var txs []*ledger.Tx
		for nonce := first; nonce < first+2; nonce++ {
			tx, code := ledger.Sign(network, ledger.Body{Sender: key.Address(), Nonce: nonce, Op: &ledger.Transfer{Legs: []ledger.Leg{{
				From: key.Address(), To: n.keys[3].Address(), Asset: asset, Amount: ledger.NewAmount(most/2 + 1),
			}}}}, ledger.SchemeBodyHash, key)
			if code != ledger.Applied {
				n.t.Fatal(code)
			}
			txs = append(txs, tx)
		}
		if v, err := b.Submit(n.t.Context(), txs[0].Raw); err != nil || v.Code != ledger.Applied {
			n.t.Fatalf("submit %s: %v, %v", txs[0].Hash, v.Code, err)
		}
		v, err := b.Submit(n.t.Context(), txs[1].Raw)
		if err == nil && v.Code == ledger.Applied {
			return txs
		}
		if err != nil || v.Code != ledger.CodeInsufficientBalance {
			n.t.Fatalf("submit %s: %v, %v", txs[1].Hash, v.Code, err)
		}
		n.settle(txs[0])
	}
}

// Four validators prove what became of transactions, applied and refused, to who has the
// genesis document alone. Each of them gives a proof that holds, in the next block and
// later, and an explorer's source the same one.
func TestReceiptProof(t *testing.T) {
	net := newTestnet(t, 4)
	net.startAll()
	network := net.nodes[0].backend.net
	var txs []*ledger.Tx
	for nonce := range ledger.Nonce(7) {
		txs = append(txs, net.transfer(network, nonce))
	}
	txs = append(txs, net.overspend(network)...)
	receipts := net.settle(txs...)
	if last := receipts[len(receipts)-1]; last.Code == 0 && receipts[len(receipts)-2].Code == 0 {
		t.Fatal("none of two transfers of more than half of everything is refused")
	}
	document, err := os.ReadFile(net.files.home(0).GenesisFile())
	if err != nil {
		t.Fatal(err)
	}
	trust, err := proof.Genesis(document)
	if err != nil {
		t.Fatal(err)
	}
	for i, tx := range txs {
		p := net.proofOfReceipt(i%4, tx.Hash)
		data, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		read, err := proof.Read(data)
		if err != nil {
			t.Fatal(err)
		}
		proven, err := proof.Verify(read, trust)
		if err != nil {
			t.Fatalf("transaction %d: %v", i, err)
		}
		sameReceipt(t, proven, receipts[i])
		if got := proven.Trusted; !got.Same || got.Power != proven.Power || got.Signed != proven.Signed || 3*got.Signed <= 2*got.Power || len(proven.Signers) != 4 {
			t.Errorf("transaction %d is signed by %+v", i, proven)
		}
		if unknown, err := proof.Verify(read, proof.Trust{}); err != nil || unknown.Trusted != (proof.Trusted{}) {
			t.Errorf("without trust: %+v, %v", unknown, err)
		}
	}
	checkProofsOfSource(t, net, txs[0], trust)
	if p, err := net.nodes[0].backend.ReceiptProof(crypto.Hash{1}); p != nil || err != nil {
		t.Errorf("a proof of what is not there: %v, %v", p, err)
	}
	checkOtherChain(t, net, txs[0], trust)
}

// sameReceipt compares what is proved with what the node says.
func sameReceipt(t *testing.T, p *proof.Proven, r *wire.Receipt) {
	t.Helper()
	if p.Hash != r.Hash || p.BodyHash != r.BodyHash || uint64(p.Height) != r.Height || p.BlockHash != r.BlockHash || uint64(p.Time) != r.BlockTime ||
		uint32(p.Code) != r.Code || len(p.Events) != len(r.Events) || p.Tx == nil || p.Tx.Sender != r.Sender || uint64(p.Tx.Nonce) != r.Nonce || p.Tx.Op.Kind().String() != r.Kind {
		t.Errorf("proved is %+v, and the receipt is %+v", p, r)
	}
	for i := range p.Events {
		if p.Events[i] != r.Events[i].Event {
			t.Errorf("event %d is %+v, proved is %+v", i, r.Events[i].Event, p.Events[i])
		}
	}
}

// checkProofsOfSource asks as the explorer does.
func checkProofsOfSource(t *testing.T, net *testnet, tx *ledger.Tx, trust proof.Trust) {
	t.Helper()
	src := net.nodes[0].ExplorerSource()
	p, err := src.ReceiptProof(t.Context(), tx.Hash)
	if err != nil || p == nil {
		t.Fatal(err)
	}
	if _, err := proof.Verify(p, trust); err != nil {
		t.Error(err)
	}
	if p, err := src.ReceiptProof(t.Context(), crypto.Hash{1}); p != nil || err != nil {
		t.Errorf("a proof of what is not there: %v, %v", p, err)
	}
	forgetful := *net.nodes[0].backend
	forgetful.blocks = pruned{forgetful.blocks}
	src = newExplorerSource(&forgetful, net.nodes[0].source(), net.nodes[0].genesis)
	if _, err := src.ReceiptProof(t.Context(), tx.Hash); !errors.Is(err, explorer.ErrPruned) {
		t.Errorf("of a pruned block: %v", err)
	}
}

// pruned is a block store that keeps only what is to come.
type pruned struct{ blockStore }

func (p pruned) Base() int64 { return p.Height() + 1 }

// checkOtherChain asks a network of the same validators and accounts, begun at another
// time: neither believes the other's proofs.
func checkOtherChain(t *testing.T, net *testnet, tx *ledger.Tx, trust proof.Trust) {
	t.Helper()
	other := newTestnet(t, 1)
	other.startAll()
	foreign := other.transfer(other.nodes[0].backend.net, 0)
	other.settle(foreign)
	p := other.proofOfReceipt(0, foreign.Hash)
	if _, err := proof.Verify(p, proof.Trust{}); err != nil {
		t.Fatal(err)
	}
	if got, err := proof.Verify(p, trust); err == nil {
		t.Errorf("another network's proof is taken: %+v", got)
	}
	trust.Network = nil
	if got, err := proof.Verify(p, trust); !errors.Is(err, proof.ErrNotTrusted) {
		t.Errorf("other validators' proof is taken: %+v, %v", got, err)
	}
	mixed := net.proofOfReceipt(1, tx.Hash)
	mixed.Commit, mixed.Validators = p.Commit, p.Validators
	if got, err := proof.Verify(mixed, proof.Trust{}); err == nil {
		t.Errorf("another network's signatures are taken: %+v", got)
	}
}

// The receipt of the newest block cannot be proved, and the error says until when. An idle
// network makes that block by itself.
func TestReceiptProofWaitsForTheNextBlock(t *testing.T) {
	net := newTestnet(t, 1)
	net.startAll()
	tx := net.transfer(net.nodes[0].backend.net, 0)
	height := net.settle(tx)[0].Height
	deadline := time.Now().Add(patience)
	for {
		p, err := net.nodes[0].backend.ReceiptProof(tx.Hash)
		var early *rpc.NotYetProvableError
		if errors.As(err, &early) && early.Height != height || err != nil && early == nil || time.Now().After(deadline) {
			t.Fatalf("at height %d: %v", height, err)
		}
		if p != nil {
			break
		}
		net.reach(0, ledger.Height(height+1))
	}
}
