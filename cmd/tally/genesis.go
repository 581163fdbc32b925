package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/node"
	"github.com/tallystick/tallystick/node/card"
)

func newGenesis() *cobra.Command {
	return group("genesis", "Found a network from its members' cards", newGenesisCreate(), newGenesisVerify(), newGenesisInstall())
}

// createFlags say what is agreed upon besides the cards.
type createFlags struct {
	networkID, time    string
	chainID            uint64
	policy, settlement string
	file, output       string
}

func newGenesisCreate() *cobra.Command {
	c := &cobra.Command{
		Use:   "create CARD...",
		Short: "Make a network's genesis document from its members' cards",
		Long: "Make the genesis document of a network whose members are those of the cards. The same cards in any\n" +
			"order and the same flags give the same bytes, on any machine and at any time, so any founder can\n" +
			"make it, and all can. Nothing that exists is replaced.\n\n" +
			"--settlement names the asset that a wallet's Send button moves, and who may issue it: a member's\n" +
			"name or admin address. --file is a JSON object of what else the network starts with: params,\n" +
			"settlement, assets, accounts and balances, as in app_state.",
		Example: "  tally genesis create --network-id eu-clearing --settlement EUR:2:Euro:\"Bank A\" bank-a.json bank-b.json bank-c.json bank-d.json\n" +
			"  tally genesis create --network-id eu-clearing --time 2026-03-01T08:00:00Z --file start.json --output genesis.json cards/*.json",
		Args: cobra.ArbitraryArgs,
	}
	f := createFlags{}
	c.Flags().StringVar(&f.networkID, "network-id", "", "the network's `ID`: 1 to 50 letters, digits, dots, hyphens, underscores; never used again for another")
	c.Flags().Uint64Var(&f.chainID, "chain-id", 0, "the `number` by which Ethereum wallets know the network; left out, it follows from the ID")
	c.Flags().StringVar(&f.time, "time", "", "the genesis `time`, such as 2026-03-01T08:00:00Z; left out, when the latest card was made")
	c.Flags().StringVar(&f.policy, "policy", "", "who may hold an account: `admitted` (those whom a member admits) or open (who receives); left out, admitted")
	c.Flags().StringVar(&f.settlement, "settlement", "", "the settlement asset, `SYMBOL:DECIMALS:NAME:ISSUER`")
	c.Flags().StringVar(&f.file, "file", "", "a JSON `file` of what else the network starts with")
	c.Flags().StringVar(&f.output, "output", "genesis.json", "the `file` to write; - for standard output")
	c.RunE = run(func(c *cobra.Command, arguments []string) error { return f.create(c, arguments) })
	return c
}

func (f *createFlags) create(c *cobra.Command, files []string) error {
	if f.networkID == "" {
		return fails(exitUsage, errors.New("--network-id is missing"), "choose an ID that no network ever had, such as eu-clearing-1")
	}
	cards, err := readCards(files)
	if err != nil {
		return err
	}
	founding, err := f.founding(cards)
	if err != nil {
		return err
	}
	document, err := founding.Document()
	if err != nil {
		return fails(exitConfig, err, "")
	}
	if f.output == "-" {
		_, err := c.OutOrStdout().Write(document)
		return err
	}
	if err := writeNew(f.output, document); err != nil {
		return fails(exitConfig, err, "choose another --output, or remove that file")
	}
	report, err := node.DescribeGenesis(f.output)
	if err != nil {
		return err
	}
	return show(c, report, genesisWords(report)+fmt.Sprintf("\n%s is written. Every founder: compare the hash with the others over another\nchannel, and then\n\n"+
		"  tally genesis install --home HOME %s\n", f.output, f.output))
}

// writeNew writes a file that must not be there, or that has the content already.
func writeNew(path string, data []byte) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, os.ErrExist) {
		if have, read := os.ReadFile(path); read == nil && bytes.Equal(have, data) {
			return nil
		}
		return fmt.Errorf("%s already exists, and says something else", path)
	}
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	return errors.Join(err, file.Close())
}

// founding puts the flags, the file and the cards together.
func (f *createFlags) founding(cards []*card.Card) (node.Founding, error) {
	founding := node.Founding{NetworkID: f.networkID, ChainID: f.chainID, Cards: cards, Params: ledger.NewGenesisParams(ledger.DefaultParams())}
	if f.file != "" {
		if err := readStart(f.file, &founding); err != nil {
			return founding, fails(exitConfig, err, "")
		}
	}
	if f.policy != "" {
		founding.Params.AccountPolicy = f.policy
	}
	if f.time != "" {
		at, err := time.Parse(time.RFC3339, f.time)
		if err != nil {
			return founding, fails(exitUsage, fmt.Errorf("--time %q is no time", f.time), "write it like 2026-03-01T08:00:00Z")
		}
		founding.Time = at
	}
	if f.settlement != "" {
		asset, err := parseSettlement(f.settlement, cards)
		if err != nil {
			return founding, fails(exitUsage, fmt.Errorf("--settlement %q: %w", f.settlement, err), "write it like EUR:2:Euro:\"Bank A\"")
		}
		founding.Settlement, founding.Assets = asset.Symbol, append([]ledger.GenesisAsset{asset}, founding.Assets...)
	}
	if founding.Settlement == "" {
		return founding, fails(exitUsage, errors.New("the network needs a settlement asset"),
			"give --settlement SYMBOL:DECIMALS:NAME:ISSUER, such as EUR:2:Euro:\"Bank A\", or settlement and assets in --file")
	}
	return founding, nil
}

