package ledger

import (
	"github.com/tallystick/tallystick/crypto"
)

// Propose puts actions before the members. The sender is the admin account of
// an active member, and has voted for it by proposing.
type Propose struct {
	alone
	Actions      ActionList `json:"actions"`      // 1..MaxActions, applied in order, together or not at all
	VotingPeriod uint64     `json:"votingPeriod"` // seconds, MinVotingPeriod..MaxVotingPeriod
	Delay        uint64     `json:"delay"`        // seconds at least between passing and taking effect, in which members may veto; at most MaxProposalDelay
}

// CastVote is a member's vote on a proposal. It cannot be changed.
type CastVote struct {
	alone
	Proposal uint64 `json:"proposal"`
	Choice   Choice `json:"choice"` // 1 yes, 2 no, 3 veto
}

// WithdrawProposal ends one's own proposal while it is open: once it has passed
// it is the members' and not the proposer's.
type WithdrawProposal struct {
	alone
	Proposal uint64 `json:"proposal"`
}

var (
	proposeSpec = kindSpec{
		kind: KindPropose, name: "propose",
		form:   append(jsonForm{{name: "actions", form: actionForm}}, all("votingPeriod", "delay")...),
		fields: actionListFields() + ",uint64 votingPeriod,uint64 delay", nested: actionListTypes(),
		empty: func() Operation { return new(Propose) },
		decode: func(d *decoder) Operation {
			return &Propose{Actions: d.actions(), VotingPeriod: d.uint(), Delay: d.uint()}
		},
	}
	castVoteSpec = kindSpec{
		kind: KindCastVote, name: "castVote", form: all("proposal", "choice"),
		fields: "uint64 proposal,uint8 choice",
		empty:  func() Operation { return new(CastVote) },
		decode: func(d *decoder) Operation { return &CastVote{Proposal: d.uint(), Choice: Choice(d.uintUpTo(255))} },
	}
	withdrawProposalSpec = kindSpec{
		kind: KindWithdrawProposal, name: "withdrawProposal", form: all("proposal"), fields: "uint64 proposal",
		empty:  func() Operation { return new(WithdrawProposal) },
		decode: func(d *decoder) Operation { return &WithdrawProposal{Proposal: d.uint()} },
	}
)

// alone is the part of an operation that concerns nobody but its sender.
type alone struct{}

func (alone) authorisers(crypto.Address) []crypto.Address { return nil }
func (alone) recipients() []crypto.Address                { return nil }
func (alone) legs() int                                   { return 1 }

// legs counts the actions: each is tried when it is proposed, and done when it
// has passed.
func (o *Propose) legs() int { return max(1, len(o.Actions)) }

// Kind implements Operation.
func (*Propose) Kind() Kind { return KindPropose }

// Kind implements Operation.
func (*CastVote) Kind() Kind { return KindCastVote }

// Kind implements Operation.
func (*WithdrawProposal) Kind() Kind { return KindWithdrawProposal }

func (o *Propose) check(_, _ crypto.Address) Code {
	code := o.Actions.check()
	if o.VotingPeriod < MinVotingPeriod || o.VotingPeriod > MaxVotingPeriod || o.Delay > MaxProposalDelay {
		code = first(code, CodeInvalidField)
	}
	return code
}

func (o *CastVote) check(_, _ crypto.Address) Code {
	if o.Choice < ChoiceYes || o.Choice > ChoiceVeto || !validProposalID(o.Proposal) {
		return CodeInvalidField
	}
	return Applied
}

func (o *WithdrawProposal) check(_, _ crypto.Address) Code {
	if !validProposalID(o.Proposal) {
		return CodeInvalidField
	}
	return Applied
}

func validProposalID(id uint64) bool { return id > 0 && id <= MaxJSONInteger }

func (o *Propose) encode(w *encoder) {
	l := w.list()
	o.Actions.encode(w)
	w.uint(o.VotingPeriod)
	w.uint(o.Delay)
	w.end(l)
}

func (o *CastVote) encode(w *encoder) {
	l := w.list()
	w.uint(o.Proposal)
	w.uint(uint64(o.Choice))
	w.end(l)
}

func (o *WithdrawProposal) encode(w *encoder) {
	l := w.list()
	w.uint(o.Proposal)
	w.end(l)
}

