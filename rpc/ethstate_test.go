package rpc

import (
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// text calls a method whose result is a string.
func (h *harness) text(t testing.TB, method string, params ...any) string {
	t.Helper()
	var s string
	h.result(t, &s, method, params...)
	return s
}

// Balances are scaled to 18 decimals, at any block, however it is named.
func TestEthBalances(t *testing.T) {
	h := newScaled(t)
	h.sendEth(t, 0, 7)
	hash := h.node.blocks[0].Hash
	for _, c := range []struct {
		block any
		want  string
	}{
		{nil, "0xde0b055d6e09000"}, {"latest", "0xde0b055d6e09000"}, {"pending", "0xde0b055d6e09000"}, {"safe", "0xde0b055d6e09000"}, {"finalized", "0xde0b055d6e09000"},
		{"0x1", "0xde0b055d6e09000"}, {hash, "0xde0b055d6e09000"}, {map[string]any{"blockHash": hash}, "0xde0b055d6e09000"},
		{"earliest", "0xde0b6b3a7640000"}, {"0x0", "0xde0b6b3a7640000"}, {map[string]any{"blockNumber": "0x0"}, "0xde0b6b3a7640000"}, {h.node.done[0].Hash, "0xde0b6b3a7640000"},
	} {
		if got := h.text(t, "eth_getBalance", alice, c.block); got != c.want {
			t.Errorf("%v: %s", c.block, got)
		}
	}
	if got := h.text(t, "eth_getBalance", strings.ToLower(strangerAddress.String())); got != "0x0" {
		t.Error(got)
	}
	for _, block := range []any{"0x2", crypto.Hash{1}, map[string]any{"blockHash": crypto.Hash{1}}} {
		for _, method := range []string{"eth_getBalance", "eth_getTransactionCount", "eth_getCode"} {
			if e := h.refused(t, wire.CodeNotFound, "unknownHeight", method, alice, block); !strings.HasPrefix(e.Message, "header not found") {
				t.Error(e.Message)
			}
		}
	}
}

// What is held counts as the holder's, and cannot be sent.
func TestEthBalanceWithWhatIsHeld(t *testing.T) {
	h := newHarness(t, Options{})
	hold := h.signed(t, ledger.Body{Sender: alice, Op: &ledger.CreateHold{
		From: alice, To: bob, Asset: h.node.net.Settlement, Amount: ledger.NewAmount(999_990), Expiry: genesisTime + 1000,
	}})
	h.result(t, new(wire.Receipt), "ledger_sendRawTransactionSync", hexOf(hold.Raw))
	if got := h.text(t, "eth_getBalance", alice); got != "0xf4240" {
		t.Error(got)
	}
	e := h.refused(t, codeReverted, "executionReverted", "eth_estimateGas", map[string]any{"from": alice, "to": bob, "value": "0x64"})
	if e.Message != "execution reverted: "+ledger.CodeInsufficientBalance.Info().Meaning {
		t.Error(e.Message)
	}
	for amount, words := range map[uint64]string{100: ledger.CodeInsufficientBalance.Info().Meaning, 1_000_001: "insufficient funds for gas * price + value: "} {
		raw := rawOf(t, h.ethTx(t, ledger.EnvelopeDynamicFee, 1, amount))
		for _, method := range []string{"eth_sendRawTransaction", "eth_sendRawTransactionSync"} {
			if e := h.refused(t, wire.CodeInvalidInput, "insufficientBalance", method, raw); !strings.HasPrefix(e.Message, words) {
				t.Errorf("%d, %s: %s", amount, method, e.Message)
			}
		}
	}
	e = h.refused(t, wire.CodeInvalidInput, "insufficientBalance", "eth_estimateGas", map[string]any{"from": alice, "to": bob, "value": "0xf4241"})
	if e.Message != "insufficient funds for gas * price + value: address "+alice.String()+" have 1000000 want 1000001" {
		t.Error(e.Message)
	}
	h.refused(t, wire.CodeInvalidInput, "amountOutOfRange", "eth_call", map[string]any{"from": alice, "to": bob, "value": "0x1" + strings.Repeat("0", 40)})
	h.refused(t, wire.CodeInvalidInput, "unknownSender", "eth_estimateGas", map[string]any{"from": strangerAddress, "to": bob, "value": "0x1"})
	if logs := h.call(t, "eth_getLogs", map[string]any{"fromBlock": "0x1"}); string(logs.Result) != "[]" {
		t.Errorf("setting aside is a movement: %s", logs.Result)
	}
}

// The next nonce: with what waits, without a gap.
func TestEthTransactionCount(t *testing.T) {
	h := newHarness(t, Options{})
	h.sendEth(t, 0, 1)
	h.node.hold = true
	count := func(block string) string { return h.text(t, "eth_getTransactionCount", alice, block) }
	for _, c := range []struct {
		nonce   uint64
		pending string
	}{{2, "0x1"}, {1, "0x3"}, {5, "0x3"}, {3, "0x4"}, {4, "0x6"}} {
		h.result(t, new(crypto.Hash), "eth_sendRawTransaction", rawOf(t, h.ethTx(t, ledger.EnvelopeLegacy, c.nonce, 1)))
		if got := count("pending"); got != c.pending {
			t.Errorf("after nonce %d: %s, want %s", c.nonce, got, c.pending)
		}
		if got := count("latest"); got != "0x1" {
			t.Errorf("latest is %s", got)
		}
	}
	h.node.commit(t)
	if count("latest") != "0x6" || count("pending") != "0x6" || count("0x1") != "0x1" || count("earliest") != "0x0" {
		t.Error(count("latest"), count("pending"), count("0x1"))
	}
	if got := h.text(t, "eth_getTransactionCount", strangerAddress, "pending"); got != "0x0" {
		t.Error(got)
	}
}

// A block that comes between the look at what waits and the look at the chain does
// not make a nonce free again that it has spent, nor its transaction unknown.
func TestEthPendingWhileABlockComes(t *testing.T) {
	h := newHarness(t, Options{})
	h.node.hold = true
	raw := rawOf(t, h.ethTx(t, ledger.EnvelopeLegacy, 0, 1))
	h.result(t, new(crypto.Hash), "eth_sendRawTransaction", raw)
	h.node.asked = func() { h.node.commit(t) }
	if got := h.text(t, "eth_getTransactionCount", alice, "pending"); got != "0x1" {
		t.Errorf("the next nonce is %s, want 0x1", got)
	}
	h.node.asked = nil
	h.node.hold = false
	for i, method := range []string{"eth_getTransactionByHash", "ledger_getTransaction", "eth_getTransactionReceipt"} {
		next := h.ethTx(t, ledger.EnvelopeLegacy, uint64(i)+1, 1)
		binary, err := next.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		h.node.followed = func() { // it had left what waits, and here is its block
			h.node.followed = nil
			if _, err := h.node.Submit(t.Context(), binary); err != nil {
				t.Error(err)
			}
		}
		if got := h.call(t, method, next.Hash()); string(got.Result) == "null" || got.Error != nil {
			t.Errorf("%s: %s %+v", method, got.Result, got.Error)
		}
		if h.node.followed != nil {
			t.Errorf("%s does not wait for the chain to follow", method)
		}
	}
}

func TestEthCodeAndStorage(t *testing.T) {
	h := newHarness(t, Options{})
	for address, want := range map[crypto.Address]string{h.euro(): "0x600080fd", h.node.net.Settlement: "0x600080fd", alice: "0x", strangerAddress: "0x"} {
		if got := h.text(t, "eth_getCode", address, "earliest"); got != want {
			t.Errorf("%s: %s", address, got)
		}
	}
	if got := h.text(t, "eth_getStorageAt", h.euro(), "0x0", "latest"); got != (common.Hash{}).Hex() {
		t.Error(got)
	}
	h.refused(t, wire.CodeNotFound, "unknownHeight", "eth_getStorageAt", h.euro(), "0x0", "0x9")
}

// revertReason is what go-ethereum reads out of an error's data.
func revertReason(t testing.TB, e *answerError) string {
	t.Helper()
	data, err := hexutil.Decode(strings.Trim(string(e.RawData), `"`))
	if err != nil {
		t.Fatalf("%v in %s", err, e.RawData)
	}
	reason, err := abi.UnpackRevert(data)
	if err != nil || e.Message != "execution reverted: "+reason {
		t.Fatalf("%v: %q beside %q", err, reason, e.Message)
	}
	return reason
}

// Calls of an asset that only read, through go-ethereum's ABI.
func TestEthCallReads(t *testing.T) {
	h := newHarness(t, Options{})
	for _, c := range []struct {
		name string
		args []any
		want any
	}{
		{"name", nil, "Euro"}, {"symbol", nil, "EUR"}, {"decimals", nil, uint8(2)}, {"totalSupply", nil, big.NewInt(50_000)},
		{"balanceOf", []any{common.Address(bob)}, big.NewInt(50_000)}, {"balanceOf", []any{common.Address(alice)}, big.NewInt(0)},
		{"allowance", []any{common.Address(alice), common.Address(bob)}, big.NewInt(0)},
	} {
		for _, block := range []any{"latest", "earliest"} {
			answer := hexutil.MustDecode(h.text(t, "eth_call", map[string]any{"to": h.euro(), "input": hexutil.Encode(packed(t, c.name, c.args...))}, block))
			values, err := erc20.Unpack(c.name, answer)
			if err != nil {
				t.Fatal(c.name, err)
			}
			if n, ok := c.want.(*big.Int); ok && n.Cmp(values[0].(*big.Int)) != 0 || !ok && values[0] != c.want {
				t.Errorf("%s: %v", c.name, values[0])
			}
		}
	}
}

// What a call or an estimate answers, and why it fails.
func TestEthCallAndEstimate(t *testing.T) {
	h := newScaled(t)
	h.sendEth(t, 0, 1) // the state at height 0 is read, but not simulated on
	euro := h.euro()
	data := func(name string, args ...any) string { return hexutil.Encode(packed(t, name, args...)) }
	to, one := common.Address(bob), big.NewInt(1)
	meaning := func(c ledger.Code) string { return c.Info().Meaning }
	pay := data("transfer", common.Address(alice), one)
	for _, c := range []struct {
		name           string
		call           map[string]any
		answer, reason string // of eth_call
		gas, refusal   string // of eth_estimateGas
	}{
		{"value", map[string]any{"from": alice, "to": bob, "value": "0xe8d4a51000"}, "0x", "", "0x5208", ""},
		{"a token", map[string]any{"from": bob, "to": euro, "data": pay}, "0x" + strings.Repeat("0", 63) + "1", "", "0xfde8", ""},
		{"to be rounded", map[string]any{"from": alice, "to": bob, "value": "0x1"}, "", meaning(ledger.CodeInexactValue), "", meaning(ledger.CodeInexactValue)},
		{"nothing", map[string]any{"from": alice, "to": bob}, "0x", "", "", meaning(ledger.CodeZeroAmount)},
		{"a cancel", map[string]any{"from": alice, "to": alice, "value": "0x0"}, "0x", "", "0x5208", ""},
		{"data to nobody", map[string]any{"from": alice, "to": to, "data": "0x01020304"}, "0x", "", "", meaning(ledger.CodeUnsupportedCall)},
		{"data and value", map[string]any{"from": alice, "to": to, "data": "0x01", "value": "0xe8d4a51000"}, "", meaning(ledger.CodeUnsupportedCall), "", meaning(ledger.CodeUnsupportedCall)},
		{"a contract", map[string]any{"from": alice, "data": "0x6000"}, "", meaning(ledger.CodeUnsupportedCall), "", meaning(ledger.CodeUnsupportedCall)},
		{"more token than there is", map[string]any{"from": alice, "to": euro, "data": pay}, "", meaning(ledger.CodeInsufficientBalance), "", meaning(ledger.CodeInsufficientBalance)},
		{"from nobody", map[string]any{"to": euro, "data": pay}, "", meaning(ledger.CodeUnknownSender), "", meaning(ledger.CodeUnknownSender)},
		{"value to an asset", map[string]any{"from": alice, "to": euro, "value": "0xe8d4a51000"}, "", meaning(ledger.CodeRecipientIsAsset), "", meaning(ledger.CodeRecipientIsAsset)},
		{"a token and value", map[string]any{"from": bob, "to": euro, "data": pay, "value": "0x1"}, "", meaning(ledger.CodeUnsupportedCall), "", meaning(ledger.CodeUnsupportedCall)},
		{"a token to a token", map[string]any{"from": bob, "to": euro, "data": data("transfer", common.Address(euro), one)}, "", meaning(ledger.CodeRecipientIsAsset), "", meaning(ledger.CodeRecipientIsAsset)},
		{"transfer cut short", map[string]any{"from": bob, "to": euro, "data": pay[:len(pay)-2]}, "", meaning(ledger.CodeUnsupportedCall), "", meaning(ledger.CodeUnsupportedCall)},
		{"approve", map[string]any{"from": bob, "to": euro, "data": data("approve", to, one)}, "", "approve is not possible", "", "approve is not possible"},
		{"transferFrom", map[string]any{"from": bob, "to": euro, "data": data("transferFrom", to, to, one)}, "", "transferFrom is not possible", "", "transferFrom is not possible"},
		{"no such function", map[string]any{"from": bob, "to": euro, "data": "0x01020304"}, "", "an asset has no function 0x01020304", "", "an asset has no function 0x01020304"},
		{"no function", map[string]any{"from": bob, "to": euro}, "", "no call of 0 bytes", "", meaning(ledger.CodeZeroAmount)},
		{"reading in a transaction", map[string]any{"from": bob, "to": euro, "data": data("symbol")}, "*", "", "", meaning(ledger.CodeUnsupportedCall)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.reason == "" {
				if got := h.text(t, "eth_call", c.call, "latest"); c.answer != "*" && got != c.answer {
					t.Errorf("called: %s", got)
				}
			} else if reason := revertReason(t, h.refused(t, codeReverted, "executionReverted", "eth_call", c.call, "latest")); !strings.Contains(reason, c.reason) {
				t.Errorf("called: %s", reason)
			}
			if c.refusal == "" {
				if got := h.text(t, "eth_estimateGas", c.call); got != c.gas {
					t.Errorf("estimated: %s", got)
				}
			} else if reason := revertReason(t, h.refused(t, codeReverted, "executionReverted", "eth_estimateGas", c.call)); !strings.Contains(reason, c.refusal) {
				t.Errorf("estimated: %s", reason)
			}
		})
	}
	h.refused(t, codeInvalidParams, "invalidParams", "eth_call", map[string]any{"to": euro}, "latest", map[string]any{alice.String(): map[string]any{"balance": "0x1"}})
}

