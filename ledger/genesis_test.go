package ledger_test

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

// TestGenesisRefuses spoils the golden genesis in every way; each error names
// the field.
func TestGenesisRefuses(t *testing.T) {
	zero := crypto.Address{}
	net := goldenNet(t)
	for name, one := range map[string]struct {
		spoil func(g *ledger.Genesis)
		want  string
	}{
		"no network ID":             {func(g *ledger.Genesis) { g.NetworkID = "" }, "networkId"},
		"network ID with a slash":   {func(g *ledger.Genesis) { g.NetworkID = "a/b" }, "networkId"},
		"network ID of 51 letters":  {func(g *ledger.Genesis) { g.NetworkID = strings.Repeat("a", 51) }, "networkId"},
		"chain ID 0":                {func(g *ledger.Genesis) { g.ChainID = 0 }, "chainId"},
		"chain ID of Ethereum":      {func(g *ledger.Genesis) { g.ChainID = 1 }, "Ethereum"},
		"chain ID too large":        {func(g *ledger.Genesis) { g.ChainID = ledger.MaxChainID + 1 }, "chainId"},
		"settlement unknown":        {func(g *ledger.Genesis) { g.Settlement = "NONE" }, "settlement"},
		"policy unknown":            {func(g *ledger.Genesis) { g.Params.AccountPolicy = "closed" }, "params.accountPolicy"},
		"no new accounts":           {func(g *ledger.Genesis) { g.Params.MaxNewAccounts = 0 }, "params.maxNewAccounts"},
		"lifetime too long":         {func(g *ledger.Genesis) { g.Params.MaxMultiPartyLifetime = 1 << 60 }, "params.maxMultiPartyLifetime"},
		"too few signatures":        {func(g *ledger.Genesis) { g.Params.MaxBlockSignatures = 63 }, "params.maxBlockSignatures"},
		"too few legs":              {func(g *ledger.Genesis) { g.Params.MaxBlockLegs = 4095 }, "params.maxBlockLegs"},
		"too few bytes":             {func(g *ledger.Genesis) { g.Params.MaxBlockBytes = ledger.MaxTxBytes - 1 }, "params.maxBlockBytes"},
		"account zero":              {func(g *ledger.Genesis) { g.Accounts[0].Address = zero }, "accounts[0].address"},
		"account twice":             {func(g *ledger.Genesis) { g.Accounts = append(g.Accounts, g.Accounts[0]) }, "twice"},
		"account at an asset":       {func(g *ledger.Genesis) { g.Accounts[2].Address = net.Settlement }, "an account stands"},
		"threshold without keys":    {func(g *ledger.Genesis) { g.Accounts[0].Threshold = 1 }, "accounts[0]"},
		"keys without threshold":    {func(g *ledger.Genesis) { g.Accounts[2].Threshold = 0 }, "threshold 0"},
		"threshold above the sum":   {func(g *ledger.Genesis) { g.Accounts[2].Threshold = 4 }, "threshold 4"},
		"keys out of order":         {func(g *ledger.Genesis) { slices.Reverse(g.Accounts[2].Keys) }, "ascending"},
		"key twice":                 {func(g *ledger.Genesis) { g.Accounts[2].Keys[1] = g.Accounts[2].Keys[0] }, "ascending"},
		"key zero":                  {func(g *ledger.Genesis) { g.Accounts[2].Keys[0].Address = zero }, "zero"},
		"weight zero":               {func(g *ledger.Genesis) { g.Accounts[2].Keys[0].Weight = 0 }, "zero"},
		"17 keys":                   {func(g *ledger.Genesis) { g.Accounts[2].Keys = manyKeys(17) }, "at most 16"},
		"own key alone":             {func(g *ledger.Genesis) { ownKey(&g.Accounts[2]) }, "default"},
		"symbol twice":              {func(g *ledger.Genesis) { g.Assets[1].Symbol = "COIN" }, "assets[1]"},
		"symbol in lower case":      {func(g *ledger.Genesis) { g.Assets[1].Symbol = "gold" }, "assets[1]"},
		"no name":                   {func(g *ledger.Genesis) { g.Assets[1].Name = "" }, "assets[1]"},
		"decimals 19":               {func(g *ledger.Genesis) { g.Assets[1].Decimals = 19 }, "assets[1]"},
		"flags":                     {func(g *ledger.Genesis) { g.Assets[1].Flags = 8 }, "flags"},
		"issuer unknown":            {func(g *ledger.Genesis) { g.Assets[1].Issuer = ledgertest.Address("nobody") }, "issuer"},
		"issuer zero":               {func(g *ledger.Genesis) { g.Assets[1].Issuer = zero }, "issuer"},
		"balance of nobody":         {func(g *ledger.Genesis) { g.Balances[0].Account = ledgertest.Address("nobody") }, "balances[0]"},
		"balance of no asset":       {func(g *ledger.Genesis) { g.Balances[0].Symbol = "NONE" }, "balances[0]"},
		"balance twice":             {func(g *ledger.Genesis) { g.Balances = append(g.Balances, g.Balances[0]) }, "two balances"},
		"balance zero":              {func(g *ledger.Genesis) { g.Balances[0].Amount = ledger.Amount{} }, "balances[0]"},
		"balance above the cap":     {func(g *ledger.Genesis) { g.Balances[1].Amount = ledger.NewAmount(1_000_001) }, "above the cap"},
		"supply above 2^128":        {func(g *ledger.Genesis) { tooMuch(g) }, "above the cap"},
		"holder of no asset":        {func(g *ledger.Genesis) { g.Holders[0].Symbol = "NONE" }, "holders[0]"},
		"holder without account":    {func(g *ledger.Genesis) { g.Holders[0].Account = ledgertest.Address("nobody") }, "holders[0]"},
		"holder zero":               {func(g *ledger.Genesis) { g.Holders[0].Account = zero }, "holders[0]"},
		"holder twice":              {func(g *ledger.Genesis) { g.Holders = append(g.Holders, g.Holders[0]) }, "twice for this asset"},
		"holder of a plain asset":   {func(g *ledger.Genesis) { g.Holders[0].Symbol = "GOLD" }, "without the flag restricted"},
		"balance without approval":  {func(g *ledger.Genesis) { g.Holders = nil }, "list it among the holders"},
		"settlement with no assets": {func(g *ledger.Genesis) { g.Assets, g.Holders, g.Balances = nil, nil, nil }, "settlement"},
	} {
		g := goldenGenesis()
		one.spoil(g)
		text, err := json.Marshal(g)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := ledger.ParseGenesis(text)
		if err == nil {
			_, err = parsed.Build()
		}
		if err == nil || !strings.Contains(err.Error(), one.want) || !strings.Contains(err.Error(), "genesis app_state") {
			t.Errorf("%s: error %v, want one with %q", name, err, one.want)
		}
	}
}