func (o *Propose) typed(m *message) {
	o.Actions.typed(m)
	m.uint64("votingPeriod", o.VotingPeriod)
	m.uint64("delay", o.Delay)
}

func (o *CastVote) typed(m *message) {
	m.uint64("proposal", o.Proposal)
	m.small("choice", "uint8", uint32(o.Choice))
}

func (o *WithdrawProposal) typed(m *message) { m.uint64("proposal", o.Proposal) }

// votingMember finds the active member whose admin account is sender. Whether it
// may act was judged before.
func (s *state) votingMember(sender crypto.Address) (*cell[crypto.Address, Member], Code, error) {
	c, err := s.member(sender)
	switch {
	case err != nil:
		return nil, 0, err
	case !c.present || c.value.Status != MemberActive:
		return nil, CodeNotMember, nil
	}
	return c, Applied, nil
}

// apply of propose checks the member, the number of open proposals, the delay,
// and then that the actions apply now, in order: the first that does not gives
// the code.
func (o *Propose) apply(s *state, b *Body) (Code, error) {
	member, code, err := s.votingMember(b.Sender)
	if code != Applied || err != nil {
		return code, err
	}
	list, err := s.proposalListTable.get(s.reader, single{})
	switch {
	case err != nil:
		return 0, err
	case member.value.Open >= MaxOwnProposals || len(list.value.open) >= MaxOpenProposals:
		return CodeTooManyProposals, nil
	case o.Delay < s.params.MinProposalDelay:
		return CodeDelayTooShort, nil
	}
	if code, _, err := s.rehearse(o.Actions); code != Applied || err != nil {
		return code, err
	}
	id := list.value.last + 1
	p := Proposal{
		Proposer: b.Sender, Actions: o.Actions, Status: ProposalOpen, Created: s.time,
		Due: s.time + UnixTime(o.VotingPeriod), Delay: o.Delay, Votes: []Vote{{b.Sender, ChoiceYes}},
	}
	if err := s.openProposal(id, &p); err != nil {
		return 0, err
	}
	s.emit(proposalCreated(id, &p))
	s.emit(Event{Type: EventVoteCast, Number: uint64(id), Other: b.Sender, Decimals: uint8(ChoiceYes)})
	return Applied, s.decideAll(id)
}

// apply of castVote checks the member, the proposal, its status, and an earlier
// vote, in this order.
func (o *CastVote) apply(s *state, b *Body) (Code, error) {
	if _, code, err := s.votingMember(b.Sender); code != Applied || err != nil {
		return code, err
	}
	c, code, err := s.unended(ProposalID(o.Proposal))
	if code != Applied || err != nil {
		return code, err
	}
	p, veto := c.value, o.Choice == ChoiceVeto
	switch {
	case veto != (p.Status == ProposalWaiting), p.Due <= s.time:
		return CodeProposalClosed, nil
	case p.cast(b.Sender, veto):
		return CodeAlreadyVoted, nil
	}
	p.Votes = append(p.Votes[:len(p.Votes):len(p.Votes)], Vote{b.Sender, o.Choice})
	s.proposalTable.set(c, p)
	s.emit(Event{Type: EventVoteCast, Number: o.Proposal, Other: b.Sender, Decimals: uint8(o.Choice)})
	return Applied, s.decideAll(c.id)
}

// apply of withdrawProposal checks the member, the proposal, its status and its
// proposer, in this order.
func (o *WithdrawProposal) apply(s *state, b *Body) (Code, error) {
	if _, code, err := s.votingMember(b.Sender); code != Applied || err != nil {
		return code, err
	}
	c, code, err := s.unended(ProposalID(o.Proposal))
	if code != Applied || err != nil {
		return code, err
	}
	switch {
	case c.value.Status != ProposalOpen, c.value.Due <= s.time:
		return CodeProposalClosed, nil
	case c.value.Proposer != b.Sender:
		return CodeNotProposer, nil
	}
	return Applied, s.end(c, ProposalWithdrawn, Applied, 0)
}

// unended finds a proposal that is open or waits.
func (s *state) unended(id ProposalID) (*cell[ProposalID, Proposal], Code, error) {
	c, err := s.proposalTable.get(s.reader, id)
	switch {
	case err != nil:
		return nil, 0, err
	case !c.present:
		return nil, CodeUnknownProposal, nil
	case c.value.ended():
		return nil, CodeProposalClosed, nil
	}
	return c, Applied, nil
}
