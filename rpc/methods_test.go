package rpc

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// A client's whole way: look, ask what to sign, sign, send, wait, look again.
func TestTransferFromTypedDataToReceipt(t *testing.T) {
	h := newHarness(t, Options{})
	var status wire.Status
	h.result(t, &status, "ledger_status")
	if status.ChainID != 777_777 || status.Height != 0 {
		t.Fatalf("%+v", status)
	}
	body := h.payment(0, 250)
	var typed struct {
		TypedData        json.RawMessage
		Digest, BodyHash crypto.Hash
	}
	h.result(t, &typed, "ledger_typedData", body)
	if typed.Digest != h.node.net.TypedDataDigest(&body) || typed.BodyHash != h.node.net.BodyHash(&body) {
		t.Fatal("digests differ from the ledger's")
	}
	signature := aliceKey.Sign(typed.Digest)
	signature[64] += 27 // as wallets write it
	sent := map[string]any{"tx": body, "signatures": []any{map[string]any{"scheme": 0, "signature": hexOf(signature[:])}}}
	var hash, again crypto.Hash
	h.result(t, &hash, "ledger_sendTransaction", sent)
	h.result(t, &again, "ledger_sendTransaction", sent)
	if hash != again {
		t.Errorf("the same transaction again: %s, then %s", hash, again)
	}
	var receipt wire.Receipt
	h.result(t, &receipt, "ledger_waitReceipt", hash, 1000)
	if receipt.Code != 0 || receipt.Status != "applied" || receipt.Kind != "transfer" || receipt.BodyHash != typed.BodyHash {
		t.Errorf("%+v", receipt)
	}
	want := ledger.Event{Type: ledger.EventTransfer, From: alice, To: bob, Asset: h.node.net.Settlement, Amount: ledger.NewAmount(250), Reference: "inv-1"}
	if len(receipt.Events) != 1 || receipt.Events[0].Event != want {
		t.Errorf("events %v", receipt.Events)
	}
	var balance wire.Balance
	h.result(t, &balance, "ledger_getBalance", bob, h.node.net.Settlement)
	if balance.Available != ledger.NewAmount(250) {
		t.Errorf("bob has %s", balance.Available)
	}
}

func TestReads(t *testing.T) {
	h := newHarness(t, Options{})
	tx, raw := h.rawTx(t, 3, 7)
	h.result(t, new(crypto.Hash), "ledger_sendRawTransaction", raw)
	create, code := ledger.Sign(h.node.net, ledger.Body{Sender: alice, Nonce: 4, Memo: "<new>", Op: &ledger.CreateAsset{
		Symbol: "GOLD", Name: "Gold", Decimals: 3, Cap: ledger.NewAmount(1000),
	}}, ledger.SchemeBodyHash, aliceKey)
	if code != ledger.Applied {
		t.Fatal(code)
	}
	h.result(t, new(wire.Receipt), "ledger_sendRawTransactionSync", hexOf(create.Raw))
	gold := h.node.net.AssetAddress(alice, 4)
	blockHash := h.node.blocks[0].Hash
	for _, c := range []struct {
		want   string // in the result
		method string
		params []any
	}{
		{`"height":1`, "ledger_getReceipt", []any{tx.Hash}},
		{`"nonce":3`, "ledger_getReceiptByNonce", []any{alice, 3}},
		{`null`, "ledger_getReceipt", []any{crypto.Hash{1}}},
		{`null`, "ledger_getReceiptByNonce", []any{alice, 99}},
		{`null`, "ledger_getReceiptByNonce", []any{strangerAddress, 0}},
		{`"envelope":"native"`, "ledger_getTransaction", []any{tx.Hash}},
		{`"signer":"` + alice.String(), "ledger_getTransaction", []any{tx.Hash}},
		{`null`, "ledger_getTransaction", []any{crypto.Hash{1}}},
		{`"height":2`, "ledger_getBlock", []any{"latest"}},
		{`"height":1`, "ledger_getBlock", []any{1}},
		{`"height":1`, "ledger_getBlock", []any{blockHash}},
		{`null`, "ledger_getBlock", []any{crypto.Hash{1}}},
		{`"nextNonce":5`, "ledger_getAccount", []any{alice}},
		{`"nextNonce":5`, "ledger_getAccount", []any{alice, nil}},
		{`"nextNonce":5`, "ledger_getAccount", []any{alice, "latest"}},
		{`"nextNonce":4`, "ledger_getAccount", []any{alice, 1}},
		{`"nextNonce":0`, "ledger_getAccount", []any{alice, 0}},
		{`"nextNonce":0`, "ledger_getAccount", []any{strings.ToLower(alice.String()), 0}},
		{`null`, "ledger_getAccount", []any{strangerAddress}},
		{`"available":"1000000"`, "ledger_getBalance", []any{alice, h.node.net.Settlement, 0}},
		{`"available":"0"`, "ledger_getBalance", []any{strangerAddress, h.node.net.Settlement}},
		{`"available":"0"`, "ledger_getBalance", []any{alice, strangerAddress}},
		{`"symbol":"GOLD"`, "ledger_getAsset", []any{gold}},
		{`"decimals":3`, "ledger_getAsset", []any{"GOLD"}},
		{`null`, "ledger_getAsset", []any{"NONE"}},
		{`null`, "ledger_getAsset", []any{alice}},
		{`"next":null`, "ledger_listAssets", nil},
		{`"next":null`, "ledger_listAssets", []any{map[string]any{}}},
		{`"next":null`, "ledger_listAssets", []any{map[string]any{"limit": 3, "cursor": ""}}},
		{`"openrpc":"1.3.2"`, "rpc_discover", nil},
	} {
		a := h.call(t, c.method, c.params...)
		if a.Error != nil || !strings.Contains(string(a.Result), c.want) {
			t.Errorf("%s%v: wanted %s in %s %+v", c.method, c.params, c.want, a.Result, a.Error)
		}
	}
}

