package network

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tallystick/tallystick/config"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
	"github.com/tallystick/tallystick/node"
	"github.com/tallystick/tallystick/node/card"
)

// Options say how a network differs from the usual one. The zero value works.
type Options struct {
	// Genesis changes what the ledger starts with.
	Genesis func(*ledger.Genesis)
	// Config changes the configuration of validator i.
	Config func(i int, c *config.Config)
	// Program is what validator i runs in place of tally, and its arguments.
	Program map[int][]string
	// People have an account each, by their names in ledgertest, besides the
	// accounts that make the load.
	People []string
}

// What everybody has from the start, of each asset.
const funds = 1_000_000_000_000

// Symbols of the assets. The settlement asset is the first.
const (
	Settlement = "TALLY"
	Second     = "EUR"
)

// accounts is how many accounts the load uses.
const accounts = 16

// person is the name, in ledgertest, of a load account.
func person(i int) string { return fmt.Sprintf("load %d", i) }

// Network is a network of validators on this machine, each a process. Its
// methods are for the goroutine of the test, but for Running and Client.
type Network struct {
	// Ledger is the network's identity.
	Ledger *ledger.Network

	t          testing.TB
	validators []*validator
}

// New lays out the directories of so many validators that know each other and
// start from one genesis. It starts none. When the test ends, all that run are
// killed; if it has failed, the ends of their logs are shown.
func New(t testing.TB, validators int, o Options) *Network {
	t.Helper()
	n := &Network{t: t}
	dir := t.TempDir()
	tally := ""
	for i := range validators {
		program := o.Program[i]
		if program == nil {
			if tally == "" {
				tally = Build(t)
			}
			program = []string{tally, "start"}
		}
		v := &validator{
			index: i, home: node.Home(filepath.Join(dir, fmt.Sprint("validator", i))), program: program,
			log: filepath.Join(dir, fmt.Sprintf("validator%d.log", i)),
		}
		v.p2p, v.rpc, v.metrics = freeAddress(t), freeAddress(t), freeAddress(t)
		v.client = newClient(v.rpc)
		n.validators = append(n.validators, v)
	}
	t.Cleanup(n.cleanUp)
	n.layOut(o)
	return n
}

// layOut writes keys, configurations and the genesis. Each validator is a member,
// whose admin account has its name in ledgertest.
func (n *Network) layOut(o Options) {
	n.t.Helper()
	g := genesis(o)
	founding := node.Founding{
		NetworkID: g.NetworkID, ChainID: g.ChainID, Params: g.Params, Settlement: g.Settlement,
		Assets: g.Assets, Accounts: g.Accounts, Balances: g.Balances,
	}
	for _, v := range n.validators {
		identity, err := node.Init(v.home, v.config())
		if err != nil {
			n.t.Fatal(err)
		}
		v.identity = identity
		c, err := node.SignCard(v.home, card.Card{
			Name: v.name(), Address: v.p2p, Roles: []string{"validator", "issuer", "registrar"},
			Power: card.DefaultPower, NetworkID: g.NetworkID, Time: ledger.UnixTime(time.Now().Unix()),
		}, ledgertest.Key(v.name()))
		if err != nil {
			n.t.Fatal(err)
		}
		founding.Cards = append(founding.Cards, c)
	}
	document, err := founding.Document()
	if err != nil {
		n.t.Fatal(err)
	}
	for i, v := range n.validators {
		c := v.config()
		for j, other := range n.validators {
			if j != i {
				c.P2P.Peers = append(c.P2P.Peers, other.identity.NodeID+"@"+other.p2p)
			}
		}
		if o.Config != nil {
			o.Config(i, &c)
		}
		if err := config.Write(v.home.ConfigFile(), c); err != nil {
			n.t.Fatal(err)
		}
		if err := os.WriteFile(v.home.GenesisFile(), document, 0o600); err != nil {
			n.t.Fatal(err)
		}
	}
	founded, err := node.CheckGenesis(n.validators[0].home.GenesisFile())
	if err != nil {
		n.t.Fatal(err)
	}
	state, err := founded.Build()
	if err != nil {
		n.t.Fatal(err)
	}
	n.Ledger = state.Network
}

// genesis is the ledger's part of the genesis.
func genesis(o Options) ledger.Genesis {
	issuer := ledgertest.Address("issuer")
	params := ledger.DefaultParams()
	params.AccountPolicy = ledger.PolicyOpen
	g := ledger.Genesis{
		NetworkID: fmt.Sprintf("test-%016x", rand.Uint64()), Settlement: Settlement,
		Params: ledger.NewGenesisParams(params),
		Assets: []ledger.GenesisAsset{
			{Symbol: Settlement, Name: "Tally", Decimals: 18, Issuer: issuer},
			{Symbol: Second, Name: "Euro", Decimals: 2, Issuer: issuer},
		},
		Accounts: []ledger.GenesisAccount{{Address: issuer}},
	}
	g.ChainID = ledger.DeriveChainID(g.NetworkID)
	people := slices.Clone(o.People)
	for i := range accounts {
		people = append(people, person(i))
	}
	for _, name := range people {
		address := ledgertest.Address(name)
		g.Accounts = append(g.Accounts, ledger.GenesisAccount{Address: address})
		for _, symbol := range []string{Settlement, Second} {
			g.Balances = append(g.Balances, ledger.GenesisBalance{Account: address, Symbol: symbol, Amount: ledger.NewAmount(funds)})
		}
	}
	if o.Genesis != nil {
		o.Genesis(&g)
	}
	return g
}

// config is a configuration for tests: the usual one, but quicker to notice
// that a validator is missing, and small in memory.
func (v *validator) config() config.Config {
	c := config.Default()
	c.Moniker = v.name()
	c.P2P.Listen, c.RPC.Listen, c.Metrics.Listen = v.p2p, v.rpc, v.metrics
	c.Consensus.TimeoutPropose, c.Consensus.TimeoutProposeDelta = 250*time.Millisecond, 250*time.Millisecond
	c.Consensus.TimeoutPrevote, c.Consensus.TimeoutPrevoteDelta = 100*time.Millisecond, 250*time.Millisecond
	c.Consensus.TimeoutPrecommit, c.Consensus.TimeoutPrecommitDelta = 100*time.Millisecond, 250*time.Millisecond
	c.Consensus.HeartbeatInterval = 2 * time.Second
	c.State.CacheBytes = 16 << 20
	c.Admission.SignerCacheBytes = 16 << 20
	return c
}

// ports hands out ports of this machine. They lie below those that the system
// gives to outgoing connections, so that a port stays free while its validator
// is down, and apart from those of other packages' tests (docs/decisions/0005).
// Processes that test at the same time begin at different places.
var ports = struct {
	low, count, begin uint32
	taken             atomic.Uint32
}{low: 20_000, count: 7_000, begin: rand.Uint32N(7_000)}

// nextPort returns the port to try next.
func nextPort() uint32 {
	return ports.low + (ports.begin+ports.taken.Add(1))%ports.count
}

// freeAddress returns a loopback address that nobody listens on.
func freeAddress(t testing.TB) string {
	t.Helper()
	var problems bytes.Buffer
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", nextPort())
		listener, err := net.Listen("tcp", address)
		if err != nil {
			fmt.Fprintln(&problems, err)
			continue
		}
		if err := listener.Close(); err != nil {
			t.Fatal(err)
		}
		return address
	}
	t.Fatalf("found no free port:\n%s", &problems)
	return ""
}
