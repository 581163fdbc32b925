package main

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/config"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/crypto/mnemonic"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/node"
)

// twoMembers is a network of two members, whose admin accounts are the first
// two of the devnet's mnemonic. Bank A has the only validator, issues, admits
// accounts and answers for the eight accounts that follow.
func twoMembers(t *testing.T, consensusKey []byte) ledger.Genesis {
	t.Helper()
	g := ledger.Genesis{
		NetworkID: "two-members", ChainID: 707_707, Settlement: "COIN", Params: ledger.NewGenesisParams(ledger.DefaultParams()),
	}
	var accounts []crypto.Address
	for i := range uint32(10) {
		key, err := mnemonic.Derive(node.DevnetMnemonic, "", i)
		if err != nil {
			t.Fatal(err)
		}
		accounts = append(accounts, key.Address())
	}
	for i, address := range accounts {
		member := accounts[0]
		if i == 1 {
			member = address
		}
		g.Accounts = append(g.Accounts, ledger.GenesisAccount{Address: address, Member: member})
	}
	g.Members = []ledger.GenesisMember{
		{Admin: accounts[0], Name: "Bank A", Roles: []string{"validator", "issuer", "registrar"}, ConsensusKey: ledger.ConsensusKey(consensusKey), Power: node.MinValidatorPower, NodeIDs: []ledger.NodeID{{1}}},
		{Admin: accounts[1], Name: "Bank B", Roles: []string{"auditor"}},
	}
	for _, symbol := range []string{"COIN", "USD", "EUR"} {
		g.Assets = append(g.Assets, ledger.GenesisAsset{Symbol: symbol, Name: symbol, Decimals: 2, Issuer: accounts[0]})
		for _, address := range accounts[2:] {
			g.Balances = append(g.Balances, ledger.GenesisBalance{Account: address, Symbol: symbol, Amount: ledger.NewAmount(100_000)})
		}
	}
	return g
}

// startMembers runs the only validator of twoMembers until the test ends, and
// returns its RPC address.
func startMembers(t *testing.T) string {
	t.Helper()
	home, settings := node.Home(t.TempDir()+"/node"), config.Default()
	base := freeBase(t)
	settings.RPC.Listen, settings.P2P.Listen = fmt.Sprintf("127.0.0.1:%d", base), fmt.Sprintf("127.0.0.1:%d", base+100)
	settings.Metrics.Listen = fmt.Sprintf("127.0.0.1:%d", base+200)
	settings.Log.Level = "error"
	identity, err := node.Init(home, settings)
	if err != nil {
		t.Fatal(err)
	}
	document, err := node.GenesisSpec{Time: time.Now(), Ledger: twoMembers(t, identity.ConsensusKey)}.Document()
	if err == nil {
		err = os.WriteFile(home.GenesisFile(), document, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan int, 1)
	go func() { done <- execute(ctx, []string{"start", "--home", string(home)}, t.Output(), t.Output()) }()
	t.Cleanup(func() {
		stop()
		if code := <-done; code != exitOK {
			t.Errorf("the node ended with exit code %d", code)
		}
	})
	url := "http://" + settings.RPC.Listen
	awaitBlock(t, url)
	return url
}

// awaitBlock waits for a network's first block.
func awaitBlock(t *testing.T, url string) {
	t.Helper()
	for until := time.Now().Add(time.Minute); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		c, err := client.Dial(t.Context(), url)
		if err != nil {
			continue
		}
		status, err := c.Status(t.Context())
		c.Close()
		if err == nil && status.Height > 0 {
			return
		}
	}
	t.Fatal("the node makes no blocks")
}

// The scripts talk to the validator of a network that its members govern. Each
// has accounts of its own.
func TestScriptsAgainstAMember(t *testing.T) {
	url := startMembers(t)
	t.Run("scripts", func(t *testing.T) {
		testscript.Run(t, testscript.Params{
			Dir:                 "testdata/member",
			RequireExplicitExec: true,
			RequireUniqueNames:  true,
			Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
			Setup: func(e *testscript.Env) error {
				e.Setenv("HOME", e.WorkDir)
				e.Setenv("RPC", url)
				e.Setenv("TALLY_PASSPHRASE", "x")
				return os.WriteFile(e.WorkDir+"/words.txt", []byte(node.DevnetMnemonic), 0o600)
			},
		})
	})
}
