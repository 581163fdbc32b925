package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/config"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/node"
	"github.com/tallystick/tallystick/node/card"
)

// cardFlags say what a card asks for.
type cardFlags struct {
	name, address, networkID string
	admin                    string
	roles                    []string
	power                    uint64
	keys                     keyFlags
}

func newMemberCard() *cobra.Command {
	c := &cobra.Command{
		Use:   "card",
		Short: "Print the organisation's signed identity card",
		Long: "Print the card with which the organisation whose node is in --home founds a network: its name, its\n" +
			"admin account, its keys and where its node is reached, signed by each of those keys. It holds\n" +
			"nothing secret. Give it to the other founders; `tally genesis create` makes the network of all.",
		Example: "  tally member card --home /srv/tally > bank-a.json\n" +
			"  tally member card --home /srv/tally --address node.bank-a.example:26656 --network-id eu-clearing",
		Args: exactly(),
	}
	home := homeFlag(c)
	f := cardFlags{}
	c.Flags().StringVar(&f.name, "name", "", "the organisation's `name`; left out, the one given to `tally init`")
	c.Flags().StringVar(&f.address, "address", "", "the `host:port` where peers reach the node; left out, what its configuration says")
	c.Flags().StringVar(&f.networkID, "network-id", "", "the `ID` of the one network that the card is for; left out, for any")
	c.Flags().StringSliceVar(&f.roles, "roles", []string{"validator", "issuer", "registrar"}, "what the organisation wants to be: of validator, issuer, registrar, auditor")
	c.Flags().Uint64Var(&f.power, "power", card.DefaultPower, "its voting power in consensus, at least 1000000; 0 without the role validator")
	c.Flags().StringVar(&f.admin, "admin", "", "the admin `key`, an address or a key file; left out, the one that `tally init` made")
	f.keys.add(c)
	c.Flags().Lookup("keys").DefValue = "" // that of the home
	c.RunE = run(func(c *cobra.Command, _ []string) error {
		made, err := f.make(c, node.Home(*home))
		if err != nil {
			return err
		}
		text := made.Text()
		if asJSON(c) {
			return json.NewEncoder(c.OutOrStdout()).Encode(made)
		}
		_, err = c.OutOrStdout().Write(text)
		return err
	})
	return c
}

// make makes the card.
func (f *cardFlags) make(c *cobra.Command, home node.Home) (*card.Card, error) {
	settings, err := loadConfig(string(home))
	if err != nil {
		return nil, err
	}
	if err := f.fill(c, home); err != nil {
		return nil, err
	}
	roles, err := ledger.ParseRoles(f.roles)
	if err != nil {
		return nil, fails(exitUsage, fmt.Errorf("--roles: %w", err), "")
	}
	if !roles.Has(ledger.RoleValidator) && !c.Flags().Changed("power") {
		f.power = 0
	}
	wish := card.Card{
		Name: f.name, Address: f.address, Roles: roles.Names(), Power: f.power, NetworkID: f.networkID, Time: ledger.UnixTime(time.Now().Unix()),
	}
	if wish.Address == "" {
		wish.Address = reachedAt(settings)
	}
	if wish.Address == "" {
		return nil, fails(exitUsage, errors.New("the card must say where peers reach the node, and the configuration does not"),
			"give --address host:port, or set p2p.external in "+home.ConfigFile())
	}
	admin, err := f.keys.unlock(c, f.admin)
	if err != nil {
		return nil, err
	}
	made, err := node.SignCard(home, wish, admin)
	return made, fails(exitConfig, err, "")
}

// fill takes what was not given from the home.
func (f *cardFlags) fill(c *cobra.Command, home node.Home) error {
	if !c.Flags().Changed("keys") {
		f.keys.dir = home.KeysDir()
	}
	o, err := node.ReadOrganisation(home)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fails(exitConfig, err, "")
	}
	if f.name == "" {
		f.name = o.Name
	}
	if f.admin == "" && !o.Admin.IsZero() {
		f.admin = o.Admin.String()
	}
	if f.name == "" {
		return fails(exitUsage, fmt.Errorf("the node in %s was made without an organisation's name", home),
			"give --name, and --admin with its admin key (`tally key new` makes one)")
	}
	return nil
}

// reachedAt is where peers reach a node by its configuration, or nothing where
// that says only on which interfaces it listens.
func reachedAt(s config.Config) string {
	for _, address := range []string{s.P2P.External, s.P2P.Listen} {
		if config.CheckAddress(address) == nil {
			return address
		}
	}
	return ""
}

// readCards reads the cards in files.
func readCards(files []string) ([]*card.Card, error) {
	var cards []*card.Card
	for _, file := range files {
		c, err := node.ReadCard(file)
		if errors.Is(err, os.ErrNotExist) {
			return nil, fails(exitConfig, err, "give the files of the founders' cards")
		}
		if err != nil {
			return nil, fails(exitConfig, err, "a card is made with `tally member card` and handed on unchanged")
		}
		cards = append(cards, c)
	}
	return cards, nil
}
