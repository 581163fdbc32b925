package web

import (
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer/api"
	"github.com/tallystick/tallystick/explorer/query"
	"github.com/tallystick/tallystick/explorer/words"
	"github.com/tallystick/tallystick/ledger"
)

func (s *site) members(r *http.Request) (*view, error) {
	list, err := s.q.Members(r.Context())
	if err != nil {
		return nil, err
	}
	return &view{name: "members", Title: "Members", Nav: "members", Data: list}, nil
}

type memberData struct {
	*query.Member
	History   []query.MemberChange
	Accounts  []query.Account
	More      bool
	Proposals []proposalLine
	Validator *query.Validator // nil for none now
}

func (s *site) member(r *http.Request) (*view, error) {
	ctx := r.Context()
	address, err := addressIn(r, "member")
	if err != nil {
		return nil, err
	}
	m, err := s.q.Member(ctx, address)
	if err != nil {
		return nil, err
	}
	d := &memberData{Member: m}
	history, err := s.q.MemberHistory(ctx, address, query.Page{Limit: rows})
	if err != nil {
		return nil, err
	}
	accounts, err := s.q.Accounts(ctx, query.AccountFilter{Member: &address}, query.Page{Limit: 10})
	if err != nil {
		return nil, err
	}
	proposals, err := s.q.Proposals(ctx, query.ProposalFilter{Proposer: &address}, query.Page{Limit: 10})
	if err != nil {
		return nil, err
	}
	d.History, d.Accounts, d.More = changesOf(history.Items), accounts.Items, accounts.Next != nil
	for _, x := range proposals.Items {
		d.Proposals = append(d.Proposals, proposalLine{x, s.does(x.Actions)})
	}
	validators, err := s.q.Validators(ctx)
	if err != nil {
		return nil, err
	}
	for i := range validators.Items {
		if v := &validators.Items[i]; v.Member != nil && *v.Member == address {
			d.Validator = v
		}
	}
	return &view{name: "member", Title: m.Name, Nav: "members", Data: d}, nil
}

// changesOf leaves out what looks like the state before it: a member's record also
// has counters, which pages do not show. The newest comes first.
func changesOf(history []query.MemberChange) (list []query.MemberChange) {
	for i, h := range history {
		if i+1 < len(history) {
			b := history[i+1]
			if h.Status == b.Status && slices.Equal(h.Roles, b.Roles) && h.Power == b.Power && h.Target == b.Target && h.Nodes == b.Nodes && string(h.ConsensusKey) == string(b.ConsensusKey) {
				continue
			}
		}
		list = append(list, h)
	}
	return list
}

func (s *site) validators(r *http.Request) (*view, error) {
	v, err := s.q.Validators(r.Context())
	if err != nil {
		return nil, err
	}
	return &view{name: "validators", Title: "Validators", Nav: "validators", Data: v}, nil
}

type validatorData struct {
	*query.HeatMap
	Now      *query.Validator // nil where it is none now
	Total    uint64
	Heat     template.HTML
	To       uint64
	Counts   map[string]int // of the letters of the heat map
	Power    []query.PowerPoint
	Says     string
	Recorded int // blocks for which it was a validator
}

func (s *site) validator(r *http.Request) (*view, error) {
	ctx := r.Context()
	address, ok := api.ParseConsensus(r.PathValue("validator"))
	if !ok {
		return nil, refuse("validator", "it is no consensus address: 0x and 40 hex digits")
	}
	heatMap, err := s.q.HeatMap(ctx, address, query.UptimeWindow)
	if err != nil {
		return nil, err
	}
	d := &validatorData{HeatMap: heatMap, Counts: map[string]int{}}
	for _, letter := range []byte("smnp-") {
		d.Counts[string(letter)] = strings.Count(heatMap.Votes, string(letter))
	}
	d.Recorded = len(heatMap.Votes) - d.Counts["-"]
	d.Heat, d.To = heat(heatMap.From, heatMap.Votes), heatMap.From+uint64(max(1, len(heatMap.Votes)))-1
	d.Says = fmt.Sprintf("Of %d blocks it signed %d, of which it proposed %d itself, missed %d and voted for no block on %d.",
		d.Recorded, d.Counts["s"]+d.Counts["p"], d.Counts["p"], d.Counts["m"], d.Counts["n"])
	power, err := s.q.PowerHistory(ctx, address, query.Page{Limit: rows})
	if err != nil {
		return nil, err
	}
	d.Power = power.Items
	all, err := s.q.Validators(ctx)
	if err != nil {
		return nil, err
	}
	for i := range all.Items {
		if v := &all.Items[i]; string(v.ConsensusAddress) == string(address[:]) {
			d.Now, d.Total = v, all.TotalPower
		}
	}
	title := "Validator " + fmt.Sprintf("0x%x", address[:4]) + "…"
	if heatMap.Name != "" {
		title = "Validator of " + heatMap.Name
	}
	return &view{name: "validator", Title: title, Nav: "validators", Data: d}, nil
}

