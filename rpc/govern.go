package rpc

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// governMethods are the rows about members and their votes.
var governMethods = []*method{
	{
		name: "ledger_listMembers", summary: "All members, page by page, ascending by address, removed ones included.",
		params: []param{paramPage},
		result: result{"page", "", refTo[wire.MemberPage]},
	}, {
		name: "ledger_getMember", summary: "A member by the address of its admin account.",
		params: []param{{"member", true, formAddress, "The member: the address of its admin account."}},
		result: result{"member", "there is no member with this admin account", refTo[wire.Member]},
	}, {
		name: "ledger_listValidators", summary: "Who votes on the next block, with power and recent signatures.",
		result: result{"validators", "", refTo[wire.Validators]},
	}, {
		name: "ledger_listProposals", summary: "All proposals, page by page, the newest first, with how members stand on them.",
		params: []param{paramPage},
		result: result{"page", "", refTo[wire.ProposalPage]},
	}, {
		name: "ledger_getProposal", summary: "A proposal, with how members stand on it.",
		params: []param{{"proposal", true, formProposal, "The proposal's number."}},
		result: result{"proposal", "there is no proposal with this number", refTo[wire.Proposal]},
	}, {
		name: "ledger_getParams", summary: "What members can change by vote: parameters, thresholds and the version of the rules.",
		result: result{"params", "", refTo[wire.Params]},
	},
}

var (
	paramPage    = param{"page", false, formPage, "Which part of the list; the first 100 where it is left out."}
	formProposal = form{"a proposal's number: a whole number from 1", named("ProposalNumber")}
)

// reading answers a call out of the newest state.
func (a *ledgerAPI) reading(ctx context.Context, name string, args []arg, do func(r ledger.Reader, p *params) (any, error)) (json.RawMessage, error) {
	return a.s.answer(ctx, name, args, func(_ context.Context, p *params) (any, error) {
		r, err := a.s.backend.State()
		if err != nil {
			return nil, err
		}
		return do(r, p)
	})
}

// ListMembers is ledger_listMembers.
func (a *ledgerAPI) ListMembers(ctx context.Context, page arg) (json.RawMessage, error) {
	return a.reading(ctx, "ledger_listMembers", []arg{page}, func(r ledger.Reader, p *params) (any, error) {
		limit, after := p.page()
		if p.err != nil {
			return nil, p.err
		}
		return listMembers(r, after, limit)
	})
}

func listMembers(r ledger.Reader, after crypto.Address, limit int) (*wire.MemberPage, error) {
	addresses, err := ledger.ReadMembers(r)
	if err != nil {
		return nil, err
	}
	at, found := slices.BinarySearchFunc(addresses, after, crypto.Address.Compare)
	if found {
		at++
	}
	page := &wire.MemberPage{Items: []wire.Member{}}
	for _, address := range addresses[at:] {
		if len(page.Items) == limit {
			next := page.Items[limit-1].Member.String()
			page.Next = &next
			break
		}
		m, err := readMember(r, address)
		if err != nil {
			return nil, err
		}
		page.Items = append(page.Items, *m)
	}
	return page, nil
}

// GetMember is ledger_getMember.
func (a *ledgerAPI) GetMember(ctx context.Context, member arg) (json.RawMessage, error) {
	return a.reading(ctx, "ledger_getMember", []arg{member}, func(r ledger.Reader, p *params) (any, error) {
		address := p.address()
		if p.err != nil {
			return nil, p.err
		}
		return readMember(r, address)
	})
}

// readMember reads a member; nil where there is none.
func readMember(r ledger.Reader, address crypto.Address) (*wire.Member, error) {
	m, ok, err := ledger.ReadMember(r, address)
	if err != nil || !ok {
		return nil, err
	}
	out := &wire.Member{
		Member: address, Name: m.Name, Status: m.Status.String(), Roles: m.Roles.Names(), ConsensusAddress: wire.Bytes{},
		Power: m.Power, Target: m.Target, NodeIDs: m.Nodes,
		RotatedAt: uint64(m.RotatedAt), OpenProposals: m.Open,
	}
	if !m.Key.IsZero() {
		address := m.Key.Address()
		out.ConsensusKey, out.ConsensusAddress = &m.Key, address[:]
	}
	return out, nil
}

// ListValidators is ledger_listValidators.
func (a *ledgerAPI) ListValidators(ctx context.Context) (json.RawMessage, error) {
	return a.reading(ctx, "ledger_listValidators", nil, func(r ledger.Reader, _ *params) (any, error) {
		out, err := a.s.backend.Validators()
		if err != nil {
			return nil, err
		}
		members, err := ledger.ReadMembers(r)
		if err != nil {
			return nil, err
		}
		for _, address := range members {
			m, _, err := ledger.ReadMember(r, address)
			if err != nil {
				return nil, err
			}
			for i := range out.Items {
				if v := &out.Items[i]; string(v.ConsensusKey) == string(m.Key[:]) {
					v.Member, v.Name, v.Target = &address, m.Name, m.Target
				}
			}
		}
		return out, nil
	})
}

