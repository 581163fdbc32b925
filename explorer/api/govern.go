package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/explorer/query"
	"github.com/tallystick/tallystick/ledger"
)

// MemberParam names a member. Like the other groups of parameters it is exported because huma reads
// only embedded fields that are.
type MemberParam struct {
	Member string `path:"member" pattern:"^0x[0-9a-fA-F]{40}$" doc:"A member: the address of its admin account"`
}

// ValidatorParam names a validator. Like the other groups of parameters it is exported because huma reads
// only embedded fields that are.
type ValidatorParam struct {
	Validator string `path:"validator" pattern:"^0x[0-9a-fA-F]{40}$" doc:"A validator's consensus address"`
}

// members is a list that is never long enough for pages.
type members struct {
	Items []query.Member `json:"items"`
}

// govern registers what is asked of members, validators and votes.
func (s *server) govern(a huma.API) {
	read(a, s, huma.Operation{OperationID: "listMembers", Path: "/members", Tags: []string{"Members"}, Summary: "All members that there ever were, by name"}, s.members)
	read(a, s, huma.Operation{OperationID: "getMember", Path: "/members/{member}", Tags: []string{"Members"}, Summary: "A member"}, s.member)
	read(a, s, huma.Operation{OperationID: "listMemberHistory", Path: "/members/{member}/history", Tags: []string{"Members"}, Summary: "How a member's record changed"}, s.memberHistory)
	read(a, s, huma.Operation{OperationID: "listValidators", Path: "/validators", Tags: []string{"Validators"}, Summary: "Validators: power, uptime, missed blocks",
		Description: "Over the last 1,000 blocks. A healthy validator whose vote came a little later is missing from many commits where blocks are fast."}, s.validators)
	read(a, s, huma.Operation{OperationID: "getValidatorVotes", Path: "/validators/{validator}/votes", Tags: []string{"Validators"}, Summary: "How a validator voted on each of the last blocks"}, s.votes)
	read(a, s, huma.Operation{OperationID: "listValidatorPower", Path: "/validators/{validator}/power", Tags: []string{"Validators"}, Summary: "How a validator's power changed"}, s.power)
	read(a, s, huma.Operation{OperationID: "listProposals", Path: "/proposals", Tags: []string{"Proposals"}, Summary: "Proposals and their votes, the newest first"}, s.proposals)
	read(a, s, huma.Operation{OperationID: "getProposal", Path: "/proposals/{proposal}", Tags: []string{"Proposals"}, Summary: "A proposal and its votes"}, s.proposal)
	read(a, s, huma.Operation{OperationID: "getParameters", Path: "/parameters", Tags: []string{"Proposals"}, Summary: "What the members can change by vote",
		Description: "Now, or as it was at a past height or time."}, s.parameters)
}

func (s *server) members(ctx context.Context, _ *struct{}) (*answer[members], error) {
	list, err := s.q.Members(ctx)
	if list == nil {
		list = []query.Member{}
	}
	return current(&members{list}, err)
}

func (s *server) member(ctx context.Context, in *MemberParam) (*answer[query.Member], error) {
	m, err := address("member", in.Member)
	if err != nil {
		return nil, err
	}
	return current(s.q.Member(ctx, m))
}

func (s *server) memberHistory(ctx context.Context, in *struct {
	MemberParam
	PageParams
}) (*answer[query.List[query.MemberChange]], error) {
	m, err := address("member", in.Member)
	if err != nil {
		return nil, err
	}
	return listed(s.q.MemberHistory(ctx, m, in.page()))
}

func (s *server) validators(ctx context.Context, _ *struct{}) (*answer[query.Validators], error) {
	v, err := s.q.Validators(ctx)
	if err == nil && v.Items == nil {
		v.Items = []query.Validator{}
	}
	return current(v, err)
}

func (s *server) votes(ctx context.Context, in *struct {
	ValidatorParam
	Blocks int `query:"blocks" minimum:"1" maximum:"1000" default:"1000" doc:"How many blocks"`
}) (*answer[query.HeatMap], error) {
	v, err := consensusOf("validator", in.Validator)
	if err != nil {
		return nil, err
	}
	return current(s.q.HeatMap(ctx, v, in.Blocks))
}

func (s *server) power(ctx context.Context, in *struct {
	ValidatorParam
	PageParams
}) (*answer[query.List[query.PowerPoint]], error) {
	v, err := consensusOf("validator", in.Validator)
	if err != nil {
		return nil, err
	}
	return listed(s.q.PowerHistory(ctx, v, in.page()))
}

func (s *server) proposals(ctx context.Context, in *struct {
	PageParams
	Status   string `query:"status" pattern:"^[a-zA-Z]{1,32}$" example:"open" doc:"With this status"`
	Proposer string `query:"proposer" pattern:"^0x[0-9a-fA-F]{40}$" doc:"Of this member"`
}) (*answer[query.List[query.Proposal]], error) {
	proposer, err := addressOr("proposer", in.Proposer)
	if err != nil {
		return nil, err
	}
	list, err := s.q.Proposals(ctx, query.ProposalFilter{Status: in.Status, Proposer: proposer}, in.page())
	if err == nil {
		for i := range list.Items {
			complete(&list.Items[i])
		}
	}
	return listed(list, err)
}

// complete leaves no list null.
func complete(p *query.Proposal) {
	if p.Votes == nil {
		p.Votes = []query.Vote{}
	}
	if p.Actions == nil {
		p.Actions = ledger.ActionList{}
	}
}

func (s *server) proposal(ctx context.Context, in *struct {
	Proposal uint64 `path:"proposal" minimum:"1" maximum:"9007199254740991" example:"1" doc:"A proposal's number"`
}) (*answer[query.Proposal], error) {
	p, err := s.q.Proposal(ctx, ledger.ProposalID(in.Proposal))
	if err == nil {
		complete(p)
	}
	return current(p, err)
}

func (s *server) parameters(ctx context.Context, in *MomentParams) (*answer[query.Parameters], error) {
	at, err := in.moment()
	if err != nil {
		return nil, err
	}
	return current(s.q.Parameters(ctx, at))
}
