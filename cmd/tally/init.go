package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/config"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/crypto/keystore"
	"github.com/tallystick/tallystick/node"
)

// initFlags say what node to make.
type initFlags struct {
	name, moniker, address string
	rpcListen, metrics     string
	keys                   keyFlags
	light                  *bool
}

func newInit() *cobra.Command {
	c := &cobra.Command{
		Use:   "init",
		Short: "Make the directory, keys and configuration of a new node",
		Long: "Make a new node in --home: its node key, its consensus key, and config.toml with every setting\n" +
			"explained. With --name it is the node of an organisation that founds or joins a network, and gets\n" +
			"the organisation's admin key too, encrypted. Nothing that exists is replaced.",
		Example: "  tally init --home /srv/tally --name \"Bank A\" --address node.bank-a.example:26656\n" +
			"  tally init --home /srv/tally --moniker reader-1",
		Args: exactly(),
	}
	home := homeFlag(c)
	f := initFlags{}
	c.Flags().StringVar(&f.name, "name", "", "the organisation's `name` on the ledger; makes its admin key")
	c.Flags().StringVar(&f.moniker, "moniker", "", "the `name` that the node shows to its peers; left out, the organisation's, or the machine's")
	c.Flags().StringVar(&f.address, "address", "", "the `host:port` where peers reach the node; it listens on that port")
	c.Flags().StringVar(&f.rpcListen, "rpc-listen", config.Default().RPC.Listen, "the `host:port` where wallets connect")
	c.Flags().StringVar(&f.metrics, "metrics-listen", config.Default().Metrics.Listen, "the `host:port` of metrics and health")
	c.Flags().StringVar(&f.keys.passphraseFile, "passphrase-file", "", "the `file` whose first line is the passphrase of the admin key; also $"+passphraseVariable+"; otherwise it is asked for")
	f.light = lightFlag(c)
	c.RunE = run(func(c *cobra.Command, _ []string) error { return f.make(c, node.Home(*home)) })
	return c
}

// make makes the node.
func (f *initFlags) make(c *cobra.Command, home node.Home) error {
	settings, err := f.settings(c)
	if err != nil {
		return err
	}
	if !c.Flags().Changed("name") {
		identity, err := node.Init(home, settings)
		if err != nil {
			return initFailed(err)
		}
		return showIdentity(c, home, identity)
	}
	if err := node.CheckName(f.name); err != nil {
		return fails(exitUsage, fmt.Errorf("--%w", err), "give the organisation's name as others should read it")
	}
	if _, err := os.Lstat(home.ConfigFile()); err == nil { // before a passphrase is asked for
		return initFailed(fmt.Errorf("init %s: %s: %w", home, home.ConfigFile(), fs.ErrExist))
	}
	admin, err := crypto.GenerateKey()
	if err != nil {
		return err
	}
	passphrase, err := f.keys.newPassphrase(c, "new passphrase for the admin key "+admin.Address().String())
	if err != nil {
		return err
	}
	organisation := node.Organisation{Name: f.name, Admin: admin.Address()}
	identity, err := node.InitMember(home, settings, organisation, func(dir string) error {
		_, err := keystore.Store(dir, admin, passphrase, *f.light)
		return err
	})
	if err != nil {
		return initFailed(err)
	}
	return showOrganisation(c, home, identity, organisation, f.address)
}

func initFailed(err error) error {
	if errors.Is(err, fs.ErrExist) {
		return fails(exitConfig, err, "choose another --home, or remove what is there if nobody needs those keys")
	}
	return err
}

// settings is the configuration of the new node.
func (f *initFlags) settings(c *cobra.Command) (config.Config, error) {
	s := config.Default()
	s.Moniker = defaultMoniker(f.name)
	if c.Flags().Changed("moniker") {
		s.Moniker = f.moniker
	}
	s.RPC.Listen, s.Metrics.Listen = f.rpcListen, f.metrics
	if f.address != "" {
		if err := config.CheckAddress(f.address); err != nil {
			return s, fails(exitUsage, fmt.Errorf("--address %w", err), "")
		}
		s.P2P.External, s.P2P.Listen = f.address, listenFor(f.address)
	}
	return s, fails(exitUsage, s.Validate(), "correct --moniker, --address, --rpc-listen or --metrics-listen")
}

// listenFor is where a node listens that peers reach at an address: its port on
// every interface, or on loopback alone where the address is on it.
func listenFor(address string) string {
	host, port, _ := net.SplitHostPort(address) // the caller has checked it
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsLoopback() {
		return address
	}
	return net.JoinHostPort("0.0.0.0", port)
}

// defaultMoniker is the organisation's name or else the machine's, in the
// letters of a moniker.
func defaultMoniker(name string) string {
	if name == "" {
		name, _ = os.Hostname() // a machine may have none
	}
	plain := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '_'
		}
		return r
	}, name)
	settings := config.Default()
	settings.Moniker = strings.TrimSpace(plain[:min(len(plain), 64)])
	if settings.Validate() != nil {
		return config.Default().Moniker
	}
	return settings.Moniker
}

// showIdentity says what init has made.
func showIdentity(c *cobra.Command, home node.Home, identity node.Identity) error {
	document := struct {
		Home string `json:"home"`
		node.Identity
	}{string(home), identity}
	return show(c, document, identityText(home, identity)+fmt.Sprintf(`
Next: put the network's genesis.json into it, name its peers in %s
(p2p.peers, by their node IDs), and run

  tally start --home %s

To found or join a network as an organisation, use --name.
`, home.ConfigFile(), home))
}

func identityText(home node.Home, identity node.Identity) string {
	return fmt.Sprintf(`A new node is in %s

  node ID             %s
  consensus key       0x%x
  validator address   0x%s
`, home, identity.NodeID, identity.ConsensusKey, strings.ToLower(identity.ValidatorAddress))
}

// showOrganisation says what init has made for an organisation.
func showOrganisation(c *cobra.Command, home node.Home, identity node.Identity, o node.Organisation, address string) error {
	document := struct {
		Home string `json:"home"`
		node.Identity
		node.Organisation
	}{string(home), identity, o}
	option := ""
	if address == "" {
		option = " --address HOST:PORT"
	}
	return show(c, document, identityText(home, identity)+fmt.Sprintf(`  organisation        %s
  admin account       %s

Keep a copy of %s, and the passphrase, in a safe place.
The admin key speaks for the organisation: who has it votes in its name.

Next: print the organisation's card, and give it to the other founders, or to a
member that proposes to admit you

  tally member card --home %s%s > card.json
`, o.Name, o.Admin, home.KeysDir(), home, option))
}
