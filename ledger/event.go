package ledger

import (
	"github.com/tallystick/tallystick/crypto"
)

// EventType numbers an event in outcomes. Types are never reused.
type EventType uint8

// The event types.
const (
	EventTransfer              EventType = 1
	EventIssue                 EventType = 2
	EventRedeem                EventType = 3
	EventAssetCreated          EventType = 4
	EventAssetPaused           EventType = 5
	EventAssetResumed          EventType = 6
	EventAccountCreated        EventType = 7
	EventAccountAdmitted       EventType = 8
	EventAccountFrozen         EventType = 9
	EventAccountUnfrozen       EventType = 10
	EventAccountClosed         EventType = 11
	EventAuthorityChanged      EventType = 12
	EventAssetRetired          EventType = 13
	EventIssuerChanged         EventType = 14
	EventMetadataChanged       EventType = 15
	EventHolderApproved        EventType = 16
	EventHolderRevoked         EventType = 17
	EventHolderFrozen          EventType = 18
	EventHolderUnfrozen        EventType = 19
	EventBalanceFrozen         EventType = 20
	EventClawback              EventType = 21
	EventHoldCreated           EventType = 22
	EventHoldCaptured          EventType = 23
	EventHoldReleased          EventType = 24
	EventMemberAdmitted        EventType = 25
	EventMemberSuspended       EventType = 26
	EventMemberReinstated      EventType = 27
	EventMemberRemoved         EventType = 28
	EventRolesChanged          EventType = 29
	EventPowerChanged          EventType = 30
	EventValidatorKeyChanged   EventType = 31
	EventNodesChanged          EventType = 32
	EventValidatorPunished     EventType = 33
	EventProposalCreated       EventType = 34
	EventVoteCast              EventType = 35
	EventProposalEnded         EventType = 36
	EventParameterChanged      EventType = 37
	EventAssetPausedByNetwork  EventType = 38
	EventAssetResumedByNetwork EventType = 39
	EventUpgradeScheduled      EventType = 40
	EventUpgradeCancelled      EventType = 41
	EventUpgradeApplied        EventType = 42
	EventResolution            EventType = 43
	EventProposalPassed        EventType = 44
	EventThresholdChanged      EventType = 45
	EventPowerMoved            EventType = 46
)

// Event is one effect of a transaction. From the events of all transactions
// and the genesis document alone, every account, asset and balance can be
// rebuilt. Fields that a type does not use are zero; eventSpecs says which
// it uses.
type Event struct {
	Type      EventType
	Account   crypto.Address // accountCreated; assetCreated, issuerChanged: the issuer; holdCreated: the arbiter
	From      crypto.Address
	To        crypto.Address
	Asset     crypto.Address
	Amount    Amount // assetCreated: the cap
	Reference string
	Symbol    string
	Name      string // metadataChanged: the URI
	Decimals  uint8
	Flags     AssetFlags
	Other     crypto.Address // a hold, a member, an arbiter: eventSpecs says
	Number    uint64         // clawback: the reason
	Until     UnixTime
	Keys      string // authorityChanged: see ParseKeys; memberAdmitted: the consensus key, or nothing
	Nodes     string // memberAdmitted: see ParseNodes
	Hash      crypto.Hash
}

// Attribute is one named field of an event as text: addresses in lower-case
// hex with 0x, numbers in decimal.
type Attribute struct{ Key, Value string }

// field moves one field of an event between its three forms.
type field struct {
	key   string
	write func(*encoder, *Event)
	text  func(*Event) string
	parse func(*Event, string) bool
}

type eventSpec struct {
	kind   EventType
	name   string
	fields []field
}

