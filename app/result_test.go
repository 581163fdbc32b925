package app

import (
	"bytes"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/types"
	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// variety is a block with every kind of result: applied with and without
// events, refused, not includable, malformed.
func variety(c *chain) [][]byte {
	body := func(from string, nonce uint64, op ledger.Operation) []byte {
		return c.sign(ledger.Body{Sender: address(from), Nonce: ledger.Nonce(nonce), Op: op}, ledger.SchemeTypedData, from)
	}
	made := c.Network().AssetAddress(address("alice"), 0)
	cancel := c.transfer("dave", 0, "dave", 0)
	reference := c.transfer("bob", 0, "newcomer", 1)
	reference.Op.(*ledger.Transfer).Legs[0].Reference = "Rechnung № 7, \"bezahlt\" \\n"
	return [][]byte{
		body("alice", 0, &ledger.CreateAsset{Symbol: "GOLD", Name: "Gold, gram", Decimals: 3, Cap: ledger.MaxAmount}),
		body("alice", 1, &ledger.Issue{Asset: made, To: address("bob"), Amount: ledger.NewAmount(9)}),
		body("alice", 2, &ledger.PauseAsset{Asset: made}),
		body("alice", 3, &ledger.ResumeAsset{Asset: made}),
		body("carol", 0, &ledger.PauseAsset{Asset: made}),
		c.sign(cancel, ledger.SchemeBodyHash, "dave"),
		c.sign(reference, ledger.SchemeBodyHash, "bob"),
		c.pay("mallory", 0, "bob", 1),
		{0x54, 0x00},
		{},
	}
}

// Every result can be read back, and its events carry what the outcome has.
func TestResultFromABCI(t *testing.T) {
	c := newChain(t, Options{}, nil)
	txs := variety(c)
	res := c.block(txs...)
	want := []ledger.Code{0, 0, 0, 0, ledger.CodeNotIssuer, 0, 0, ledger.CodeUnknownSender, ledger.CodeMalformed, ledger.CodeMalformed}
	if got := codesOf(res); !equal(got, want) {
		t.Fatalf("codes %v, want %v", got, want)
	}
	for i, in := range res.TxResults {
		r, err := ResultFromABCI(in)
		if err != nil {
			t.Errorf("result %d: %v", i, err)
			continue
		}
		var again abci.ExecTxResult
		tx := c.Decode(txs[i])
		fillResult(&again, tx, &r)
		x, _ := again.Marshal()
		y, _ := in.Marshal()
		if !bytes.Equal(x, y) {
			t.Errorf("result %d: written again it is\n%v, was\n%v", i, &again, in)
		}
		if in.Log != "" || in.Info != "" || in.GasWanted != 0 || in.GasUsed != 0 {
			t.Errorf("result %d carries what is not consensus data: %v", i, in)
		}
		if _, named := attribute(in, "sender"); named != r.Code.SpendsNonce() {
			t.Errorf("result %d (%s): sender named %v", i, r.Code, named)
		}
		if hash, _ := attribute(in, "hash"); hash != tx.Hash.String() {
			t.Errorf("result %d: hash %s", i, hash)
		}
	}
}

func attribute(r *abci.ExecTxResult, key string) (string, bool) {
	for _, a := range r.Events[0].Attributes {
		if a.Key == key {
			return a.Value, true
		}
	}
	return "", false
}

// clone is a deep copy of a result.
func clone(t testing.TB, in *abci.ExecTxResult) *abci.ExecTxResult {
	t.Helper()
	data, err := in.Marshal()
	out := new(abci.ExecTxResult)
	if err == nil {
		err = out.Unmarshal(data)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A result changed anywhere is no longer one.
func TestResultFromABCICorrupted(t *testing.T) {
	c := newChain(t, Options{}, nil)
	res := c.block(variety(c)...)
	transfer, refused := res.TxResults[6], res.TxResults[4]
	cases := map[string]func(r *abci.ExecTxResult){
		"code":                    func(r *abci.ExecTxResult) { r.Code = uint32(ledger.CodeUnknownAsset) },
		"unknown code":            func(r *abci.ExecTxResult) { r.Code = 9999 },
		"codespace":               func(r *abci.ExecTxResult) { r.Codespace = "sdk" },
		"data":                    func(r *abci.ExecTxResult) { r.Data[0]++ },
		"no data":                 func(r *abci.ExecTxResult) { r.Data = nil },
		"log":                     func(r *abci.ExecTxResult) { r.Log = "ok" },
		"info":                    func(r *abci.ExecTxResult) { r.Info = "ok" },
		"gas wanted":              func(r *abci.ExecTxResult) { r.GasWanted = 1 },
		"gas used":                func(r *abci.ExecTxResult) { r.GasUsed = 1 },
		"no events":               func(r *abci.ExecTxResult) { r.Events = nil },
		"first event missing":     func(r *abci.ExecTxResult) { r.Events = r.Events[1:] },
		"first event of another":  func(r *abci.ExecTxResult) { r.Events[0].Type = "message" },
		"body hash":               func(r *abci.ExecTxResult) { r.Events[0].Attributes[1].Value = crypto.Hash{}.String() },
		"body hash in upper case": func(r *abci.ExecTxResult) { v := &r.Events[0].Attributes[1].Value; *v = "0x" + upper((*v)[2:]) },
		"body hash too short":     func(r *abci.ExecTxResult) { r.Events[0].Attributes[1].Value = "0x00" },
		"attributes swapped": func(r *abci.ExecTxResult) {
			a := r.Events[0].Attributes
			a[0], a[1] = a[1], a[0]
		},
		"attribute missing": func(r *abci.ExecTxResult) { r.Events[0].Attributes = r.Events[0].Attributes[:2] },
		"attribute added": func(r *abci.ExecTxResult) {
			r.Events[0].Attributes = append(r.Events[0].Attributes, abci.EventAttribute{Key: "fee", Value: "0"})
		},
		"index flag": func(r *abci.ExecTxResult) { r.Events[0].Attributes[0].Index = true },
	}
	effects := map[string]func(r *abci.ExecTxResult){
		"effect missing":    func(r *abci.ExecTxResult) { r.Events = r.Events[:len(r.Events)-1] },
		"effect doubled":    func(r *abci.ExecTxResult) { r.Events = append(r.Events, r.Events[1]) },
		"effects swapped":   func(r *abci.ExecTxResult) { r.Events[1], r.Events[2] = r.Events[2], r.Events[1] },
		"unknown effect":    func(r *abci.ExecTxResult) { r.Events[1].Type = "burn" },
		"amount":            func(r *abci.ExecTxResult) { last(r).Attributes[3].Value = "2" },
		"amount not plain":  func(r *abci.ExecTxResult) { last(r).Attributes[3].Value = "01" },
		"reference":         func(r *abci.ExecTxResult) { last(r).Attributes[4].Value = "" },
		"effect index flag": func(r *abci.ExecTxResult) { last(r).Attributes[0].Index = true },
	}
	for name, corrupt := range cases {
		for _, in := range []*abci.ExecTxResult{transfer, refused} {
			r := clone(t, in)
			if corrupt(r); name == "code" && in == refused {
				r.Code = 0
			}
			if _, err := ResultFromABCI(r); err == nil {
				t.Errorf("%s: taken for a result", name)
			}
		}
	}
	for name, corrupt := range effects {
		r := clone(t, transfer)
		corrupt(r)
		if _, err := ResultFromABCI(r); err == nil {
			t.Errorf("%s: taken for a result", name)
		}
	}
}

func upper(s string) string { return string(bytes.ToUpper([]byte(s))) }

func last(r *abci.ExecTxResult) *abci.Event { return &r.Events[len(r.Events)-1] }

// Any result survives the way to ABCI and back.
func TestResultRoundTrip(t *testing.T) {
	text := rapid.StringMatching(`[ -~äß№]{0,12}`)
	rapid.Check(t, func(t *rapid.T) {
		r := ledger.TxResult{BodyHash: crypto.Keccak256(rapid.SliceOf(rapid.Byte()).Draw(t, "body"))}
		r.Code = rapid.SampledFrom(ledger.Codes()).Draw(t, "code").Code
		if r.Code == ledger.Applied {
			for range rapid.IntRange(0, 4).Draw(t, "events") {
				r.Events = append(r.Events, ledger.Event{
					Type: ledger.EventTransfer, From: address("alice"), To: address("bob"), Asset: address("asset"),
					Amount: ledger.NewAmount(rapid.Uint64().Draw(t, "amount")), Reference: text.Draw(t, "reference"),
				})
			}
		}
		var out abci.ExecTxResult
		fillResult(&out, &ledger.Tx{}, &r)
		back, err := ResultFromABCI(&out)
		if err != nil {
			t.Fatal(err)
		}
		if x, y := r.Outcome(), back.Outcome(); !bytes.Equal(x, y) {
			t.Fatalf("outcome %x became %x", x, y)
		}
	})
}

// A receipt is proved by a header: the proof leads from code and Data, which
// the events recompute, to LastResultsHash.
func TestReceiptIsProvable(t *testing.T) {
	c := newChain(t, Options{}, nil)
	res := c.block(variety(c)...)
	lastResultsHash := state.TxResultsHash(res.TxResults) // what the next header carries
	results := types.NewResults(res.TxResults)
	const index = 6
	proof := results.ProveResult(index)

	// What a client does, with the result, the proof and the header:
	r, err := ResultFromABCI(res.TxResults[index])
	if err != nil {
		t.Fatal(err)
	}
	digest := r.Digest()
	leaf, err := (&abci.ExecTxResult{Code: uint32(r.Code), Data: digest[:]}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if err := proof.Verify(lastResultsHash, leaf); err != nil {
		t.Error(err)
	}
	r.Events[1].Amount = ledger.NewAmount(1_000)
	digest = r.Digest()
	forged, _ := (&abci.ExecTxResult{Data: digest[:]}).Marshal()
	if proof.Verify(lastResultsHash, forged) == nil {
		t.Error("a forged amount is proved")
	}
	// Events and codespace are not in the hash themselves.
	for _, in := range res.TxResults {
		in.Events, in.Codespace = nil, ""
	}
	if !bytes.Equal(lastResultsHash, state.TxResultsHash(res.TxResults)) {
		t.Error("the results hash covers more than code, data and gas")
	}
}
