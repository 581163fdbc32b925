package rpc

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// validParams is one valid list of parameters for each method.
func validParams(t testing.TB, h *harness) map[string][]any {
	_, raw := h.rawTx(t, 0, 1)
	body := h.payment(1, 1)
	signature := aliceKey.Sign(h.node.net.BodyHash(&body))
	signed := map[string]any{"tx": body, "signatures": []any{map[string]any{"scheme": 1, "signature": hexOf(signature[:])}}}
	valid := map[string][]any{
		"ledger_status": {}, "ledger_typedData": {body}, "ledger_sendTransaction": {signed}, "ledger_sendRawTransaction": {raw},
		"ledger_sendRawTransactionSync": {raw, 100}, "ledger_waitReceipt": {crypto.Hash{1}, 1}, "ledger_getReceipt": {crypto.Hash{1}},
		"ledger_getReceiptByNonce": {alice, 0}, "ledger_getTransaction": {crypto.Hash{1}}, "ledger_getBlock": {0}, "ledger_getAccount": {alice, 0},
		"ledger_getBalance": {alice, bob, 0}, "ledger_getAsset": {"EUR"}, "ledger_listAssets": {map[string]any{"limit": 1}}, "rpc_discover": {},
		"ledger_listMembers": {map[string]any{"limit": 1}}, "ledger_getMember": {alice}, "ledger_listValidators": {},
		"ledger_listProposals": {map[string]any{"limit": 1}}, "ledger_getProposal": {1}, "ledger_getParams": {},
		"ledger_subscribe":   {"receipts", map[string]any{"account": alice, "asset": bob, "member": bob, "reference": "r", "cursor": map[string]any{"height": 1, "index": -1}}},
		"ledger_unsubscribe": {"0x1"},
		"eth_subscribe":      {"logs", map[string]any{"address": alice}}, "eth_unsubscribe": {"0x1"},
		"eth_newFilter": {map[string]any{"address": alice}}, "eth_newBlockFilter": {}, "eth_newPendingTransactionFilter": {true},
		"eth_getFilterChanges": {"0x1"}, "eth_getFilterLogs": {"0x1"}, "eth_uninstallFilter": {"0x1"},
		"ledger_getAuthority": {alice}, "ledger_getHold": {alice}, "ledger_getHolder": {bob, alice}, "ledger_getMetadata": {bob},
		"ledger_getHistory": {map[string]any{"reference": "inv-1"}, map[string]any{"limit": 2, "cursor": "3.1"}},
		"ledger_pending":    {map[string]any{"account": alice}, map[string]any{"limit": 1, "cursor": "7"}}, "ledger_peers": {},
		"ledger_getBlockContents": {0, 1}, "ledger_getStateProof": {"0x706172616d73"}, "ledger_getReceiptProof": {crypto.Hash{1}},
	}
	maps.Copy(valid, validEthParams(t, h))
	return valid
}

