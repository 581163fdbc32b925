package ledgertest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// hold reads FROM>TO N SYMBOL expiry=TIME [arbiter=NAME] [ref=TEXT], and names
// the hold that body makes of it.
func (s *story) hold(body *ledger.Body, index int, text string) ledger.Hold {
	leg, o := s.leg(text), parseOptions(strings.Fields(text))
	h := ledger.Hold{From: leg.From, To: leg.To, Asset: leg.Asset, Amount: leg.Amount, Reference: leg.Reference}
	h.Expiry = ledger.UnixTime(s.number(o, "expiry", 0))
	if name, ok := o["arbiter"]; ok {
		h.Arbiter = s.address(name)
	}
	name := fmt.Sprintf("%s:%d", s.named(body.Sender), body.Nonce)
	if index > 0 {
		name += fmt.Sprintf(":%d", index)
	}
	s.names[s.holdID(name)] = name
	return h
}

// holdID is the ID of NAME:NONCE or NAME:NONCE:INDEX.
func (s *story) holdID(name string) crypto.Address {
	parts := append(strings.Split(name, ":"), "0")
	o := map[string]string{"nonce": parts[1], "index": parts[2]}
	return s.chain.Net.HoldID(Address(parts[0]), ledger.Nonce(s.number(o, "nonce", 0)), uint32(s.number(o, "index", 0)))
}

func (s *story) settle(body *ledger.Body, rest string) ledger.Operation {
	op := &ledger.Settle{}
	for _, item := range strings.Split(rest, ";") {
		item = strings.TrimSpace(item)
		kind, terms, _ := strings.Cut(item, " ")
		switch kind {
		case "capture":
			o := parseOptions(strings.Fields(terms))
			op.Captures = append(op.Captures, ledger.Capture{Hold: s.holdID(o["0"]), Amount: s.amount(o["1"]), By: s.address(o["2"])})
		case "hold":
			op.Holds = append(op.Holds, s.hold(body, len(op.Holds), terms))
		default:
			op.Legs = append(op.Legs, s.leg(item))
		}
	}
	return op
}

func (s *story) showHolds(b *strings.Builder) {
	var lines []string
	for _, e := range s.chain.State.Under("hold/") {
		h, err := ledger.DecodeHold(e.Value)
		if err != nil {
			s.t.Fatal(err)
		}
		lines = append(lines, fmt.Sprintf("hold %s %s>%s %s %s expiry=%d\n",
			s.named(crypto.Address([]byte(e.Key))), s.named(h.From), s.named(h.To), h.Amount, s.named(h.Asset), h.Expiry))
	}
	slices.Sort(lines) // IDs have no order that tells anything
	b.WriteString(strings.Join(lines, ""))
}