var (
	fieldAccount    = addressField("account", func(e *Event) *crypto.Address { return &e.Account })
	fieldIssuer     = addressField("issuer", func(e *Event) *crypto.Address { return &e.Account })
	fieldFrom       = addressField("from", func(e *Event) *crypto.Address { return &e.From })
	fieldTo         = addressField("to", func(e *Event) *crypto.Address { return &e.To })
	fieldAsset      = addressField("asset", func(e *Event) *crypto.Address { return &e.Asset })
	fieldAmount     = amountField("amount")
	fieldCap        = amountField("cap")
	fieldRef        = textField("reference", func(e *Event) *string { return &e.Reference })
	fieldSymbol     = textField("symbol", func(e *Event) *string { return &e.Symbol })
	fieldName       = textField("name", func(e *Event) *string { return &e.Name })
	fieldDec        = numberField("decimals", 255, func(e *Event) uint64 { return uint64(e.Decimals) }, func(e *Event, v uint64) { e.Decimals = uint8(v) })
	fieldChoice     = numberField("choice", uint64(ChoiceVeto), func(e *Event) uint64 { return uint64(e.Decimals) }, func(e *Event, v uint64) { e.Decimals = uint8(v) })
	fieldStatus     = textField("status", func(e *Event) *string { return &e.Name })
	fieldText       = memoField("text", func(e *Event) *string { return &e.Reference })
	fieldValidator  = textField("validator", func(e *Event) *string { return &e.Reference })
	fieldDelay      = numberField("delay", MaxProposalDelay, func(e *Event) uint64 { return uint64(e.Flags) }, func(e *Event, v uint64) { e.Flags = uint32(v) })
	fieldActions    = textField("actions", func(e *Event) *string { return &e.Reference })
	fieldActionName = textField("action", func(e *Event) *string { return &e.Name })
	fieldCode       = numberField("code", 1<<32-1, func(e *Event) uint64 { return uint64(e.Flags) }, func(e *Event, v uint64) { e.Flags = uint32(v) })
	fieldFlags      = numberField("flags", 1<<32-1, func(e *Event) uint64 { return uint64(e.Flags) }, func(e *Event, v uint64) { e.Flags = uint32(v) })
	fieldURI        = textField("uri", func(e *Event) *string { return &e.Name })
	fieldHash       = hashField("hash", func(e *Event) *crypto.Hash { return &e.Hash })
	fieldReason     = numberField("reason", 1<<16-1, func(e *Event) uint64 { return e.Number }, func(e *Event, v uint64) { e.Number = v })
)

// eventSpecs gives each type its name and fields, in the order of the outcome.
var eventSpecs = []eventSpec{
	{EventTransfer, "transfer", []field{fieldFrom, fieldTo, fieldAsset, fieldAmount, fieldRef}},
	{EventIssue, "issue", []field{fieldAsset, fieldTo, fieldAmount, fieldRef}},
	{EventRedeem, "redeem", []field{fieldAsset, fieldFrom, fieldAmount, fieldRef}},
	{EventAssetCreated, "assetCreated", []field{fieldAsset, fieldSymbol, fieldName, fieldDec, fieldIssuer, fieldCap, fieldFlags}},
	{EventAssetPaused, "assetPaused", []field{fieldAsset}},
	{EventAssetResumed, "assetResumed", []field{fieldAsset}},
	{EventAccountCreated, "accountCreated", []field{fieldAccount}},
	{EventAccountAdmitted, "accountAdmitted", []field{fieldAccount, fieldMember}},
	{EventAccountFrozen, "accountFrozen", []field{fieldAccount, fieldMember, fieldRef}},
	{EventAccountUnfrozen, "accountUnfrozen", []field{fieldAccount, fieldMember, fieldRef}},
	{EventAccountClosed, "accountClosed", []field{fieldAccount, fieldMember}},
	{EventAuthorityChanged, "authorityChanged", []field{fieldAccount, fieldThreshold, fieldKeys}},
	{EventAssetRetired, "assetRetired", []field{fieldAsset}},
	{EventIssuerChanged, "issuerChanged", []field{fieldAsset, fieldIssuer}},
	{EventMetadataChanged, "metadataChanged", []field{fieldAsset, fieldURI, fieldHash}},
	{EventHolderApproved, "holderApproved", []field{fieldAsset, fieldAccount}},
	{EventHolderRevoked, "holderRevoked", []field{fieldAsset, fieldAccount}},
	{EventHolderFrozen, "holderFrozen", []field{fieldAsset, fieldAccount, fieldRef}},
	{EventHolderUnfrozen, "holderUnfrozen", []field{fieldAsset, fieldAccount, fieldRef}},
	{EventBalanceFrozen, "balanceFrozen", []field{fieldAsset, fieldAccount, fieldAmount, fieldRef}},
	{EventClawback, "clawback", []field{fieldAsset, fieldFrom, fieldTo, fieldAmount, fieldReason, fieldRef}},
	{EventHoldCreated, "holdCreated", []field{fieldHold, fieldFrom, fieldTo, fieldArbiter, fieldAsset, fieldAmount, fieldExpiry, fieldRef}},
	{EventHoldCaptured, "holdCaptured", []field{fieldHold, fieldFrom, fieldTo, fieldAsset, fieldAmount, fieldRef}},
	{EventHoldReleased, "holdReleased", []field{fieldHold, fieldFrom, fieldTo, fieldAsset, fieldAmount, fieldHoldEnd}},
	{EventMemberAdmitted, "memberAdmitted", []field{fieldMember, fieldName, fieldRoles, fieldConsensusKey, fieldPower, fieldNodes}},
	{EventMemberSuspended, "memberSuspended", []field{fieldMember}},
	{EventMemberReinstated, "memberReinstated", []field{fieldMember}},
	{EventMemberRemoved, "memberRemoved", []field{fieldMember}},
	{EventRolesChanged, "rolesChanged", []field{fieldMember, fieldRoles}},
	{EventPowerChanged, "powerChanged", []field{fieldMember, number("power")}},
	{EventValidatorKeyChanged, "validatorKeyChanged", []field{fieldMember, fieldConsensusKey}},
	{EventNodesChanged, "nodesChanged", []field{fieldMember, fieldNodes}},
	{EventValidatorPunished, "validatorPunished", []field{fieldMember, fieldValidator}},
	{EventProposalCreated, "proposalCreated", []field{number("proposal"), fieldMember, until("expiry"), fieldDelay, fieldActions}},
	{EventVoteCast, "voteCast", []field{number("proposal"), fieldMember, fieldChoice}},
	{EventProposalEnded, "proposalEnded", []field{number("proposal"), fieldStatus, fieldCode, until("failedAction")}},
	{EventParameterChanged, "parameterChanged", []field{fieldName, number("value")}},
	{EventAssetPausedByNetwork, "assetPausedByNetwork", []field{fieldAsset}},
	{EventAssetResumedByNetwork, "assetResumedByNetwork", []field{fieldAsset}},
	{EventUpgradeScheduled, "upgradeScheduled", []field{number("version"), until("height"), fieldName}},
	{EventUpgradeCancelled, "upgradeCancelled", []field{number("version")}},
	{EventUpgradeApplied, "upgradeApplied", []field{number("version"), fieldName}},
	{EventResolution, "resolution", []field{fieldText, fieldHash}},
	{EventProposalPassed, "proposalPassed", []field{number("proposal"), until("effect")}},
	{EventThresholdChanged, "thresholdChanged", []field{fieldActionName, number("numerator"), until("denominator")}},
	{EventPowerMoved, "powerMoved", []field{fieldMember, number("power")}},
}

