package ledger

import "fmt"

// Upgrade is a change of the rules that the members have agreed upon.
type Upgrade struct {
	Version uint64 // of the protocol: the number in CometBFT's headers
	Height  Height // the first block under the new rules
	Name    string // of the software release that knows them
}

// ScheduleUpgradeAction makes the network switch to other rules at a height.
type ScheduleUpgradeAction struct {
	Version uint64 `json:"version"`
	Height  uint64 `json:"height"`
	Name    string `json:"name"` // 1..MaxNameBytes of text
}

// CancelUpgradeAction takes back what is scheduled. It names the version, so that
// it cannot hit another upgrade than was meant.
type CancelUpgradeAction struct {
	Version uint64 `json:"version"`
}

var (
	scheduleUpgradeSpec = actionSpec{
		kind: ActionScheduleUpgrade, name: "scheduleUpgrade", form: all("version", "height", "name"),
		fields: "uint64 version,uint64 height,string name",
		empty:  func() Action { return new(ScheduleUpgradeAction) },
		decode: func(d *decoder) Action {
			return &ScheduleUpgradeAction{Version: d.uint(), Height: d.uint(), Name: string(d.bytes())}
		},
	}
	cancelUpgradeSpec = actionSpec{
		kind: ActionCancelUpgrade, name: "cancelUpgrade", form: all("version"),
		fields: "uint64 version",
		empty:  func() Action { return new(CancelUpgradeAction) },
		decode: func(d *decoder) Action { return &CancelUpgradeAction{Version: d.uint()} },
	}
)

// ActionKind implements Action.
func (*ScheduleUpgradeAction) ActionKind() ActionKind { return ActionScheduleUpgrade }

// ActionKind implements Action.
func (*CancelUpgradeAction) ActionKind() ActionKind { return ActionCancelUpgrade }

func (a *ScheduleUpgradeAction) check() Code {
	switch {
	case len(a.Name) > MaxNameBytes:
		return CodeLimitExceeded
	case !validName(a.Name) || !validVersion(a.Version) || a.Height > MaxJSONInteger:
		return CodeInvalidField
	}
	return Applied
}

func (a *CancelUpgradeAction) check() Code {
	if !validVersion(a.Version) {
		return CodeInvalidField
	}
	return Applied
}

func validVersion(version uint64) bool { return version > 0 && version <= MaxJSONInteger }

func (a *ScheduleUpgradeAction) encode(w *encoder) {
	writeUpgrade(w, &Upgrade{a.Version, Height(a.Height), a.Name})
}

func (a *CancelUpgradeAction) encode(w *encoder) {
	l := w.list()
	w.uint(a.Version)
	w.end(l)
}

func (a *ScheduleUpgradeAction) typed(m *message) {
	m.uint64("version", a.Version)
	m.uint64("height", a.Height)
	m.string("name", a.Name)
}

func (a *CancelUpgradeAction) typed(m *message) { m.uint64("version", a.Version) }

// perform of scheduleUpgrade checks that none is scheduled, that the version is
// above the one in force, and that the height still lies ahead, in this order.
func (a *ScheduleUpgradeAction) perform(s *state) (Code, error) {
	c, err := s.upgradeTable.get(s.reader, single{})
	if err != nil {
		return 0, err
	}
	now, err := s.protocol()
	switch {
	case err != nil:
		return 0, err
	case c.present:
		return CodeUpgradeScheduled, nil
	case a.Version <= now:
		return CodeUpgradeVersion, nil
	case Height(a.Height) <= s.height+upgradeNotice:
		return CodeUpgradeHeight, nil
	}
	s.upgradeTable.set(c, Upgrade{a.Version, Height(a.Height), a.Name})
	s.emit(Event{Type: EventUpgradeScheduled, Number: a.Version, Until: UnixTime(a.Height), Name: a.Name})
	return Applied, nil
}

// upgradeNotice is how many blocks at least lie between an upgrade's passing
// and its height: CometBFT is told of the version one block before.
const upgradeNotice = 1

// perform of cancelUpgrade checks that one of this version is scheduled.
func (a *CancelUpgradeAction) perform(s *state) (Code, error) {
	c, err := s.upgradeTable.get(s.reader, single{})
	if err != nil {
		return 0, err
	}
	if !c.present || c.value.Version != a.Version {
		return CodeNoUpgrade, nil
	}
	s.emit(Event{Type: EventUpgradeCancelled, Number: c.value.Version})
	s.upgradeTable.remove(c)
	return Applied, nil
}

// FirstProtocol is the version of the rules where the state names none, and so the
// one that every network begins with: genesis documents and the headers before the
// first upgrade carry it. It stays what it is when Protocol rises: a program that
// knows more versions still has to start older networks from their genesis, and to
// read their states.
const FirstProtocol uint64 = 1

// protocol is the version of the rules in force.
func (s *state) protocol() (uint64, error) {
	c, err := s.protocolTable.get(s.reader, single{})
	if err != nil || !c.present {
		return FirstProtocol, err
	}
	return c.value, nil
}

// upgrade switches to the rules that begin with this block.
func (s *state) upgrade() error {
	c, err := s.upgradeTable.get(s.reader, single{})
	if err != nil || !c.present || c.value.Height != s.height {
		return err
	}
	version, err := s.protocolTable.get(s.reader, single{})
	if err != nil {
		return err
	}
	s.protocolTable.set(version, c.value.Version)
	s.emit(Event{Type: EventUpgradeApplied, Number: c.value.Version, Name: c.value.Name})
	s.upgradeTable.remove(c)
	return nil
}

// ReadUpgrade reads the scheduled upgrade from committed state; ok is false when
// there is none.
func ReadUpgrade(r Reader) (u Upgrade, ok bool, err error) {
	value, err := r.Get([]byte(KeyUpgrade))
	if err != nil || len(value) == 0 {
		return Upgrade{}, false, err
	}
	u, err = decodeUpgrade(value)
	return u, err == nil, err
}

// ReadProtocol reads the version of the rules in force from committed state.
func ReadProtocol(r Reader) (uint64, error) {
	value, err := r.Get([]byte(KeyProtocol))
	if err != nil || len(value) == 0 {
		return FirstProtocol, err
	}
	return decodeProtocol(value)
}

// writeUpgrade writes rlp([version, height, name]).
func writeUpgrade(w *encoder, u *Upgrade) {
	l := w.list()
	w.uint(u.Version)
	w.uint(uint64(u.Height))
	w.string(u.Name)
	w.end(l)
}

func decodeUpgrade(value []byte) (Upgrade, error) {
	d := decoder{rest: value}
	l := d.list()
	u := Upgrade{Version: l.uint(), Height: Height(l.uint()), Name: string(l.bytes())}
	d.close(l)
	if !d.done() || u.Version == 0 {
		return Upgrade{}, fmt.Errorf("upgrade record %x is not well formed", value)
	}
	return u, nil
}

// The record at KeyProtocol is the version as an RLP integer. It is not there
// while the rules are the first.
func writeProtocol(w *encoder, version *uint64) { w.uint(*version) }

func decodeProtocol(value []byte) (uint64, error) {
	d := decoder{rest: value}
	version := d.uint()
	if !d.done() || version == 0 {
		return 0, fmt.Errorf("protocol record %x is not well formed", value)
	}
	return version, nil
}
