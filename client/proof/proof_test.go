package proof_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/big"
	"reflect"
	"strings"
	"testing"

	"github.com/cometbft/cometbft/crypto/ed25519"
	cometjson "github.com/cometbft/cometbft/libs/json"
	"github.com/cometbft/cometbft/types"
	"github.com/ethereum/go-ethereum/common"
	ethtypes "github.com/ethereum/go-ethereum/core/types"
	ethcrypto "github.com/ethereum/go-ethereum/crypto"

	"github.com/tallystick/tallystick/client/proof"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// Every transaction of blocks of all small sizes is provable, and its proof shows what
// became of it and nothing else.
func TestVerify(t *testing.T) {
	for size := 1; size <= 17; size++ {
		c := newChain(t, size)
		for at := range size {
			got, err := proof.Verify(copied(t, c.prove(t, at)), c.trust())
			if err != nil {
				t.Fatalf("%d of %d: %v", at, size, err)
			}
			if got.Code != c.results[at].Code || got.BodyHash != c.results[at].BodyHash || len(got.Events) != len(c.results[at].Events) || got.Tx == nil ||
				got.Tx.Nonce != ledger.Nonce(at) || got.Height != 7 || !got.Trusted.Same || got.Signed != 4_000_000 || len(got.Tx.Signers) != 1 {
				t.Errorf("%d of %d: %+v", at, size, got)
			}
		}
	}
}

// What became of one transaction cannot be given out for another's, even of one body.
func TestOutcomeOfAnother(t *testing.T) {
	c := newChain(t, 5)
	a, b := c.prove(t, 0), c.prove(t, 1)
	a.ResultPath, a.Outcome, a.Code, a.Events, a.BodyHash = b.ResultPath, b.Outcome, b.Code, b.Events, b.BodyHash
	if got, err := proof.Verify(a, c.trust()); err == nil {
		t.Errorf("taken: %+v", got)
	}
}

// changes walks over every value of a proof and gives each of them other ones: numbers
// one more and one less, texts and bytes with a bit flipped, shorter and longer, lists
// without an item, with one twice, and in another order.
func changes(v reflect.Value, path string, try func(path string)) {
	set := func(name string, to reflect.Value) {
		old := reflect.New(v.Type()).Elem()
		old.Set(v)
		v.Set(to)
		try(path + " " + name)
		v.Set(old)
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			set("left out", reflect.Zero(v.Type()))
			changes(v.Elem(), path, try)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				changes(v.Field(i), path+"."+v.Type().Field(i).Name, try)
			}
		}
	case reflect.Uint64, reflect.Uint32, reflect.Uint16, reflect.Uint8:
		set("+1", reflect.ValueOf(v.Uint()+1).Convert(v.Type()))
		set("-1", reflect.ValueOf(v.Uint()-1).Convert(v.Type()))
	case reflect.Int64, reflect.Int32:
		set("+1", reflect.ValueOf(v.Int()+1).Convert(v.Type()))
	case reflect.String:
		set("longer", reflect.ValueOf(v.String()+"x").Convert(v.Type()))
		if v.Len() > 0 {
			set("shorter", reflect.ValueOf(v.String()[1:]).Convert(v.Type()))
			set("empty", reflect.Zero(v.Type()))
		}
	case reflect.Array:
		for i := range v.Len() {
			changes(v.Index(i), path, try)
		}
	case reflect.Slice:
		n := v.Len()
		longer := reflect.AppendSlice(reflect.MakeSlice(v.Type(), 0, n+1), v)
		if n == 0 {
			set("longer", reflect.Append(longer, reflect.Zero(v.Type().Elem())))
			return
		}
		set("longer", reflect.Append(longer, v.Index(n-1)))
		set("shorter", v.Slice(0, n-1))
		set("empty", v.Slice(0, 0))
		for i := range n {
			changes(v.Index(i), path, try)
		}
	}
}

// No value of a proof can be another one: a proof in which one was changed is refused,
// whoever is trusted.
func TestEveryChangeIsRefused(t *testing.T) {
	for _, at := range []int{1, 2} { // applied, and refused
		c := newChain(t, 6)
		c.missing, c.power = 1, 3
		p := c.prove(t, at)
		if _, err := proof.Verify(p, proof.Trust{}); err != nil {
			t.Fatal(err)
		}
		tried := 0
		before := mustJSON(t, p)
		changes(reflect.ValueOf(p).Elem(), "", func(path string) {
			tried++
			if _, err := proof.Verify(p, proof.Trust{}); err == nil {
				t.Errorf("%s: taken", path)
			}
		})
		if string(mustJSON(t, p)) != string(before) || tried < 2000 {
			t.Fatalf("%d changes, and the proof is the same: %v", tried, string(mustJSON(t, p)) == string(before))
		}
	}
}

