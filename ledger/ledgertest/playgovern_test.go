package ledgertest

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// governPlay draws operations of governance that often succeed.
type governPlay struct {
	*Council
	keys int // consensus keys made up so far
}

// drawFraction draws a threshold.
func drawFraction(rt *rapid.T, label string) ledger.Threshold {
	fractions := []ledger.Threshold{{Numerator: 1, Denominator: 2}, {Numerator: 1, Denominator: 2}, {Numerator: 2, Denominator: 3}, {Numerator: 3, Denominator: 5}, {Numerator: 3, Denominator: 4}, {Numerator: 9, Denominator: 10}}
	return rapid.SampledFrom(fractions).Draw(rt, label)
}

// drawCouncil draws the founders' powers and, half of the time, the thresholds. m0
// answers for two accounts more.
func drawCouncil(rt *rapid.T, least, most int) *ledger.Genesis {
	powers := rapid.SliceOfN(rapid.SampledFrom([]uint64{ledger.MinFoundingPower, 0, 2_500_000, 40_000_000}), least, most).Draw(rt, "powers")
	powers[0] = max(powers[0], ledger.MinFoundingPower)
	g := CouncilGenesis(powers...)
	for i := range g.Members {
		if g.Members[i].Power == 0 && rapid.Bool().Draw(rt, "without a node") {
			g.Members[i].NodeIDs = nil
		}
	}
	if rapid.Bool().Draw(rt, "own thresholds") {
		for _, kind := range ledger.ActionKinds() {
			f := drawFraction(rt, "threshold of "+kind.String())
			if kind == ledger.ActionSetPower || kind == ledger.ActionSetRoles {
				f = rapid.SampledFrom([]ledger.Threshold{{Numerator: 3, Denominator: 4}, {Numerator: 9, Denominator: 10}}).Draw(rt, "strict threshold of "+kind.String())
			}
			g.Params.Thresholds = append(g.Params.Thresholds, ledger.GenesisThreshold{Action: kind.String(), Numerator: f.Numerator, Denominator: f.Denominator})
		}
	}
	for _, name := range []string{"clerk", "teller"} {
		g.Accounts = append(g.Accounts, ledger.GenesisAccount{Address: Address(name), Member: Address("m0")})
	}
	g.Params.MinProposalDelay = rapid.SampledFrom([]uint64{0, 0, 30}).Draw(rt, "minProposalDelay")
	return g
}

// oneOf draws a number below n, all as often; rapid's own ranges prefer small
// numbers.
func oneOf(rt *rapid.T, n int, label string) int {
	numbers := make([]int, n)
	for i := range numbers {
		numbers[i] = i
	}
	return rapid.SampledFrom(numbers).Draw(rt, label)
}

// candidates are members, founders or not, and a stranger.
func (p *governPlay) candidates() []string {
	return slices.Concat(p.Members, []string{"puppet0", "puppet1", "puppet2", "stranger"})
}

func (p *governPlay) candidate(rt *rapid.T) crypto.Address {
	members, err := ledger.ReadMembers(p.State)
	if err != nil || oneIn(rt, 8, "perhaps no member") {
		return Address(rapid.SampledFrom(p.candidates()).Draw(rt, "candidate"))
	}
	return rapid.SampledFrom(members).Draw(rt, "member")
}

func (p *governPlay) consensusKey(rt *rapid.T) ledger.ConsensusKey {
	if oneIn(rt, 6, "a used key") {
		return ConsensusKey(rapid.SampledFrom(p.Members).Draw(rt, "whose"))
	}
	p.keys++
	return ConsensusKey(fmt.Sprint("made up ", p.keys))
}

func (p *governPlay) power(rt *rapid.T) uint64 {
	return rapid.SampledFrom([]uint64{0, ledger.MinFoundingPower, 3_000_000, 77_777_777, ledger.MaxPower}).Draw(rt, "power")
}

func (p *governPlay) roles(rt *rapid.T) ledger.RoleNames {
	return ledger.RoleNames(rapid.SampledFrom([]uint8{1, 7, 0, 2, 15, 8}).Draw(rt, "roles"))
}