// parseSettlement reads SYMBOL:DECIMALS:NAME:ISSUER. The issuer may be left out
// where only one member has that role: who may make money is not for this program
// to choose.
func parseSettlement(text string, cards []*card.Card) (a ledger.GenesisAsset, err error) {
	parts := strings.SplitN(text, ":", 4)
	if len(parts) < 3 {
		return a, errors.New("it has fewer than three parts")
	}
	decimals, err := strconv.ParseUint(parts[1], 10, 8)
	if err != nil {
		return a, fmt.Errorf("%q is no number of decimals", parts[1])
	}
	a = ledger.GenesisAsset{Symbol: parts[0], Name: parts[2], Decimals: uint8(decimals)}
	var issuers []string
	for _, c := range cards {
		if roles, err := ledger.ParseRoles(c.Roles); err == nil && roles.Has(ledger.RoleIssuer) {
			issuers = append(issuers, fmt.Sprintf("%q", c.Name))
			a.Issuer = c.Admin
		}
	}
	if len(parts) == 4 {
		a.Issuer, err = issuerCalled(parts[3], cards)
		return a, err
	}
	if len(issuers) != 1 {
		return a, fmt.Errorf("it must say who issues it, one of %s", strings.Join(issuers, ", "))
	}
	return a, nil
}

// issuerCalled finds a member by its name or admin address.
func issuerCalled(name string, cards []*card.Card) (crypto.Address, error) {
	address, notAddress := crypto.ParseAddress(name)
	var names []string
	for _, c := range cards {
		if c.Name == name || notAddress == nil && c.Admin == address {
			return c.Admin, nil
		}
		names = append(names, fmt.Sprintf("%q", c.Name))
	}
	return crypto.Address{}, fmt.Errorf("the issuer %q is none of the members: %s", name, strings.Join(names, ", "))
}

func newGenesisVerify() *cobra.Command {
	c := &cobra.Command{
		Use:     "verify [FILE] [CARD...]",
		Aliases: []string{"show"},
		Short:   "Check a genesis document and its cards, and say what it means",
		Long: "Check the genesis document FILE, or that in --home, as a node does before it starts: every field, and\n" +
			"the three signatures of each member's card. Then print its hash, which all founders compare over\n" +
			"another channel before they start, and say in words what network it makes. Each CARD that is given\n" +
			"must be in the document, unchanged. The hash is the SHA-256 of the file, as `sha256sum` prints it.",
		Example: "  tally genesis verify genesis.json\n  tally genesis verify genesis.json my-card.json\n  tally genesis verify --home /srv/tally --json",
		Args:    cobra.ArbitraryArgs,
	}
	home := homeFlag(c)
	c.RunE = run(func(c *cobra.Command, arguments []string) error {
		path := node.Home(*home).GenesisFile()
		if len(arguments) > 0 {
			path, arguments = arguments[0], arguments[1:]
		}
		report, err := node.DescribeGenesis(path)
		if err != nil {
			return fails(exitConfig, err, "")
		}
		cards, err := readCards(arguments)
		if err != nil {
			return err
		}
		for i, given := range cards {
			if err := report.Includes(given); err != nil {
				return fails(exitConfig, fmt.Errorf("%s and %s: %w", path, arguments[i], err), "do not start from this document before it is clear why")
			}
		}
		return show(c, report, genesisWords(report))
	})
	return c
}

func newGenesisInstall() *cobra.Command {
	c := &cobra.Command{
		Use:   "install FILE",
		Short: "Put a verified genesis document into a node's directory",
		Long: "Check the genesis document FILE, put it into --home, and add the other founders' nodes to p2p.peers\n" +
			"in its config.toml, where nothing else changes. The node in --home must be a founder's. A home that\n" +
			"has another network's document is left as it is.",
		Example: "  tally genesis install --home /srv/tally genesis.json",
		Args:    exactly("FILE"),
	}
	home := homeFlag(c)
	c.RunE = run(func(c *cobra.Command, arguments []string) error {
		if _, err := loadConfig(*home); err != nil {
			return err
		}
		done, err := node.Install(node.Home(*home), arguments[0])
		if errors.Is(err, node.ErrNoFounder) {
			return fails(exitConfig, err, "who joins later copies the document to "+node.Home(*home).GenesisFile()+" and names peers in p2p.peers")
		}
		if err != nil {
			return fails(exitConfig, err, "")
		}
		text := fmt.Sprintf("%s is a node of %q now, one of the %s founders of %s.\n\n  hash    %s\n", done.Home, done.Member,
			strconv.Itoa(len(done.Report.Members)), done.Report.NetworkID, done.Hash)
		for _, peer := range done.Peers {
			text += "  peer    " + peer + "\n"
		}
		return show(c, done, text+fmt.Sprintf("\nNext, when all founders have the same hash:\n\n  tally start --home %s\n", done.Home))
	})
	return c
}
