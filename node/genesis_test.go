package node

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cometbft/cometbft/crypto/ed25519"

	"github.com/tallystick/tallystick/ledger"
)

// testSpec is a network with two validators of fixed keys.
func testSpec(t *testing.T) GenesisSpec {
	t.Helper()
	f, err := devnetFounding("test-network")
	if err != nil {
		t.Fatal(err)
	}
	spec := GenesisSpec{Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Ledger: ledger.Genesis{
		NetworkID: f.NetworkID, ChainID: ledger.DeriveChainID(f.NetworkID), Settlement: f.Settlement, Params: f.Params,
		Assets: f.Assets, Accounts: f.Accounts, Balances: f.Balances,
	}}
	for _, seed := range []string{"one", "two"} {
		key := ed25519.GenPrivKeyFromSecret([]byte(seed)).PubKey()
		spec.Validators = append(spec.Validators, GenesisValidator{Name: seed, ConsensusKey: key.Bytes(), Power: MinValidatorPower})
	}
	return spec
}

func TestGenesisDocument(t *testing.T) {
	spec := testSpec(t)
	data, err := spec.Document()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "genesis.json")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	g, err := readGenesis(path)
	if err != nil {
		t.Fatal(err)
	}
	if !g.doc.GenesisTime.Equal(spec.Time) || g.doc.ChainID != "test-network" || len(g.doc.Validators) != 2 ||
		g.doc.ConsensusParams.Version.App != ledger.Protocol || g.ledger.Settlement != "TALLY" || len(g.events) == 0 {
		t.Errorf("read back: %+v", g.doc)
	}
	again, err := spec.Document()
	if err != nil || string(again) != string(data) {
		t.Errorf("made again, the document is another one (%v)", err)
	}
}

func TestGenesisSpecRefused(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(*GenesisSpec)
		want  string
	}{
		{"no time", func(g *GenesisSpec) { g.Time = time.Time{} }, "genesis_time"},
		{"no validators", func(g *GenesisSpec) { g.Validators = nil }, "validators: there are none"},
		{"short key", func(g *GenesisSpec) { g.Validators[1].ConsensusKey = []byte{1} }, "validators[1]"},
		{"same key twice", func(g *GenesisSpec) { g.Validators[1].ConsensusKey = g.Validators[0].ConsensusKey }, "validators[1].pub_key: the same as that of validators[0]"},
		{"little power", func(g *GenesisSpec) { g.Validators[0].Power = MinValidatorPower - 1 }, "validators[0].power"},
		{"no power", func(g *GenesisSpec) { g.Validators[0].Power = 0 }, "validators[0].power"},
		{"negative power", func(g *GenesisSpec) { g.Validators[0].Power = -5 }, "validators[0].power"},
		{"too much power", func(g *GenesisSpec) { g.Validators[0].Power = 1 << 62 }, "validators[0].power"},
		{"no network", func(g *GenesisSpec) { g.Ledger.NetworkID = "" }, "chain_id"},
		{"long network", func(g *GenesisSpec) { g.Ledger.NetworkID = strings.Repeat("x", 51) }, "chain_id"},
		{"bad network", func(g *GenesisSpec) { g.Ledger.NetworkID = "a b" }, "networkId"},
		{"public chain", func(g *GenesisSpec) { g.Ledger.ChainID = 1 }, "chainId"},
		{"no settlement asset", func(g *GenesisSpec) { g.Ledger.Settlement = "EUR" }, "settlement"},
		{"bad policy", func(g *GenesisSpec) { g.Ledger.Params.AccountPolicy = "closed" }, "accountPolicy"},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec := testSpec(t)
			c.spoil(&spec)
			_, err := spec.Document()
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want something with %q", err, c.want)
			}
		})
	}
}