func (p *governPlay) admission(rt *rapid.T) ledger.Action {
	name := rapid.SampledFrom([]string{"puppet0", "puppet1", "puppet2", "puppet0", "puppet1", "puppet2", "m0", "clerk", "stranger"}).Draw(rt, "admitted")
	a := &ledger.AdmitMemberAction{Admin: Address(name), Name: "Member " + name, Roles: p.roles(rt)}
	if oneIn(rt, 8, "a taken name") {
		a.Name = "Member m0"
	}
	if ledger.Roles(a.Roles).Has(ledger.RoleValidator) {
		a.ConsensusKey, a.Power = p.consensusKey(rt), p.power(rt)
	}
	if a.Power > 0 || rapid.Bool().Draw(rt, "with a node") {
		a.NodeIDs = ledger.NodeIDs{NodeID(name)}
	}
	return a
}

func (p *governPlay) action(rt *rapid.T) ledger.Action {
	switch oneOf(rt, 18, "action") {
	case 0, 1:
		return p.admission(rt)
	case 2:
		return &ledger.SuspendMemberAction{Member: p.candidate(rt)}
	case 3:
		return &ledger.ReinstateMemberAction{Member: p.candidate(rt)}
	case 4:
		return &ledger.RemoveMemberAction{Member: p.candidate(rt)}
	case 5:
		return &ledger.SetRolesAction{Member: p.candidate(rt), Roles: p.roles(rt)}
	case 6, 7:
		return &ledger.SetPowerAction{Member: p.candidate(rt), Power: p.power(rt)}
	case 8, 9:
		f := drawFraction(rt, "threshold")
		kind := rapid.SampledFrom(ledger.ActionKinds()).Draw(rt, "of")
		if oneOf(rt, 2, "of power") > 0 {
			kind = rapid.SampledFrom([]ledger.ActionKind{ledger.ActionSetPower, ledger.ActionSetRoles}).Draw(rt, "of")
		}
		return &ledger.SetThresholdAction{Action: kind.String(), Numerator: f.Numerator, Denominator: f.Denominator}
	}
	return p.networkAction(rt)
}

// account draws one that the members may freeze, as a rule.
func (p *governPlay) account(rt *rapid.T) crypto.Address {
	if oneIn(rt, 8, "an admin's account") {
		return Address(rapid.SampledFrom(p.candidates()).Draw(rt, "whose account"))
	}
	return Address(rapid.SampledFrom([]string{"clerk", "clerk", "clerk", "clerk", "teller", "stranger", "issuer"}).Draw(rt, "account"))
}

func (p *governPlay) asset(rt *rapid.T) crypto.Address {
	if oneIn(rt, 8, "no asset") {
		return Address("stranger")
	}
	return p.Asset(rapid.SampledFrom([]string{"COIN", "GOLD", "GOLD"}).Draw(rt, "asset"))
}

// freezing freezes an account, or ends a freeze: mostly what applies now.
func (p *governPlay) freezing(rt *rapid.T) ledger.Action {
	address := p.account(rt)
	value, _ := p.State.Get(ledger.KeyAccount(address))
	account, err := ledger.DecodeAccount(value)
	frozen := err == nil && (account.Status == ledger.StatusFrozenByNetwork || account.Status == ledger.StatusFrozenByBoth)
	if frozen != oneIn(rt, 6, "what does not apply") {
		return &ledger.UnfreezeAccountAction{Account: address}
	}
	return &ledger.FreezeAccountAction{Account: address}
}

// pausing pauses an asset, or ends a pause: mostly what applies now.
func (p *governPlay) pausing(rt *rapid.T) ledger.Action {
	address := p.asset(rt)
	value, _ := p.State.Get(ledger.KeyAsset(address))
	asset, err := ledger.DecodeAsset(value)
	paused := err == nil && slices.Contains([]ledger.AssetStatus{ledger.AssetPausedByNetwork, ledger.AssetPausedByBoth, ledger.AssetRetiredAndPaused}, asset.Status)
	if paused != oneIn(rt, 6, "what does not apply") {
		return &ledger.ResumeAssetAction{Asset: address}
	}
	return &ledger.PauseAssetAction{Asset: address}
}

// byRegistrar draws what a registrar does to an account that may be the network's
// to freeze too.
func (p *governPlay) byRegistrar(rt *rapid.T) ledger.Operation {
	switch oneOf(rt, 9, "of a registrar") {
	case 0:
		return &ledger.CloseAccount{Account: Address("teller")}
	case 1, 2, 3:
		return &ledger.UnfreezeAccount{Account: p.account(rt)}
	}
	return &ledger.FreezeAccount{Account: p.account(rt)}
}

// byIssuer draws what an issuer does to an asset that the network may pause too.
func (p *governPlay) byIssuer(rt *rapid.T) ledger.Operation {
	switch oneOf(rt, 9, "of an issuer") {
	case 0, 8:
		return &ledger.RetireAsset{Asset: p.asset(rt)}
	case 1, 2, 3:
		return &ledger.ResumeAsset{Asset: p.asset(rt)}
	}
	return &ledger.PauseAsset{Asset: p.asset(rt)}
}

