package words

import (
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// MaxSentences bounds what is said of one operation: a transfer may have thousands
// of legs.
const MaxSentences = 100

// Operation says what a sender asked for, a sentence for each part of it, at most
// MaxSentences; more is how many were left out.
func (t Teller) Operation(sender crypto.Address, op ledger.Operation) (list []Sentence, more int) {
	if op == nil {
		return []Sentence{say("the bytes say nothing that can be read")}, 0
	}
	for _, tell := range []func(Part, ledger.Operation) []Sentence{
		t.movement, t.holdOperation, t.assetRule, t.holderRule, t.accountRule, t.governance,
	} {
		if list = tell(t.account(sender), op); list != nil {
			break
		}
	}
	if list == nil {
		list = []Sentence{say("%: %", t.account(sender), plain("%s", op.Kind()))}
	}
	if len(list) > MaxSentences {
		return list[:MaxSentences], len(list) - MaxSentences
	}
	return list, 0
}

func one(s Sentence) []Sentence { return []Sentence{s} }

func (t Teller) leg(l ledger.Leg) Sentence {
	return say("% pays % to %", t.account(l.From), t.money(l.Amount, l.Asset), t.account(l.To)).with("reference", l.Reference)
}

func (t Teller) movement(sender Part, op ledger.Operation) (list []Sentence) {
	switch o := op.(type) {
	case *ledger.Transfer:
		for _, l := range o.Legs {
			list = append(list, t.leg(l))
		}
	case *ledger.Issue:
		return one(say("% issues % to %", sender, t.money(o.Amount, o.Asset), t.account(o.To)).with("reference", o.Reference))
	case *ledger.Redeem:
		return one(say("% redeems % of %", sender, t.money(o.Amount, o.Asset), t.account(o.From)).with("reference", o.Reference))
	case *ledger.Clawback:
		return one(say("% claws % back from % to %, reason %", sender, t.money(o.Amount, o.Asset), t.account(o.From),
			t.account(o.To), plain("%d", o.Reason)).with("reference", o.Reference))
	}
	return list
}

func (t Teller) newHold(h *ledger.Hold) Sentence {
	s := say("% of % is set aside for % until %", t.money(h.Amount, h.Asset), t.account(h.From), t.account(h.To), when(h.Expiry))
	if !h.Arbiter.IsZero() {
		s = append(s, say(", and % decides", t.account(h.Arbiter))...)
	}
	return s.with("reference", h.Reference)
}

func (t Teller) holdOperation(sender Part, op ledger.Operation) (list []Sentence) {
	switch o := op.(type) {
	case *ledger.CreateHold:
		return one(t.newHold((*ledger.Hold)(o)))
	case *ledger.CaptureHold:
		return one(say("% captures % smallest units of the hold %", sender, plain("%s", Decimal(o.Amount, 0)), hold(o.Hold)).with("reference", o.Reference))
	case *ledger.ReleaseHold:
		return one(say("% releases the hold %", sender, hold(o.Hold)))
	case *ledger.Settle:
		for _, c := range o.Captures {
			list = append(list, say("% captures % smallest units of the hold %", t.account(c.By), plain("%s", Decimal(c.Amount, 0)), hold(c.Hold)))
		}
		for _, l := range o.Legs {
			list = append(list, t.leg(l))
		}
		for i := range o.Holds {
			list = append(list, t.newHold(&o.Holds[i]))
		}
	}
	return list
}

func (t Teller) assetRule(sender Part, op ledger.Operation) []Sentence {
	switch o := op.(type) {
	case *ledger.CreateAsset:
		return one(say("% creates the asset %, named %, with % decimals", sender, plain("%s", o.Symbol), quote(o.Name), plain("%d", o.Decimals)))
	case *ledger.PauseAsset:
		return one(say("% pauses %", sender, t.asset(o.Asset)))
	case *ledger.ResumeAsset:
		return one(say("% resumes %", sender, t.asset(o.Asset)))
	case *ledger.RetireAsset:
		return one(say("% retires % for ever", sender, t.asset(o.Asset)))
	case *ledger.ChangeIssuer:
		return one(say("% makes % the issuer of %", sender, t.account(o.To), t.asset(o.Asset)))
	case *ledger.SetMetadata:
		if o.URI == "" && o.Hash == (crypto.Hash{}) {
			return one(say("% takes the description of % away", sender, t.asset(o.Asset)))
		}
		return one(say("% sets the description of % to % with the hash %", sender, t.asset(o.Asset), quote(o.URI), hash(o.Hash)))
	}
	return nil
}

func (t Teller) holderRule(sender Part, op ledger.Operation) []Sentence {
	switch o := op.(type) {
	case *ledger.ApproveHolder:
		return one(say("% approves % as a holder of %", sender, t.account(o.Account), t.asset(o.Asset)))
	case *ledger.RevokeHolder:
		return one(say("% revokes its approval of % as a holder of %", sender, t.account(o.Account), t.asset(o.Asset)))
	case *ledger.FreezeHolder:
		return one(say("% freezes % as a holder of %", sender, t.account(o.Account), t.asset(o.Asset)).with("reference", o.Reference))
	case *ledger.UnfreezeHolder:
		return one(say("% unfreezes % as a holder of %", sender, t.account(o.Account), t.asset(o.Asset)).with("reference", o.Reference))
	case *ledger.FreezeBalance:
		return one(say("% makes % keep at least %", sender, t.account(o.Account), t.money(o.Amount, o.Asset)).with("reference", o.Reference))
	}
	return nil
}

func (t Teller) accountRule(sender Part, op ledger.Operation) []Sentence {
	switch o := op.(type) {
	case *ledger.AdmitAccount:
		return one(say("% admits the account %", sender, t.account(o.Account)))
	case *ledger.FreezeAccount:
		return one(say("% freezes the account %", sender, t.account(o.Account)).with("reference", o.Reference))
	case *ledger.UnfreezeAccount:
		return one(say("% unfreezes the account %", sender, t.account(o.Account)).with("reference", o.Reference))
	case *ledger.CloseAccount:
		return one(say("% closes the account % for ever", sender, t.account(o.Account)))
	case *ledger.SetKeys:
		if len(o.Keys) == 0 {
			return one(say("% makes its own key the only one that acts for its account", sender))
		}
		return one(say("% names %, of which % together must sign for its account", sender,
			plain("%s", Count(uint64(len(o.Keys)), "key", "keys")), plain("a weight of %d", o.Threshold)))
	case *ledger.RotateValidatorKey:
		return one(say("% gives its validator the new consensus key %", sender, plain("%s", o.ConsensusKey)))
	case *ledger.SetNodes:
		return one(say("% lists % that may connect", sender, plain("%s", Count(uint64(len(o.NodeIDs)), "node", "nodes"))))
	}
	return nil
}

func (t Teller) governance(sender Part, op ledger.Operation) []Sentence {
	switch o := op.(type) {
	case *ledger.Propose:
		list := one(say("% proposes to the members, who may vote for %:", sender, plain("%s", Lasting(o.VotingPeriod))))
		for _, a := range o.Actions {
			list = append(list, t.Action(a))
		}
		return list
	case *ledger.CastVote:
		return one(say("% votes % on %", sender, plain("%s", Choice(uint64(o.Choice))), proposal(o.Proposal)))
	case *ledger.WithdrawProposal:
		return one(say("% withdraws %", sender, proposal(o.Proposal)))
	}
	return nil
}

// Choice is the name of a vote.
func Choice(n uint64) string {
	switch ledger.Choice(n) {
	case ledger.ChoiceYes:
		return "yes"
	case ledger.ChoiceNo:
		return "no"
	case ledger.ChoiceVeto:
		return "veto"
	}
	return "nothing"
}
