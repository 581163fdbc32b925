package index

import (
	"fmt"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// newAccount enters an account that nobody had before.
func (w *writer) newAccount(a crypto.Address) {
	_, known, err := w.state.account(a)
	if err == nil && known {
		err = fmt.Errorf("the events do not add up: account %s is created twice", a)
	}
	w.err = err
	w.state.accounts[a] = accountRecord{Status: uint8(ledger.StatusActive)}
}

// account follows what an event makes of an account that is there.
func (w *writer) account(e *ledger.Event) {
	record, ok, err := w.state.account(e.Account)
	if err == nil && (!ok || !record.follow(e)) {
		err = fmt.Errorf("the events do not add up: %s of account %s", e.Type.Name(), e.Account)
	}
	w.err = err
	w.state.accounts[e.Account] = record
}

// follow makes the event's change; ok is false where it cannot have happened.
func (r *accountRecord) follow(e *ledger.Event) (ok bool) {
	status, by := ledger.AccountStatus(r.Status), ledger.StatusFrozen
	if e.Other.IsZero() {
		by = ledger.StatusFrozenByNetwork
	}
	if status == ledger.StatusClosed {
		return false
	}
	switch e.Type {
	case ledger.EventAccountAdmitted:
		r.Member = e.Other
		return true
	case ledger.EventAccountFrozen:
		status, ok = status.Frozen(by)
	case ledger.EventAccountUnfrozen:
		status, ok = status.Unfrozen(by)
	case ledger.EventAccountClosed:
		status, ok = ledger.StatusClosed, true
	case ledger.EventAuthorityChanged: // whose signatures count is not asked here
		return true
	}
	r.Status = uint8(status)
	return ok
}