func (p *governPlay) networkAction(rt *rapid.T) ledger.Action {
	switch oneOf(rt, 10, "network action") {
	case 0:
		name := rapid.SampledFrom([]string{"minProposalDelay", "keyRotationCooldown", "maxNewAccounts"}).Draw(rt, "parameter")
		return &ledger.SetParameterAction{Name: name, Value: rapid.SampledFrom([]uint64{0, 60, 90, 1 << 40}).Draw(rt, "value")}
	case 1, 5, 6:
		return p.freezing(rt)
	case 7, 8, 9:
		return p.pausing(rt)
	case 2:
		version := rapid.Uint64Range(1, 4).Draw(rt, "version")
		return &ledger.ScheduleUpgradeAction{Version: version, Height: uint64(p.Height) + rapid.Uint64Range(1, 6).Draw(rt, "ahead"), Name: "next"}
	case 3:
		return &ledger.CancelUpgradeAction{Version: rapid.Uint64Range(1, 4).Draw(rt, "version")}
	}
	return &ledger.ResolutionAction{Text: "We agree."}
}

func (p *governPlay) proposal(rt *rapid.T) *ledger.Propose {
	op := &ledger.Propose{
		VotingPeriod: rapid.SampledFrom([]uint64{60, 60, 3600}).Draw(rt, "votingPeriod"),
		Delay:        rapid.SampledFrom([]uint64{0, 0, 0, 30, 90}).Draw(rt, "delay"),
	}
	if params, err := ledger.ReadParams(p.State); err == nil && !oneIn(rt, 8, "any delay") {
		op.Delay = max(op.Delay, params.MinProposalDelay)
	}
	for range rapid.SampledFrom([]int{1, 1, 1, 2, 3}).Draw(rt, "actions") {
		op.Actions = append(op.Actions, p.action(rt))
	}
	return op
}

// number draws a proposal's number: mostly that of one which has not ended.
func (p *governPlay) number(rt *rapid.T) uint64 {
	open, last := p.open(rt)
	if len(open) == 0 || oneIn(rt, 8, "any number") {
		return 1 + uint64(oneOf(rt, int(last)+1, "number"))
	}
	return rapid.SampledFrom(open).Draw(rt, "number of an open one")
}

// open lists recent proposals that have not ended, and the last number given.
func (p *governPlay) open(rt *rapid.T) (open []uint64, last ledger.ProposalID) {
	last, err := ledger.ReadLastProposal(p.State)
	if err != nil {
		rt.Fatal(err)
	}
	for id := last; id > 0 && id+12 > last; id-- {
		one, _, err := ledger.ReadProposal(p.State, id)
		if err != nil {
			rt.Fatal(err)
		}
		if one.Status <= ledger.ProposalWaiting {
			open = append(open, uint64(id))
		}
	}
	return open, last
}

// operation draws anything that a member may send.
func (p *governPlay) operation(rt *rapid.T, choices []ledger.Choice) ledger.Operation {
	switch oneOf(rt, 12, "operation") {
	case 0, 1, 2, 6, 7:
		return p.proposal(rt)
	case 3:
		return &ledger.WithdrawProposal{Proposal: p.number(rt)}
	case 4:
		return &ledger.RotateValidatorKey{ConsensusKey: p.consensusKey(rt)}
	case 5:
		return &ledger.SetNodes{NodeIDs: anyNodes(rt)}
	}
	return &ledger.CastVote{Proposal: p.number(rt), Choice: rapid.SampledFrom(choices).Draw(rt, "choice")}
}

// seconds draws how long a block waits.
func (p *governPlay) seconds(rt *rapid.T) ledger.UnixTime {
	return p.Time + rapid.SampledFrom([]ledger.UnixTime{1, 1, 1, 1, 1, 10, 30, 60, 600, 4000}).Draw(rt, "seconds")
}

// senderMayAct reports whether a transaction of name would be includable.
func (p *governPlay) senderMayAct(name string) bool {
	value, _ := p.State.Get(ledger.KeyAccount(Address(name)))
	if value == nil {
		return false
	}
	account, err := ledger.DecodeAccount(value)
	if err != nil || account.Status != ledger.StatusActive {
		return false
	}
	m, member, err := ledger.ReadMember(p.State, account.Member)
	return err == nil && (!member || m.Status == ledger.MemberActive)
}