// What would be refused as a transaction is refused as a call, with the same reason:
// accounts with keys of their own, frozen, paused and restricted.
func TestEthCallKnowsTheRules(t *testing.T) {
	h := newHarness(t, Options{})
	euro := h.euro()
	pay := map[string]any{"from": alice, "to": euro, "data": hexutil.Encode(packed(t, "transfer", common.Address(alice), big.NewInt(1)))}
	pay["from"] = bob
	h.text(t, "eth_estimateGas", pay) // nothing is against it yet
	pause := ledger.Body{Sender: bob, Op: &ledger.PauseAsset{Asset: euro}}
	tx, code := ledger.Sign(h.node.net, pause, ledger.SchemeBodyHash, bobKey)
	if code != ledger.Applied {
		t.Fatal(code)
	}
	h.result(t, new(wire.Receipt), "ledger_sendRawTransactionSync", hexOf(tx.Raw))
	for _, method := range []string{"eth_call", "eth_estimateGas"} {
		if reason := revertReason(t, h.refused(t, codeReverted, "executionReverted", method, pay)); reason != ledger.CodeAssetPaused.Info().Meaning {
			t.Error(method, reason)
		}
	}
	keys := h.signed(t, ledger.Body{Sender: alice, Op: &ledger.SetKeys{Threshold: 2, Keys: []ledger.Key{{Address: bob, Weight: 1}, {Address: alice, Weight: 1}}}})
	h.result(t, new(wire.Receipt), "ledger_sendRawTransactionSync", hexOf(keys.Raw))
	value := map[string]any{"from": alice, "to": bob, "value": "0x1"}
	if reason := revertReason(t, h.refused(t, codeReverted, "executionReverted", "eth_estimateGas", value)); reason != ledger.CodeUnauthorized.Info().Meaning {
		t.Error(reason)
	}
}

