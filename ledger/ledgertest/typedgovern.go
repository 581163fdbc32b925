package ledgertest

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// typedGovernance holds the fields of governance's messages. The actions stay
// as they are until their order is known.
type typedGovernance struct {
	Proposal     string   `json:"proposal"`
	Choice       uint8    `json:"choice"`
	ConsensusKey string   `json:"consensusKey"`
	NodeIDs      []string `json:"nodeIds"`
	VotingPeriod string   `json:"votingPeriod"`
	Delay        string   `json:"delay"`
	Order        []int    `json:"order"` // []uint8 would be base64

	arrays map[string][]typedAction // by the actions' names
}

// typedAction holds every field that any action has.
type typedAction struct {
	Admin        crypto.Address `json:"admin"`
	Name         string         `json:"name"`
	Roles        uint8          `json:"roles"`
	ConsensusKey string         `json:"consensusKey"`
	Power        string         `json:"power"`
	NodeIDs      []string       `json:"nodeIds"`
	Member       crypto.Address `json:"member"`
	Value        string         `json:"value"`
	Action       string         `json:"action"`
	Numerator    string         `json:"numerator"`
	Denominator  string         `json:"denominator"`
	Account      crypto.Address `json:"account"`
	Reference    string         `json:"reference"`
	Asset        crypto.Address `json:"asset"`
	Version      string         `json:"version"`
	Height       string         `json:"height"`
	Text         string         `json:"text"`
	Hash         crypto.Hash    `json:"hash"`
}

// parseTypedGovernance reads an operation of governance back.
func parseTypedGovernance(primary string, message json.RawMessage) (op ledger.Operation, err error) {
	defer func() { // numbers of the document are checked as they are read
		if r := recover(); r != nil {
			op, err = nil, fmt.Errorf("typed data of %s: %v", primary, r)
		}
	}()
	var m typedGovernance
	if err := json.Unmarshal(message, &m); err != nil {
		return nil, err
	}
	switch primary {
	case "Propose":
		actions, err := m.actions(message)
		return &ledger.Propose{Actions: actions, VotingPeriod: mustNumber(m.VotingPeriod), Delay: mustNumber(m.Delay)}, err
	case "CastVote":
		return &ledger.CastVote{Proposal: mustNumber(m.Proposal), Choice: ledger.Choice(m.Choice)}, nil
	case "WithdrawProposal":
		return &ledger.WithdrawProposal{Proposal: mustNumber(m.Proposal)}, nil
	case "RotateValidatorKey":
		return &ledger.RotateValidatorKey{ConsensusKey: mustKey(m.ConsensusKey)}, nil
	case "SetNodes":
		return &ledger.SetNodes{NodeIDs: mustNodes(m.NodeIDs)}, nil
	}
	return nil, fmt.Errorf("typed data of unknown type %q", primary)
}

// actions puts the list together again: the next of the kind that order names.
func (m *typedGovernance) actions(message json.RawMessage) (ledger.ActionList, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(message, &all); err != nil {
		return nil, err
	}
	m.arrays = map[string][]typedAction{}
	for _, kind := range ledger.ActionKinds() {
		var array []typedAction
		if err := json.Unmarshal(all[kind.String()], &array); err != nil {
			return nil, fmt.Errorf("%s: %w", kind, err)
		}
		m.arrays[kind.String()] = array
	}
	var list ledger.ActionList
	for _, number := range m.Order {
		kind := ledger.ActionKind(number)
		array := m.arrays[kind.String()]
		if len(array) == 0 {
			return nil, fmt.Errorf("order names more of %s than there are", kind)
		}
		list = append(list, array[0].action(kind))
		m.arrays[kind.String()] = array[1:]
	}
	for name, array := range m.arrays {
		if len(array) > 0 {
			return nil, fmt.Errorf("order leaves out a %s", name)
		}
	}
	return list, nil
}

func (a *typedAction) action(kind ledger.ActionKind) ledger.Action {
	switch kind {
	case ledger.ActionAdmitMember:
		return &ledger.AdmitMemberAction{
			Admin: a.Admin, Name: a.Name, Roles: ledger.RoleNames(a.Roles), ConsensusKey: mustKey(a.ConsensusKey),
			Power: mustNumber(a.Power), NodeIDs: mustNodes(a.NodeIDs),
		}
	case ledger.ActionSuspendMember:
		return &ledger.SuspendMemberAction{Member: a.Member}
	case ledger.ActionReinstateMember:
		return &ledger.ReinstateMemberAction{Member: a.Member}
	case ledger.ActionRemoveMember:
		return &ledger.RemoveMemberAction{Member: a.Member}
	case ledger.ActionSetRoles:
		return &ledger.SetRolesAction{Member: a.Member, Roles: ledger.RoleNames(a.Roles)}
	case ledger.ActionSetPower:
		return &ledger.SetPowerAction{Member: a.Member, Power: mustNumber(a.Power)}
	case ledger.ActionSetParameter:
		return &ledger.SetParameterAction{Name: a.Name, Value: mustNumber(a.Value)}
	case ledger.ActionSetThreshold:
		return &ledger.SetThresholdAction{Action: a.Action, Numerator: mustNumber(a.Numerator), Denominator: mustNumber(a.Denominator)}
	case ledger.ActionFreezeAccount:
		return &ledger.FreezeAccountAction{Account: a.Account, Reference: a.Reference}
	case ledger.ActionUnfreezeAccount:
		return &ledger.UnfreezeAccountAction{Account: a.Account, Reference: a.Reference}
	case ledger.ActionPauseAsset:
		return &ledger.PauseAssetAction{Asset: a.Asset}
	case ledger.ActionResumeAsset:
		return &ledger.ResumeAssetAction{Asset: a.Asset}
	case ledger.ActionScheduleUpgrade:
		return &ledger.ScheduleUpgradeAction{Version: mustNumber(a.Version), Height: mustNumber(a.Height), Name: a.Name}
	case ledger.ActionCancelUpgrade:
		return &ledger.CancelUpgradeAction{Version: mustNumber(a.Version)}
	case ledger.ActionResolution:
		return &ledger.ResolutionAction{Text: a.Text, Hash: a.Hash}
	}
	panic(fmt.Sprintf("action of unknown kind %d", kind))
}

func mustNumber(text string) uint64 {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

func mustBytes(dst []byte, text string) {
	if n, err := hex.Decode(dst, []byte(strings.TrimPrefix(text, "0x"))); err != nil || n != len(dst) {
		panic(fmt.Sprintf("%q is not %d bytes", text, len(dst)))
	}
}

func mustKey(text string) (k ledger.ConsensusKey) {
	mustBytes(k[:], text)
	return k
}

func mustNodes(texts []string) (nodes ledger.NodeIDs) {
	for _, text := range texts {
		var n ledger.NodeID
		mustBytes(n[:], text)
		nodes = append(nodes, n)
	}
	return nodes
}
