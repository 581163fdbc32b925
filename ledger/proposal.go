package ledger

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/tallystick/tallystick/crypto"
)

// ProposalStatus says where a proposal stands.
type ProposalStatus uint8

// The statuses. Only the first two can change.
const (
	ProposalOpen      ProposalStatus = 1 // members vote
	ProposalWaiting   ProposalStatus = 2 // passed; members may veto until it takes effect
	ProposalExecuted  ProposalStatus = 3
	ProposalFailed    ProposalStatus = 4 // passed, but an action did not apply any more; nothing of it was done
	ProposalRejected  ProposalStatus = 5 // it could no longer pass
	ProposalExpired   ProposalStatus = 6
	ProposalVetoed    ProposalStatus = 7
	ProposalWithdrawn ProposalStatus = 8
)

var proposalStatusNames = [...]string{"open", "waiting", "executed", "failed", "rejected", "expired", "vetoed", "withdrawn"}

// String returns the status's name in JSON.
func (s ProposalStatus) String() string {
	if s == 0 || int(s) > len(proposalStatusNames) {
		return "unknown"
	}
	return proposalStatusNames[s-1]
}

// Choice is what a member says to a proposal.
type Choice uint8

// The choices.
const (
	ChoiceYes  Choice = 1
	ChoiceNo   Choice = 2
	ChoiceVeto Choice = 3 // against a proposal that has passed and waits
)

// Vote is one member's choice.
type Vote struct {
	Member crypto.Address
	Choice Choice
}

// Proposal is a proposal's record. Records are never deleted.
type Proposal struct {
	Proposer crypto.Address // a member
	Actions  ActionList
	Status   ProposalStatus
	Created  UnixTime // the block's time
	Due      UnixTime // open: when it expires; waiting: when it takes effect; else when it ended
	Delay    uint64   // seconds at least between passing and taking effect; see pass
	Votes    []Vote   // in the order in which they were cast; a member has one, and one veto
	Code     Code     // of a failed one: why
	Failed   uint64   // of a failed one: which action, from 0
}

// ProposalID numbers a proposal, from 1.
type ProposalID uint64

func (p *Proposal) ended() bool { return p.Status > ProposalWaiting }

// cast reports whether a member has voted, or vetoed.
func (p *Proposal) cast(member crypto.Address, veto bool) bool {
	for _, v := range p.Votes {
		if v.Member == member && (v.Choice == ChoiceVeto) == veto {
			return true
		}
	}
	return false
}

// writeProposal writes rlp([proposer, actions, status, created, due, delay,
// [[member, choice]…], code, failed]).
func writeProposal(w *encoder, p *Proposal) {
	outer := w.list()
	w.address(p.Proposer)
	p.Actions.encode(w)
	w.uint(uint64(p.Status))
	w.uint(uint64(p.Created))
	w.uint(uint64(p.Due))
	w.uint(p.Delay)
	votes := w.list()
	for _, v := range p.Votes {
		encodeAddressAndNumber(w, v.Member, uint64(v.Choice))
	}
	w.end(votes)
	w.uint(uint64(p.Code))
	w.uint(p.Failed)
	w.end(outer)
}

// DecodeProposal reads a proposal's record as the state keeps it.
func DecodeProposal(value []byte) (Proposal, error) {
	d := decoder{rest: value}
	l := d.list()
	p := Proposal{
		Proposer: l.address(), Actions: l.actions(), Status: ProposalStatus(l.uintUpTo(255)),
		Created: UnixTime(l.uint()), Due: UnixTime(l.uint()), Delay: l.uint(),
	}
	votes := l.list()
	for len(votes.rest) > 0 && !votes.bad {
		item := votes.list()
		v := Vote{item.address(), Choice(item.uintUpTo(uint64(ChoiceVeto)))}
		votes.close(item)
		if v.Choice < ChoiceYes {
			votes.fail()
		}
		p.Votes = append(p.Votes, v)
	}
	l.close(votes)
	p.Code, p.Failed = Code(l.uintUpTo(1<<32-1)), l.uint()
	d.close(l)
	if !d.done() || p.Status.String() == "unknown" || len(p.Actions) == 0 || len(p.Actions) > MaxActions {
		return Proposal{}, fmt.Errorf("proposal record %x is not well formed", value)
	}
	return p, nil
}

// proposalList is the record at KeyProposals.
type proposalList struct {
	last ProposalID   // the highest number given
	open []ProposalID // those that have not ended, ascending
}

// writeProposalList writes rlp([last, [id…]]).
func writeProposalList(w *encoder, p *proposalList) {
	outer := w.list()
	w.uint(uint64(p.last))
	l := w.list()
	for _, id := range p.open {
		w.uint(uint64(id))
	}
	w.end(l)
	w.end(outer)
}

func decodeProposalList(value []byte) (p proposalList, err error) {
	d := decoder{rest: value}
	outer := d.list()
	p.last = ProposalID(outer.uint())
	l := outer.list()
	for len(l.rest) > 0 && !l.bad {
		p.open = append(p.open, ProposalID(l.uint()))
	}
	outer.close(l)
	d.close(outer)
	if !d.done() || len(p.open) > MaxOpenProposals || !p.ascending() {
		return proposalList{}, fmt.Errorf("proposals record %x is not well formed", value)
	}
	return p, nil
}

// ascending reports whether the open proposals' numbers strictly ascend and were
// given.
func (p *proposalList) ascending() bool {
	before := ProposalID(0)
	for _, id := range p.open {
		if id <= before || id > p.last {
			return false
		}
		before = id
	}
	return true
}

// proposalCreated tells all about a new proposal. What it does is hex of the
// actions as the payload has them: see ParseActions.
func proposalCreated(id ProposalID, p *Proposal) Event {
	var w encoder
	p.Actions.encode(&w)
	return Event{
		Type: EventProposalCreated, Number: uint64(id), Other: p.Proposer, Until: p.Due, Flags: uint32(p.Delay),
		Reference: "0x" + hex.EncodeToString(w.out),
	}
}

// ParseActions reads the actions of an event.
func ParseActions(text string) (ActionList, error) {
	digits, ok := strings.CutPrefix(text, "0x")
	raw, err := hex.DecodeString(digits)
	d := decoder{rest: raw}
	actions := d.actions()
	if !ok || err != nil || !d.done() {
		return nil, fmt.Errorf("actions %q are not well formed", text)
	}
	return actions, nil
}

// ReadProposal reads a proposal from committed state; ok is false where there
// is none.
func ReadProposal(r Reader, id ProposalID) (p Proposal, ok bool, err error) {
	value, err := r.Get(KeyProposal(id))
	if err != nil || len(value) == 0 {
		return Proposal{}, false, err
	}
	p, err = DecodeProposal(value)
	return p, err == nil, err
}

// ReadLastProposal reads the highest number of a proposal; 0 when there is none.
func ReadLastProposal(r Reader) (ProposalID, error) {
	value, err := r.Get([]byte(KeyProposals))
	if err != nil || len(value) == 0 {
		return 0, err
	}
	list, err := decodeProposalList(value)
	return list.last, err
}

// dueProposal is what falls due of a proposal: its expiry, or its effect.
const dueProposal dueKind = 2

func (p *Proposal) dueID(id ProposalID) dueID {
	return dueID{p.Due, dueProposal, string(binary.BigEndian.AppendUint64(nil, uint64(id)))}
}