func TestPendingTransactionHasNoPlace(t *testing.T) {
	h := newHarness(t, Options{})
	h.node.hold = true
	tx, raw := h.rawTx(t, 0, 1)
	h.result(t, new(crypto.Hash), "ledger_sendRawTransaction", raw)
	var found map[string]json.RawMessage
	h.result(t, &found, "ledger_getTransaction", tx.Hash)
	for _, key := range []string{"height", "index", "blockHash"} {
		if string(found[key]) != "null" {
			t.Errorf("%s is %s", key, found[key])
		}
	}
}

func TestRefusedTransactionHasAReceipt(t *testing.T) {
	h := newHarness(t, Options{})
	h.node.hold = true
	_, first := h.rawTx(t, 0, 900_000)
	second, raw := h.rawTx(t, 1, 900_000)
	h.result(t, new(crypto.Hash), "ledger_sendRawTransaction", first)
	h.result(t, new(crypto.Hash), "ledger_sendRawTransaction", raw)
	h.node.commit(t)
	var receipt wire.Receipt
	h.result(t, &receipt, "ledger_getReceipt", second.Hash)
	if receipt.Code != uint32(ledger.CodeInsufficientBalance) || receipt.Status != "refused" || receipt.Message == "" {
		t.Errorf("%+v", receipt)
	}
}

func TestListAssetsInPages(t *testing.T) {
	h := newHarness(t, Options{})
	var page wire.AssetPage
	h.result(t, &page, "ledger_listAssets", map[string]any{"limit": 1})
	if len(page.Items) != 1 || page.Next == nil {
		t.Fatalf("%+v", page)
	}
	first := page.Items[0].Asset
	h.result(t, &page, "ledger_listAssets", map[string]any{"limit": 1, "cursor": *page.Next})
	if len(page.Items) != 1 || page.Next != nil || page.Items[0].Asset.Compare(first) <= 0 {
		t.Errorf("%+v", page)
	}
}

