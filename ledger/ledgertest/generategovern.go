package ledgertest

import (
	"slices"

	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// anyPropose draws up to four actions of any kinds.
func anyPropose(t *rapid.T) *ledger.Propose {
	op := &ledger.Propose{
		VotingPeriod: rapid.Uint64Range(ledger.MinVotingPeriod, ledger.MaxVotingPeriod).Draw(t, "votingPeriod"),
		Delay:        rapid.Uint64Max(ledger.MaxProposalDelay).Draw(t, "delay"),
	}
	for range rapid.IntRange(1, 4).Draw(t, "actions") {
		op.Actions = append(op.Actions, anyAction(t))
	}
	return op
}

func anyAction(t *rapid.T) ledger.Action {
	kind := rapid.SampledFrom(ledger.ActionKinds()).Draw(t, "action")
	switch a := ledger.NewAction(kind).(type) {
	case *ledger.AdmitMemberAction:
		return anyAdmission(t)
	case *ledger.SuspendMemberAction:
		a.Member = anyAddress(t, "member")
		return a
	case *ledger.ReinstateMemberAction:
		a.Member = anyAddress(t, "member")
		return a
	case *ledger.RemoveMemberAction:
		a.Member = anyAddress(t, "member")
		return a
	case *ledger.SetRolesAction:
		a.Member, a.Roles = anyAddress(t, "member"), anyRoles(t)
		return a
	case *ledger.SetPowerAction:
		a.Member, a.Power = anyAddress(t, "member"), anyPower(t)
		return a
	}
	return anyNetworkAction(t, kind)
}

func anyNetworkAction(t *rapid.T, kind ledger.ActionKind) ledger.Action {
	switch a := ledger.NewAction(kind).(type) {
	case *ledger.SetParameterAction:
		a.Name = rapid.SampledFrom(ledger.ParameterNames()).Draw(t, "parameter")
		a.Value = rapid.Uint64Max(ledger.MaxJSONInteger).Draw(t, "value")
		return a
	case *ledger.SetThresholdAction:
		a.Action = rapid.SampledFrom(ledger.ActionKinds()).Draw(t, "of").String()
		a.Denominator = rapid.Uint64Range(2, 1000).Draw(t, "denominator")
		a.Numerator = rapid.Uint64Range((a.Denominator+1)/2, a.Denominator-1).Draw(t, "numerator")
		return a
	case *ledger.FreezeAccountAction:
		a.Account, a.Reference = anyAddress(t, "account"), AnyText(t, "reference", 0, ledger.MaxReferenceBytes)
		return a
	case *ledger.UnfreezeAccountAction:
		a.Account, a.Reference = anyAddress(t, "account"), AnyText(t, "reference", 0, ledger.MaxReferenceBytes)
		return a
	case *ledger.PauseAssetAction:
		a.Asset = anyAddress(t, "asset")
		return a
	case *ledger.ResumeAssetAction:
		a.Asset = anyAddress(t, "asset")
		return a
	case *ledger.ScheduleUpgradeAction:
		a.Version, a.Height = rapid.Uint64Range(1, ledger.MaxJSONInteger).Draw(t, "version"), rapid.Uint64Max(ledger.MaxJSONInteger).Draw(t, "height")
		a.Name = AnyText(t, "name", 1, ledger.MaxNameBytes)
		return a
	case *ledger.CancelUpgradeAction:
		a.Version = rapid.Uint64Range(1, ledger.MaxJSONInteger).Draw(t, "version")
		return a
	case *ledger.ResolutionAction:
		a.Text = AnyText(t, "text", 1, ledger.MaxResolutionBytes)
		copy(a.Hash[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "hash"))
		return a
	}
	panic("ledgertest: unknown action")
}

func anyAdmission(t *rapid.T) *ledger.AdmitMemberAction {
	a := &ledger.AdmitMemberAction{
		Admin: anyAddress(t, "admin"), Name: AnyText(t, "name", 1, ledger.MaxNameBytes), Roles: anyRoles(t), NodeIDs: anyNodes(t),
	}
	if rapid.Bool().Draw(t, "a key") {
		a.ConsensusKey = anyConsensusKey(t)
		if ledger.Roles(a.Roles).Has(ledger.RoleValidator) {
			a.Power = anyPower(t)
		}
	}
	if a.Power > 0 && len(a.NodeIDs) == 0 {
		a.NodeIDs = ledger.NodeIDs{ledger.NodeID(anyAddress(t, "the node"))}
	}
	return a
}

func anyRoles(t *rapid.T) ledger.RoleNames {
	return ledger.RoleNames(rapid.Uint8Max(15).Draw(t, "roles"))
}

func anyPower(t *rapid.T) uint64 {
	if rapid.Bool().Draw(t, "no power") {
		return 0
	}
	return rapid.Uint64Range(ledger.MinFoundingPower, ledger.MaxPower).Draw(t, "power")
}

func anyConsensusKey(t *rapid.T) (k ledger.ConsensusKey) {
	copy(k[:], rapid.SliceOfN(rapid.ByteRange(1, 255), len(k), len(k)).Draw(t, "key"))
	return k
}

func anyNodes(t *rapid.T) (nodes ledger.NodeIDs) {
	drawn := map[crypto.Address]bool{}
	for range rapid.IntRange(0, 3).Draw(t, "nodes") {
		drawn[anyAddress(t, "node")] = true
	}
	for n := range drawn {
		nodes = append(nodes, ledger.NodeID(n))
	}
	slices.SortFunc(nodes, func(a, b ledger.NodeID) int { return crypto.Address(a).Compare(crypto.Address(b)) })
	return nodes
}

// anyGovernance draws an operation of governance by its name, or answers nil.
func anyGovernance(t *rapid.T, name string) ledger.Operation {
	number := rapid.Uint64Range(1, ledger.MaxJSONInteger)
	switch name {
	case "propose":
		return anyPropose(t)
	case "castVote":
		return &ledger.CastVote{Proposal: number.Draw(t, "proposal"), Choice: ledger.Choice(rapid.Uint8Range(1, 3).Draw(t, "choice"))}
	case "withdrawProposal":
		return &ledger.WithdrawProposal{Proposal: number.Draw(t, "proposal")}
	case "rotateValidatorKey":
		return &ledger.RotateValidatorKey{ConsensusKey: anyConsensusKey(t)}
	case "setNodes":
		return &ledger.SetNodes{NodeIDs: anyNodes(t)}
	}
	return nil
}