// badValues are values that no parameter of the form takes.
var badValues = map[string][]string{
	formAddress.expects:     {`""`, `"0x12"`, `"f39Fd6e51aad88F6F4ce6aB8827279cffFb92266"`, `"0xF39fd6e51aad88F6F4ce6aB8827279cffFb92266"`, `"0xg39fd6e51aad88f6f4ce6ab8827279cfffb92266"`, `1`, `true`, `{}`, `[]`, `"EUR"`},
	formHash.expects:        {`""`, `"0x"`, `"0x1"`, `"` + strings.Repeat("ab", 32) + `"`, `"0x` + strings.Repeat("zz", 32) + `"`, `0`, `{}`, `["0x"]`},
	formRaw.expects:         {`""`, `"54"`, `"0x5"`, `"0x5g"`, `"0X54"`, `84`, `[84]`, `{"raw":"0x54"}`, `false`},
	formNonce.expects:       {`-1`, `1.5`, `1.0`, `1e3`, `9007199254740992`, `99999999999999999999999999`, `"1"`, `"0x1"`, `true`, `[]`},
	formWholeNumber.expects: {`-1`, `1.5`, `1e3`, `9007199254740992`, `"1"`, `"latest"`, `"0x1"`, `true`, `[]`},
	formStateKey.expects:    {`""`, `"0x"`, `"params"`, `"0x7"`, `"0x` + strings.Repeat("00", 257) + `"`, `1`, `{}`},
	formTimeout.expects:     {`-1`, `0.5`, `1e9`, `9007199254740992`, `"100"`, `{}`},
	formHeight.expects:      {`-1`, `1.5`, `1e1`, `9007199254740992`, `"1"`, `"0x1"`, `"earliest"`, `"LATEST"`, `[]`},
	formBlock.expects:       {`-1`, `1.5`, `9007199254740992`, `"1"`, `"0x1"`, `"pending"`, `"Latest"`, `{}`, `false`},
	formAsset.expects:       {`""`, `"eur"`, `"0x1"`, `"TOOLONGSYMBOL"`, `"E R"`, `1`, `{}`},
	formPage.expects:        {`[]`, `1`, `"1"`, `{"limit":0}`, `{"limit":1001}`, `{"limit":-1}`, `{"limit":"1"}`, `{"limit":1.5}`, `{"cursor":1}`, `{"cursor":"next"}`, `{"offset":1}`, `{"Limit":1}`, `{"limit":1,"limit":2}`},
	formProposal.expects:    {`0`, `-1`, `1.5`, `1e3`, `9007199254740992`, `"1"`, `"0x1"`, `true`, `[]`},
	formSubject.expects: {
		`""`, `"EUR"`, `"0x12"`, `1`, `[]`, `{}`, `{"account":null}`, `{"account":"EUR"}`, `{"account":1}`, `{"asset":"eur"}`, `{"asset":"0x12"}`, `{"asset":""}`,
		`{"reference":""}`, `{"reference":"` + strings.Repeat("x", ledger.MaxReferenceBytes+1) + `"}`, `{"reference":7}`, `{"Reference":"r"}`,
		`{"reference":"r","asset":"EUR"}`, `{"account":` + someAddress + `,"asset":` + someAddress + `}`, `{"reference":"r","reference":"s"}`, `{"member":` + someAddress + `}`,
	},
	formPendingFilter.expects: {`1`, `[]`, someAddress, `{"account":"EUR"}`, `{"account":1}`, `{"sender":` + someAddress + `}`, `{"account":` + someAddress + `,"account":null}`},
	formBody.expects:          badBodies(),
	formFollow.expects:        {`"x"`, `""`, `7`, `[]`, `{}`, `"newblocks"`, `"newHeads"`, `true`},
	formID.expects:            {`7`, `[]`, `{}`, `true`},
	formEthFollow.expects:     {`"x"`, `"syncing"`, `""`, `7`, `[]`, `{}`, `"newheads"`},
	formEthChoice.expects:     {`7`, `"x"`, `[]`, `{"topics":7}`, `{"topics":["0x1"]}`, `{"address":"0x1"}`, `{"address":[7]}`},
	formEthID.expects:         {`7`, `[]`, `{}`, `true`},
	formOptions.expects: {
		`"x"`, `[]`, `7`, `{"accounts":[]}`, `{"account":"0x1"}`, `{"account":7}`, `{"asset":"EUR"}`, `{"member":[]}`, `{"reference":""}`, `{"reference":7}`,
		`{"reference":"` + strings.Repeat("r", 36) + `"}`, `{"cursor":7}`, `{"cursor":"latest"}`, `{"cursor":{}}`, `{"cursor":{"index":1}}`, `{"cursor":{"height":-1}}`,
		`{"cursor":{"height":"1"}}`, `{"cursor":{"height":1.5}}`, `{"cursor":{"height":9007199254740992}}`, `{"cursor":{"height":1,"index":-3}}`,
		`{"cursor":{"height":1,"index":-1.0}}`, `{"cursor":{"height":1,"index":4294967296}}`, `{"cursor":{"height":1,"index":"0"}}`,
		`{"cursor":{"height":1,"height":2}}`, `{"cursor":{"height":1,"Index":2}}`, `{"cursor":{"height":1,"hash":2}}`, `{"cursor":[1,2]}`,
	},
	formSigned.expects: {
		`[]`, `{}`, `{"tx":null,"signatures":[]}`, `{"signatures":[]}`, `{"tx":` + goodBody + `}`, `{"tx":` + goodBody + `,"signatures":null}`, `{"tx":` + goodBody + `,"signatures":{}}`,
		`{"tx":` + goodBody + `,"signatures":[{}]}`, `{"tx":` + goodBody + `,"signatures":[null]}`, `{"tx":` + goodBody + `,"signatures":[{"scheme":0}]}`,
		`{"tx":` + goodBody + `,"signatures":[{"scheme":2,"signature":"0x` + strings.Repeat("00", 65) + `"}]}`,
		`{"tx":` + goodBody + `,"signatures":[{"scheme":-1,"signature":"0x00"}]}`, `{"tx":` + goodBody + `,"signatures":[{"scheme":256,"signature":"0x00"}]}`,
		`{"tx":` + goodBody + `,"signatures":[{"scheme":0,"signature":"0x00"}]}`, `{"tx":` + goodBody + `,"signatures":[{"scheme":0,"signature":"00"}]}`,
		`{"tx":` + goodBody + `,"signatures":[],"signature":1}`, `{"tx":` + goodBody + `,"tx":` + goodBody + `,"signatures":[]}`,
		`{"tx":` + goodBody + `,"signatures":[{"scheme":0,"scheme":1,"signature":"0x00"}]}`, `{"tx":{},"signatures":[]}`,
		`{"tx":` + goodBody + `,"signatures":[{"scheme":0,"signature":"0x` + strings.Repeat("00", 65) + `","signer":"0x` + strings.Repeat("00", 20) + `"}]}`,
	},
}