// proposalStatuses are the statuses of proposals.
var proposalStatuses = []string{"open", "waiting", "executed", "failed", "rejected", "vetoed", "expired", "withdrawn"}

type proposalsData struct {
	Proposals []proposalLine
	Turn      turn
	Status    string
}

// proposalLine is a proposal and what it will do first.
type proposalLine struct {
	query.Proposal
	Does words.Sentence
}

func (s *site) proposals(r *http.Request) (*view, error) {
	p := parametersOf(r)
	f := query.ProposalFilter{Status: p.choice("status", proposalStatuses...), Proposer: p.address("proposer")}
	page := p.page()
	if p.err != nil {
		return nil, p.err
	}
	list, err := s.q.Proposals(r.Context(), f, page)
	if err != nil {
		return nil, err
	}
	d := &proposalsData{Turn: turnOf(r, list.Next), Status: f.Status}
	for _, x := range list.Items {
		d.Proposals = append(d.Proposals, proposalLine{x, s.does(x.Actions)})
	}
	return &view{name: "proposals", Title: "Proposals", Nav: "proposals", Data: d}, nil
}

// does says what the first of some actions does.
func (s *site) does(actions ledger.ActionList) words.Sentence {
	if len(actions) == 0 {
		return nil
	}
	return words.Teller{Names: s.names}.Action(actions[0])
}

type proposalData struct {
	*query.Proposal
	Does    []words.Sentence
	Stands  string         // where it stands, in a sentence
	Yes     int            // votes that were cast
	No      int            //
	Veto    int            //
	Waiting []query.Member // active members that have not voted
	Meter   template.HTML
}

func (s *site) proposal(r *http.Request) (*view, error) {
	n, err := number("proposal", r.PathValue("proposal"))
	if err != nil {
		return nil, err
	}
	p, err := s.q.Proposal(r.Context(), ledger.ProposalID(n))
	if err != nil {
		return nil, err
	}
	d := &proposalData{Proposal: p}
	for _, a := range p.Actions {
		d.Does = append(d.Does, words.Teller{Names: s.names}.Action(a))
	}
	voted := map[crypto.Address]bool{}
	for _, v := range p.Votes {
		voted[v.Member] = true
		switch v.Choice {
		case "yes":
			d.Yes++
		case "no":
			d.No++
		case "veto":
			d.Veto++
		}
	}
	if p.Status == "open" || p.Status == "waiting" {
		members, err := s.q.Members(r.Context())
		if err != nil {
			return nil, err
		}
		for _, m := range members {
			if m.Status == "active" && !voted[m.Member] {
				d.Waiting = append(d.Waiting, m)
			}
		}
	}
	d.Stands, d.Meter = stands(p), meter(p.Tally.Yes, p.Tally.No, p.Tally.Veto, p.Tally.Active, p.Tally.Needed)
	return &view{name: "proposal", Title: fmt.Sprintf("Proposal %d", n), Nav: "proposals", Data: d}, nil
}

// stands says where a proposal stands.
func stands(p *query.Proposal) string {
	switch p.Status {
	case "open":
		return fmt.Sprintf("It is open: %d of the %d active members must say yes, and %d have.", p.Tally.Needed, p.Tally.Active, p.Tally.Yes)
	case "waiting":
		return "It has passed, and takes effect when its delay is over, unless so many members veto it as it needed to pass."
	case "executed":
		return "It passed and took effect."
	case "failed":
		return fmt.Sprintf("It passed, but nothing of it took effect, because action %d could not be done: %s.", p.FailedAction+1, p.Message)
	case "rejected":
		return "It was rejected: so many members said no that it could not pass any more."
	case "vetoed":
		return "It was vetoed."
	case "expired":
		return "It expired before enough members said yes."
	case "withdrawn":
		return "Its proposer withdrew it."
	}
	return "It is " + words.Spaced(p.Status) + "."
}

// meter draws how many of the members said what, and how many yes are needed.
func meter(yes, no, veto, active, needed uint64) template.HTML {
	if active == 0 {
		return ""
	}
	const width = 600.0
	step := width / float64(active)
	var b strings.Builder
	at := 0.0
	for _, part := range []struct {
		class string
		n     uint64
	}{{"yes", yes}, {"no", no}, {"veto", veto}} {
		size := step * float64(min(part.n, active))
		fmt.Fprintf(&b, `<rect class="meter-%s" x="%s" y="0" width="%s" height="16"/>`, part.class, unit(at), unit(size))
		at += size
	}
	x := unit(min(step*float64(min(needed, active)), width-2))
	return svg("meter", width, 20, `<rect class="meter-room" x="0" y="0" width="600" height="16"/>`+b.String()+
		`<rect class="meter-mark" x="`+x+`" y="0" width="3" height="20"/>`)
}
