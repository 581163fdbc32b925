package rpc

import (
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
	"github.com/tallystick/tallystick/rpc/wire"
)

// newScaled is a harness whose settlement asset has 6 decimals.
func newScaled(t testing.TB) *harness {
	t.Helper()
	g := memoryGenesis()
	g.Assets[0].Decimals = 6
	return newHarnessOf(t, Options{}, newMemoryOf(t, g))
}

// Every refusal has go-ethereum's words and code, and the ledger's name and number.
func TestEthSendRefusals(t *testing.T) {
	h := newScaled(t)
	to, euro := common.Address(bob), common.Address(h.euro())
	chain := new(big.Int).SetUint64(h.node.net.ChainID)
	unit := big.NewInt(1_000_000_000_000) // of the settlement asset, in wei
	value := func(nonce uint64, wei *big.Int) *types.LegacyTx {
		return &types.LegacyTx{Nonce: nonce, Gas: 21000, To: &to, Value: wei, GasPrice: new(big.Int)}
	}
	signed := func(key *crypto.PrivateKey, inner types.TxData) string {
		return hexOf(ledgertest.EthereumRaw(h.node.net, key, inner))
	}
	elsewhere := *h.node.net
	elsewhere.ChainID = 778
	stranger := mustKey(strings.Repeat("42", 32))
	spent := h.ethTxOf(t, aliceKey, value(0, unit))
	h.result(t, new(crypto.Hash), "eth_sendRawTransaction", rawOf(t, spent))
	call := func(data []byte, at *common.Address) *types.LegacyTx {
		return &types.LegacyTx{Nonce: 1, Gas: 90000, To: at, Value: new(big.Int), GasPrice: new(big.Int), Data: data}
	}
	poorToken := call(packed(t, "transfer", common.Address(alice), big.NewInt(1_000_000)), &euro)
	poorToken.Nonce = 0
	for _, c := range []struct {
		name, raw, words string
		code             ledger.Code
	}{
		{"spent nonce", signed(aliceKey, value(0, new(big.Int).Mul(unit, big.NewInt(2)))), "nonce too low: next nonce 1, tx nonce 0", ledger.CodeNonceSpent},
		{"the same bytes, committed", rawOf(t, spent), "nonce too low: next nonce 1, tx nonce 0", ledger.CodeNonceSpent},
		{"far nonce", signed(aliceKey, value(5000, unit)), "nonce too high: next nonce 1, tx nonce 5000", ledger.CodeNonceTooHigh},
		{"more than there is", signed(aliceKey, value(1, new(big.Int).Mul(unit, big.NewInt(2_000_000)))), "insufficient funds for gas * price + value", ledger.CodeInsufficientBalance},
		{"more than anybody has", signed(aliceKey, value(1, new(big.Int).Exp(big.NewInt(10), big.NewInt(60), nil))), "insufficient funds for gas * price + value", ledger.CodeAmountOutOfRange},
		{"no account", signed(stranger, value(0, unit)), "insufficient funds for gas * price + value", ledger.CodeUnknownSender},
		{"more token than there is", signed(bobKey, poorToken), ledger.CodeInsufficientBalance.Info().Meaning, ledger.CodeInsufficientBalance},
		{"another chain", hexOf(ledgertest.EthereumRaw(&elsewhere, aliceKey, value(1, unit))), "invalid chain id for signer: have 778 want 777777", ledger.CodeWrongNetwork},
		{"unprotected", hexOf(ledgertest.UnprotectedRaw(aliceKey, value(1, unit))), "only replay-protected (EIP-155) transactions allowed over RPC", ledger.CodeWrongNetwork},
		{"type 1", signed(aliceKey, &types.AccessListTx{ChainID: chain, Nonce: 1, To: &to, Value: unit}), "transaction type not supported", ledger.CodeUnsupportedType},
		{"an access list", signed(aliceKey, &types.DynamicFeeTx{ChainID: chain, Nonce: 1, To: &to, Value: unit, AccessList: types.AccessList{{}}}), "transaction type not supported", ledger.CodeUnsupportedType},
		{"type 3", "0x03c0", "transaction type not supported", ledger.CodeUnsupportedType},
		{"type 4", "0x04c0", "transaction type not supported", ledger.CodeUnsupportedType},
		{"a contract", signed(aliceKey, call([]byte{1}, nil)), ledger.CodeUnsupportedCall.Info().Meaning, ledger.CodeUnsupportedCall},
		{"a call", signed(aliceKey, call([]byte{1, 2, 3, 4}, &to)), ledger.CodeUnsupportedCall.Info().Meaning, ledger.CodeUnsupportedCall},
		{"approve", signed(aliceKey, call(packed(t, "approve", to, big.NewInt(1)), &euro)), ledger.CodeUnsupportedCall.Info().Meaning, ledger.CodeUnsupportedCall},
		{"to be rounded", signed(aliceKey, value(1, new(big.Int).Add(unit, common.Big1))), ledger.CodeInexactValue.Info().Meaning, ledger.CodeInexactValue},
		{"nothing", signed(aliceKey, value(1, new(big.Int))), ledger.CodeZeroAmount.Info().Meaning, ledger.CodeZeroAmount},
		{"noise", "0xff", ledger.CodeMalformed.Info().Meaning, ledger.CodeMalformed},
		{"no bytes", "0x", ledger.CodeMalformed.Info().Meaning, ledger.CodeMalformed},
		{"too long", "0x" + strings.Repeat("54", ledger.MaxTxBytes+1), "oversized data", ledger.CodeTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, method := range []string{"eth_sendRawTransaction", "eth_sendRawTransactionSync"} {
				if c.name == "the same bytes, committed" && strings.HasSuffix(method, "Sync") {
					continue // it is waited for
				}
				e := h.refused(t, wire.CodeInvalidInput, c.code.String(), method, c.raw)
				if !strings.Contains(e.Message, c.words) || e.Data.Code != uint32(c.code) || e.Data.Hash == nil {
					t.Errorf("%s: %s %s", method, e.Message, e.RawData)
				}
			}
		})
	}
}

