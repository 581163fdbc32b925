package ledger

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/tallystick/tallystick/crypto"
)

// Limits on proposals. They are part of the rules.
const (
	MaxActions         = 16             // of one proposal
	MaxResolutionBytes = 1024           // of text, which may have lines
	MinVotingPeriod    = 60             // seconds
	MaxVotingPeriod    = 90 * 24 * 3600 // seconds
	MaxProposalDelay   = 90 * 24 * 3600 // seconds
	MaxOpenProposals   = 64             // of all members
	MaxOwnProposals    = 4              // open, of one member
)

// ActionKind numbers what a proposal can do. Kinds are never reused.
type ActionKind uint8

// The kinds of actions.
const (
	ActionAdmitMember     ActionKind = 1
	ActionSuspendMember   ActionKind = 2
	ActionReinstateMember ActionKind = 3
	ActionRemoveMember    ActionKind = 4
	ActionSetRoles        ActionKind = 5
	ActionSetPower        ActionKind = 6
	ActionSetParameter    ActionKind = 7
	ActionSetThreshold    ActionKind = 8
	ActionFreezeAccount   ActionKind = 9
	ActionUnfreezeAccount ActionKind = 10
	ActionPauseAsset      ActionKind = 11
	ActionResumeAsset     ActionKind = 12
	ActionScheduleUpgrade ActionKind = 13
	ActionCancelUpgrade   ActionKind = 14
	ActionResolution      ActionKind = 15

	actionKinds = 15
)

// Action is one thing that a proposal does when it takes effect. actionSpecs
// lists the types.
type Action interface {
	// ActionKind is the action's number.
	ActionKind() ActionKind
	// check judges the fields by themselves.
	check() Code
	// encode writes the fields, a list.
	encode(w *encoder)
	// typed fills the action's EIP-712 struct.
	typed(m *message)
	// perform changes the state, or answers with why it does not apply.
	perform(s *state) (Code, error)
}

// actionSpec is all that the codecs know of an action besides its methods.
type actionSpec struct {
	kind   ActionKind
	name   string   // in JSON; its EIP-712 type has the same with a capital and Action behind
	form   jsonForm // of its JSON
	fields string   // as EIP-712's encodeType writes them
	empty  func() Action
	decode func(*decoder) Action
}

// actionSpecs lists the actions in the order of their numbers, without a gap.
var actionSpecs = [actionKinds]*actionSpec{
	&admitMemberSpec, &suspendMemberSpec, &reinstateMemberSpec, &removeMemberSpec, &setRolesSpec, &setPowerSpec,
	&setParameterSpec, &setThresholdSpec, &freezeAccountActionSpec, &unfreezeAccountActionSpec,
	&pauseAssetActionSpec, &resumeAssetActionSpec, &scheduleUpgradeSpec, &cancelUpgradeSpec, &resolutionSpec,
}

func actionSpecOf(k ActionKind) *actionSpec {
	if k == 0 || k > actionKinds {
		return nil
	}
	return actionSpecs[k-1]
}

// String returns the action's name in JSON.
func (k ActionKind) String() string {
	if s := actionSpecOf(k); s != nil {
		return s.name
	}
	return "unknown"
}

// ParseActionKind is the inverse of String.
func ParseActionKind(name string) (ActionKind, bool) {
	for _, s := range actionSpecs {
		if s.name == name {
			return s.kind, true
		}
	}
	return 0, false
}

// NewAction returns an empty action of a kind, or nil for an unknown one.
func NewAction(k ActionKind) Action {
	if s := actionSpecOf(k); s != nil {
		return s.empty()
	}
	return nil
}

// ActionKinds lists the actions' numbers, ascending.
func ActionKinds() []ActionKind {
	kinds := make([]ActionKind, actionKinds)
	for i, s := range actionSpecs {
		kinds[i] = s.kind
	}
	return kinds
}

// typeName is the name of the action's EIP-712 type.
func (s *actionSpec) typeName() string {
	return strings.ToUpper(s.name[:1]) + s.name[1:] + "Action"
}

func (s *actionSpec) encodedType() string { return s.typeName() + "(" + s.fields + ")" }

