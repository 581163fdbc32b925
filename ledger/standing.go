package ledger

// Standing is how the active members stand on a proposal, and what it needs.
type Standing struct {
	Active, Yes, No, Veto int
	Threshold             Threshold // yes, or veto, must be more than this part of Active
	Needed                int       // the least number that is
}

// Standings counts votes as they count in one committed state. It is for one
// goroutine.
type Standings struct {
	r Reader
	s *state // nil until something is counted
}

// NewStandings counts in the state that r reads.
func NewStandings(r Reader) *Standings { return &Standings{r: r} }

// Of counts the votes on a proposal. Cost: a look at each member, which is read
// but once for all proposals.
func (v *Standings) Of(p *Proposal) (Standing, error) {
	if v.s == nil {
		s, err := newState(nil, 0, v.r)
		if err != nil {
			return Standing{}, err
		}
		v.s = s
	}
	t, err := v.s.tally(p)
	if err != nil {
		return Standing{}, err
	}
	need := v.s.params.threshold(p.Actions)
	return Standing{t.active, t.yes, t.no, t.veto, need, need.least(t.active)}, nil
}

// least is the smallest number of members that reaches the threshold.
func (t Threshold) least(members int) int {
	return int(t.Numerator*uint64(members)/t.Denominator) + 1
}