// Every operation's typed data, and every event, as the document has them.
func TestEveryOperation(t *testing.T) {
	h := newHarness(t, Options{})
	gold := h.node.net.AssetAddress(alice, 0)
	for i, op := range []ledger.Operation{
		&ledger.CreateAsset{Symbol: "GOLD", Name: "Gold", Decimals: 18, Cap: ledger.MaxAmount},
		&ledger.Issue{Asset: gold, To: strangerAddress, Amount: ledger.NewAmount(10), Reference: "é"},
		&ledger.Issue{Asset: gold, To: alice, Amount: ledger.MaxAmount},
		&ledger.Issue{Asset: gold, To: alice, Amount: ledger.NewAmount(5)},
		&ledger.Redeem{Asset: gold, From: alice, Amount: ledger.NewAmount(5)},
		&ledger.PauseAsset{Asset: gold},
		&ledger.ResumeAsset{Asset: gold},
		&ledger.Transfer{Legs: []ledger.Leg{{From: alice, To: alice, Asset: h.node.net.Settlement}}},
	} {
		body := ledger.Body{Sender: alice, Nonce: ledger.Nonce(i), ValidUntil: genesisTime + 1000, Memo: "m", Op: op}
		var typed wire.TypedData
		h.result(t, &typed, "ledger_typedData", body)
		signature := aliceKey.Sign(typed.BodyHash)
		a := h.call(t, "ledger_sendTransaction", map[string]any{"tx": body, "signatures": []any{
			map[string]any{"scheme": 1, "signature": hexOf(signature[:])},
		}})
		if a.Error != nil {
			if a.Error.Data.Code != uint32(ledger.CodeCapExceeded) {
				t.Errorf("%T: %+v", op, a.Error)
			}
			continue
		}
		var hash crypto.Hash
		if err := json.Unmarshal(a.Result, &hash); err != nil {
			t.Fatal(err)
		}
		h.call(t, "ledger_getReceipt", hash)
		h.call(t, "ledger_getTransaction", hash)
	}
	h.call(t, "ledger_getAccount", strangerAddress)
	h.call(t, "ledger_listAssets")
}

func TestTypedDataRefusesWhatCannotBeIncluded(t *testing.T) {
	h := newHarness(t, Options{})
	leg := func(change func(*ledger.Leg)) ledger.Operation {
		l := ledger.Leg{From: alice, To: bob, Asset: h.node.net.Settlement, Amount: ledger.NewAmount(1)}
		change(&l)
		return &ledger.Transfer{Legs: []ledger.Leg{l}}
	}
	valid := leg(func(*ledger.Leg) {})
	for _, c := range []struct {
		name string
		body ledger.Body
		code ledger.Code
	}{
		{"zero amount", ledger.Body{Sender: alice, Op: leg(func(l *ledger.Leg) { l.Amount = ledger.Amount{} })}, ledger.CodeZeroAmount},
		{"to nobody", ledger.Body{Sender: alice, Op: leg(func(l *ledger.Leg) { l.To = crypto.Address{} })}, ledger.CodeInvalidField},
		{"long reference", ledger.Body{Sender: alice, Op: leg(func(l *ledger.Leg) { l.Reference = strings.Repeat("x", 36) })}, ledger.CodeLimitExceeded},
		{"no legs", ledger.Body{Sender: alice, Op: &ledger.Transfer{Legs: []ledger.Leg{}}}, ledger.CodeInvalidField},
		{"no sender", ledger.Body{Op: valid}, ledger.CodeInvalidField},
		{"long memo", ledger.Body{Sender: alice, Memo: strings.Repeat("m", 257), Op: valid}, ledger.CodeLimitExceeded},
		{"zero byte", ledger.Body{Sender: alice, Memo: "a\x00", Op: valid}, ledger.CodeInvalidField},
		{"nonce of 2^53", ledger.Body{Sender: alice, Nonce: 1 << 53, Op: valid}, ledger.CodeInvalidField},
		{"past", ledger.Body{Sender: alice, ValidUntil: genesisTime - 1, Op: valid}, ledger.CodeExpired},
		{"bad symbol", ledger.Body{Sender: alice, Op: &ledger.CreateAsset{Symbol: "gold", Name: "Gold"}}, ledger.CodeInvalidField},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := h.refused(t, wire.CodeRejected, c.code.String(), "ledger_typedData", c.body)
			if e.Data.Code != uint32(c.code) || e.Message != c.code.Info().Meaning {
				t.Errorf("%+v", e)
			}
		})
	}
}

