package words

import (
	"strings"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// Action says what a proposal does if it passes.
func (t Teller) Action(action ledger.Action) Sentence {
	switch a := action.(type) {
	case *ledger.AdmitMemberAction:
		return say("Admit % as a member, with the admin account %, the roles % and the voting power %",
			quote(a.Name), t.account(a.Admin), plain("%s", roles(ledger.Roles(a.Roles))), plain("%d", a.Power))
	case *ledger.SuspendMemberAction:
		return say("Suspend the member %", t.account(a.Member))
	case *ledger.ReinstateMemberAction:
		return say("Reinstate the member %", t.account(a.Member))
	case *ledger.RemoveMemberAction:
		return say("Remove the member % for ever", t.account(a.Member))
	case *ledger.SetRolesAction:
		return say("Give the member % the roles %", t.account(a.Member), plain("%s", roles(ledger.Roles(a.Roles))))
	case *ledger.SetPowerAction:
		return say("Move the voting power of % to %", t.account(a.Member), plain("%s", Decimal(ledger.NewAmount(a.Power), 0)))
	case *ledger.FreezeAccountAction:
		return say("Freeze the account %", t.account(a.Account)).with("reference", a.Reference)
	case *ledger.UnfreezeAccountAction:
		return say("Unfreeze the account %", t.account(a.Account)).with("reference", a.Reference)
	case *ledger.PauseAssetAction:
		return say("Pause the asset %", t.asset(a.Asset))
	case *ledger.ResumeAssetAction:
		return say("Resume the asset %", t.asset(a.Asset))
	}
	return networkAction(action)
}

func networkAction(action ledger.Action) Sentence {
	switch a := action.(type) {
	case *ledger.SetParameterAction:
		return say("Set the parameter % to %", plain("%s", a.Name), plain("%s", Decimal(ledger.NewAmount(a.Value), 0)))
	case *ledger.SetThresholdAction:
		return say("Let % need more than % of the active members", plain("%s", a.Action), plain("%d/%d", a.Numerator, a.Denominator))
	case *ledger.ScheduleUpgradeAction:
		return say("Switch to version % of the rules at %, release %", plain("%d", a.Version), height(a.Height), quote(a.Name))
	case *ledger.CancelUpgradeAction:
		return say("Cancel the upgrade to version %", plain("%d", a.Version))
	case *ledger.ResolutionAction:
		s := say("Resolve %", quote(a.Text))
		if a.Hash != (crypto.Hash{}) {
			s = append(s, say(", with the document of the hash %", hash(a.Hash))...)
		}
		return s
	}
	return say("%", plain("%s", action.ActionKind()))
}

func roles(r ledger.Roles) string {
	if names := r.Names(); len(names) > 0 {
		return strings.Join(names, ", ")
	}
	return "none"
}