// The same bytes while they wait, and others with their nonce.
func TestEthSendPending(t *testing.T) {
	h := newHarness(t, Options{})
	h.node.hold = true
	tx := h.ethTx(t, ledger.EnvelopeLegacy, 0, 5)
	var hash crypto.Hash
	h.result(t, &hash, "eth_sendRawTransaction", rawOf(t, tx))
	if common.Hash(hash) != tx.Hash() {
		t.Fatal(hash)
	}
	e := h.refused(t, wire.CodeInvalidInput, "alreadyKnown", "eth_sendRawTransaction", rawOf(t, tx))
	if e.Message != "already known" || *e.Data.Hash != hash {
		t.Errorf("%+v", e)
	}
	e = h.refused(t, wire.CodeInvalidInput, "duplicateNonce", "eth_sendRawTransaction", rawOf(t, h.ethTx(t, ledger.EnvelopeLegacy, 0, 6)))
	if !strings.HasPrefix(e.Message, "replacement transaction underpriced") || *e.Data.Hash != hash {
		t.Errorf("%+v", e)
	}
}

// A receipt that is about to come is waited for a little, singly and in a batch:
// on an idle network a library that misses it looks again only at the next block.
func TestEthReceiptThatIsAboutToCome(t *testing.T) {
	h := newHarness(t, Options{})
	h.node.hold = true
	for nonce, batch := range []bool{false, true} {
		tx := h.ethTx(t, ledger.EnvelopeDynamicFee, uint64(nonce), 5)
		var hash crypto.Hash
		h.result(t, &hash, "eth_sendRawTransaction", rawOf(t, tx))
		body := request("eth_getTransactionReceipt", hash)
		if batch {
			body = "[" + body + "," + body + "]"
		}
		if w := h.post(body); strings.Contains(w.Body.String(), `"status"`) || !strings.Contains(w.Body.String(), `"result":null`) {
			t.Errorf("it is pending, and there is no block: %s", w.Body)
		}
		h.receiptPatience = 3 * time.Second // in which the machine comes to commit
		asked := make(chan string)
		go func() { asked <- h.post(body).Body.String() }()
		select {
		case answer := <-asked:
			t.Fatalf("it did not wait: %s", answer)
		case <-time.After(20 * time.Millisecond):
		}
		h.node.commit(t)
		if answer := <-asked; !strings.Contains(answer, `"status":"0x1"`) || strings.Contains(answer, `"result":null`) {
			t.Errorf("the receipt has come: %s", answer)
		}
		h.receiptPatience = receiptPatience
	}
	if w := h.post(request("eth_getTransactionReceipt", crypto.Hash{1})); !strings.Contains(w.Body.String(), `"result":null`) {
		t.Errorf("an unknown transaction: %s", w.Body)
	}
}

// EIP-7966: the receipt, or code 4 with the hash. Sent again, it is waited for.
func TestEthSendSync(t *testing.T) {
	h := newHarness(t, Options{})
	h.node.hold = true
	tx := h.ethTx(t, ledger.EnvelopeDynamicFee, 0, 5)
	for _, timeout := range []any{1, "0x1", "1"} {
		e := h.refused(t, codeSyncTimeout, "transactionTimeout", "eth_sendRawTransactionSync", rawOf(t, tx), timeout)
		if string(e.RawData) != fmt.Sprintf("%q", tx.Hash().Hex()) {
			t.Errorf("%s", e.RawData)
		}
	}
	h.node.commit(t)
	for range 2 {
		var receipt types.Receipt
		h.result(t, &receipt, "eth_sendRawTransactionSync", rawOf(t, tx), 0)
		if receipt.TxHash != tx.Hash() || receipt.Status != 1 {
			t.Errorf("%+v", receipt)
		}
	}
}

// The node's own trouble has the code that a retry cures.
func TestEthTroubleOfTheNode(t *testing.T) {
	h := newHarness(t, Options{})
	raw := rawOf(t, h.ethTx(t, ledger.EnvelopeLegacy, 0, 5))
	for name, err := range map[string]error{"poolFull": ErrPoolFull, "accountQuota": ErrAccountQuota, "memberQuota": ErrMemberQuota, "catchingUp": ErrCatchingUp} {
		h.node.fail = err
		for method, params := range validEthParamsOf(t, raw) {
			h.refused(t, wire.CodeUnavailable, name, method, params...)
		}
	}
}

func validEthParamsOf(t *testing.T, raw string) map[string][]any {
	return map[string][]any{
		"eth_sendRawTransaction": {raw}, "eth_sendRawTransactionSync": {raw, 5}, "eth_getBalance": {alice}, "eth_getTransactionCount": {alice, "pending"},
		"eth_getTransactionByHash": {crypto.Hash{1}}, "eth_getTransactionReceipt": {crypto.Hash{1}}, "eth_getBlockByNumber": {"latest", false},
		"eth_getLogs": {map[string]any{}}, "eth_getCode": {alice}, "net_peerCount": {}, "eth_syncing": {},
	}
}
