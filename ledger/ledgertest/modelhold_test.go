package ledgertest

import (
	"bytes"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// holdOperation draws an operation on holds, most often one that can succeed.
func (p *play) holdOperation(rt *rapid.T, sender string, nonce ledger.Nonce) ledger.Operation {
	from := Address(sender)
	kinds := []string{"create", "create", "capture", "capture", "capture", "release", "settle", "settle"}
	if len(p.model.world.holds) < 2 {
		kinds = []string{"create", "create", "create", "settle", "capture"}
	}
	switch rapid.SampledFrom(kinds).Draw(rt, "hold operation") {
	case "create":
		terms := p.terms(rt, from)
		p.made = append(p.made, p.chain.Net.HoldID(from, nonce, 0))
		return (*ledger.CreateHold)(&terms)
	case "capture":
		id := p.hold(rt, func(h *modelHold) bool { return h.captor() == from })
		return &ledger.CaptureHold{Hold: id, Amount: p.part(rt, id)}
	case "release":
		return &ledger.ReleaseHold{Hold: p.hold(rt, func(h *modelHold) bool { return h.to == from || h.arbiter == from })}
	}
	return p.settlement(rt, from, nonce)
}

func (p *play) settlement(rt *rapid.T, sender crypto.Address, nonce ledger.Nonce) ledger.Operation {
	op := &ledger.Settle{}
	for range rapid.IntRange(1, 4).Draw(rt, "items") {
		switch rapid.IntRange(0, 2).Draw(rt, "item") {
		case 0:
			if len(p.model.world.holds) == 0 && !oneIn(rt, 5, "nothing to capture") {
				continue
			}
			id := p.hold(rt, func(*modelHold) bool { return true })
			by := sender
			if h := p.model.world.holds[id]; h != nil && !oneIn(rt, 6, "captured by another") {
				by = h.captor()
			}
			op.Captures = append(op.Captures, ledger.Capture{Hold: id, By: by, Amount: p.part(rt, id)})
		case 1:
			op.Legs = append(op.Legs, ledger.Leg{From: p.payer(rt, sender), To: p.recipient(rt), Asset: p.holdAsset(rt), Amount: p.amount(rt)})
		default:
			p.made = append(p.made, p.chain.Net.HoldID(sender, nonce, uint32(len(op.Holds))))
			op.Holds = append(op.Holds, p.terms(rt, p.payer(rt, sender)))
		}
	}
	if len(op.Captures)+len(op.Legs)+len(op.Holds) == 0 {
		op.Legs = []ledger.Leg{{From: sender, To: p.recipient(rt), Asset: p.holdAsset(rt), Amount: ledger.NewAmount(1)}}
	}
	return op
}

// terms draws a hold that bytes alone cannot fault.
func (p *play) terms(rt *rapid.T, from crypto.Address) ledger.Hold {
	const most = ledger.MaxHoldTime
	ahead := rapid.SampledFrom([]int64{30, 60, 100, 200, 400, most - 50, most}).Draw(rt, "expiry")
	if oneIn(rt, 8, "at an edge") {
		ahead = rapid.SampledFrom([]int64{-1, 0, 1, most, most + 1}).Draw(rt, "edge")
	}
	h := ledger.Hold{
		From: from, To: p.recipient(rt), Asset: p.holdAsset(rt), Amount: p.amount(rt),
		Expiry: ledger.UnixTime(int64(p.now) + ahead), Reference: rapid.SampledFrom([]string{"", "order 7"}).Draw(rt, "reference"),
	}
	for h.To == from {
		h.To = Address(rapid.SampledFrom([]string{"alice", "bob"}).Draw(rt, "another to"))
	}
	if oneIn(rt, 3, "arbitrated") {
		arbiter := Address(rapid.SampledFrom([]string{"alice", "bob", "carol", "trio", "frank"}).Draw(rt, "arbiter"))
		if arbiter != h.From && arbiter != h.To {
			h.Arbiter = arbiter
		}
	}
	return h
}

// holdAsset is most often one that people have.
func (p *play) holdAsset(rt *rapid.T) crypto.Address {
	if oneIn(rt, 10, "any asset") {
		return p.asset(rt)
	}
	return p.chain.Asset(rapid.SampledFrom([]string{"GOLD", "COIN"}).Draw(rt, "held asset"))
}

// payer is most often the sender.
func (p *play) payer(rt *rapid.T, sender crypto.Address) crypto.Address {
	if oneIn(rt, 4, "another pays") {
		return Address(rapid.SampledFrom(slices.Concat(people, []string{"duo", "trio", "dave"})).Draw(rt, "from"))
	}
	return sender
}

// hold draws a hold: most often one that there is and that fits, else any that
// was ever meant to be made.
func (p *play) hold(rt *rapid.T, fits func(*modelHold) bool) crypto.Address {
	var fitting []crypto.Address
	for id, h := range maps.All(p.model.world.holds) {
		if fits(h) {
			fitting = append(fitting, id)
		}
	}
	slices.SortFunc(fitting, func(a, b crypto.Address) int { return bytes.Compare(a[:], b[:]) })
	if len(fitting) > 0 && !oneIn(rt, 5, "any hold") {
		return rapid.SampledFrom(fitting).Draw(rt, "hold")
	}
	return rapid.SampledFrom(append(slices.Clone(p.made), Address("no hold"))).Draw(rt, "hold")
}

// part draws an amount of a hold: all that is left, less, or more.
func (p *play) part(rt *rapid.T, id crypto.Address) ledger.Amount {
	h := p.model.world.holds[id]
	if h == nil || oneIn(rt, 4, "any amount") {
		return p.amount(rt)
	}
	left := h.left.Uint64()
	return ledger.NewAmount(rapid.SampledFrom([]uint64{left, left, max(left/2, 1), left + 1}).Draw(rt, "part"))
}

// TestModelAgreesOnHolds plays blocks in which nearly everything is about holds,
// with new nonces and the right signatures, so that holds live, are captured in
// parts, fall due, and meet paused assets and frozen parties.
func TestModelAgreesOnHolds(t *testing.T) {
	seen := map[any]int{} // codes, and how holds ended
	wanted := []any{
		"holdCaptured", "released", "expired",
		ledger.Applied, ledger.CodeUnknownHold, ledger.CodeNotHoldParty, ledger.CodeExceedsHold, ledger.CodeExpiryPassed, ledger.CodeExpiryTooFar,
		ledger.CodeAssetPaused, ledger.CodeInsufficientBalance,
	}
	checkUntilSeen(t, seen, wanted, func(rt *rapid.T) {
		g := playGenesis(rt)
		p := &play{chain: NewChain(t, g), model: NewModel(g)}
		next := map[string]ledger.Nonce{}
		frozen := rapid.SampledFrom([]int{2, 4, 6, 99, 99, 99}).Draw(rt, "frozen after")
		for n := range rapid.SampledFrom([]int{4, 6, 8}).Draw(rt, "blocks") {
			if n == frozen {
				p.chain.FreezeByNetwork(t, Address("carol"))
				p.model.FreezeByNetwork(Address("carol"))
			}
			p.now = p.chain.Time + ledger.UnixTime(rapid.SampledFrom([]int{0, 1, 5, 20, 40}).Draw(rt, "seconds"))
			var requests []Request
			var txs []*ledger.Tx
			for range rapid.SampledFrom([]int{0, 2, 3, 5}).Draw(rt, "transactions") {
				sender := rapid.SampledFrom([]string{"alice", "bob", "carol", "issuer", "trio"}).Draw(rt, "sender")
				r, tx := p.holdTransaction(rt, sender, next[sender])
				next[sender]++
				requests, txs = append(requests, r), append(txs, tx)
			}
			result := p.chain.ApplyAt(t, p.now, txs...)
			for i, want := range p.model.Block(p.now, requests) {
				seen[want]++
				if got := result.Results[i].Code; got != want {
					t.Fatalf("transaction %d is %s, in the model %s: %+v %+v", i, got, want, requests[i], requests[i].Body.Op)
				}
				countEnds(seen, result.Results[i].Events)
			}
			countEnds(seen, result.Events)
			p.model.Compare(t, p.chain)
		}
	})
	t.Log(seen)
}

func countEnds(counts map[any]int, events []ledger.Event) {
	for i := range events {
		switch e := &events[i]; e.Type {
		case ledger.EventHoldCaptured:
			counts[e.Type.Name()]++
		case ledger.EventHoldReleased:
			counts[ledger.HoldEnd(e.Number).String()]++
		}
	}
}

// holdTransaction is signed by who must sign.
func (p *play) holdTransaction(rt *rapid.T, sender string, nonce ledger.Nonce) (Request, *ledger.Tx) {
	b := ledger.Body{Sender: Address(sender), Nonce: nonce, ValidUntil: p.now + 50}
	switch rapid.SampledFrom([]int{2, 2, 2, 2, 2, 2, 2, 2, 1, 0}).Draw(rt, "what") {
	case 0:
		b.Op = p.operation(rt, sender, nonce)
	case 1:
		b.Sender, sender = Address("issuer"), "issuer"
		b.Nonce = 500 + nonce // out of the way of the issuer's others
		b.Op = &ledger.PauseAsset{Asset: p.chain.Asset("GOLD")}
		if rapid.Bool().Draw(rt, "resume") {
			b.Op = &ledger.ResumeAsset{Asset: p.chain.Asset("GOLD")}
		}
	default:
		b.Op = p.holdOperation(rt, sender, nonce)
	}
	names := map[string]bool{}
	for _, a := range append(paying(b.Op), b.Sender) {
		switch a {
		case Address("duo"):
			names["alice"], names["bob"] = true, true
		case Address("trio"):
			names["alice"] = true
		}
		for _, name := range slices.Concat(people, strangers) {
			if a == Address(name) {
				names[name] = true
			}
		}
	}
	r := Request{Envelope: ledger.EnvelopeNative, Body: b}
	var keys []*crypto.PrivateKey
	for name := range names {
		keys = append(keys, Key(name))
		r.Signers = append(r.Signers, Address(name))
	}
	slices.SortFunc(r.Signers, crypto.Address.Compare)
	tx, code := ledger.Sign(p.chain.Net, b, ledger.SchemeBodyHash, keys...)
	if tx == nil {
		rt.Fatalf("%s: no transaction from %+v", code, b)
	}
	return r, tx
}
