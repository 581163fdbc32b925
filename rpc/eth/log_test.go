package eth

import (
	"bytes"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/tallystick/tallystick/ledger"
)

// Logs stand in the order of the block, under the transaction that made them, and
// receipts have the same ones.
func TestLogsHaveTheirPlaces(t *testing.T) {
	f, _ := newFixture(t)
	c := f.mixed(t)
	logs, b := NewLogs(c), newBlock(t, f.Net, c)
	wantIn := []int{0, 1, 2, 3, 5} // transaction 4 was refused
	if len(logs) != len(wantIn) {
		t.Fatalf("%d logs", len(logs))
	}
	next := 0
	for i, r := range c.Receipts {
		shown, _ := b.Receipt(r)
		for _, l := range shown.Logs {
			want := logs[next]
			if l.LogIndex != want.LogIndex || int(l.LogIndex) != next || int(l.TransactionIndex) != i || l.TransactionHash != common.Hash(r.Hash) ||
				!bytes.Equal(l.Data, want.Data) || l.Removed {
				t.Errorf("%+v, want %+v", l, want)
			}
			next++
		}
		refused := ledger.Code(r.Code) != ledger.Applied
		if (shown.Status == 0) != refused || refused && len(shown.Logs) != 0 || shown.Logs == nil {
			t.Errorf("receipt %d: %+v", i, shown)
		}
		if read := through[types.Receipt](t, shown); read.TxHash != common.Hash(r.Hash) || read.TransactionIndex != uint(i) || len(read.Logs) != len(shown.Logs) {
			t.Errorf("receipt %d is read as %+v", i, read)
		}
	}
	if next != len(logs) {
		t.Errorf("the receipts have %d logs", next)
	}
}

// Issue comes from the zero address, and the amount is in the asset's own unit.
func TestIssueComesFromNowhere(t *testing.T) {
	f, _ := newFixture(t)
	logs := NewLogs(f.mixed(t))
	last := logs[len(logs)-1]
	if last.Address != common.Address(f.Asset("GOLD")) || last.Topics[0] != TransferTopic || last.Topics[1] != (common.Hash{}) ||
		last.Topics[2] != common.BytesToHash(carol[:]) || common.BytesToHash(last.Data) != common.BytesToHash([]byte{3}) {
		t.Errorf("%+v", last)
	}
}

// What the network began with are logs of block 0, under its hash.
func TestGenesisBalancesAreLogs(t *testing.T) {
	f, genesis := newFixture(t)
	logs := NewLogs(genesis)
	if len(logs) != 6 { // three people, two assets
		t.Fatalf("%d logs", len(logs))
	}
	for i, l := range logs {
		if l.BlockNumber != 0 || l.BlockHash != common.Hash(genesis.Hash) || l.TransactionHash != l.BlockHash || int(l.LogIndex) != i || l.Topics[1] != (common.Hash{}) {
			t.Errorf("%+v", l)
		}
	}
	h := newBlock(t, f.Net, genesis).Header
	if !types.BloomLookup(h.LogsBloom, common.Address(f.Asset("GOLD"))) || types.BloomLookup(h.LogsBloom, common.Address{1}) {
		t.Error("the filter does not find what is there, or finds what is not")
	}
}

// A receipt of another block has no place here.
func TestReceiptOutOfPlace(t *testing.T) {
	f, _ := newFixture(t)
	c := f.mixed(t)
	b := newBlock(t, f.Net, c)
	r := *c.Receipts[0]
	r.Index = 6
	if _, ok := b.Receipt(&r); ok {
		t.Error("a receipt in a place that there is not")
	}
}

func TestTransferTopic(t *testing.T) {
	if TransferTopic != common.HexToHash("0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef") {
		t.Error(TransferTopic)
	}
}
