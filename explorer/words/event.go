package words

import (
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// Event says what happened.
func (t Teller) Event(e *ledger.Event) Sentence {
	for _, tell := range []func(*ledger.Event) Sentence{
		t.moved, t.holdEvent, t.accountEvent, t.assetEvent, t.holderEvent, t.memberEvent, t.voteEvent, t.networkEvent,
	} {
		if s := tell(e); s != nil {
			return s
		}
	}
	return say("%", plain("%s", e.Type.Name()))
}

func (t Teller) moved(e *ledger.Event) Sentence {
	switch e.Type {
	case ledger.EventTransfer:
		return say("% paid % to %", t.account(e.From), t.money(e.Amount, e.Asset), t.account(e.To)).with("reference", e.Reference)
	case ledger.EventIssue:
		return say("% was issued to %", t.money(e.Amount, e.Asset), t.account(e.To)).with("reference", e.Reference)
	case ledger.EventRedeem:
		return say("% of % was redeemed", t.money(e.Amount, e.Asset), t.account(e.From)).with("reference", e.Reference)
	case ledger.EventClawback:
		return say("The issuer took % from % and gave it to %, reason %", t.money(e.Amount, e.Asset), t.account(e.From),
			t.account(e.To), plain("%d", e.Number)).with("reference", e.Reference)
	}
	return nil
}

func (t Teller) holdEvent(e *ledger.Event) Sentence {
	switch e.Type {
	case ledger.EventHoldCreated:
		s := say("% set % aside for % until %, as the hold %", t.account(e.From), t.money(e.Amount, e.Asset), t.account(e.To), when(e.Until), hold(e.Other))
		if !e.Account.IsZero() {
			s = append(s, say(", on which % decides", t.account(e.Account))...)
		}
		return s.with("reference", e.Reference)
	case ledger.EventHoldCaptured:
		return say("% of the hold % went from % to %", t.money(e.Amount, e.Asset), hold(e.Other), t.account(e.From), t.account(e.To)).with("reference", e.Reference)
	case ledger.EventHoldReleased:
		return say("% of the hold % went back to %", t.money(e.Amount, e.Asset), hold(e.Other), t.account(e.From))
	}
	return nil
}

func (t Teller) accountEvent(e *ledger.Event) Sentence {
	switch e.Type {
	case ledger.EventAccountCreated:
		return say("The account % was opened", t.account(e.Account))
	case ledger.EventAccountAdmitted:
		return say("% admitted the account %", t.account(e.Other), t.account(e.Account))
	case ledger.EventAccountFrozen:
		return t.by(e, say("The account % was frozen", t.account(e.Account))).with("reference", e.Reference)
	case ledger.EventAccountUnfrozen:
		return t.by(e, say("The account % was unfrozen", t.account(e.Account))).with("reference", e.Reference)
	case ledger.EventAccountClosed:
		return t.by(e, say("The account % was closed", t.account(e.Account)))
	case ledger.EventAuthorityChanged:
		keys, _ := ledger.ParseKeys(e.Keys)
		if len(keys) == 0 {
			return say("% is now controlled by its own key alone", t.account(e.Account))
		}
		return say("% is now controlled by %, of which a weight of % must sign", t.account(e.Account),
			plain("%s", Count(uint64(len(keys)), "key", "keys")), plain("%d", e.Number))
	}
	return nil
}

// by adds which member did it; the zero address is the network as a whole.
func (t Teller) by(e *ledger.Event, s Sentence) Sentence {
	if e.Other.IsZero() {
		return append(s, Part{Text: " by the network"})
	}
	return append(s, say(" by %", t.account(e.Other))...)
}

func (t Teller) assetEvent(e *ledger.Event) Sentence {
	switch e.Type {
	case ledger.EventAssetCreated:
		return say("% created the asset %, named %, with % decimals", t.account(e.Account),
			Part{Kind: Asset, Text: e.Symbol, ID: e.Asset.String()}, quote(e.Name), plain("%d", e.Decimals))
	case ledger.EventAssetPaused:
		return say("% was paused by its issuer", t.asset(e.Asset))
	case ledger.EventAssetResumed:
		return say("% was resumed by its issuer", t.asset(e.Asset))
	case ledger.EventAssetPausedByNetwork:
		return say("% was paused by the network", t.asset(e.Asset))
	case ledger.EventAssetResumedByNetwork:
		return say("% was resumed by the network", t.asset(e.Asset))
	case ledger.EventAssetRetired:
		return say("% was retired for ever", t.asset(e.Asset))
	case ledger.EventIssuerChanged:
		return say("% became the issuer of %", t.account(e.Account), t.asset(e.Asset))
	case ledger.EventMetadataChanged:
		if e.Name == "" {
			return say("The description of % was taken away", t.asset(e.Asset))
		}
		return say("The description of % is now %", t.asset(e.Asset), quote(e.Name))
	}
	return nil
}

func (t Teller) holderEvent(e *ledger.Event) Sentence {
	holder, asset := t.account(e.Account), t.asset(e.Asset)
	switch e.Type {
	case ledger.EventHolderApproved:
		return say("% was approved as a holder of %", holder, asset)
	case ledger.EventHolderRevoked:
		return say("% is no longer approved as a holder of %", holder, asset)
	case ledger.EventHolderFrozen:
		return say("% was frozen as a holder of %", holder, asset).with("reference", e.Reference)
	case ledger.EventHolderUnfrozen:
		return say("% was unfrozen as a holder of %", holder, asset).with("reference", e.Reference)
	case ledger.EventBalanceFrozen:
		return say("% must keep at least %", holder, t.money(e.Amount, e.Asset)).with("reference", e.Reference)
	}
	return nil
}

func (t Teller) memberEvent(e *ledger.Event) Sentence {
	member := t.account(e.Other)
	switch e.Type {
	case ledger.EventMemberAdmitted:
		return say("% was admitted as a member, with the roles % and the voting power %", Part{Kind: Account, Text: e.Name, ID: e.Other.String()},
			plain("%s", roles(ledger.Roles(e.Flags))), plain("%s", Decimal(ledger.NewAmount(e.Number), 0)))
	case ledger.EventMemberSuspended:
		return say("The member % was suspended", member)
	case ledger.EventMemberReinstated:
		return say("The member % was reinstated", member)
	case ledger.EventMemberRemoved:
		return say("The member % was removed for ever", member)
	case ledger.EventRolesChanged:
		return say("The member % now has the roles %", member, plain("%s", roles(ledger.Roles(e.Flags))))
	case ledger.EventPowerChanged:
		return say("The voting power of % will be %", member, plain("%s", Decimal(ledger.NewAmount(e.Number), 0)))
	case ledger.EventPowerMoved:
		return say("The voting power of % moved to %", member, plain("%s", Decimal(ledger.NewAmount(e.Number), 0)))
	case ledger.EventValidatorKeyChanged:
		return say("The validator of % has a new consensus key", member)
	case ledger.EventNodesChanged:
		nodes, _ := ledger.ParseNodes(e.Nodes)
		return say("% now lets % connect", member, plain("%s", Count(uint64(len(nodes)), "node", "nodes")))
	case ledger.EventValidatorPunished:
		return say("The validator of % signed two blocks of one height and lost its power", member)
	}
	return nil
}

func (t Teller) voteEvent(e *ledger.Event) Sentence {
	switch e.Type {
	case ledger.EventProposalCreated:
		return append(say("% made %, open until %", t.account(e.Other), proposal(e.Number), when(e.Until)), t.proposed(e.Reference)...)
	case ledger.EventVoteCast:
		return say("% voted % on %", t.account(e.Other), plain("%s", Choice(uint64(e.Decimals))), proposal(e.Number))
	case ledger.EventProposalPassed:
		return say("The % passed and takes effect at %", proposal(e.Number), when(e.Until))
	case ledger.EventProposalEnded:
		s := say("The % ended: %", proposal(e.Number), plain("%s", e.Name))
		if e.Flags != 0 {
			s = append(s, plain(", because action %d could not be done: %s", uint64(e.Until)+1, ledger.Code(e.Flags).Info().Meaning))
		}
		return s
	}
	return nil
}

// maxProposed is how many actions of a proposal a sentence has; its page has all.
const maxProposed = 3

// proposed says what the actions of a proposal do.
func (t Teller) proposed(encoded string) (s Sentence) {
	actions, err := ledger.ParseActions(encoded)
	if err != nil {
		return nil
	}
	for i, a := range actions {
		switch {
		case i == maxProposed:
			return append(s, plain("; and %s", Count(uint64(len(actions)-i), "more thing", "more things")))
		case i == 0:
			s = append(s, Part{Text: ": "})
		default:
			s = append(s, Part{Text: "; "})
		}
		s = append(s, t.Action(a)...)
	}
	return s
}

func (t Teller) networkEvent(e *ledger.Event) Sentence {
	switch e.Type {
	case ledger.EventParameterChanged:
		return say("The parameter % is now %", plain("%s", e.Name), plain("%s", Decimal(ledger.NewAmount(e.Number), 0)))
	case ledger.EventThresholdChanged:
		return say("% now needs more than % of the active members", plain("%s", e.Name), plain("%d/%d", e.Number, e.Until))
	case ledger.EventUpgradeScheduled:
		return say("The rules change to version % at %, release %", plain("%d", e.Number), height(uint64(e.Until)), quote(e.Name))
	case ledger.EventUpgradeCancelled:
		return say("The upgrade to version % was cancelled", plain("%d", e.Number))
	case ledger.EventUpgradeApplied:
		return say("The rules changed to version %, release %", plain("%d", e.Number), quote(e.Name))
	case ledger.EventResolution:
		s := say("The members resolved %", quote(e.Reference))
		if e.Hash != (crypto.Hash{}) {
			s = append(s, say(", with the document of the hash %", hash(e.Hash))...)
		}
		return s
	}
	return nil
}