// ListProposals is ledger_listProposals.
func (a *ledgerAPI) ListProposals(ctx context.Context, page arg) (json.RawMessage, error) {
	return a.reading(ctx, "ledger_listProposals", []arg{page}, func(r ledger.Reader, p *params) (any, error) {
		limit, cursor := p.numberPage()
		if p.err != nil {
			return nil, p.err
		}
		last, err := ledger.ReadLastProposal(r)
		if err != nil {
			return nil, err
		}
		if cursor == 0 || cursor > uint64(last) {
			cursor = uint64(last) + 1
		}
		return listProposals(r, ledger.ProposalID(cursor), limit)
	})
}

// listProposals lists those below a number, downwards.
func listProposals(r ledger.Reader, below ledger.ProposalID, limit int) (*wire.ProposalPage, error) {
	page := &wire.ProposalPage{Items: []wire.Proposal{}}
	standings := ledger.NewStandings(r)
	for id := below - 1; id > 0; id-- {
		if len(page.Items) == limit {
			next := strconv.FormatUint(uint64(id)+1, 10)
			page.Next = &next
			break
		}
		p, err := readProposal(r, standings, id)
		if err != nil {
			return nil, err
		}
		page.Items = append(page.Items, *p)
	}
	return page, nil
}

// GetProposal is ledger_getProposal.
func (a *ledgerAPI) GetProposal(ctx context.Context, proposal arg) (json.RawMessage, error) {
	return a.reading(ctx, "ledger_getProposal", []arg{proposal}, func(r ledger.Reader, p *params) (any, error) {
		id := p.proposal()
		if p.err != nil {
			return nil, p.err
		}
		return readProposal(r, ledger.NewStandings(r), id)
	})
}

// choiceNames are the choices by their numbers.
var choiceNames = map[ledger.Choice]string{ledger.ChoiceYes: "yes", ledger.ChoiceNo: "no", ledger.ChoiceVeto: "veto"}

// readProposal reads a proposal; nil where there is none.
func readProposal(r ledger.Reader, standings *ledger.Standings, id ledger.ProposalID) (*wire.Proposal, error) {
	p, ok, err := ledger.ReadProposal(r, id)
	if err != nil || !ok {
		return nil, err
	}
	standing, err := standings.Of(&p)
	if err != nil {
		return nil, err
	}
	out := &wire.Proposal{
		Proposal: uint64(id), Proposer: p.Proposer, Status: p.Status.String(), Actions: p.Actions,
		Created: uint64(p.Created), Due: uint64(p.Due), Delay: p.Delay, Votes: make([]wire.ProposalVote, len(p.Votes)),
		Tally: wire.Tally{
			Active: uint64(standing.Active), Yes: uint64(standing.Yes), No: uint64(standing.No),
			Veto: uint64(standing.Veto), Needed: uint64(standing.Needed),
		},
		Threshold: wire.ProposalThreshold(standing.Threshold), Code: uint32(p.Code), Failed: p.Failed,
	}
	if p.Code != ledger.Applied {
		out.Message = p.Code.Info().Meaning
	}
	for i, v := range p.Votes {
		out.Votes[i] = wire.ProposalVote{Member: v.Member, Choice: choiceNames[v.Choice]}
	}
	return out, nil
}

// GetParams is ledger_getParams.
func (a *ledgerAPI) GetParams(ctx context.Context) (json.RawMessage, error) {
	return a.reading(ctx, "ledger_getParams", nil, func(r ledger.Reader, _ *params) (any, error) {
		return readParams(r)
	})
}

func readParams(r ledger.Reader) (*wire.Params, error) {
	p, err := ledger.ReadParams(r)
	if err != nil {
		return nil, err
	}
	protocol, err := ledger.ReadProtocol(r)
	if err != nil {
		return nil, err
	}
	next, scheduled, err := ledger.ReadUpgrade(r)
	if err != nil {
		return nil, err
	}
	out := &wire.Params{Protocol: protocol}
	if scheduled {
		out.Upgrade = &wire.Upgrade{Version: next.Version, Height: uint64(next.Height), Name: next.Name}
	}
	for _, n := range p.List() {
		out.Parameters = append(out.Parameters, wire.Parameter(n))
	}
	for i, t := range p.Thresholds {
		out.Thresholds = append(out.Thresholds, wire.ParameterThreshold{
			Action: ledger.ActionKind(i + 1).String(), Numerator: t.Numerator, Denominator: t.Denominator,
		})
	}
	return out, nil
}
