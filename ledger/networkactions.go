package ledger

import "github.com/tallystick/tallystick/crypto"

// SetParameterAction sets one of the ledger's parameters by its name in the
// genesis.
type SetParameterAction struct {
	Name  string `json:"name"`  // of ParameterNames
	Value uint64 `json:"value"` // in the parameter's range; accountPolicy: 1 admitted, 2 open
}

// SetThresholdAction sets how many of the active members a kind of action
// needs: more than numerator/denominator of them. It needs as many itself, by
// the threshold that was and by the one that will be.
type SetThresholdAction struct {
	Action      string `json:"action"`
	Numerator   uint64 `json:"numerator"`
	Denominator uint64 `json:"denominator"`
}

// FreezeAccountAction freezes an account whatever its member says.
type FreezeAccountAction struct {
	Account   crypto.Address `json:"account"`
	Reference string         `json:"reference,omitempty"`
}

// UnfreezeAccountAction ends what FreezeAccountAction did.
type UnfreezeAccountAction struct {
	Account   crypto.Address `json:"account"`
	Reference string         `json:"reference,omitempty"`
}

// PauseAssetAction stops every movement of an asset whatever its issuer says.
type PauseAssetAction struct {
	Asset crypto.Address `json:"asset"`
}

// ResumeAssetAction ends what PauseAssetAction did.
type ResumeAssetAction struct {
	Asset crypto.Address `json:"asset"`
}

// ResolutionAction records what the members agree upon.
type ResolutionAction struct {
	Text string      `json:"text"` // 1..MaxResolutionBytes of text, which may have lines
	Hash crypto.Hash `json:"hash"` // of a document; zero for none
}

var (
	setParameterSpec = actionSpec{
		kind: ActionSetParameter, name: "setParameter", form: all("name", "value"),
		fields: "string name,uint64 value",
		empty:  func() Action { return new(SetParameterAction) },
		decode: func(d *decoder) Action { return &SetParameterAction{Name: string(d.bytes()), Value: d.uint()} },
	}
	setThresholdSpec = actionSpec{
		kind: ActionSetThreshold, name: "setThreshold", form: all("action", "numerator", "denominator"),
		fields: "string action,uint64 numerator,uint64 denominator",
		empty:  func() Action { return new(SetThresholdAction) },
		decode: func(d *decoder) Action {
			return &SetThresholdAction{Action: string(d.bytes()), Numerator: d.uint(), Denominator: d.uint()}
		},
	}
	freezeAccountActionSpec = actionSpec{
		kind: ActionFreezeAccount, name: "freezeAccount", form: all("account").with("reference"),
		fields: "address account,string reference",
		empty:  func() Action { return new(FreezeAccountAction) },
		decode: func(d *decoder) Action { return &FreezeAccountAction{d.address(), string(d.bytes())} },
	}
	unfreezeAccountActionSpec = actionSpec{
		kind: ActionUnfreezeAccount, name: "unfreezeAccount", form: all("account").with("reference"),
		fields: "address account,string reference",
		empty:  func() Action { return new(UnfreezeAccountAction) },
		decode: func(d *decoder) Action { return &UnfreezeAccountAction{d.address(), string(d.bytes())} },
	}
	pauseAssetActionSpec = actionSpec{
		kind: ActionPauseAsset, name: "pauseAsset", form: all("asset"), fields: "address asset",
		empty:  func() Action { return new(PauseAssetAction) },
		decode: func(d *decoder) Action { return &PauseAssetAction{d.address()} },
	}
	resumeAssetActionSpec = actionSpec{
		kind: ActionResumeAsset, name: "resumeAsset", form: all("asset"), fields: "address asset",
		empty:  func() Action { return new(ResumeAssetAction) },
		decode: func(d *decoder) Action { return &ResumeAssetAction{d.address()} },
	}
	resolutionSpec = actionSpec{
		kind: ActionResolution, name: "resolution", form: all("text", "hash"), fields: "string text,bytes32 hash",
		empty: func() Action { return new(ResolutionAction) },
		decode: func(d *decoder) Action {
			a := &ResolutionAction{Text: string(d.bytes())}
			d.fixed(a.Hash[:])
			return a
		},
	}
)

// ActionKind implements Action.
func (*SetParameterAction) ActionKind() ActionKind { return ActionSetParameter }

// ActionKind implements Action.
func (*SetThresholdAction) ActionKind() ActionKind { return ActionSetThreshold }

// ActionKind implements Action.
func (*FreezeAccountAction) ActionKind() ActionKind { return ActionFreezeAccount }

// ActionKind implements Action.
func (*UnfreezeAccountAction) ActionKind() ActionKind { return ActionUnfreezeAccount }

// ActionKind implements Action.
func (*PauseAssetAction) ActionKind() ActionKind { return ActionPauseAsset }

// ActionKind implements Action.
func (*ResumeAssetAction) ActionKind() ActionKind { return ActionResumeAsset }

// ActionKind implements Action.
func (*ResolutionAction) ActionKind() ActionKind { return ActionResolution }

func (a *SetParameterAction) check() Code {
	var p Params
	if p.parameter(a.Name) == nil || a.Value > MaxJSONInteger {
		return CodeInvalidField
	}
	return Applied
}

func (a *SetThresholdAction) check() Code {
	if _, known := ParseActionKind(a.Action); !known || a.threshold().check() != nil {
		return CodeInvalidField
	}
	return Applied
}

