package network

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/accounts/abi/bind"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	gethcrypto "github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
	"github.com/tallystick/tallystick/rpc/wire"
)

// gethWallet is go-ethereum's own client, with a key, against two real validators.
type gethWallet struct {
	t       *testing.T
	n       *Network
	ctx     context.Context
	http    *ethclient.Client
	socket  *ethclient.Client // of the other validator
	key     *ecdsa.PrivateKey
	address common.Address
	euro    common.Address
}

// The whole life of a wallet that is made with go-ethereum's ethclient, which has
// no special case for this ledger.
func TestEthclient(t *testing.T) {
	t.Parallel()
	n := New(t, 2, Options{People: []string{"alice"}})
	n.StartAll()
	w := newGethWallet(t, n)
	t.Run("network", w.network)
	t.Run("coin", w.coin)
	t.Run("token", w.token)
	t.Run("subscriptions", w.subscriptions)
	t.Run("refusals", w.refusals)
	t.Run("native transactions", w.native)
	t.Run("every block", w.everyBlock)
}

func newGethWallet(t *testing.T, n *Network) *gethWallet {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	secret, err := gethcrypto.ToECDSA(ledgertest.Key("alice").Bytes())
	if err != nil {
		t.Fatal(err)
	}
	w := &gethWallet{t: t, n: n, ctx: ctx, key: secret, address: common.Address(ledgertest.Address("alice"))}
	for i, address := range []string{"http://" + n.validators[0].rpc, "ws://" + n.validators[1].rpc} {
		c, err := ethclient.DialContext(ctx, address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		if i == 0 {
			w.http = c
		} else {
			w.socket = c
		}
	}
	var asset wire.Asset
	if err := n.RPC(0).Read(ctx, &asset, Ask("ledger_getAsset", Second)); err != nil {
		t.Fatal(err)
	}
	w.euro = common.Address(asset.Asset)
	return w
}

func (w *gethWallet) network(t *testing.T) {
	id, err := w.http.ChainID(w.ctx)
	if err != nil || id.Uint64() != w.n.Ledger.ChainID {
		t.Errorf("the chain ID is %v: %v", id, err)
	}
	if id, err = w.http.NetworkID(w.ctx); err != nil || id.Uint64() != w.n.Ledger.ChainID {
		t.Errorf("the network ID is %v: %v", id, err)
	}
	if progress, err := w.http.SyncProgress(w.ctx); err != nil || progress != nil {
		t.Errorf("syncing %v: %v", progress, err)
	}
	if peers, err := w.http.PeerCount(w.ctx); err != nil || peers != 1 {
		t.Errorf("%d peers: %v", peers, err)
	}
	if price, err := w.http.SuggestGasPrice(w.ctx); err != nil || price.Sign() != 0 {
		t.Errorf("the gas price is %v: %v", price, err)
	}
	if tip, err := w.http.SuggestGasTipCap(w.ctx); err != nil || tip.Sign() != 0 {
		t.Errorf("the tip is %v: %v", tip, err)
	}
	history, err := w.http.FeeHistory(w.ctx, 2, nil, []float64{50})
	if err != nil || len(history.BaseFee) != len(history.GasUsedRatio)+1 {
		t.Errorf("the fee history is %+v: %v", history, err)
	}
}

// send signs a transaction of either type and waits for its receipt.
func (w *gethWallet) send(t *testing.T, to common.Address, value *big.Int, data []byte, dynamic bool) (*types.Transaction, *types.Receipt) {
	t.Helper()
	nonce, err := w.http.PendingNonceAt(w.ctx, w.address)
	if err != nil {
		t.Fatal(err)
	}
	gas, err := w.http.EstimateGas(w.ctx, ethereum.CallMsg{From: w.address, To: &to, Value: value, Data: data})
	if err != nil {
		t.Fatal(err)
	}
	id := new(big.Int).SetUint64(w.n.Ledger.ChainID)
	var payload types.TxData = &types.LegacyTx{Nonce: nonce, To: &to, Value: value, Gas: gas, GasPrice: new(big.Int), Data: data}
	if dynamic {
		payload = &types.DynamicFeeTx{ChainID: id, Nonce: nonce, To: &to, Value: value, Gas: gas, GasFeeCap: new(big.Int), GasTipCap: new(big.Int), Data: data}
	}
	tx, err := types.SignNewTx(w.key, types.LatestSignerForChainID(id), payload)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.http.SendTransaction(w.ctx, tx); err != nil {
		t.Fatal(err)
	}
	receipt, err := bind.WaitMined(w.ctx, w.http, tx)
	if err != nil {
		t.Fatal(err)
	}
	if receipt.Status != types.ReceiptStatusSuccessful || receipt.TxHash != tx.Hash() || receipt.EffectiveGasPrice.Sign() != 0 {
		t.Fatalf("the receipt is %+v", receipt)
	}
	return tx, receipt
}

func (w *gethWallet) coin(t *testing.T) {
	for _, dynamic := range []bool{false, true} {
		to := common.Address(ledgertest.Address("someone " + map[bool]string{false: "legacy", true: "dynamic"}[dynamic]))
		before, err := w.http.BalanceAt(w.ctx, w.address, nil)
		if err != nil {
			t.Fatal(err)
		}
		tx, receipt := w.send(t, to, big.NewInt(1500), nil, dynamic)
		after, err := w.http.BalanceAt(w.ctx, w.address, nil)
		if err != nil || new(big.Int).Sub(before, after).Int64() != 1500 {
			t.Errorf("the balance went from %v to %v: %v", before, after, err)
		}
		past := new(big.Int).Sub(receipt.BlockNumber, big.NewInt(1))
		if b, err := w.http.BalanceAt(w.ctx, to, past); err != nil || b.Sign() != 0 {
			t.Errorf("before it, the recipient had %v: %v", b, err)
		}
		found, pending, err := w.http.TransactionByHash(w.ctx, tx.Hash())
		if err != nil || pending || found.Hash() != tx.Hash() {
			t.Errorf("found %v, pending %v: %v", found, pending, err)
		}
		sender, err := w.http.TransactionSender(w.ctx, found, receipt.BlockHash, receipt.TransactionIndex)
		if err != nil || sender != w.address {
			t.Errorf("the sender is %v: %v", sender, err)
		}
		if nonce, err := w.http.NonceAt(w.ctx, w.address, nil); err != nil || nonce != tx.Nonce()+1 {
			t.Errorf("the nonce is %d: %v", nonce, err)
		}
	}
}

// transferData is the call of an ERC-20's transfer.
func transferData(to common.Address, amount int64) []byte {
	return append(append(gethcrypto.Keccak256([]byte("transfer(address,uint256)"))[:4],
		common.LeftPadBytes(to[:], 32)...), common.LeftPadBytes(big.NewInt(amount).Bytes(), 32)...)
}

var transferTopic = gethcrypto.Keccak256Hash([]byte("Transfer(address,address,uint256)"))

func (w *gethWallet) token(t *testing.T) {
	to := common.Address(ledgertest.Address("a token's holder"))
	code, err := w.http.CodeAt(w.ctx, w.euro, nil)
	if err != nil || len(code) == 0 {
		t.Errorf("the asset's code is %x: %v", code, err)
	}
	tx, receipt := w.send(t, w.euro, new(big.Int), transferData(to, 25), true)
	call := append(gethcrypto.Keccak256([]byte("balanceOf(address)"))[:4], common.LeftPadBytes(to[:], 32)...)
	for height, want := range map[*big.Int]int64{nil: 25, new(big.Int).Sub(receipt.BlockNumber, big.NewInt(1)): 0} {
		out, err := w.http.CallContract(w.ctx, ethereum.CallMsg{To: &w.euro, Data: call}, height)
		if err != nil || new(big.Int).SetBytes(out).Int64() != want {
			t.Errorf("at %v the balance is %x: %v", height, out, err)
		}
	}
	query := ethereum.FilterQuery{
		FromBlock: new(big.Int), Addresses: []common.Address{w.euro},
		Topics: [][]common.Hash{{transferTopic}, nil, {common.BytesToHash(to[:])}},
	}
	logs, err := w.http.FilterLogs(w.ctx, query)
	if err != nil || len(logs) != 1 || logs[0].TxHash != tx.Hash() || new(big.Int).SetBytes(logs[0].Data).Int64() != 25 {
		t.Errorf("the logs are %+v: %v", logs, err)
	}
	query.FromBlock, query.BlockHash = nil, &receipt.BlockHash
	if again, err := w.http.FilterLogs(w.ctx, query); err != nil || len(again) != 1 || again[0].Index != logs[0].Index {
		t.Errorf("by the block's hash the logs are %+v: %v", again, err)
	}
	if !types.BloomLookup(receipt.Bloom, w.euro) || len(receipt.Logs) != 1 {
		t.Errorf("the receipt has the logs %+v and the bloom %x", receipt.Logs, receipt.Bloom)
	}
}

func (w *gethWallet) subscriptions(t *testing.T) {
	heads, logs := make(chan *types.Header, 1024), make(chan types.Log, 1024)
	h, err := w.socket.SubscribeNewHead(w.ctx, heads)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Unsubscribe()
	to := common.Address(ledgertest.Address("a subscriber's friend"))
	l, err := w.socket.SubscribeFilterLogs(w.ctx, ethereum.FilterQuery{
		Addresses: []common.Address{w.euro}, Topics: [][]common.Hash{{transferTopic}, nil, {common.BytesToHash(to[:])}},
	}, logs)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Unsubscribe()
	tx, receipt := w.send(t, w.euro, new(big.Int), transferData(to, 7), false)
	select {
	case log := <-logs:
		if log.TxHash != tx.Hash() || log.BlockNumber != receipt.BlockNumber.Uint64() || log.Removed {
			t.Errorf("the log is %+v", log)
		}
	case <-time.After(time.Minute):
		t.Fatal("no log has come in a minute")
	}
	for {
		select {
		case head := <-heads:
			if head.Number.Cmp(receipt.BlockNumber) >= 0 {
				return
			}
		case <-time.After(time.Minute):
			t.Fatal("the block's head has not come in a minute")
		}
	}
}

func (w *gethWallet) refusals(t *testing.T) {
	to := common.Address(ledgertest.Address("nobody in particular"))
	if _, err := w.http.EstimateGas(w.ctx, ethereum.CallMsg{From: w.address, To: &to, Value: big.NewInt(2 * funds)}); err == nil || !strings.Contains(err.Error(), "insufficient funds") {
		t.Errorf("too much: %v", err)
	}
	approve := append(gethcrypto.Keccak256([]byte("approve(address,uint256)"))[:4], transferData(to, 1)[4:]...)
	_, err := w.http.CallContract(w.ctx, ethereum.CallMsg{From: w.address, To: &w.euro, Data: approve}, nil)
	var data rpc.DataError
	if !errors.As(err, &data) || !strings.HasPrefix(err.Error(), "execution reverted") || !strings.HasPrefix(data.ErrorData().(string), "0x08c379a0") {
		t.Errorf("approve: %v", err)
	}
	if _, _, err := w.http.TransactionByHash(w.ctx, common.Hash{1}); !errors.Is(err, ethereum.NotFound) {
		t.Errorf("an unknown transaction: %v", err)
	}
	if _, err := w.http.TransactionReceipt(w.ctx, common.Hash{1}); !errors.Is(err, ethereum.NotFound) {
		t.Errorf("an unknown receipt: %v", err)
	}
	if _, err := w.http.BlockByHash(w.ctx, common.Hash{1}); !errors.Is(err, ethereum.NotFound) {
		t.Errorf("an unknown block: %v", err)
	}
}

// native puts a natively signed transaction into the chain, which strict clients
// must be able to read.
func (w *gethWallet) native(t *testing.T) {
	bob := ledgertest.Address(person(1))
	body := &ledger.Body{Sender: bob, Nonce: 0, Op: &ledger.Transfer{Legs: []ledger.Leg{{
		From: bob, To: ledgertest.Address("alice"), Asset: crypto.Address(w.euro), Amount: ledger.NewAmount(3),
	}}}}
	signature := ledger.Signature{Scheme: ledger.SchemeBodyHash, Signature: ledgertest.Key(person(1)).Sign(w.n.Ledger.BodyHash(body))}
	raw := ledger.EncodeNative(w.n.Ledger, body, []ledger.Signature{signature})
	var native wire.Receipt
	if err := w.n.RPC(0).Read(w.ctx, &native, Ask("ledger_sendRawTransactionSync", wire.Bytes(raw), 20_000)); err != nil {
		t.Fatal(err)
	}
	receipt, err := w.http.TransactionReceipt(w.ctx, common.Hash(native.Hash))
	if err != nil || receipt.Status != 1 || len(receipt.Logs) != 1 || receipt.BlockHash != common.Hash(native.BlockHash) {
		t.Fatalf("the receipt is %+v: %v", receipt, err)
	}
	tx, pending, err := w.http.TransactionByHash(w.ctx, common.Hash(native.Hash))
	if err != nil || pending {
		t.Fatalf("the transaction is %v, pending %v: %v", tx, pending, err)
	}
	sender, err := w.http.TransactionSender(w.ctx, tx, receipt.BlockHash, receipt.TransactionIndex)
	if err != nil || sender != common.Address(bob) {
		t.Errorf("the sender is %v: %v", sender, err)
	}
}

// everyBlock reads the whole chain as go-ethereum reads a block: with all its
// transactions and its header, whose roots it checks where they are empty.
func (w *gethWallet) everyBlock(t *testing.T) {
	top, err := w.http.BlockNumber(w.ctx)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for height := uint64(0); height <= top; height++ {
		number := new(big.Int).SetUint64(height)
		block, err := w.http.BlockByNumber(w.ctx, number)
		if err != nil {
			t.Fatalf("block %d: %v", height, err)
		}
		receipts, err := w.http.BlockReceipts(w.ctx, rpc.BlockNumberOrHashWithNumber(rpc.BlockNumber(height)))
		if err != nil || len(receipts) != len(block.Transactions()) {
			t.Fatalf("block %d has %d transactions and %d receipts: %v", height, len(block.Transactions()), len(receipts), err)
		}
		if height > 0 {
			bloom := types.MergeBloom(receipts)
			if block.Bloom() != bloom {
				t.Errorf("block %d: its bloom is not that of its receipts", height)
			}
		}
		seen += len(receipts)
	}
	if seen < 5 {
		t.Errorf("the chain has %d transactions", seen)
	}
}
