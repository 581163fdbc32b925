package query

import (
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// Member is an organisation of the network.
type Member struct {
	Member           crypto.Address `json:"member"` // address of its admin account
	Name             string         `json:"name"`
	Status           string         `json:"status"` // active, suspended or removed
	Roles            []string       `json:"roles"`
	ConsensusKey     wire.Bytes     `json:"consensusKey"`     // 0x for none
	ConsensusAddress wire.Bytes     `json:"consensusAddress"` // 0x for none
	Power            uint64         `json:"power"`
	Target           uint64         `json:"target"`
	NodeIDs          ledger.NodeIDs `json:"nodeIds"`
	RotatedAt        uint64         `json:"rotatedAt"`
	Accounts         uint64         `json:"accounts"`      // for which it answers, up to 1,000
	OpenProposals    uint64         `json:"openProposals"` // its own
	Admitted         Place          `json:"admitted"`
}

// MemberChange is a member's record after a block that changed it.
type MemberChange struct {
	Height       uint64     `json:"height"`
	Time         uint64     `json:"time"`
	Status       string     `json:"status"`
	Roles        []string   `json:"roles"`
	ConsensusKey wire.Bytes `json:"consensusKey"`
	Power        uint64     `json:"power"`
	Target       uint64     `json:"target"`
	Nodes        int        `json:"nodes"`
}

// Validators are those of one block.
type Validators struct {
	Height     uint64      `json:"height"` // the newest block whose votes are known
	TotalPower uint64      `json:"totalPower"`
	Window     uint64      `json:"window"` // how many blocks Signed and Missed are counted over
	Items      []Validator `json:"items"`
}

// Validator is a key that votes, and what it signed. With a short commit timeout a
// healthy validator's vote may come too late for many commits.
type Validator struct {
	ConsensusAddress wire.Bytes      `json:"consensusAddress"`
	Member           *crypto.Address `json:"member"` // null on a network without members
	Name             string          `json:"name"`
	Power            uint64          `json:"power"`
	Signed           uint64          `json:"signed"`
	Missed           uint64          `json:"missed"`   // of the blocks of the window for which it was a validator
	Proposed         uint64          `json:"proposed"` // blocks of the window
	LastSigned       *uint64         `json:"lastSigned"`
	Uptime           float64         `json:"uptime"` // Signed of Signed + Missed, 0..1; 1 where there was nothing to sign
}

// HeatMap is how a validator voted on each of the last blocks.
type HeatMap struct {
	ConsensusAddress wire.Bytes      `json:"consensusAddress"`
	Member           *crypto.Address `json:"member"`
	Name             string          `json:"name"`
	From             uint64          `json:"from"` // height of the first
	// Votes has a letter for each block from From on: s signed, m missing, n voted
	// for no block, p signed what it had proposed itself, - was no validator.
	Votes string `json:"votes"`
}

// PowerPoint is a validator's power from a height on.
type PowerPoint struct {
	Height uint64 `json:"height"`
	Time   uint64 `json:"time"`
	Power  uint64 `json:"power"` // 0: no validator
	Total  uint64 `json:"total"` // of all
}

// ProposalFilter chooses proposals.
type ProposalFilter struct {
	Status   string          // no index serves it: pages may be short
	Proposer *crypto.Address // likewise
}

// Proposal is a proposal.
type Proposal struct {
	Proposal     uint64                 `json:"proposal"`
	Proposer     crypto.Address         `json:"proposer"`
	ProposerName string                 `json:"proposerName"`
	Status       string                 `json:"status"`
	Actions      ledger.ActionList      `json:"actions"`
	Created      Place                  `json:"created"`
	Due          uint64                 `json:"due"` // open: when it expires; waiting: when it takes effect; else when it ended
	Delay        uint64                 `json:"delay"`
	Votes        []Vote                 `json:"votes"`
	Tally        wire.Tally             `json:"tally"` // of the members that are active now
	Threshold    wire.ProposalThreshold `json:"threshold"`
	Code         uint32                 `json:"code"`
	Message      string                 `json:"message"`
	FailedAction uint64                 `json:"failedAction"`
}

// Vote is one member's vote.
type Vote struct {
	Member crypto.Address `json:"member"`
	Name   string         `json:"name"`
	Choice string         `json:"choice"` // yes, no or veto
	Cast   Place          `json:"cast"`
}

// Parameters are what the members can change by vote.
type Parameters struct {
	Protocol   uint64                    `json:"protocol"`
	Upgrade    *wire.Upgrade             `json:"upgrade"`
	Parameters []wire.Parameter          `json:"parameters"`
	Thresholds []wire.ParameterThreshold `json:"thresholds"`
	Changed    uint64                    `json:"changed"` // height of the last change
}