func TestSendIsRefusedWithTheLedgersCode(t *testing.T) {
	h := newHarness(t, Options{})
	spent, raw := h.rawTx(t, 0, 1)
	h.result(t, new(crypto.Hash), "ledger_sendRawTransaction", raw)
	other := ledger.DeriveChainID("elsewhere")
	foreign, err := ledger.NewNetwork("elsewhere", other, h.node.net.Settlement, 18)
	if err != nil {
		t.Fatal(err)
	}
	body := h.payment(1, 1)
	elsewhere, _ := ledger.Sign(foreign, body, ledger.SchemeBodyHash, aliceKey)
	forged, _ := ledger.Sign(h.node.net, body, ledger.SchemeBodyHash, bobKey)
	_, twice := h.rawTx(t, 0, 2)
	_, poor := h.rawTx(t, 1, 2_000_000)
	_, far := h.rawTx(t, 5000, 1)
	for _, c := range []struct {
		name string
		raw  string
		code ledger.Code
	}{
		{"nothing", "0x", ledger.CodeMalformed},
		{"noise", "0x54ffff", ledger.CodeMalformed},
		{"trailing byte", raw + "00", ledger.CodeMalformed},
		{"too large", "0x" + strings.Repeat("54", ledger.MaxTxBytes+1), ledger.CodeTooLarge},
		{"type 1", "0x01c0", ledger.CodeUnsupportedType},
		{"another network", hexOf(elsewhere.Raw), ledger.CodeWrongNetwork},
		{"another's key", hexOf(forged.Raw), ledger.CodeUnauthorized},
		{"spent nonce", twice, ledger.CodeNonceSpent},
		{"poor", poor, ledger.CodeInsufficientBalance},
		{"far nonce", far, ledger.CodeNonceTooHigh},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, method := range []string{"ledger_sendRawTransaction", "ledger_sendRawTransactionSync"} {
				e := h.refused(t, wire.CodeRejected, c.code.String(), method, c.raw)
				if e.Data.Code != uint32(c.code) || !strings.Contains(e.Message, c.code.Info().Meaning) {
					t.Errorf("%+v", e)
				}
				if c.code == ledger.CodeNonceSpent && (e.Data.Hash == nil || *e.Data.Hash != spent.Hash || *e.Data.BodyHash != spent.BodyHash) {
					t.Errorf("the data does not say what spent the nonce: %s", e.RawData)
				}
			}
		})
	}
}

func TestSignaturesThatAreNone(t *testing.T) {
	h := newHarness(t, Options{})
	body := h.payment(0, 1)
	good := aliceKey.Sign(h.node.net.BodyHash(&body))
	highS := good
	for i := 32; i < 64; i++ {
		highS[i] = 0xff
	}
	send := func(signatures ...any) map[string]any {
		signatures = append([]any{}, signatures...)
		return map[string]any{"tx": body, "signatures": signatures}
	}
	one := func(scheme any, signature string) map[string]any {
		return map[string]any{"scheme": scheme, "signature": signature}
	}
	many := make([]any, ledger.MaxSignatures+1)
	for i := range many {
		many[i] = one(1, hexOf(good[:]))
	}
	for _, c := range []struct {
		name string
		sent map[string]any
		code ledger.Code
	}{
		{"none", send(), ledger.CodeUnauthorized},
		{"high s", send(one(1, hexOf(highS[:]))), ledger.CodeInvalidSignature},
		{"the wrong scheme", send(one(0, hexOf(good[:]))), ledger.CodeUnauthorized},
		{"the same twice", send(one(1, hexOf(good[:])), one(1, hexOf(good[:]))), ledger.CodeSignatureOrder},
		{"too many", send(many...), ledger.CodeLimitExceeded},
	} {
		t.Run(c.name, func(t *testing.T) {
			h.refused(t, wire.CodeRejected, c.code.String(), "ledger_sendTransaction", c.sent)
		})
	}
}

func TestDuplicateNonceNamesThePendingOne(t *testing.T) {
	h := newHarness(t, Options{})
	h.node.hold = true
	first, raw := h.rawTx(t, 0, 1)
	_, second := h.rawTx(t, 0, 2)
	h.result(t, new(crypto.Hash), "ledger_sendRawTransaction", raw)
	h.result(t, new(crypto.Hash), "ledger_sendRawTransaction", raw)
	e := h.refused(t, wire.CodeRejected, "duplicateNonce", "ledger_sendRawTransaction", second)
	if e.Data.Hash == nil || *e.Data.Hash != first.Hash {
		t.Errorf("%s", e.RawData)
	}
}