// actionTypeHashes are the hashes of the actions' types, in the order of actionSpecs.
var actionTypeHashes = func() (h [actionKinds]crypto.Hash) {
	for i, s := range actionSpecs {
		h[i] = crypto.TypeHash(s.encodedType())
	}
	return h
}()

// ActionList is what a proposal does, in this order. In JSON each is an object
// with the action under its name: [{"setPower":{…}}].
type ActionList []Action

// actionForm is the form of one action in JSON. That it is one is judged apart.
var actionForm = func() (form jsonForm) {
	for _, s := range actionSpecs {
		form = append(form, jsonField{s.name, true, s.form})
	}
	return form
}()

// MarshalJSON writes what UnmarshalJSON reads.
func (l ActionList) MarshalJSON() ([]byte, error) {
	list := make([]map[string]Action, len(l))
	for i, a := range l {
		list[i] = map[string]Action{a.ActionKind().String(): a}
	}
	return json.Marshal(list)
}

// UnmarshalJSON reads a list of actions. The strictness is that of the body
// around it.
func (l *ActionList) UnmarshalJSON(data []byte) error {
	var items []map[string]json.RawMessage
	if err := json.Unmarshal(data, &items); err != nil {
		return err
	}
	*l = make(ActionList, len(items))
	for i, item := range items {
		if len(item) != 1 {
			return fmt.Errorf("actions[%d]: an action is an object with one name, and the action under it; this one has %d", i, len(item))
		}
		for name, raw := range item { // the only one
			kind, known := ParseActionKind(name)
			if !known {
				return fmt.Errorf("actions[%d]: %q is not an action", i, name)
			}
			(*l)[i] = NewAction(kind)
			if err := json.Unmarshal(raw, (*l)[i]); err != nil {
				return under(fmt.Sprintf("actions[%d].%s", i, name), err)
			}
		}
	}
	return nil
}

func (l ActionList) check() Code {
	switch {
	case len(l) == 0:
		return CodeInvalidField
	case len(l) > MaxActions:
		return CodeLimitExceeded
	}
	code := Applied
	for _, a := range l {
		if a == nil {
			return CodeInvalidField
		}
		code = first(code, a.check())
	}
	return code
}

// encode writes [[kind, [field…]]…].
func (l ActionList) encode(w *encoder) {
	list := w.list()
	for _, a := range l {
		item := w.list()
		w.uint(uint64(a.ActionKind()))
		a.encode(w)
		w.end(item)
	}
	w.end(list)
}

func (d *decoder) actions() (actions ActionList) {
	l := d.list()
	for len(l.rest) > 0 && !l.bad {
		item := l.list()
		spec := actionSpecOf(ActionKind(item.uintUpTo(actionKinds)))
		if spec == nil {
			d.fail()
			return nil
		}
		fields := item.list()
		actions = append(actions, spec.decode(&fields))
		item.close(fields)
		l.close(item)
	}
	d.close(l)
	return actions
}

// typed writes one array for each kind of action, in the order of the kinds,
// and the kinds in the order of the list. So types are fixed, and the list can
// be put together again.
func (l ActionList) typed(m *message) {
	for i, s := range actionSpecs {
		var own []Action
		for _, a := range l {
			if a.ActionKind() == s.kind {
				own = append(own, a)
			}
		}
		m.array(s.name, s.typeName(), actionTypeHashes[i], len(own), func(j int, m *message) { own[j].typed(m) })
	}
	order := make([]uint8, len(l))
	for i, a := range l {
		order[i] = uint8(a.ActionKind())
	}
	m.uint8s("order", order)
}

// actionListFields is what typed writes, as encodeType writes it.
func actionListFields() string {
	var b strings.Builder
	for _, s := range actionSpecs {
		b.WriteString(s.typeName() + "[] " + s.name + ",")
	}
	return b.String() + "uint8[] order"
}

// actionListTypes are the struct types of actionListFields, in the order of
// their names.
func actionListTypes() []string {
	var types []string
	for _, s := range actionSpecs {
		types = append(types, s.encodedType())
	}
	slices.Sort(types)
	return types
}