const (
	someAddress = `"0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"`
	goodLeg     = `{"from":` + someAddress + `,"to":` + someAddress + `,"asset":` + someAddress + `,"amount":"1"}`
	goodBody    = `{"sender":` + someAddress + `,"nonce":1,"transfer":{"legs":[` + goodLeg + `]}}`
)

func badBodies() []string {
	replaced := func(from, to string) string {
		out := strings.Replace(goodBody, from, to, 1)
		if out == goodBody {
			panic("nothing replaced by " + to)
		}
		return out
	}
	return []string{
		`[]`, `1`, `"tx"`, `{}`,
		replaced(`"sender":`+someAddress+`,`, ``), replaced(`"nonce":1,`, ``), replaced(`"nonce":1`, `"nonce":null`),
		replaced(`"nonce":1`, `"nonce":"1"`), replaced(`"nonce":1`, `"nonce":-1`), replaced(`"nonce":1`, `"nonce":1.5`), replaced(`"nonce":1`, `"nonce":1e400`),
		replaced(`"nonce":1`, `"nonce":18446744073709551616`), replaced(`"nonce":1`, `"nonce":1,"nonce":2`), replaced(`"nonce":1`, `"nonce":1,"NONCE":2`),
		replaced(`"nonce"`, `"Nonce"`), replaced(`"nonce":1`, `"nonce":1,"gas":2`), replaced(`"nonce":1`, `"nonce":1,"memo":7`),
		replaced(`"nonce":1`, `"nonce":1,"validUntil":"soon"`), replaced(`"nonce":1`, `"nonce":1,"issue":{}`), replaced(`"transfer"`, `"legs"`),
		replaced(`"amount":"1"`, `"amount":1`), replaced(`"amount":"1"`, `"amount":"-1"`), replaced(`"amount":"1"`, `"amount":"01"`), replaced(`"amount":"1"`, `"amount":"1.5"`),
		replaced(`"amount":"1"`, `"amount":"0x1"`), replaced(`"amount":"1"`, `"amount":""`), replaced(`"amount":"1"`, `"amount":"340282366920938463463374607431768211456"`),
		replaced(`"amount":"1"`, `"amount":"1","amount":"2"`), replaced(`"amount":"1"`, `"amount":"1","memo":"x"`),
		replaced(`"to":`+someAddress, `"to":"0x12"`), replaced(`[`+goodLeg+`]`, `{}`), replaced(`[`+goodLeg+`]`, `[1]`), replaced(`{"legs":[`+goodLeg+`]}`, `null`),
		replaced(`"sender":`+someAddress, `"sender":"0xF39fd6e51aad88F6F4ce6aB8827279cffFb92266"`),
		replaced(`,"amount":"1"`, ``), replaced(`"from":`+someAddress+`,`, ``), replaced(`"to":`+someAddress+`,`, ``), replaced(`"asset":`+someAddress+`,`, ``),
		replaced(`"amount":"1"`, `"amount":null`), replaced(`[`+goodLeg+`]`, `[null]`), replaced(`{"legs":[`+goodLeg+`]}`, `{}`), replaced(`{"legs":[`+goodLeg+`]}`, `{"legs":null}`),
		replaced(`"nonce":1`, `"nonce":1,"memo":null`), replaced(`"nonce":1`, `"nonce":1,"validUntil":null`), replaced(`"amount":"1"`, `"amount":"1","reference":null`),
		replaced(`"nonce":1`, `"nonce":1,"issue":null`), replaced(`"sender"`, `"ſender"`), replaced(`"nonce":1`, `"nonce":1,"memo":"\ud800"`),
		replaced(`"transfer":{"legs":[`+goodLeg+`]}`, `"createAsset":{"symbol":"A","name":"A","decimals":0,"cap":"0"}`),
		replaced(`"transfer":{"legs":[`+goodLeg+`]}`, `"createAsset":{"symbol":"A","name":"A","decimals":0,"flags":0}`),
		replaced(`"transfer":{"legs":[`+goodLeg+`]}`, `"createAsset":{"symbol":"A","name":"A","cap":"0","flags":0}`),
		replaced(`{"legs":[`+goodLeg+`]}`, strings.Repeat(`[`, 5000)+strings.Repeat(`]`, 5000)),
	}
}