// Each change to a good document is refused, and the field is named.
func TestGenesisDocumentRefused(t *testing.T) {
	good, err := testSpec(t).Document()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path  string // dotted; "" is the whole
		value any    // nil removes
		want  string
	}{
		{"genesis_time", nil, "genesis_time"},
		{"genesis_time", "0001-01-01T00:00:00Z", "genesis_time"},
		{"genesis_time", "yesterday", "not a genesis document"},
		{"chain_id", nil, "chain_id"},
		{"chain_id", "another", "chain_id: is \"another\", but app_state.networkId is \"test-network\""},
		{"initial_height", "7", "initial_height"},
		{"app_hash", "AB", "app_hash"},
		{"app_state", nil, "app_state"},
		{"app_state", []any{}, "app_state"},
		{"app_state.networkID2", "x", "app_state"},
		{"app_state.accounts", []any{map[string]any{"address": "0x12"}}, "app_state"},
		{"app_state.chainId", 137, "chainId"},
		{"validators", nil, "validators"},
		{"validators", []any{}, "validators"},
		{"validators", []any{map[string]any{"power": "1000000"}}, "validators[0].pub_key"},
		{"validators", validatorWithKey("tendermint/PubKeyEd25519", "AAAA"), "validators[0].pub_key"},
		{"validators", validatorWithKey("tendermint/PubKeySecp256k1", "AAAA"), "validators[0].pub_key"},
		{"consensus_params", nil, "consensus_params"},
		{"consensus_params.block.max_bytes", "4194304", "consensus_params.block.max_bytes"},
		{"consensus_params.block.max_gas", "10", "consensus_params.block.max_gas"},
		{"consensus_params.version.app", "2", "consensus_params.version.app"},
		{"consensus_params.version.app", nil, "consensus_params.version.app"},
		{"consensus_params.validator.pub_key_types", []any{"secp256k1"}, "pub_key_types"},
		{"consensus_params.abci.vote_extensions_enable_height", "1", "vote_extensions_enable_height"},
		{"consensus_params.evidence.max_age_num_blocks", "0", "consensus_params"},
		{"genesis_tme", "x", "genesis_tme: there is no such field"},
	} {
		t.Run(c.path, func(t *testing.T) {
			var document map[string]any
			if err := json.Unmarshal(good, &document); err != nil {
				t.Fatal(err)
			}
			change(t, document, strings.Split(c.path, "."), c.value)
			data, err := json.Marshal(document)
			if err != nil {
				t.Fatal(err)
			}
			_, err = parseGenesis(data)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want something with %q", err, c.want)
			}
		})
	}
	for _, text := range []string{"", "null", "[]", "7", "{", `{"chain_id":`, "\x00"} {
		if _, err := parseGenesis([]byte(text)); err == nil {
			t.Errorf("%q is taken for a genesis document", text)
		}
	}
}

func validatorWithKey(kind, value string) []any {
	return []any{map[string]any{"power": "1000000", "pub_key": map[string]any{"type": kind, "value": value}}}
}

// change sets the value at path, or removes it.
func change(t *testing.T, table map[string]any, path []string, value any) {
	t.Helper()
	for _, name := range path[:len(path)-1] {
		inner, ok := table[name].(map[string]any)
		if !ok {
			t.Fatalf("there is no table %s to change", name)
		}
		table = inner
	}
	last := path[len(path)-1]
	if value == nil {
		delete(table, last)
		return
	}
	table[last] = value
}

func TestGenesisFileMissing(t *testing.T) {
	if _, err := CheckGenesis(filepath.Join(t.TempDir(), "genesis.json")); err == nil {
		t.Error("no error")
	}
}

// Bad documents never panic.
func FuzzGenesis(f *testing.F) {
	f.Add([]byte(`{"chain_id":"x"}`))
	f.Add([]byte(`{"genesis_time":"2026-01-02T03:04:05Z","chain_id":"a","initial_height":"1","validators":[{"pub_key":null,"power":"1"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if g, err := parseGenesis(data); err == nil && (g.doc.ChainID == "" || g.doc.GenesisTime.IsZero() || len(g.doc.Validators)+len(g.ledger.Members) == 0) {
			t.Errorf("taken: %+v", g.doc)
		}
	})
}
