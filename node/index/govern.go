package index

import "github.com/tallystick/tallystick/ledger"

// governs reports whether an event is about members, proposals, parameters or
// upgrades alone. Of those the index keeps the receipts, and the members' part in
// them.
func governs(t ledger.EventType) bool {
	switch t {
	case ledger.EventMemberSuspended, ledger.EventMemberReinstated, ledger.EventMemberRemoved, ledger.EventRolesChanged,
		ledger.EventPowerChanged, ledger.EventPowerMoved, ledger.EventValidatorKeyChanged, ledger.EventNodesChanged,
		ledger.EventValidatorPunished, ledger.EventProposalCreated, ledger.EventVoteCast, ledger.EventProposalPassed,
		ledger.EventProposalEnded, ledger.EventParameterChanged, ledger.EventThresholdChanged,
		ledger.EventUpgradeScheduled, ledger.EventUpgradeCancelled, ledger.EventUpgradeApplied, ledger.EventResolution:
		return true
	}
	return false
}
