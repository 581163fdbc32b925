package wire

import (
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// Member is an organisation of the network.
type Member struct {
	Member           crypto.Address       `json:"member"` // address of its admin account
	Name             string               `json:"name"`
	Status           string               `json:"status"` // "active", "suspended" or "removed"
	Roles            []string             `json:"roles"`
	ConsensusKey     *ledger.ConsensusKey `json:"consensusKey"`     // null for none
	ConsensusAddress Bytes                `json:"consensusAddress"` // of that key, 20 bytes; 0x for none
	Power            uint64               `json:"power"`            // of its validator now
	Target           uint64               `json:"target"`           // to where its power moves, some blocks long
	NodeIDs          ledger.NodeIDs       `json:"nodeIds"`          // of the nodes that may connect
	RotatedAt        uint64               `json:"rotatedAt"`        // when it last changed its consensus key by itself; 0 for never
	OpenProposals    uint64               `json:"openProposals"`
}

// MemberPage is the result of ledger_listMembers, ascending by member.
type MemberPage struct {
	Items []Member `json:"items"`
	Next  *string  `json:"next"`
}

// Validator is one of those that vote on the next block.
type Validator struct {
	ConsensusAddress Bytes           `json:"consensusAddress"` // 20 bytes
	ConsensusKey     Bytes           `json:"consensusKey"`     // Ed25519, 32 bytes
	Power            uint64          `json:"power"`            // in consensus
	Member           *crypto.Address `json:"member"`           // null on a network without members
	Name             string          `json:"name"`             // the member's; empty where there is none
	Target           uint64          `json:"target"`           // to where its power moves
	Signed           uint64          `json:"signed"`           // of the last blocks, how many commits have its signature
	LastSigned       *uint64         `json:"lastSigned"`       // height of the newest that has; null for none of them
}

// Validators is the result of ledger_listValidators. A commit needs two thirds of
// the power, so a healthy validator whose vote came a little later may be missing
// from many.
type Validators struct {
	Height     uint64      `json:"height"`
	TotalPower uint64      `json:"totalPower"`
	Window     uint64      `json:"window"` // how many blocks signed counts over
	Items      []Validator `json:"items"`  // by power, the highest first
}

// Proposal is a proposal of a member.
type Proposal struct {
	Proposal  uint64            `json:"proposal"` // its number, from 1
	Proposer  crypto.Address    `json:"proposer"`
	Status    string            `json:"status"`
	Actions   ledger.ActionList `json:"actions"`
	Created   uint64            `json:"created"` // block time
	Due       uint64            `json:"due"`     // open: when it expires; waiting: when it takes effect; else when it ended
	Delay     uint64            `json:"delay"`   // seconds at least between passing and taking effect
	Votes     []ProposalVote    `json:"votes"`   // in the order in which they were cast
	Tally     Tally             `json:"tally"`   // of the members that are active now
	Threshold ProposalThreshold `json:"threshold"`
	Code      uint32            `json:"code"`         // of a failed one: why, else 0
	Message   string            `json:"message"`      // the code's meaning; empty for 0
	Failed    uint64            `json:"failedAction"` // of a failed one: which action, from 0
}

// ProposalVote is one member's vote.
type ProposalVote struct {
	Member crypto.Address `json:"member"`
	Choice string         `json:"choice"` // "yes", "no" or "veto"
}

// Tally counts the votes that count now.
type Tally struct {
	Active uint64 `json:"active"` // members
	Yes    uint64 `json:"yes"`
	No     uint64 `json:"no"`
	Veto   uint64 `json:"veto"`
	Needed uint64 `json:"needed"` // so many yes pass it, so many vetoes stop it
}

// ProposalThreshold is the part of the active members that must be exceeded.
type ProposalThreshold struct {
	Numerator   uint64 `json:"numerator"`
	Denominator uint64 `json:"denominator"`
}

// ProposalPage is the result of ledger_listProposals, the newest first.
type ProposalPage struct {
	Items []Proposal `json:"items"`
	Next  *string    `json:"next"`
}

// Params is the result of ledger_getParams: what members can change by vote.
type Params struct {
	Protocol   uint64               `json:"protocol"` // version of the rules in force
	Upgrade    *Upgrade             `json:"upgrade"`  // scheduled; null for none
	Parameters []Parameter          `json:"parameters"`
	Thresholds []ParameterThreshold `json:"thresholds"` // of every kind of action
}

// Parameter is one of the ledger's numbers.
type Parameter struct {
	Name  string `json:"name"`
	Value uint64 `json:"value"`
	Least uint64 `json:"least"`
	Most  uint64 `json:"most"`
}

// ParameterThreshold is what a kind of action needs: more than
// numerator/denominator of the active members.
type ParameterThreshold struct {
	Action      string `json:"action"`
	Numerator   uint64 `json:"numerator"`
	Denominator uint64 `json:"denominator"`
}

// Upgrade is a scheduled change of the rules.
type Upgrade struct {
	Version uint64 `json:"version"`
	Height  uint64 `json:"height"` // the first block under the new rules
	Name    string `json:"name"`   // of the release that knows them
}