// Whatever the node's trouble is, the client gets one retryable code, and
// learns nothing of the node's inside.
func TestTroubleOfTheNode(t *testing.T) {
	h := newHarness(t, Options{})
	_, raw := h.rawTx(t, 0, 1)
	calls := map[string][]any{
		"ledger_status": nil, "ledger_sendRawTransaction": {raw}, "ledger_sendRawTransactionSync": {raw, 5}, "ledger_waitReceipt": {crypto.Hash{1}, 5},
		"ledger_getReceipt": {crypto.Hash{1}}, "ledger_getReceiptByNonce": {alice, 0}, "ledger_getTransaction": {crypto.Hash{1}},
		"ledger_getBlock": {"latest"}, "ledger_getAccount": {alice}, "ledger_getBalance": {alice, bob}, "ledger_getAsset": {"EUR"}, "ledger_listAssets": nil,
	}
	for name, err := range map[string]error{
		"poolFull": fmt.Errorf("submit: %w", ErrPoolFull), "accountQuota": ErrAccountQuota, "memberQuota": ErrMemberQuota, "catchingUp": ErrCatchingUp, "internal": errors.New("disk on fire at /secret/path"),
	} {
		h.node.fail = err
		for method, params := range calls {
			e := h.refused(t, wire.CodeUnavailable, name, method, params...)
			if strings.Contains(e.Message, "secret") {
				t.Errorf("%s tells too much: %s", method, e.Message)
			}
		}
	}
	h.node.fail = nil
	h.node.crash = true
	h.refused(t, wire.CodeUnavailable, "internal", "ledger_status")
}

func TestUnknownHeights(t *testing.T) {
	h := newHarness(t, Options{})
	h.refused(t, wire.CodeNotFound, "unknownHeight", "ledger_getBlock", "latest")
	_, raw := h.rawTx(t, 0, 1)
	h.result(t, new(crypto.Hash), "ledger_sendRawTransaction", raw)
	for _, height := range []uint64{2, 1 << 40, ledger.MaxJSONInteger} {
		h.refused(t, wire.CodeNotFound, "unknownHeight", "ledger_getBlock", height)
		h.refused(t, wire.CodeNotFound, "unknownHeight", "ledger_getAccount", alice, height)
		h.refused(t, wire.CodeNotFound, "unknownHeight", "ledger_getBalance", alice, bob, height)
	}
	h.refused(t, wire.CodeNotFound, "unknownHeight", "ledger_getBlock", 0)
}

func TestTimeoutNamesTheTransaction(t *testing.T) {
	h := newHarness(t, Options{})
	h.node.hold = true
	tx, raw := h.rawTx(t, 0, 1)
	for _, timeout := range []any{0, 1, 20} {
		e := h.refused(t, wire.CodeUnavailable, "timeout", "ledger_sendRawTransactionSync", raw, timeout)
		if e.Data.Hash == nil || *e.Data.Hash != tx.Hash {
			t.Errorf("%s", e.RawData)
		}
		e = h.refused(t, wire.CodeUnavailable, "timeout", "ledger_waitReceipt", tx.Hash, timeout)
		if e.Data.Hash == nil || *e.Data.Hash != tx.Hash {
			t.Errorf("%s", e.RawData)
		}
	}
	h.node.commit(t)
	h.result(t, new(wire.Receipt), "ledger_sendRawTransactionSync", raw, 0)
}

// The node's longest wait holds, whatever is asked for.
func TestTimeoutIsClamped(t *testing.T) {
	h := newHarness(t, Options{WaitTimeout: 10e6}) // 10 ms
	for _, timeout := range []any{nil, 60_000, ledger.MaxJSONInteger} {
		e := h.refused(t, wire.CodeUnavailable, "timeout", "ledger_waitReceipt", crypto.Hash{1}, timeout)
		if !strings.Contains(e.Message, "10 ms") {
			t.Error(e.Message)
		}
	}
}