func TestEthFees(t *testing.T) {
	h := newHarness(t, Options{})
	h.sendEth(t, 0, 1)
	h.sendEth(t, 1, 1)
	if h.text(t, "eth_gasPrice") != "0x0" || h.text(t, "eth_maxPriorityFeePerGas") != "0x0" {
		t.Error("something costs something")
	}
	for _, c := range []struct {
		params []any
		want   string
	}{
		{[]any{"0x2", "latest", []float64{}}, `{"oldestBlock":"0x1","baseFeePerGas":["0x0","0x0","0x0"],"gasUsedRatio":[0,0]}`},
		{[]any{"0x2", "latest"}, `{"oldestBlock":"0x1","baseFeePerGas":["0x0","0x0","0x0"],"gasUsedRatio":[0,0]}`},
		{[]any{2, "0x1", []float64{10, 50.5, 90}}, `{"oldestBlock":"0x0","baseFeePerGas":["0x0","0x0","0x0"],"gasUsedRatio":[0,0],"reward":[["0x0","0x0","0x0"],["0x0","0x0","0x0"]]}`},
		{[]any{"5", "latest", []float64{1}}, `{"oldestBlock":"0x0","baseFeePerGas":["0x0","0x0","0x0","0x0"],"gasUsedRatio":[0,0,0],"reward":[["0x0"],["0x0"],["0x0"]]}`},
		{[]any{"0x7fffffff", "earliest"}, `{"oldestBlock":"0x0","baseFeePerGas":["0x0","0x0"],"gasUsedRatio":[0]}`},
		{[]any{"0x0", "latest"}, `{"oldestBlock":"0x0","baseFeePerGas":[],"gasUsedRatio":[]}`},
	} {
		if got := h.call(t, "eth_feeHistory", c.params...); string(got.Result) != c.want {
			t.Errorf("%v: %s", c.params, got.Result)
		}
	}
	h.refused(t, codeInvalidParams, "invalidParams", "eth_feeHistory", "0x1", "latest", []float64{50, 10})
	h.refused(t, wire.CodeNotFound, "unknownHeight", "eth_feeHistory", "0x1", "0x9")
}

