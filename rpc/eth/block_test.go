package eth

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/trie"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// through writes v as JSON and lets go-ethereum read it.
func through[T any](t testing.TB, v any) *T {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out := new(T)
	if err := json.Unmarshal(text, out); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return out
}

func newBlock(t testing.TB, net *ledger.Network, c *Content) *Block {
	t.Helper()
	b, err := NewBlock(net, c)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// go-ethereum takes the header, and derives the same roots and filter from
// receipts that it has read.
func TestHeaderIsWhatItsPartsSay(t *testing.T) {
	f, _ := newFixture(t)
	c := f.mixed(t)
	b := newBlock(t, f.Net, c)
	head := through[types.Header](t, b.WithHashes())
	var receipts types.Receipts
	for _, r := range c.Receipts {
		shown, ok := b.Receipt(r)
		if !ok {
			t.Fatal("no place")
		}
		receipts = append(receipts, through[types.Receipt](t, shown))
	}
	if root := types.DeriveSha(receipts, trie.NewStackTrie(nil)); root != head.ReceiptHash {
		t.Errorf("receipts root %s, of the receipts shown %s", head.ReceiptHash, root)
	}
	if bloom := types.MergeBloom(receipts); bloom != head.Bloom {
		t.Error("the filter is not that of the receipts")
	}
	if last := receipts[len(receipts)-1]; last.CumulativeGasUsed != head.GasUsed || head.GasUsed == 0 || head.GasUsed > head.GasLimit {
		t.Errorf("gas %d, in the last receipt %d", head.GasUsed, last.CumulativeGasUsed)
	}
	if head.Number.Uint64() != 1 || head.Time != uint64(c.Time) || head.BaseFee.Sign() != 0 || head.UncleHash != types.EmptyUncleHash ||
		common.Hash(c.Parent) != head.ParentHash || head.Root != common.Hash(c.AppHash) || head.Coinbase != common.BytesToAddress(c.Proposer) {
		t.Errorf("%+v", head)
	}
}

// Where all envelopes are Ethereum's, the root of transactions is what any client
// derives from the transactions shown.
func TestTransactionsRootOfEthereumEnvelopes(t *testing.T) {
	f, _ := newFixture(t)
	c := f.block(t,
		f.envelope(t, "alice", ledger.EnvelopeLegacy, 0, bob, "COIN", 5),
		f.envelope(t, "bob", ledger.EnvelopeDynamicFee, 0, alice, "GOLD", 7))
	shown, err := Transactions(f.Net, c)
	if err != nil {
		t.Fatal(err)
	}
	read := *through[types.Transactions](t, shown)
	for i, tx := range read {
		if tx.Hash() != common.Hash(c.Receipts[i].Hash) {
			t.Errorf("transaction %d: the hash computed from its fields is %s, not %s", i, tx.Hash(), c.Receipts[i].Hash)
		}
	}
	if root := types.DeriveSha(read, trie.NewStackTrie(nil)); root != newBlock(t, f.Net, c).Header.TransactionsRoot {
		t.Error("another root")
	}
}

// The empty roots stand for an empty block and for no other.
func TestEmptyRoots(t *testing.T) {
	f, genesis := newFixture(t)
	for name, c := range map[string]*Content{"genesis": genesis, "empty": f.block(t)} {
		h := newBlock(t, f.Net, c).Header
		if h.TransactionsRoot != types.EmptyTxsHash || h.ReceiptsRoot != types.EmptyReceiptsHash || h.GasUsed != 0 {
			t.Errorf("%s: %+v", name, h)
		}
	}
	full := newBlock(t, f.Net, f.mixed(t)).Header
	if full.TransactionsRoot == types.EmptyTxsHash || full.ReceiptsRoot == types.EmptyReceiptsHash {
		t.Error("an empty root of a block that is not empty")
	}
}

func TestContentOfTwoBlocksIsRefused(t *testing.T) {
	f, _ := newFixture(t)
	c := f.mixed(t)
	for name, spoil := range map[string]func(*Content){
		"a receipt is missing":     func(c *Content) { c.Receipts = c.Receipts[1:] },
		"a transaction is missing": func(c *Content) { c.Raw = c.Raw[1:] },
		"receipts change places":   func(c *Content) { c.Receipts[0], c.Receipts[1] = c.Receipts[1], c.Receipts[0] },
	} {
		bad := *c
		bad.Receipts, bad.Raw = append(bad.Receipts[:0:0], c.Receipts...), append(bad.Raw[:0:0], c.Raw...)
		spoil(&bad)
		if _, err := NewBlock(f.Net, &bad); err == nil {
			t.Errorf("%s: no error", name)
		}
		if _, err := Transactions(f.Net, &bad); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// A block says the same whenever it is asked.
func TestTranslationIsDeterministic(t *testing.T) {
	f, _ := newFixture(t)
	c := f.mixed(t)
	one, two := newBlock(t, f.Net, c), newBlock(t, f.Net, c)
	if !reflect.DeepEqual(one, two) {
		t.Error("two translations differ")
	}
}

// What no ledger would have in a block is shown without failing.
func TestBytesThatAreNoTransaction(t *testing.T) {
	f, _ := newFixture(t)
	c := f.mixed(t)
	for _, raw := range [][]byte{{}, {0x54}, {0xff, 1}, {0x02, 0xc0}, {0x03}} {
		hash := crypto.Keccak256(raw)
		bad := *c
		bad.Raw, bad.Receipts = append(bad.Raw[:0:0], raw), append(bad.Receipts[:0:0], c.Receipts[0])
		if b := newBlock(t, f.Net, &bad); b.Header.TransactionsRoot == types.EmptyTxsHash {
			t.Errorf("%x: the empty root", raw)
		}
		shown := NewTransaction(f.Net, raw, hash, nil)
		if read := through[types.Transaction](t, shown); shown.Hash != common.Hash(hash) || read.Type() != types.LegacyTxType {
			t.Errorf("%x: %+v", raw, shown)
		}
	}
}
