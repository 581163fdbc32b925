package node

import (
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/node/card"
)

// GenesisReport is what a genesis document means, for people and programs.
type GenesisReport struct {
	// Hash is the SHA-256 of the file's bytes, 64 hexadecimal digits: what
	// `sha256sum` prints. Founders compare it before they start.
	Hash          string            `json:"hash"`
	NetworkID     string            `json:"networkId"`
	ChainID       uint64            `json:"chainId"`
	Time          uint64            `json:"time"` // genesis time, in seconds; the first block is not before
	AccountPolicy string            `json:"accountPolicy"`
	Signed        bool              `json:"signed"` // every member's card is in the document
	Members       []MemberReport    `json:"members"`
	Validators    int               `json:"validators"`
	StoppedBy     int               `json:"stoppedBy"` // the fewest validators whose absence stops the network
	Thresholds    []ThresholdReport `json:"thresholds"`
	Assets        []AssetReport     `json:"assets"`
	Accounts      int               `json:"accounts"` // the admin accounts among them
	Balances      int               `json:"balances"`
	Warnings      []string          `json:"warnings"`
	members       []ledger.GenesisMember
	cards         []*card.Card
}

// Includes reports why a card is not in the document as it is.
func (r *GenesisReport) Includes(given *card.Card) error {
	for _, c := range r.cards {
		same := c.Admin == given.Admin
		if same && string(c.Text()) == string(given.Text()) {
			return nil
		}
		if same {
			return fmt.Errorf("the document has another card of %s: one of them is older", c)
		}
	}
	return fmt.Errorf("the card of %s is not in the document", given)
}

// MemberReport is a founder.
type MemberReport struct {
	Name         string              `json:"name"`
	Admin        crypto.Address      `json:"admin"`
	Roles        []string            `json:"roles"`
	ConsensusKey ledger.ConsensusKey `json:"consensusKey"`
	NodeIDs      []ledger.NodeID     `json:"nodeIds"`
	Address      string              `json:"address"` // of its node, from its card; empty without one
	Power        uint64              `json:"power"`
	PowerPercent string              `json:"powerPercent"` // of the whole, "33.3"
}

// ThresholdReport is how many of the founders must vote for a kind of action.
type ThresholdReport struct {
	Action string `json:"action"`
	Needs  int    `json:"needs"`
	Of     int    `json:"of"`
}

// AssetReport is an asset that exists from the start.
type AssetReport struct {
	Symbol     string         `json:"symbol"`
	Name       string         `json:"name"`
	Decimals   uint8          `json:"decimals"`
	Issuer     crypto.Address `json:"issuer"`
	IssuerName string         `json:"issuerName"` // of the member whose admin account it is; or empty
	Settlement bool           `json:"settlement"`
}

// fewest is the least number of validators of which one may stop or lie.
const fewest = 4

// DescribeGenesis checks the genesis document at path as the node does before it
// starts, every signature of its cards too, and says what it means.
func DescribeGenesis(path string) (*GenesisReport, error) {
	g, err := readGenesis(path)
	if err != nil {
		return nil, err
	}
	return g.report(), nil
}

func (g *genesis) report() *GenesisReport {
	l := g.ledger
	r := &GenesisReport{
		Hash: hex.EncodeToString(g.hash[:]), NetworkID: l.NetworkID, ChainID: l.ChainID, Time: uint64(g.doc.GenesisTime.Unix()),
		AccountPolicy: l.Params.AccountPolicy, Signed: len(g.cards) > 0,
		Members: []MemberReport{}, Assets: []AssetReport{}, Thresholds: []ThresholdReport{}, Warnings: []string{},
		Accounts: len(l.Accounts), Balances: len(l.Balances), members: l.Members, cards: g.cards,
	}
	powers := g.powers()
	total := uint64(0)
	for _, p := range powers {
		total += p
	}
	for i, m := range l.Members {
		report := MemberReport{
			Name: m.Name, Admin: m.Admin, Roles: m.Roles, ConsensusKey: m.ConsensusKey, NodeIDs: m.NodeIDs,
			Power: m.Power, PowerPercent: percent(m.Power, total),
		}
		if r.Signed {
			report.Address = g.cards[i].Address
		}
		r.Members = append(r.Members, report)
	}
	for _, a := range l.Assets {
		r.Assets = append(r.Assets, AssetReport{a.Symbol, a.Name, a.Decimals, a.Issuer, r.memberName(a.Issuer), a.Symbol == l.Settlement})
	}
	if len(l.Members) > 0 {
		for i, t := range g.params.Thresholds {
			n := uint64(len(l.Members))
			needs := int(n*t.Numerator/t.Denominator) + 1
			r.Thresholds = append(r.Thresholds, ThresholdReport{ledger.ActionKind(i + 1).String(), needs, len(l.Members)})
		}
	}
	r.Validators, r.StoppedBy = len(powers), stoppedBy(powers)
	r.warn()
	return r
}

// powers are those of the validators to begin with: the members', or where there
// are none, the document's own.
func (g *genesis) powers() (powers []uint64) {
	for _, m := range g.ledger.Members {
		if m.Power > 0 {
			powers = append(powers, m.Power)
		}
	}
	if len(g.ledger.Members) > 0 {
		return powers
	}
	for _, v := range g.doc.Validators {
		powers = append(powers, uint64(v.Power))
	}
	return powers
}

func (r *GenesisReport) memberName(admin crypto.Address) string {
	for _, m := range r.members {
		if m.Admin == admin {
			return m.Name
		}
	}
	return ""
}

// percent is a share of the whole, with one decimal, rounded down.
func percent(part, whole uint64) string {
	if whole == 0 {
		return "0.0"
	}
	tenths := part * 1000 / whole // below 2^60
	return fmt.Sprintf("%d.%d", tenths/10, tenths%10)
}

// stoppedBy is the least number of validators that have a third of the power
// together: blocks need more than two thirds.
func stoppedBy(powers []uint64) int {
	slices.SortFunc(powers, func(a, b uint64) int { return int(int64(b) - int64(a)) })
	total, away := uint64(0), uint64(0)
	for _, p := range powers {
		total += p
	}
	for i, p := range powers {
		if away += p; 3*away >= total {
			return i + 1
		}
	}
	return len(powers)
}

// warn says what founders should know before they begin.
func (r *GenesisReport) warn() {
	if r.Validators < fewest {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%s: the network stops when one stops. Found it with at least %d",
			count(r.Validators, "validator"), fewest))
	} else if r.StoppedBy == 1 {
		r.Warnings = append(r.Warnings, "one validator has a third of the power or more: the network stops when it stops")
	}
	if len(r.Members) > 0 && len(r.Members) < fewest {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%s: none can be removed by the votes of the others", count(len(r.Members), "member")))
	}
	if len(r.Members) == 0 {
		r.Warnings = append(r.Warnings, "it has no members: nothing about the network can ever be changed by vote. Use it for tests only")
	} else if !r.Signed {
		r.Warnings = append(r.Warnings, "it has no cards: nothing proves that the members' keys are theirs")
	}
	for _, a := range r.Assets {
		if a.IssuerName == "" && len(r.Members) > 0 {
			r.Warnings = append(r.Warnings, fmt.Sprintf("the issuer of %s, %s, is no member's admin account", a.Symbol, a.Issuer))
		}
	}
}

// count writes a number of things.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
