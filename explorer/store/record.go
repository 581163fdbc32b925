package store

import (
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// RecordKind says of what a version is. The numbers stand in the database.
type RecordKind int

// The kinds.
const (
	KindAccount    RecordKind = 1 // key: the account's address
	KindAsset      RecordKind = 2 // key: the asset's address
	KindHolder     RecordKind = 3 // key: asset ‖ account
	KindHold       RecordKind = 4 // key: the hold's ID
	KindMember     RecordKind = 5 // key: the member's address
	KindProposal   RecordKind = 6 // key: the number, 8 bytes
	KindParameters RecordKind = 7 // key: a zero byte
)

// AccountRecord is all of an account but its balances and nonces.
type AccountRecord struct {
	Created   Position             `json:"created"`
	Status    ledger.AccountStatus `json:"status"`
	Member    crypto.Address       `json:"member,omitzero"`
	Threshold uint64               `json:"threshold,omitempty"` // 0: the account's own key alone
	Keys      []ledger.Key         `json:"keys,omitempty"`
}

// AssetRecord is all of an asset.
type AssetRecord struct {
	Created  Position           `json:"created"`
	Symbol   string             `json:"symbol"`
	Name     string             `json:"name"`
	Decimals uint8              `json:"decimals"`
	Issuer   crypto.Address     `json:"issuer"`
	Cap      ledger.Amount      `json:"cap"`
	Supply   ledger.Amount      `json:"supply"`
	Flags    uint32             `json:"flags"`
	Status   ledger.AssetStatus `json:"status"`
	URI      string             `json:"uri,omitempty"`
	Hash     crypto.Hash        `json:"hash,omitzero"`
	Holds    uint64             `json:"holds,omitempty"` // open
}

// HolderRecord is what an asset's issuer has said of an account.
type HolderRecord struct {
	Approved     bool          `json:"approved"`
	Frozen       bool          `json:"frozen"`
	FrozenAmount ledger.Amount `json:"frozenAmount"`
}

// HoldStatus says where a hold stands.
type HoldStatus uint8

// The statuses.
const (
	HoldOpen     HoldStatus = 1
	HoldCaptured HoldStatus = 2 // whole, or in parts until nothing was left
	HoldReleased HoldStatus = 3
	HoldExpired  HoldStatus = 4
)

// HoldStatusNames are the statuses' names, by HoldStatus - 1.
var HoldStatusNames = [...]string{"open", "captured", "released", "expired"}

// String is the status's name in JSON.
func (s HoldStatus) String() string {
	if s == 0 || int(s) > len(HoldStatusNames) {
		return "unknown"
	}
	return HoldStatusNames[s-1]
}

// HoldRecord is a hold, which stays after its end.
type HoldRecord struct {
	Created   Position        `json:"created"`
	Ended     Position        `json:"ended,omitempty"`
	From      crypto.Address  `json:"from"`
	To        crypto.Address  `json:"to"`
	Arbiter   crypto.Address  `json:"arbiter,omitzero"`
	Asset     crypto.Address  `json:"asset"`
	Amount    ledger.Amount   `json:"amount"` // at first
	Captured  ledger.Amount   `json:"captured"`
	Left      ledger.Amount   `json:"left"`
	Expiry    ledger.UnixTime `json:"expiry"`
	Reference string          `json:"reference,omitempty"`
	Status    HoldStatus      `json:"status"`
}

// MemberRecord is a member.
type MemberRecord struct {
	Admitted  Position            `json:"admitted"`
	Name      string              `json:"name"`
	Status    ledger.MemberStatus `json:"status"`
	Roles     ledger.Roles        `json:"roles"`
	Key       ledger.ConsensusKey `json:"key,omitzero"`
	Power     uint64              `json:"power"`
	Target    uint64              `json:"target"`
	Nodes     ledger.NodeIDs      `json:"nodes"`
	RotatedAt ledger.UnixTime     `json:"rotatedAt,omitempty"`
	Open      uint64              `json:"open"` // its proposals that have not ended
}

// ProposalRecord is a proposal.
type ProposalRecord struct {
	Created  Position              `json:"created"`
	Proposer crypto.Address        `json:"proposer"`
	Actions  ledger.ActionList     `json:"actions"`
	Status   ledger.ProposalStatus `json:"status"`
	Due      ledger.UnixTime       `json:"due"`
	Delay    uint64                `json:"delay"`
	Votes    []VoteRecord          `json:"votes"`
	Code     ledger.Code           `json:"code,omitempty"`
	Failed   uint64                `json:"failed,omitempty"`
}

// VoteRecord is one member's vote.
type VoteRecord struct {
	Member crypto.Address `json:"member"`
	Choice ledger.Choice  `json:"choice"`
	Cast   Position       `json:"cast"`
}

// ParametersRecord is what members change by vote. Genesis says the first values.
type ParametersRecord struct {
	Protocol uint64         `json:"protocol"`
	Params   ledger.Params  `json:"params"`
	Upgrade  *UpgradeRecord `json:"upgrade,omitempty"`
}

// UpgradeRecord is a scheduled upgrade.
type UpgradeRecord struct {
	Version uint64 `json:"version"`
	Height  uint64 `json:"height"`
	Name    string `json:"name"`
}
