package ledger

import "fmt"

// Threshold says how many of the active members something needs: more than
// Numerator/Denominator of them.
type Threshold struct{ Numerator, Denominator uint64 }

// maxDenominator keeps the arithmetic far from overflow.
const maxDenominator = 1000

// check refuses a threshold that a minority could reach, or nobody.
func (t Threshold) check() error {
	if t.Denominator == 0 || t.Denominator > maxDenominator || t.Numerator >= t.Denominator || 2*t.Numerator < t.Denominator {
		return fmt.Errorf("%d/%d: must be a fraction from 1/2 to below 1, with a denominator of at most %d", t.Numerator, t.Denominator, maxDenominator)
	}
	return nil
}

// reached reports whether votes are more than the fraction of members. Both are
// at most MaxMembers.
func (t Threshold) reached(votes, members int) bool {
	return uint64(votes)*t.Denominator > t.Numerator*uint64(members)
}

// stricter returns the higher of two thresholds.
func (t Threshold) stricter(other Threshold) Threshold {
	if other.Numerator*t.Denominator > t.Numerator*other.Denominator {
		return other
	}
	return t
}

// DefaultThresholds are more than two thirds for everything, but more than half
// for a resolution.
func DefaultThresholds() (t [actionKinds]Threshold) {
	for i := range t {
		t[i] = Threshold{2, 3}
	}
	t[ActionResolution-1] = Threshold{1, 2}
	return t
}

// Threshold is what a proposal of these actions needs under the parameters: the
// strictest of what each needs.
func (p *Params) Threshold(actions ActionList) Threshold { return p.threshold(actions) }

// threshold is the strictest of what the actions need.
func (p *Params) threshold(actions ActionList) Threshold {
	t := Threshold{1, 2}
	for _, a := range actions {
		t = t.stricter(p.needs(a))
	}
	return t
}

// needs is what one action needs: the threshold of its kind, and more where a
// low one would be a way around others. Who decides who votes decides everything,
// so that takes the highest threshold there is. To set a threshold takes both
// what it was and what it will be: nobody lowers one to pass under it, nor
// raises one beyond what they could lower again.
func (p *Params) needs(a Action) Threshold {
	t := p.Thresholds[a.ActionKind()-1]
	switch a := a.(type) {
	case *AdmitMemberAction, *SuspendMemberAction, *ReinstateMemberAction, *RemoveMemberAction:
		for _, other := range p.Thresholds {
			t = t.stricter(other)
		}
	case *SetThresholdAction:
		if kind, known := ParseActionKind(a.Action); known {
			t = t.stricter(p.Thresholds[kind-1]).stricter(a.threshold())
		}
	}
	return t
}