// eventSpecOf are the eventSpecs by their types.
var eventSpecOf = func() (byType [256]*eventSpec) {
	for i := range eventSpecs {
		byType[eventSpecs[i].kind] = &eventSpecs[i]
	}
	return byType
}()

func (e *Event) spec() *eventSpec { return eventSpecOf[e.Type] }

// EventTypes lists the types, ascending.
func EventTypes() []EventType {
	types := make([]EventType, len(eventSpecs))
	for i := range eventSpecs {
		types[i] = eventSpecs[i].kind
	}
	return types
}

// Name returns the type's name, as JSON and ABCI events carry it.
func (t EventType) Name() string {
	if eventSpecOf[t] == nil {
		return "unknown"
	}
	return eventSpecOf[t].name
}

// Attributes returns the event's fields as text, in the order of the outcome.
func (e *Event) Attributes() []Attribute {
	spec := e.spec()
	out := make([]Attribute, len(spec.fields))
	for i, f := range spec.fields {
		out[i] = Attribute{f.key, f.text(e)}
	}
	return out
}

// ParseEvent is the inverse of Name and Attributes. ok is false for anything
// that they do not produce.
func ParseEvent(name string, attributes []Attribute) (e Event, ok bool) {
	for i := range eventSpecs {
		spec := &eventSpecs[i]
		if spec.name != name || len(spec.fields) != len(attributes) {
			continue
		}
		e.Type = spec.kind
		for j, f := range spec.fields {
			if attributes[j].Key != f.key || !f.parse(&e, attributes[j].Value) || f.text(&e) != attributes[j].Value {
				return Event{}, false
			}
		}
		return e, true
	}
	return Event{}, false
}

// encode writes [type, field…].
func (e *Event) encode(w *encoder) {
	l := w.list()
	w.uint(uint64(e.Type))
	for _, f := range e.spec().fields {
		f.write(w, e)
	}
	w.end(l)
}
