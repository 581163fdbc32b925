package node

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// Devnet is what a program needs to use a devnet, and the line that it prints
// with DevnetOptions.JSON.
type Devnet struct {
	NetworkID string          `json:"networkId"`
	ChainID   uint64          `json:"chainId"`
	RPC       []string        `json:"rpc"`     // a URL for each validator
	Metrics   []string        `json:"metrics"` // a URL for each validator
	Explorer  string          `json:"explorer"`
	Accounts  []DevnetAccount `json:"accounts"`
	Assets    []DevnetAsset   `json:"assets"` // the settlement asset first
}

// DevnetAccount is a funded account.
type DevnetAccount struct {
	Address    crypto.Address `json:"address"`
	PrivateKey string         `json:"privateKey"` // 0x and 64 hexadecimal digits
}

// DevnetAsset is an asset of which every account has some.
type DevnetAsset struct {
	Asset    crypto.Address `json:"asset"`
	Symbol   string         `json:"symbol"`
	Decimals uint8          `json:"decimals"`
}

// describe gathers what there is to say.
func (f *devnetFiles) describe(o DevnetOptions, network *ledger.Network) Devnet {
	d := Devnet{NetworkID: network.ID, ChainID: network.ChainID, Explorer: "http://" + o.address(0, explorerPort)}
	for i := range o.Validators {
		d.RPC = append(d.RPC, "http://"+o.address(i, 0))
		d.Metrics = append(d.Metrics, "http://"+o.address(i, metricsPorts)+"/metrics")
	}
	keys, err := devnetKeys()
	if err != nil {
		panic("node: the devnet's mnemonic, which worked before, no longer does: " + err.Error())
	}
	for _, key := range keys {
		d.Accounts = append(d.Accounts, DevnetAccount{key.Address(), "0x" + hex.EncodeToString(key.Bytes())})
	}
	for i, a := range devnetAssets {
		d.Assets = append(d.Assets, DevnetAsset{
			network.AssetAddress(crypto.Address{}, ledger.Nonce(i)), a.symbol, a.decimals,
		})
	}
	return d
}

// print writes the line, or the screen.
func (d Devnet) print(o DevnetOptions) error {
	if o.JSON {
		return json.NewEncoder(o.Out).Encode(d)
	}
	_, err := o.Out.Write([]byte(d.screen(o)))
	return err
}

// screen says what the network is and what to do next, in lines that fit a
// terminal of 80 columns.
func (d Devnet) screen(o DevnetOptions) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\nTallystick devnet, validators: %d\nNetwork %s, chain ID %d\n", len(d.RPC), d.NetworkID, d.ChainID)
	list := func(title string, lines []string) {
		fmt.Fprintf(&b, "\n%s\n", title)
		for _, line := range lines {
			fmt.Fprintf(&b, "  %s\n", line)
		}
	}
	look := []string{d.Explorer + "  shows everything on the ledger; open it in a browser"}
	if !o.Demo {
		look = append(look, "tally devnet --demo makes a small load, so that there is more to see.")
	}
	list("Explorer", look)
	list("JSON-RPC, for wallets and programs", d.RPC)
	list("Metrics (and /healthz, /readyz beside them)", d.Metrics)
	var assets, accounts []string
	for _, a := range d.Assets {
		assets = append(assets, fmt.Sprintf("%-6s %2d decimals  %s", a.Symbol, a.Decimals, a.Asset))
	}
	for _, a := range d.Accounts {
		accounts = append(accounts, a.Address.String(), "    "+a.PrivateKey)
	}
	list("Assets, a million of each in every account", assets)
	fmt.Fprintf(&b, "  %s is the settlement asset: what a wallet's Send button moves.\n", d.Assets[0].Symbol)
	list("Accounts, each with its private key", accounts)
	fmt.Fprintf(&b, "  These keys are public knowledge. Never use them for anything of value.\n"+
		"  They come from the mnemonic:\n    %s\n", DevnetMnemonic)
	list("Members: Devnet 1, 2 and so on, one for each validator, with its admin key in", []string{
		"DIR/" + devnetNode + "0/keys/" + devnetAdmin + " and so on, where DIR is the directory below.",
		"tally key import takes such a file. These keys are public knowledge too:",
		fmt.Sprintf("the mnemonic's, from index %d on.", devnetFirstAdmin),
	})
	list("Try it, from another terminal (tally is go run ./cmd/tally)", d.examples())
	fmt.Fprintf(&b, "\nThe chain is kept in %s\nand goes on at the next start; --reset starts over. Ctrl-C stops.\n\n", o.Dir)
	return b.String()
}

// examples are commands to begin with: a look, a transfer from the first
// account to the second, and the same by JSON-RPC.
func (d Devnet) examples() []string {
	at := " --rpc " + d.RPC[0]
	return []string{
		"tally status" + at,
		"tally bench --rate 20" + at,
		"echo " + DevnetMnemonic + " > words.txt",
		"tally key import words.txt",
		"tally transfer" + at + " --asset USD --amount 12.34 \\",
		"  --from " + d.Accounts[0].Address.String() + " \\",
		"  --to " + d.Accounts[1].Address.String(),
		"curl -s " + d.RPC[0] + " -H 'content-type: application/json' \\",
		`  -d '{"jsonrpc":"2.0","id":1,"method":"ledger_status","params":[]}'`,
	}
}