// Every parameter of every method, with everything it must not be: the error
// names the parameter and says what is expected.
func TestWrongParametersAreNamed(t *testing.T) {
	h := newHarness(t, Options{})
	valid := validParams(t, h)
	count := 0
	for _, m := range methodTable {
		good, ok := valid[m.name]
		if !ok || len(good) != len(m.params) {
			t.Fatalf("%s has no valid parameters in this test", m.name)
		}
		for i, p := range m.params {
			bads := badValues[p.form.expects]
			if len(bads) == 0 {
				t.Fatalf("no bad values for %q", p.form.expects)
			}
			if p.required {
				bads = append([]string{"null"}, bads...)
			}
			for _, bad := range bads {
				count++
				params := make([]any, len(good))
				copy(params, good)
				params[i] = json.RawMessage(bad)
				e := h.refused(t, codeInvalidParams, "invalidParams", m.name, params...)
				if !strings.Contains(e.Message, fmt.Sprintf("%q", p.name)) || !strings.Contains(e.Message, p.form.expects) || len(e.Message) > 1000 || strings.Contains(e.Message, "Go ") {
					t.Errorf("%s with %s %.100s: %s", m.name, p.name, bad, e.Message)
				}
			}
		}
	}
	if count < 200 {
		t.Errorf("only %d cases", count)
	}
}

// The document's schemas and the server take the same parameters, but for what
// no schema can say.
func TestSchemasOfParametersAgreeWithTheServer(t *testing.T) {
	h := newHarness(t, Options{})
	for method, params := range validParams(t, h) {
		for i, p := range params {
			raw, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			if err := h.contract.params[method][i].Validate(parse(t, raw)); err != nil {
				t.Errorf("%s: the schema refuses what the server takes: %v", method, err)
			}
		}
	}
	finer := []string{`1.0`, `1e3`, `1e1`, `1e9`, `"0xF39`, `"nonce":1,"nonce"`, `"limit":1,"limit"`, `"reference":"r","reference"`, `"amount":"1","amount"`, `{"scheme":0,"scheme"`, `"tx":` + goodBody + `,"tx"`, `"340282366920938463463374607431768211456"`, `"cursor":"next"`, `\ud800`,
		`"height":1,"height"`, `-1.0`}
	for _, m := range methodTable {
		for i, p := range m.params {
		values:
			for _, bad := range badValues[p.form.expects] {
				for _, text := range finer {
					if strings.Contains(bad, text) {
						continue values
					}
				}
				if h.contract.params[m.name][i].Validate(parse(t, []byte(bad))) == nil {
					t.Errorf("%s: the schema of %s takes %.200s", m.name, p.name, bad)
				}
			}
		}
	}
}

func TestTooFewAndTooManyParameters(t *testing.T) {
	h := newHarness(t, Options{})
	for method, params := range validParams(t, h) {
		e := h.refused(t, codeInvalidParams, "invalidParams", method, append(append([]any{}, params...), nil)...)
		if !strings.Contains(e.Message, methodNamed(method).signature()) {
			t.Error(e.Message)
		}
		if len(params) > 0 && methodNamed(method).params[0].required {
			e := h.refused(t, codeInvalidParams, "invalidParams", method)
			if !strings.Contains(e.Message, "is missing") {
				t.Error(e.Message)
			}
		}
	}
}

// A number of 2^53 - 1 is taken where a height is; the ledger judges bodies.
func TestLargestNumber(t *testing.T) {
	h := newHarness(t, Options{})
	a := h.call(t, "ledger_getReceiptByNonce", alice, ledger.MaxJSONInteger)
	if a.Error != nil || string(a.Result) != "null" {
		t.Errorf("%+v", a)
	}
}