func (a *SetThresholdAction) threshold() Threshold { return Threshold{a.Numerator, a.Denominator} }

func (a *FreezeAccountAction) check() Code   { return checkReferenced(a.Account, a.Reference) }
func (a *UnfreezeAccountAction) check() Code { return checkReferenced(a.Account, a.Reference) }
func (a *PauseAssetAction) check() Code      { return checkAsset(a.Asset) }
func (a *ResumeAssetAction) check() Code     { return checkAsset(a.Asset) }

// checkReferenced judges an address and a reference.
func checkReferenced(address crypto.Address, reference string) Code {
	switch {
	case len(reference) > MaxReferenceBytes:
		return CodeLimitExceeded
	case address.IsZero() || !validText(reference):
		return CodeInvalidField
	}
	return Applied
}

func (a *ResolutionAction) check() Code {
	switch {
	case len(a.Text) > MaxResolutionBytes:
		return CodeLimitExceeded
	case a.Text == "" || !validMemo(a.Text):
		return CodeInvalidField
	}
	return Applied
}

func (a *SetParameterAction) encode(w *encoder) {
	l := w.list()
	w.string(a.Name)
	w.uint(a.Value)
	w.end(l)
}

func (a *SetThresholdAction) encode(w *encoder) {
	l := w.list()
	w.string(a.Action)
	w.uint(a.Numerator)
	w.uint(a.Denominator)
	w.end(l)
}

func (a *FreezeAccountAction) encode(w *encoder)   { encodeReferenced(w, a.Account, a.Reference) }
func (a *UnfreezeAccountAction) encode(w *encoder) { encodeReferenced(w, a.Account, a.Reference) }
func (a *PauseAssetAction) encode(w *encoder)      { encodeAsset(w, a.Asset) }
func (a *ResumeAssetAction) encode(w *encoder)     { encodeAsset(w, a.Asset) }

func encodeReferenced(w *encoder, address crypto.Address, reference string) {
	l := w.list()
	w.address(address)
	w.string(reference)
	w.end(l)
}

func (a *ResolutionAction) encode(w *encoder) {
	l := w.list()
	w.string(a.Text)
	w.bytes(a.Hash[:])
	w.end(l)
}

func (a *SetParameterAction) typed(m *message) {
	m.string("name", a.Name)
	m.uint64("value", a.Value)
}

func (a *SetThresholdAction) typed(m *message) {
	m.string("action", a.Action)
	m.uint64("numerator", a.Numerator)
	m.uint64("denominator", a.Denominator)
}

func (a *FreezeAccountAction) typed(m *message) {
	m.address("account", a.Account)
	m.string("reference", a.Reference)
}

func (a *UnfreezeAccountAction) typed(m *message) {
	m.address("account", a.Account)
	m.string("reference", a.Reference)
}

func (a *PauseAssetAction) typed(m *message)  { m.address("asset", a.Asset) }
func (a *ResumeAssetAction) typed(m *message) { m.address("asset", a.Asset) }

func (a *ResolutionAction) typed(m *message) {
	m.string("text", a.Text)
	m.bytes32("hash", a.Hash)
}

// perform of setParameter checks the range of the value and that there is a
// change, in this order.
func (a *SetParameterAction) perform(s *state) (Code, error) {
	changed := s.params
	at := changed.parameter(a.Name)
	if *at == a.Value {
		return CodeNoChange, nil
	}
	*at = a.Value
	if changed.Check() != nil {
		return CodeParameterRange, nil
	}
	s.emit(Event{Type: EventParameterChanged, Name: a.Name, Number: a.Value})
	return Applied, s.setParams(changed)
}

// perform of setThreshold checks that there is a change.
func (a *SetThresholdAction) perform(s *state) (Code, error) {
	kind, _ := ParseActionKind(a.Action)
	changed := s.params
	if changed.Thresholds[kind-1] == a.threshold() {
		return CodeNoChange, nil
	}
	changed.Thresholds[kind-1] = a.threshold()
	s.emit(Event{Type: EventThresholdChanged, Name: a.Action, Number: a.Numerator, Until: UnixTime(a.Denominator)})
	s.again = true // open proposals may have reached it
	return Applied, s.setParams(changed)
}

// perform of freezeAccount refuses the admin account of a member, whose vote
// would go with it: suspendMember is for that. That of a removed member is an
// account like others, which another member may have taken over.
func (a *FreezeAccountAction) perform(s *state) (Code, error) {
	m, err := s.member(a.Account)
	if err != nil {
		return 0, err
	}
	if m.present && m.value.Status != MemberRemoved {
		return CodeAdminAccount, nil
	}
	return s.freezeByNetwork(a.Account, a.Reference)
}

func (a *UnfreezeAccountAction) perform(s *state) (Code, error) {
	return s.unfreezeByNetwork(a.Account, a.Reference)
}

func (a *PauseAssetAction) perform(s *state) (Code, error)  { return s.pauseByNetwork(a.Asset) }
func (a *ResumeAssetAction) perform(s *state) (Code, error) { return s.resumeByNetwork(a.Asset) }

// perform of resolution has nothing to change: the proposal is the record.
func (a *ResolutionAction) perform(s *state) (Code, error) {
	s.emit(Event{Type: EventResolution, Reference: a.Text, Hash: a.Hash})
	return Applied, nil
}