func TestEthNode(t *testing.T) {
	h := newHarness(t, Options{Version: "v1.2.3"})
	height := uint64(9)
	h.node.peers = []wire.Peer{{Height: &height}, {}}
	if h.text(t, "net_peerCount") != "0x2" || h.text(t, "net_version") != "777777" || h.text(t, "eth_chainId") != "0xbde31" || h.text(t, "eth_blockNumber") != "0x0" {
		t.Error("the node is another")
	}
	if v := h.text(t, "web3_clientVersion"); !strings.HasPrefix(v, "Tallystick/v1.2.3/") || strings.Count(v, "/") != 3 {
		t.Error(v)
	}
	if got := h.text(t, "web3_sha3", "0x"); got != "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470" {
		t.Error(got)
	}
	if got := h.call(t, "eth_syncing"); string(got.Result) != "false" {
		t.Errorf("%s", got.Result)
	}
	h.node.catching = true
	if got := h.call(t, "eth_syncing"); string(got.Result) != `{"startingBlock":"0x0","currentBlock":"0x0","highestBlock":"0x9"}` {
		t.Errorf("%s", got.Result)
	}
	if got := h.call(t, "eth_accounts"); string(got.Result) != "[]" {
		t.Errorf("%s", got.Result)
	}
	if got := h.call(t, "net_listening"); string(got.Result) != "true" {
		t.Errorf("%s", got.Result)
	}
}

