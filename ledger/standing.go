package ledger

// Standing is how the active members stand on a proposal, and what it needs.
type Standing struct {
	Active, Yes, No, Veto int
	Threshold             Threshold // yes, or veto, must be more than this part of Active
	Needed                int       // the least number that is
}

// ReadStanding counts the votes on a proposal as they count in committed state.
// Cost: a read for each member.
func ReadStanding(r Reader, p *Proposal) (Standing, error) {
	s, err := newState(nil, 0, r)
	if err != nil {
		return Standing{}, err
	}
	t, err := s.tally(p)
	if err != nil {
		return Standing{}, err
	}
	need := s.params.threshold(p.Actions)
	return Standing{t.active, t.yes, t.no, t.veto, need, need.least(t.active)}, nil
}

// least is the smallest number of members that reaches the threshold.
func (t Threshold) least(members int) int {
	return int(t.Numerator*uint64(members)/t.Denominator) + 1
}