func mustJSON(t testing.TB, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Two thirds of the power must have signed, no less: votes for no block do not count,
// and one that is missing may be.
func TestTwoThirds(t *testing.T) {
	for _, c := range []struct {
		nils, missing int
		holds         bool
	}{{0, 0, true}, {1, 0, true}, {0, 1, true}, {1, 1, false}, {2, 0, false}, {0, 2, false}, {0, 4, false}} {
		chain := newChain(t, 2)
		chain.nils, chain.missing = c.nils, c.missing
		got, err := proof.Verify(chain.prove(t, 0), chain.trust())
		if (err == nil) != c.holds || c.holds && got.Signed != uint64(4-c.nils-c.missing)*1_000_000 {
			t.Errorf("%+v: %+v, %v", c, got, err)
		}
	}
}

// A set that has changed since is believed as far as those who are trusted signed: more
// than a third of their power.
func TestChangedSet(t *testing.T) {
	for replaced := range 5 {
		c := newChain(t, 2)
		trust := c.trust()
		for i := range replaced {
			c.keys[i] = ed25519.GenPrivKeyFromSecret([]byte{100, byte(i)})
		}
		p := c.prove(t, 0)
		got, err := proof.Verify(p, trust)
		switch {
		case replaced < 3 && (err != nil || got.Trusted.Same != (replaced == 0) || got.Trusted.Signed != uint64(4-replaced)*1_000_000):
			t.Errorf("%d replaced: %+v, %v", replaced, got, err)
		case replaced >= 3 && !errors.Is(err, proof.ErrNotTrusted):
			t.Errorf("%d replaced: %v", replaced, err)
		}
		trust.ValidatorsHash = crypto.Hash(p.NextHeader.ValidatorsHash)
		if got, err := proof.Verify(p, trust); err != nil || !got.Trusted.Set {
			t.Errorf("%d replaced, and the set is named: %+v, %v", replaced, got, err)
		}
	}
	c := newChain(t, 2)
	trust := c.trust()
	c.power *= 2
	if got, err := proof.Verify(c.prove(t, 0), trust); err != nil || got.Trusted.Same {
		t.Errorf("with other powers the set is the same: %+v, %v", got, err)
	}
}

// Another network is another one by its ID, and by its chain ID.
func TestOtherNetwork(t *testing.T) {
	c := newChain(t, 2)
	p := c.prove(t, 0)
	for _, other := range []struct {
		id    string
		chain uint64
	}{{"proof-test-2", 777_777}, {"proof-test", 777_778}} {
		trust := c.trust()
		var err error
		if trust.Network, err = ledger.NewNetwork(other.id, other.chain, crypto.Address{9}, 2); err != nil {
			t.Fatal(err)
		}
		if got, err := proof.Verify(p, trust); err == nil {
			t.Errorf("%+v: %+v", other, got)
		}
	}
}

// Plain Ethereum value needs to be told the settlement asset, which the body hash binds.
func TestEthereumValue(t *testing.T) {
	c := newChain(t, 2)
	key, err := ethcrypto.HexToECDSA("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
	if err != nil {
		t.Fatal(err)
	}
	signer := ethtypes.LatestSignerForChainID(new(big.Int).SetUint64(c.network.ChainID))
	to := common.Address{1}
	signed, err := ethtypes.SignNewTx(key, signer, &ethtypes.LegacyTx{Nonce: 1, To: &to, Value: big.NewInt(1e16), Gas: 21000, GasPrice: big.NewInt(1)})
	if err != nil {
		t.Fatal(err)
	}
	if c.txs[1], err = signed.MarshalBinary(); err != nil {
		t.Fatal(err)
	}
	tx, code := ledger.Decode(c.network, c.txs[1])
	if tx.RecoverSigners(); code != ledger.Applied {
		t.Fatal(code)
	}
	c.results[1] = ledger.TxResult{BodyHash: tx.BodyHash}
	p := c.prove(t, 1)
	if got, err := proof.Verify(p, proof.Trust{}); err == nil {
		t.Errorf("without the settlement asset: %+v", got)
	}
	p.Network.Settlement = &wire.ProofSettlement{Asset: c.network.Settlement, Decimals: c.network.SettlementDecimals}
	got, err := proof.Verify(p, c.trust())
	if err != nil || got.Tx == nil || got.Tx.Sender != payer.Address() {
		t.Fatalf("%+v, %v", got, err)
	}
	for _, wrong := range []wire.ProofSettlement{{Asset: crypto.Address{8}, Decimals: 2}, {Asset: c.network.Settlement, Decimals: 3}, {Asset: c.network.Settlement, Decimals: 200}} {
		p.Network.Settlement = &wrong
		if got, err := proof.Verify(p, proof.Trust{}); err == nil {
			t.Errorf("%+v: %+v", wrong, got)
		}
	}
	native := c.prove(t, 0)
	native.Network.Settlement = &wire.ProofSettlement{Asset: c.network.Settlement, Decimals: 2}
	if _, err := proof.Verify(native, proof.Trust{}); err == nil || !strings.Contains(err.Error(), "superfluous") {
		t.Errorf("a superfluous settlement asset: %v", err)
	}
}

// Bytes that are no transaction may stand in a block, and did nothing.
func TestUnreadableBytes(t *testing.T) {
	c := newChain(t, 2)
	c.txs[1], c.results[1] = []byte{0x99}, ledger.TxResult{Code: ledger.CodeMalformed}
	p := c.prove(t, 1)
	if got, err := proof.Verify(p, proof.Trust{}); err == nil {
		t.Errorf("with a network: %+v", got)
	}
	p.Network = nil
	if got, err := proof.Verify(p, c.trust()); err != nil || got.Tx != nil || got.Code != ledger.CodeMalformed {
		t.Errorf("%+v, %v", got, err)
	}
}

// What no network can have is refused, and nothing panics.
func TestHostileProofs(t *testing.T) {
	c := newChain(t, 2)
	for name, spoil := range map[string]func(*wire.ReceiptProof){
		"nothing":             func(p *wire.ReceiptProof) { *p = wire.ReceiptProof{} },
		"nothing in format":   func(p *wire.ReceiptProof) { *p = wire.ReceiptProof{Format: p.Format} },
		"event of no type":    func(p *wire.ReceiptProof) { p.Events[0] = wire.Event{} },
		"year 0":              func(p *wire.ReceiptProof) { p.NextHeader.Time = "0000-01-01T00:00:00Z" },
		"year 0 of a vote":    func(p *wire.ReceiptProof) { p.Validators[0].Time = "0000-01-01T00:00:00Z" },
		"height overflows":    func(p *wire.ReceiptProof) { p.Header.Height, p.NextHeader.Height = 1<<63-1, 1<<63 },
		"round overflows":     func(p *wire.ReceiptProof) { p.Commit.Round = 1 << 31 },
		"power overflows":     func(p *wire.ReceiptProof) { p.Validators[0].Power = 1<<64 - 1 },
		"powers overflow":     func(p *wire.ReceiptProof) { p.Validators[0].Power, p.Validators[1].Power = 1<<60, 1<<60 },
		"no power":            func(p *wire.ReceiptProof) { p.Validators[0].Power = 0 },
		"a key twice":         func(p *wire.ReceiptProof) { p.Validators[1] = p.Validators[0] },
		"short key":           func(p *wire.ReceiptProof) { p.Validators[1].PublicKey = p.Validators[1].PublicKey[:31] },
		"no validators":       func(p *wire.ReceiptProof) { p.Validators = nil },
		"many validators":     func(p *wire.ReceiptProof) { p.Validators = make([]wire.ProofValidator, 10_001) },
		"long path":           func(p *wire.ReceiptProof) { p.TransactionPath = make([]wire.MerkleStep, 64) },
		"no hashes":           func(p *wire.ReceiptProof) { p.Header.DataHash, p.NextHeader.LastResultsHash = nil, nil },
		"header names nobody": func(p *wire.ReceiptProof) { p.Header.ValidatorsHash = nil },
		"too long":            func(p *wire.ReceiptProof) { p.Raw = make(wire.Bytes, ledger.MaxTxBytes+1) },
	} {
		p := copied(t, c.prove(t, 0))
		spoil(p)
		if got, err := proof.Verify(p, c.trust()); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for name, text := range map[string]string{"not JSON": "x", "an array": "[]", "another field": `{"format":"x","more":1}`, "two": "{} {}", "too long": strings.Repeat(" ", proof.MaxBytes+1)} {
		if p, err := proof.Read([]byte(text)); err == nil {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

// A genesis document without members says whom to trust by its own list. Packages node and
// cmd/tally read one with members, of a real network.
func TestGenesisOfListedValidators(t *testing.T) {
	c := newChain(t, 1)
	var list []types.GenesisValidator
	for _, k := range c.keys {
		list = append(list, types.GenesisValidator{PubKey: k.PubKey(), Power: c.power})
	}
	issuer := payer.Address()
	state := ledger.Genesis{NetworkID: "proof-test", ChainID: 777_777, Settlement: "EUR", Params: ledger.NewGenesisParams(ledger.DefaultParams()),
		Assets: []ledger.GenesisAsset{{Symbol: "EUR", Name: "Euro", Decimals: 2, Issuer: issuer}}, Accounts: []ledger.GenesisAccount{{Address: issuer}}}
	document := func(id string, list []types.GenesisValidator) []byte {
		validators, err := cometjson.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		return mustJSON(t, map[string]any{"chain_id": id, "app_state": state, "validators": json.RawMessage(validators)})
	}
	trust, err := proof.Genesis(document("proof-test", list))
	if err != nil || len(trust.Validators) != 4 || trust.GenesisHash == [32]byte{} {
		t.Fatalf("%+v, %v", trust, err)
	}
	if got, err := proof.Verify(c.prove(t, 0), trust); err != nil || !got.Trusted.Same {
		t.Errorf("%+v, %v", got, err)
	}
	weak := append([]types.GenesisValidator{}, list...)
	weak[1].Power = 0
	for name, text := range map[string][]byte{"another ID": document("another", list), "no validators": document("proof-test", nil), "no power": document("proof-test", weak)} {
		if trust, err := proof.Genesis(text); err == nil {
			t.Errorf("%s: %+v", name, trust)
		}
	}
}

// What is no genesis document gives no trust.
func TestGenesisRefused(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": "", "not JSON": "x", "an array": "[]", "no state": `{"chain_id":"a"}`, "no such state": `{"chain_id":"a","app_state":{"networkId":1}}`,
	} {
		if trust, err := proof.Genesis([]byte(text)); err == nil {
			t.Errorf("%s: %+v", name, trust)
		}
	}
}

// FuzzVerifyReceiptProof: no JSON makes it panic, and none is taken that shows anything
// but what the signatures stand for.
func FuzzVerifyReceiptProof(f *testing.F) {
	c := newChain(f, 3)
	known := map[crypto.Hash]ledger.TxResult{}
	for i := range c.txs {
		known[crypto.Keccak256(c.txs[i])] = c.results[i]
		f.Add(mustJSON(f, c.prove(f, i)))
	}
	f.Add([]byte(`{"format":"tallystick-receipt-proof-1","events":[{"type":"transfer"}],"validators":[{}]}`))
	trust := c.trust()
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := proof.Read(data)
		if err != nil {
			return
		}
		_, _ = proof.Verify(p, proof.Trust{})
		got, err := proof.Verify(p, trust)
		if err != nil {
			return
		}
		want, ok := known[got.Hash]
		if !ok || got.Code != want.Code || got.BodyHash != want.BodyHash || got.Height != 7 || len(got.Events) != len(want.Events) || len(want.Events) > 0 && !reflect.DeepEqual(got.Events, want.Events) {
			t.Fatalf("taken: %+v, and true is %+v", got, want)
		}
	})
}

// A file may be spaced and ordered as one likes. Of what a person and a decoder may
// read differently, nothing is taken.
func TestReadIsExact(t *testing.T) {
	c := newChain(t, 2)
	data, err := json.Marshal(c.prove(t, 0))
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&tree); err != nil {
		t.Fatal(err)
	}
	sorted, err := json.MarshalIndent(tree, "", "    ")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := proof.Read(sorted); err != nil {
		t.Errorf("sorted and spaced: %v", err)
	}
	for name, change := range map[string][2]string{
		"a field twice":      {`{"format"`, `{"code":0,"format"`},
		"in another case":    {`"bodyHash"`, `"bodyhash"`},
		"twice in two cases": {`{"format"`, `{"CODE":0,"format"`},
		"without a field":    {`"code":0,`, ``},
	} {
		text := strings.Replace(string(data), change[0], change[1], 1)
		if text == string(data) {
			t.Fatalf("%s: nothing was changed", name)
		}
		if _, err := proof.Read([]byte(text)); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
