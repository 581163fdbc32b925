package ledgertest

import (
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// What the members freeze and pause by a vote, and what a registrar and an issuer
// do beside them: each of two parties ends only what it began.

// councilAccount is an account: who answers for it, and who has stopped it.
type councilAccount struct {
	member                       crypto.Address // zero for none
	byRegistrar, byVotes, closed bool
}

// councilAsset is an asset: who issues it, and who has stopped it.
type councilAsset struct {
	issuer                     crypto.Address
	byIssuer, byVotes, retired bool
	settles                    bool // it is the settlement asset
}

func (a *councilAccount) stopped() bool { return a.byRegistrar || a.byVotes || a.closed }

// status is the name of the account's status.
func (a *councilAccount) status() string {
	if a.closed {
		return "closed"
	}
	return map[[2]bool]string{{}: "active", {true, false}: "frozen", {false, true}: "frozenByNetwork", {true, true}: "frozenByBoth"}[[2]bool{a.byRegistrar, a.byVotes}]
}

// status is the name of the asset's status.
func (a *councilAsset) status() string {
	if a.retired {
		return map[bool]string{false: "retired", true: "retiredAndPaused"}[a.byVotes]
	}
	return map[[2]bool]string{{}: "active", {true, false}: "paused", {false, true}: "pausedByNetwork", {true, true}: "pausedByBoth"}[[2]bool{a.byIssuer, a.byVotes}]
}

// mayAct: the account is there and nobody has stopped it, nor its member.
func (w *governWorld) mayAct(address crypto.Address) bool {
	a := w.accounts[address]
	if a == nil || a.stopped() {
		return false
	}
	m := w.members[a.member]
	return m == nil || m.status == "active"
}

// freezeByVotes is what the action freezeAccount does.
func (w *governWorld) freezeByVotes(address crypto.Address) ledger.Code {
	a := w.accounts[address]
	switch m := w.members[address]; {
	case m != nil && m.status != "removed":
		return ledger.CodeAdminAccount
	case a == nil:
		return ledger.CodeUnknownAccount
	case a.closed:
		return ledger.CodeAccountClosed
	case a.byVotes:
		return ledger.CodeAccountFrozen
	}
	a.byVotes = true
	return ledger.Applied
}

// unfreezeByVotes is what the action unfreezeAccount does.
func (w *governWorld) unfreezeByVotes(address crypto.Address) ledger.Code {
	a := w.accounts[address]
	switch {
	case a == nil:
		return ledger.CodeUnknownAccount
	case a.closed:
		return ledger.CodeAccountClosed
	case !a.byVotes:
		return ledger.CodeAccountNotFrozen
	}
	a.byVotes = false
	return ledger.Applied
}

// pauseByVotes is what the actions pauseAsset and resumeAsset do.
func (w *governWorld) pauseByVotes(address crypto.Address, pause bool, already ledger.Code) ledger.Code {
	a := w.assets[address]
	switch {
	case a == nil:
		return ledger.CodeUnknownAsset
	case a.byVotes == pause:
		return already
	}
	a.byVotes = pause
	return ledger.Applied
}

// registrar answers for an operation of a registrar on an account.
func (w *governWorld) registrar(sender, address crypto.Address, op ledger.Operation) ledger.Code {
	a := w.accounts[address]
	switch {
	case w.members[sender].roles&ledger.RoleRegistrar == 0:
		return ledger.CodeMissingRole
	case a == nil:
		return ledger.CodeUnknownAccount
	case a.member != sender:
		return ledger.CodeNotOwnAccount
	case address == sender:
		return ledger.CodeAdminAccount
	case a.closed:
		return ledger.CodeAccountClosed
	}
	switch op.(type) {
	case *ledger.FreezeAccount:
		if a.byRegistrar {
			return ledger.CodeAccountFrozen
		}
		a.byRegistrar = true
	case *ledger.UnfreezeAccount:
		if !a.byRegistrar {
			return ledger.CodeAccountNotFrozen
		}
		a.byRegistrar = false
	case *ledger.CloseAccount: // those of the play hold nothing
		a.closed = true
	}
	return ledger.Applied
}

// issuer answers for an operation of an issuer on an asset.
func (w *governWorld) issuer(sender, address crypto.Address, op ledger.Operation) ledger.Code {
	a := w.assets[address]
	switch {
	case a == nil:
		return ledger.CodeUnknownAsset
	case a.issuer != sender:
		return ledger.CodeNotIssuer
	case a.retired:
		return ledger.CodeAssetRetired
	}
	switch op.(type) {
	case *ledger.PauseAsset:
		if a.byIssuer {
			return ledger.CodeAssetPaused
		}
		a.byIssuer = true
	case *ledger.ResumeAsset:
		if !a.byIssuer {
			return ledger.CodeAssetNotPaused
		}
		a.byIssuer = false
	case *ledger.RetireAsset:
		if a.settles {
			return ledger.CodeSettlementAsset
		}
		if a.byIssuer || a.byVotes {
			return ledger.CodeAssetPaused
		}
		a.retired = true
	}
	return ledger.Applied
}
