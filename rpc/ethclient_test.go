package rpc

import (
	"context"
	"errors"
	"math/big"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"
	gethrpc "github.com/ethereum/go-ethereum/rpc"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

// ethTx is a payment of the settlement asset from alice to bob, as a wallet signs it.
func (h *harness) ethTx(t testing.TB, envelope ledger.Envelope, nonce, amount uint64) *types.Transaction {
	t.Helper()
	return h.ethTxOf(t, aliceKey, ledgertest.EthereumInner(h.node.net, envelope, ledger.Nonce(nonce), bob, h.node.net.Settlement, ledger.NewAmount(amount)))
}

func (h *harness) ethTxOf(t testing.TB, key *crypto.PrivateKey, inner types.TxData) *types.Transaction {
	t.Helper()
	tx := new(types.Transaction)
	if err := tx.UnmarshalBinary(ledgertest.EthereumRaw(h.node.net, key, inner)); err != nil {
		t.Fatal(err)
	}
	return tx
}

func rawOf(t testing.TB, tx *types.Transaction) string {
	t.Helper()
	raw, err := tx.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return hexOf(raw)
}

// sendEth sends such a payment and waits for it.
func (h *harness) sendEth(t testing.TB, nonce, amount uint64) *types.Transaction {
	t.Helper()
	tx := h.ethTx(t, ledger.EnvelopeDynamicFee, nonce, amount)
	h.result(t, new(types.Receipt), "eth_sendRawTransactionSync", rawOf(t, tx))
	return tx
}

// dial connects go-ethereum's client with a server over HTTP.
func (h *harness) dial(t *testing.T) *ethclient.Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	client, err := ethclient.Dial(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// The whole life of a wallet with go-ethereum's client: look, send value, wait, send
// a token, and look at everything again.
func TestWalletWithGoEthereum(t *testing.T) {
	h := newHarness(t, Options{})
	c, ctx := h.dial(t), context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	chain, err := c.ChainID(ctx)
	must(err)
	network, err := c.NetworkID(ctx)
	must(err)
	if chain.Uint64() != h.node.net.ChainID || network.Cmp(chain) != 0 {
		t.Fatal(chain, network)
	}
	before, err := c.BalanceAt(ctx, common.Address(alice), nil)
	must(err)
	price, err := c.SuggestGasPrice(ctx)
	must(err)
	tip, err := c.SuggestGasTipCap(ctx)
	must(err)
	if before.Int64() != 1_000_000 || price.Sign() != 0 || tip.Sign() != 0 {
		t.Fatal(before, price, tip)
	}
	to := common.Address(bob)
	gas, err := c.EstimateGas(ctx, ethereum.CallMsg{From: common.Address(alice), To: &to, Value: big.NewInt(5)})
	must(err)
	nonce, err := c.PendingNonceAt(ctx, common.Address(alice))
	must(err)
	tx := h.ethTxOf(t, aliceKey, &types.DynamicFeeTx{ChainID: chain, Nonce: nonce, Gas: gas, To: &to, Value: big.NewInt(5), GasTipCap: tip, GasFeeCap: new(big.Int).Add(price, tip)})
	must(c.SendTransaction(ctx, tx))
	receipt, err := c.TransactionReceipt(ctx, tx.Hash())
	must(err)
	if receipt.Status != 1 || receipt.GasUsed != 21_000 || receipt.EffectiveGasPrice.Sign() != 0 || len(receipt.Logs) != 1 || receipt.Logs[0].TxHash != tx.Hash() {
		t.Errorf("%+v", receipt)
	}
	h.checkBlock(t, c, receipt)
	after, err := c.BalanceAt(ctx, common.Address(alice), nil)
	must(err)
	past, err := c.BalanceAt(ctx, common.Address(alice), big.NewInt(0))
	must(err)
	byHash, err := c.BalanceAtHash(ctx, common.Address(alice), receipt.BlockHash)
	must(err)
	if after.Int64() != 999_995 || past.Cmp(before) != 0 || byHash.Cmp(after) != 0 {
		t.Error(after, past, byHash)
	}
	h.sendToken(t, c)
}

// checkBlock looks at a block in every way.
func (h *harness) checkBlock(t *testing.T, c *ethclient.Client, receipt *types.Receipt) {
	t.Helper()
	ctx := context.Background()
	block, err := c.BlockByNumber(ctx, receipt.BlockNumber)
	if err != nil {
		t.Fatal(err)
	}
	again, err := c.BlockByHash(ctx, receipt.BlockHash)
	if err != nil || again.Hash() != block.Hash() {
		t.Fatal(err)
	}
	count, err := c.TransactionCount(ctx, receipt.BlockHash)
	if err != nil || int(count) != len(block.Transactions()) {
		t.Error(count, err)
	}
	tx, pending, err := c.TransactionByHash(ctx, receipt.TxHash)
	if err != nil || pending || tx.Hash() != receipt.TxHash {
		t.Error(pending, err)
	}
	inBlock, err := c.TransactionInBlock(ctx, receipt.BlockHash, receipt.TransactionIndex)
	if err != nil || inBlock.Hash() != tx.Hash() {
		t.Error(err)
	}
	if sender, err := c.TransactionSender(ctx, tx, receipt.BlockHash, receipt.TransactionIndex); err != nil || sender != common.Address(alice) {
		t.Error(sender, err)
	}
	receipts, err := c.BlockReceipts(ctx, gethrpc.BlockNumberOrHashWithHash(receipt.BlockHash, true))
	if err != nil || len(receipts) != int(count) || receipts[receipt.TransactionIndex].TxHash != receipt.TxHash {
		t.Error(receipts, err)
	}
	genesis, err := c.HeaderByNumber(ctx, big.NewInt(0))
	if err != nil || genesis.TxHash != types.EmptyTxsHash || genesis.ParentHash != (common.Hash{}) {
		t.Errorf("%+v %v", genesis, err)
	}
	if receipt.BlockNumber.Uint64() == 1 && block.ParentHash() != common.Hash(h.node.done[0].Hash) {
		t.Errorf("the parent of block 1 is %s", block.ParentHash())
	}
	if _, err := c.BlockByNumber(ctx, big.NewInt(1<<40)); !errors.Is(err, ethereum.NotFound) {
		t.Error(err)
	}
	if _, err := c.TransactionReceipt(ctx, common.Hash{1}); !errors.Is(err, ethereum.NotFound) {
		t.Error(err)
	}
	if _, _, err := c.TransactionByHash(ctx, common.Hash{1}); !errors.Is(err, ethereum.NotFound) {
		t.Error(err)
	}
}

// erc20 is the ABI of a token.
var erc20 = func() abi.ABI {
	a, err := abi.JSON(strings.NewReader(`[
		{"type":"function","name":"balanceOf","inputs":[{"type":"address"}],"outputs":[{"type":"uint256"}]},
		{"type":"function","name":"decimals","outputs":[{"type":"uint8"}]},{"type":"function","name":"symbol","outputs":[{"type":"string"}]},
		{"type":"function","name":"name","outputs":[{"type":"string"}]},{"type":"function","name":"totalSupply","outputs":[{"type":"uint256"}]},
		{"type":"function","name":"allowance","inputs":[{"type":"address"},{"type":"address"}],"outputs":[{"type":"uint256"}]},
		{"type":"function","name":"approve","inputs":[{"type":"address"},{"type":"uint256"}],"outputs":[{"type":"bool"}]},
		{"type":"function","name":"transferFrom","inputs":[{"type":"address"},{"type":"address"},{"type":"uint256"}],"outputs":[{"type":"bool"}]},
		{"type":"function","name":"transfer","inputs":[{"type":"address"},{"type":"uint256"}],"outputs":[{"type":"bool"}]}]`))
	if err != nil {
		panic(err)
	}
	return a
}()

func packed(t testing.TB, name string, args ...any) []byte {
	t.Helper()
	data, err := erc20.Pack(name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// sendToken moves EUR from bob to alice, and adds up the logs.
func (h *harness) sendToken(t *testing.T, c *ethclient.Client) {
	t.Helper()
	ctx, euro := context.Background(), common.Address(h.euro())
	code, err := c.CodeAt(ctx, euro, nil)
	if err != nil || len(code) == 0 {
		t.Fatal(code, err)
	}
	if code, err := c.CodeAt(ctx, common.Address(alice), nil); err != nil || len(code) != 0 {
		t.Fatal(code, err)
	}
	data := packed(t, "transfer", common.Address(alice), big.NewInt(700))
	call := ethereum.CallMsg{From: common.Address(bob), To: &euro, Data: data}
	gas, err := c.EstimateGas(ctx, call)
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := c.CallContract(ctx, call, nil); err != nil || new(big.Int).SetBytes(answer).Int64() != 1 {
		t.Fatal(answer, err)
	}
	tx := h.ethTxOf(t, bobKey, &types.LegacyTx{Nonce: 0, Gas: gas, To: &euro, Data: data, GasPrice: new(big.Int), Value: new(big.Int)})
	if err := c.SendTransaction(ctx, tx); err != nil {
		t.Fatal(err)
	}
	if held, err := c.CallContract(ctx, ethereum.CallMsg{To: &euro, Data: packed(t, "balanceOf", common.Address(alice))}, nil); err != nil || new(big.Int).SetBytes(held).Int64() != 700 {
		t.Error(held, err)
	}
	logs, err := c.FilterLogs(ctx, ethereum.FilterQuery{FromBlock: big.NewInt(0), Addresses: []common.Address{euro}})
	if err != nil || len(logs) != 2 {
		t.Fatal(logs, err)
	}
	sums := map[common.Hash]int64{}
	for _, l := range logs {
		amount := new(big.Int).SetBytes(l.Data).Int64()
		sums[l.Topics[1]] -= amount
		sums[l.Topics[2]] += amount
	}
	if sums[common.BytesToHash(bob[:])] != 49_300 || sums[common.BytesToHash(alice[:])] != 700 || sums[common.Hash{}] != -50_000 {
		t.Error(sums)
	}
}

// Native transactions stand in blocks that go-ethereum's client reads.
func TestNativeTransactionsWithGoEthereum(t *testing.T) {
	h := newHarness(t, Options{})
	c, ctx := h.dial(t), context.Background()
	native, raw := h.rawTx(t, 0, 250)
	h.result(t, new(crypto.Hash), "eth_sendRawTransaction", raw)
	receipt, err := c.TransactionReceipt(ctx, common.Hash(native.Hash))
	if err != nil || receipt.Status != 1 || receipt.TxHash != common.Hash(native.Hash) {
		t.Fatal(receipt, err)
	}
	tx, pending, err := c.TransactionByHash(ctx, common.Hash(native.Hash))
	if err != nil || pending || tx.Value().Int64() != 250 || *tx.To() != common.Address(bob) {
		t.Fatal(tx, err)
	}
	if sender, err := c.TransactionSender(ctx, tx, receipt.BlockHash, 0); err != nil || sender != common.Address(alice) {
		t.Error(sender, err)
	}
	block, err := c.BlockByNumber(ctx, nil)
	if err != nil || len(block.Transactions()) != 1 {
		t.Fatal(block, err)
	}
	if sender, err := c.TransactionSender(ctx, block.Transactions()[0], receipt.BlockHash, 0); err != nil || sender != common.Address(alice) {
		t.Error(sender, err)
	}
}

// A refused transaction has status 0, no logs, and its reason in the native receipt.
func TestRefusedTransactionWithGoEthereum(t *testing.T) {
	h := newHarness(t, Options{})
	c, ctx := h.dial(t), context.Background()
	h.node.hold = true
	first, second := h.ethTx(t, ledger.EnvelopeLegacy, 0, 700_000), h.ethTx(t, ledger.EnvelopeDynamicFee, 1, 700_000)
	for _, tx := range []*types.Transaction{first, second} {
		if err := c.SendTransaction(ctx, tx); err != nil {
			t.Fatal(err)
		}
	}
	if tx, pending, err := c.TransactionByHash(ctx, second.Hash()); err != nil || !pending || tx.Hash() != second.Hash() {
		t.Fatal(pending, err)
	}
	if n, err := c.PendingNonceAt(ctx, common.Address(alice)); err != nil || n != 2 {
		t.Error(n, err)
	}
	if n, err := c.NonceAt(ctx, common.Address(alice), nil); err != nil || n != 0 {
		t.Error(n, err)
	}
	h.node.commit(t)
	receipt, err := c.TransactionReceipt(ctx, second.Hash())
	if err != nil || receipt.Status != 0 || len(receipt.Logs) != 0 || receipt.CumulativeGasUsed != 42_000 || receipt.Type != types.DynamicFeeTxType {
		t.Errorf("%+v %v", receipt, err)
	}
	if n, err := c.NonceAt(ctx, common.Address(alice), nil); err != nil || n != 2 {
		t.Error(n, err)
	}
}

// What is left out of the interface is refused with method-not-found, so that viem
// and others take another way.
func TestMethodsThatAreNotThere(t *testing.T) {
	h := newHarness(t, Options{})
	for _, method := range []string{
		"eth_fillTransaction", "eth_sign", "eth_signTransaction", "eth_signTypedData_v4", "eth_sendTransaction", "personal_listAccounts",
		"personal_sign", "debug_traceTransaction", "txpool_content", "admin_peers", "eth_getProof", "eth_protocolVersion", "eth_coinbase",
		"eth_createAccessList", "eth_simulateV1", "eth_blobBaseFee", "eth_mining",
	} {
		h.refused(t, codeMethodNotFound, "methodNotFound", method)
	}
}

// A hundred calls in a batch are answered.
func TestBatchOfAHundred(t *testing.T) {
	h := newHarness(t, Options{})
	c := h.dial(t)
	batch := make([]gethrpc.BatchElem, 100)
	for i := range batch {
		batch[i] = gethrpc.BatchElem{Method: "eth_getBalance", Args: []any{alice, "latest"}, Result: new(string)}
	}
	if err := c.Client().BatchCall(batch); err != nil {
		t.Fatal(err)
	}
	for _, one := range batch {
		if one.Error != nil || *one.Result.(*string) != "0xf4240" {
			t.Fatal(one.Error, *one.Result.(*string))
		}
	}
}