// What an issuer has frozen or restricted fails with the reason, by both methods.
func TestEthCallOfRegulatedAssets(t *testing.T) {
	h := newHarness(t, Options{})
	share := h.node.net.AssetAddress(bob, 1)
	nonce := ledger.Nonce(0)
	do := func(op ledger.Operation) {
		t.Helper()
		tx, code := ledger.Sign(h.node.net, ledger.Body{Sender: bob, Nonce: nonce, Op: op}, ledger.SchemeBodyHash, bobKey)
		if code != ledger.Applied {
			t.Fatal(code)
		}
		nonce++
		var receipt wire.Receipt
		h.result(t, &receipt, "ledger_sendRawTransactionSync", hexOf(tx.Raw))
		if receipt.Code != 0 {
			t.Fatalf("%T: %s", op, receipt.Message)
		}
	}
	do(&ledger.Transfer{Legs: []ledger.Leg{{From: bob, To: strangerAddress, Asset: h.euro(), Amount: ledger.NewAmount(1)}}})
	do(&ledger.CreateAsset{Symbol: "SHARE", Name: "Share", Flags: ledger.FlagFreezable | ledger.FlagRestricted})
	do(&ledger.ApproveHolder{Asset: share, Account: alice})
	do(&ledger.Issue{Asset: share, To: alice, Amount: ledger.NewAmount(10)})
	pay := func(amount int64, want ledger.Code) {
		t.Helper()
		call := map[string]any{"from": alice, "to": share, "data": hexutil.Encode(packed(t, "transfer", common.Address(strangerAddress), big.NewInt(amount)))}
		for _, method := range []string{"eth_call", "eth_estimateGas"} {
			if want == ledger.Applied {
				h.text(t, method, call)
			} else if reason := revertReason(t, h.refused(t, codeReverted, "executionReverted", method, call)); reason != want.Info().Meaning {
				t.Errorf("%s: %s, want %s", method, reason, want)
			}
		}
	}
	pay(1, ledger.CodeRecipientNotApproved)
	do(&ledger.ApproveHolder{Asset: share, Account: strangerAddress})
	pay(10, ledger.Applied)
	do(&ledger.FreezeBalance{Asset: share, Account: alice, Amount: ledger.NewAmount(4)})
	pay(6, ledger.Applied)
	pay(7, ledger.CodeBalanceFrozen)
	do(&ledger.FreezeHolder{Asset: share, Account: alice})
	pay(1, ledger.CodeSourceFrozen)
	do(&ledger.UnfreezeHolder{Asset: share, Account: alice})
	do(&ledger.FreezeHolder{Asset: share, Account: strangerAddress})
	pay(1, ledger.CodeRecipientFrozen)
}
