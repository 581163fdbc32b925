package ledgertest

import (
	"strconv"

	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

func anyHold(t *rapid.T) ledger.Hold {
	h := ledger.Hold{
		From: anyAddress(t, "from"), To: anyAddress(t, "to"), Asset: anyAddress(t, "asset"), Amount: AnyAmount(t, "amount"),
		Expiry:    ledger.UnixTime(rapid.Uint64Max(ledger.MaxJSONInteger).Draw(t, "expiry")),
		Reference: AnyText(t, "reference", 0, ledger.MaxReferenceBytes),
	}
	if rapid.Bool().Draw(t, "with arbiter") {
		h.Arbiter = anyAddress(t, "arbiter")
	}
	// The three differ in their last byte, and none becomes the zero address.
	h.From[19], h.To[19] = 1, 2
	if !h.Arbiter.IsZero() {
		h.Arbiter[19] = 3
	}
	return h
}

// anySettle draws a settlement of 1 to 6 items; any of its lists may be empty.
func anySettle(t *rapid.T) *ledger.Settle {
	op := &ledger.Settle{}
	for range rapid.IntRange(1, 6).Draw(t, "items") {
		switch rapid.IntRange(0, 2).Draw(t, "item") {
		case 0:
			op.Captures = append(op.Captures, ledger.Capture{Hold: anyAddress(t, "hold"), By: anyAddress(t, "by"), Amount: AnyAmount(t, "amount")})
		case 1:
			op.Legs = append(op.Legs, ledger.Leg{
				From: anyAddress(t, "from"), To: anyAddress(t, "to"), Asset: anyAddress(t, "asset"),
				Amount: AnyAmount(t, "amount"), Reference: AnyText(t, "reference", 0, ledger.MaxReferenceBytes),
			})
		default:
			op.Holds = append(op.Holds, anyHold(t))
		}
	}
	return op
}

// typedHold is a hold as typed data shows it.
type typedHold struct {
	From      crypto.Address `json:"from"`
	To        crypto.Address `json:"to"`
	Arbiter   crypto.Address `json:"arbiter"`
	Asset     crypto.Address `json:"asset"`
	Amount    ledger.Amount  `json:"amount"`
	Expiry    string         `json:"expiry"`
	Reference string         `json:"reference"`
}

func (h typedHold) hold() (ledger.Hold, error) {
	expiry, err := strconv.ParseUint(h.Expiry, 10, 64)
	return ledger.Hold{
		From: h.From, To: h.To, Arbiter: h.Arbiter, Asset: h.Asset, Amount: h.Amount,
		Expiry: ledger.UnixTime(expiry), Reference: h.Reference,
	}, err
}

func (m *typedMessage) settle() (ledger.Operation, error) {
	op := &ledger.Settle{}
	op.Captures = append(op.Captures, m.Captures...)
	for _, l := range m.Legs {
		op.Legs = append(op.Legs, ledger.Leg(l))
	}
	for _, typed := range m.Holds {
		h, err := typed.hold()
		if err != nil {
			return nil, err
		}
		op.Holds = append(op.Holds, h)
	}
	return op, nil
}
