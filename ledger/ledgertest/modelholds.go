package ledgertest

import (
	"bytes"
	"math/big"
	"slices"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// The numbers of the rules about holds, once more.
const (
	modelHoldTime = 366 * 24 * 60 * 60
	modelMaxDue   = 10000
)

// modelHold is a hold in the model's world.
type modelHold struct {
	from, to, arbiter, asset crypto.Address
	left                     *big.Int
	expiry                   uint64
	reference                string
}

func (h *modelHold) captor() crypto.Address {
	if h.arbiter == (crypto.Address{}) {
		return h.to
	}
	return h.arbiter
}

// expire gives back what is due at now: first what was due first, and of that
// the lowest IDs, up to the bound of a block.
func (m *Model) expire() {
	var due []crypto.Address
	for id, h := range m.world.holds {
		if h.expiry <= m.now {
			due = append(due, id)
		}
	}
	slices.SortFunc(due, func(a, b crypto.Address) int {
		if x, y := m.world.holds[a].expiry, m.world.holds[b].expiry; x != y {
			return new(big.Int).SetUint64(x).Cmp(new(big.Int).SetUint64(y))
		}
		return bytes.Compare(a[:], b[:])
	})
	for i, id := range due {
		if i < modelMaxDue {
			m.giveBack(id)
		}
	}
}

func (m *Model) giveBack(id crypto.Address) {
	h := m.world.holds[id]
	m.world.unhold(h, h.left)
	m.world.add(h.from, h.asset, h.left)
	delete(m.world.holds, id)
}

func (m *Model) holdID(sender crypto.Address, nonce uint64, index int) (id crypto.Address) {
	text := slices.Concat([]byte("tallystick/hold"), m.NetworkHash[:], sender[:],
		new(big.Int).SetUint64(nonce).FillBytes(make([]byte, 8)), big.NewInt(int64(index)).FillBytes(make([]byte, 4)))
	h := crypto.Keccak256(text)
	copy(id[:], h[12:])
	return id
}

func (m *Model) createHold(b *ledger.Body, index int, h *ledger.Hold) ledger.Code {
	expiry := uint64(h.Expiry)
	if expiry <= m.now {
		return ledger.CodeExpiryPassed
	}
	if expiry > m.now+modelHoldTime {
		return ledger.CodeExpiryTooFar
	}
	if code := m.move(h.Asset, h.From, h.To); code != ledger.Applied {
		return code
	}
	if code := m.spend(h.From, h.Asset, bigOf(h.Amount)); code != ledger.Applied {
		return code
	}
	made := &modelHold{h.From, h.To, h.Arbiter, h.Asset, bigOf(h.Amount), expiry, h.Reference}
	m.world.holds[m.holdID(b.Sender, uint64(b.Nonce), index)] = made
	held := m.world.heldBy(made)
	held.Add(held, made.left)
	return ledger.Applied
}

// move: may the asset go from one account to the other?
func (m *Model) move(asset, from, to crypto.Address) ledger.Code {
	a := m.world.assets[asset]
	if a == nil {
		return ledger.CodeUnknownAsset
	}
	if code := a.stands(); code != ledger.Applied {
		return code
	}
	if !m.acts(m.world.accounts[from]) {
		return ledger.CodeSourceInactive
	}
	return m.receiveAsset(asset, to)
}

func (m *Model) captureHold(id, by crypto.Address, amount ledger.Amount) ledger.Code {
	h := m.world.holds[id]
	if h == nil {
		return ledger.CodeUnknownHold
	}
	if h.expiry <= m.now {
		return ledger.CodeHoldDue
	}
	if h.captor() != by {
		return ledger.CodeNotHoldParty
	}
	if !m.acts(m.world.accounts[by]) {
		return ledger.CodeCaptorInactive
	}
	if code := m.move(h.asset, h.from, h.to); code != ledger.Applied {
		return code
	}
	if m.world.holder(h.asset, h.from).frozen {
		return ledger.CodeSourceFrozen
	}
	if h.left.Cmp(bigOf(amount)) < 0 {
		return ledger.CodeExceedsHold
	}
	m.world.unhold(h, bigOf(amount))
	m.world.add(h.to, h.asset, bigOf(amount))
	h.left = new(big.Int).Sub(h.left, bigOf(amount))
	if h.left.Sign() == 0 {
		delete(m.world.holds, id)
	}
	return ledger.Applied
}

func (m *Model) releaseHold(b *ledger.Body, id crypto.Address) ledger.Code {
	h := m.world.holds[id]
	if h == nil {
		return ledger.CodeUnknownHold
	}
	if h.expiry <= m.now {
		return ledger.CodeHoldDue
	}
	asset := m.world.assets[h.asset]
	if b.Sender != h.to && b.Sender != h.captor() && (asset.flags&clawback == 0 || asset.issuer != b.Sender) {
		return ledger.CodeNotHoldParty
	}
	m.giveBack(id)
	return ledger.Applied
}

func (m *Model) settle(b *ledger.Body, op *ledger.Settle) ledger.Code {
	for _, c := range op.Captures {
		if code := m.captureHold(c.Hold, c.By, c.Amount); code != ledger.Applied {
			return code
		}
	}
	if code := m.transfer(b, &ledger.Transfer{Legs: op.Legs}); code != ledger.Applied {
		return code
	}
	for i := range op.Holds {
		if code := m.createHold(b, i, &op.Holds[i]); code != ledger.Applied {
			return code
		}
	}
	return ledger.Applied
}

// heldBy is the sum of what the payer's holds of the asset hold.
func (w *world) heldBy(h *modelHold) *big.Int {
	id := [2]crypto.Address{h.from, h.asset}
	if w.held[id] == nil {
		w.held[id] = new(big.Int)
	}
	return w.held[id]
}

func (w *world) unhold(h *modelHold, amount *big.Int) {
	held := w.heldBy(h)
	held.Sub(held, amount)
}

func (w *world) cloneHolds(to *world) {
	to.holds, to.held = map[crypto.Address]*modelHold{}, map[[2]crypto.Address]*big.Int{}
	for id, h := range w.holds {
		copied := *h
		copied.left = new(big.Int).Set(h.left)
		to.holds[id] = &copied
	}
	for id, v := range w.held {
		to.held[id] = new(big.Int).Set(v)
	}
}

func (m *Model) compareHolds(t testing.TB, c *Chain) {
	t.Helper()
	entries := c.State.Under("hold/")
	if len(entries) != len(m.world.holds) {
		t.Fatalf("the state has %d holds, the model %d", len(entries), len(m.world.holds))
	}
	for _, e := range entries {
		got, err := ledger.DecodeHold(e.Value)
		if err != nil {
			t.Fatal(err)
		}
		want := m.world.holds[crypto.Address([]byte(e.Key))]
		if want == nil || got.From != want.from || got.To != want.to || got.Arbiter != want.arbiter || got.Asset != want.asset ||
			bigOf(got.Amount).Cmp(want.left) != 0 || uint64(got.Expiry) != want.expiry || got.Reference != want.reference {
			t.Fatalf("hold %x is %+v, in the model %+v", e.Key, got, want)
		}
	}
}