func manyKeys(n int) []ledger.Key {
	keys := make([]ledger.Key, n)
	for i := range keys {
		keys[i] = ledger.Key{Address: crypto.Address{byte(i + 1)}, Weight: 1}
	}
	return keys
}

func ownKey(a *ledger.GenesisAccount) {
	a.Keys, a.Threshold = []ledger.Key{{Address: a.Address, Weight: 1}}, 1
}

func tooMuch(g *ledger.Genesis) {
	g.Balances[0].Amount = ledger.MaxAmount
	g.Balances = append(g.Balances, ledger.GenesisBalance{Account: ledgertest.Address("issuer"), Symbol: "COIN", Amount: ledger.NewAmount(1)})
}

// TestGenesisText: the document is read strictly.
func TestGenesisText(t *testing.T) {
	good, err := json.Marshal(goldenGenesis())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.ParseGenesis(good); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"":                  "EOF",
		"{":                 "EOF",
		string(good) + "{}": "after the JSON value",
		string(good[:len(good)-1]) + `,"extra":1}`:                            "unknown field",
		string(good[:len(good)-1]) + `,"chainId":7}`:                          "given twice",
		strings.Replace(string(good), `"COIN"`, "\"\xff\"", 1):                "UTF-8",
		strings.Replace(string(good), `"open"`, `1`, 1):                       "accountPolicy",
		strings.Replace(string(good), `"weight":1`, `"weight":4294967296`, 1): "weight",
	} {
		if _, err := ledger.ParseGenesis([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80q: error %v, want one with %q", text, err, want)
		}
	}
}

// TestReadNetwork: what genesis wrote is read back, and binds signatures as
// before.
func TestReadNetwork(t *testing.T) {
	built, err := goldenGenesis().Build()
	if err != nil {
		t.Fatal(err)
	}
	net, err := ledger.ReadNetwork(ledgertest.NewState(built.Changes))
	if err != nil {
		t.Fatal(err)
	}
	body := goldenBodies(net)[0].body
	if *net != *built.Network || net.TypedDataDigest(&body) != built.Network.TypedDataDigest(&body) {
		t.Errorf("%+v became %+v", built.Network, net)
	}
	if _, err := ledger.ReadNetwork(&ledgertest.State{}); err == nil {
		t.Error("a network was read from nothing")
	}
	if _, err := ledger.ReadParams(&ledgertest.State{}); err == nil {
		t.Error("parameters were read from nothing")
	}
}

// TestSharedTransactions: transactions whose signers are recovered are only
// read, so that many goroutines may judge and apply them at once. It proves
// that under the race detector.
func TestSharedTransactions(t *testing.T) {
	c, big := manyPayers(t, 4, 64, ledger.SchemeTypedData)
	txs := []*ledger.Tx{big, cancel(t, c, "payer 0", 1), cancel(t, c, "payer 1", 0), cancel(t, c, "payer 1", 0)}
	raw := ledgertest.EthereumRaw(c.Net, ledgertest.Key("payer 2"), ledgertest.EthereumInner(c.Net, ledger.EnvelopeLegacy, 0, big.Sender, c.Asset("GOLD"), ledger.NewAmount(1)))
	eth, _ := ledger.Decode(c.Net, raw)
	broken, _ := ledger.Decode(c.Net, raw[1:])
	bad, _ := ledger.Decode(c.Net, ledger.EncodeNative(c.Net, &big.Body, slices.Repeat(big.Signatures[:1], 2)))
	txs = append(txs, eth, broken, bad)
	for _, tx := range txs {
		tx.RecoverSigners()
	}
	block := ledger.Block{Height: 1, Time: c.Time + 1, Txs: txs}
	want, err := ledger.Apply(c.Net, block, c.State)
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			got, err := ledger.Apply(c.Net, block, c.State)
			if err != nil || len(got.Changes) != len(want.Changes) {
				t.Errorf("%d changes, want %d (error %v)", len(got.Changes), len(want.Changes), err)
			}
			for i, tx := range txs {
				if code, err := ledger.Includable(c.Net, c.Time+1, c.State, tx); err != nil || code == ledger.Applied && i >= 5 {
					t.Errorf("transaction %d: %s %v", i, code, err)
				}
				if got.Results[i].Digest() != want.Results[i].Digest() {
					t.Errorf("transaction %d has another outcome", i)
				}
			}
			if _, err := ledger.CheckBlock(c.Net, block, c.State); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
}
