package words

import (
	"strings"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// known names one asset and one member.
type known struct{}

func (known) Asset(a crypto.Address) (AssetName, bool) {
	return AssetName{"USD", 2}, a == crypto.Address{19: 1}
}

func (known) Account(a crypto.Address) string {
	if a == (crypto.Address{19: 2}) {
		return "First Bank"
	}
	return ""
}

// Every operation, action and event that there is has a sentence of its own.
func TestEverythingIsSaid(t *testing.T) {
	teller := Teller{known{}}
	for _, kind := range ledger.Kinds() {
		op := ledger.NewOperation(kind)
		switch o := op.(type) {
		case *ledger.Transfer:
			o.Legs = []ledger.Leg{{}}
		case *ledger.Settle:
			o.Captures, o.Legs, o.Holds = []ledger.Capture{{}}, []ledger.Leg{{}}, []ledger.Hold{{}}
		}
		list, _ := teller.Operation(crypto.Address{}, op)
		if text := list[0].String(); strings.HasSuffix(text, ": "+kind.String()) || text == "" {
			t.Errorf("%s is not said: %q", kind, text)
		}
	}
	for _, kind := range ledger.ActionKinds() {
		if text := teller.Action(ledger.NewAction(kind)).String(); text == kind.String() {
			t.Errorf("%s is not said", kind)
		}
	}
	for _, kind := range ledger.EventTypes() {
		if text := teller.Event(&ledger.Event{Type: kind}).String(); text == kind.Name() {
			t.Errorf("%s is not said", kind.Name())
		}
	}
}

func TestSentences(t *testing.T) {
	teller := Teller{known{}}
	bank, other, usd := crypto.Address{19: 2}, crypto.Address{19: 3}, crypto.Address{19: 1}
	for want, event := range map[string]ledger.Event{
		"First Bank paid 1,234.50 USD to " + other.String() + ", reference “<b>7</b>”": {
			Type: ledger.EventTransfer, From: bank, To: other, Asset: usd, Amount: ledger.NewAmount(123450), Reference: "<b>7</b>"},
		"7 smallest units of " + other.String() + " was issued to First Bank": {
			Type: ledger.EventIssue, To: bank, Asset: other, Amount: ledger.NewAmount(7)},
		"First Bank voted veto on proposal 4":              {Type: ledger.EventVoteCast, Other: bank, Number: 4, Decimals: 3},
		"The proposal 4 ended: executed":                   {Type: ledger.EventProposalEnded, Number: 4, Name: "executed"},
		"The account First Bank was frozen by the network": {Type: ledger.EventAccountFrozen, Account: bank},
	} {
		if got := teller.Event(&event).String(); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
}

// What somebody else wrote is never among the sentence's own words.
func TestForeignTextIsSetApart(t *testing.T) {
	const foreign = "FOREIGN"
	teller := Teller{known{}}
	for _, kind := range ledger.EventTypes() {
		e := ledger.Event{Type: kind, Reference: foreign, Name: foreign}
		for _, p := range teller.Event(&e) {
			own := kind == ledger.EventProposalEnded || kind == ledger.EventParameterChanged || kind == ledger.EventThresholdChanged // the ledger's own names
			if strings.Contains(p.Text, foreign) && p.Kind == Text && !own {
				t.Errorf("%s: %q is plain text", kind.Name(), p.Text)
			}
		}
	}
}

func TestLongTransferIsBounded(t *testing.T) {
	list, more := Teller{known{}}.Operation(crypto.Address{}, &ledger.Transfer{Legs: make([]ledger.Leg, ledger.MaxLegs)})
	if len(list) != MaxSentences || more != ledger.MaxLegs-MaxSentences {
		t.Errorf("%d sentences and %d more", len(list), more)
	}
}

func TestDecimal(t *testing.T) {
	for _, c := range []struct {
		amount   uint64
		decimals uint8
		want     string
	}{
		{0, 0, "0"}, {0, 2, "0.00"}, {5, 2, "0.05"}, {100, 2, "1.00"}, {123456789, 2, "1,234,567.89"}, {1000, 0, "1,000"},
		{999, 0, "999"}, {1_500_000_000_000_000_000, 18, "1.50"}, {1, 18, "0.000000000000000001"}, {10_000_000, 6, "10.00"},
	} {
		if got := Decimal(ledger.NewAmount(c.amount), c.decimals); got != c.want {
			t.Errorf("%d with %d: %s, want %s", c.amount, c.decimals, got, c.want)
		}
	}
	if got := Decimal(ledger.MaxAmount, 18); got != "340,282,366,920,938,463,463.374607431768211455" {
		t.Error(got)
	}
}

func TestLengthsOfTime(t *testing.T) {
	for seconds, want := range map[uint64]string{0: "0 seconds", 1: "1 second", 61: "1 minute 1 second", 3600: "1 hour", 90061: "1 day 1 hour", 86401: "1 day"} {
		if got := Lasting(seconds); got != want {
			t.Errorf("%d: %s, want %s", seconds, got, want)
		}
	}
	if got := UTC(1800000000); got != "2027-01-15 08:00:00 UTC" {
		t.Error(got)
	}
	if got := UTC(1 << 53); !strings.HasPrefix(got, "second ") {
		t.Error(got)
	}
}
