package ledgertest

import (
	"math/big"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

func (m *Model) apply(b *ledger.Body) ledger.Code {
	switch op := b.Op.(type) {
	case *ledger.Transfer:
		return m.transfer(b, op)
	case *ledger.CreateAsset:
		return m.createAsset(b, op)
	case *ledger.Issue:
		return m.issue(b, op)
	case *ledger.Redeem:
		return m.redeem(b, op)
	case *ledger.PauseAsset:
		return m.pause(b, op.Asset, true, ledger.CodeAssetPaused)
	case *ledger.ResumeAsset:
		return m.pause(b, op.Asset, false, ledger.CodeAssetNotPaused)
	case *ledger.SetKeys:
		return m.setKeys(b, op)
	case *ledger.AdmitAccount:
		return m.admit(b.Sender, op.Account)
	case *ledger.FreezeAccount:
		return m.freeze(b.Sender, op.Account, true, ledger.CodeAccountFrozen)
	case *ledger.UnfreezeAccount:
		return m.freeze(b.Sender, op.Account, false, ledger.CodeAccountNotFrozen)
	case *ledger.CloseAccount:
		return m.closeAccount(b.Sender, op.Account)
	case *ledger.CreateHold:
		return m.createHold(b, 0, (*ledger.Hold)(op))
	case *ledger.CaptureHold:
		return m.captureHold(op.Hold, b.Sender, op.Amount)
	case *ledger.ReleaseHold:
		return m.releaseHold(b, op.Hold)
	case *ledger.Settle:
		return m.settle(b, op)
	}
	if code, known := m.regulate(b); known {
		return code
	}
	panic("ledgertest: unknown operation")
}

func (m *Model) transfer(b *ledger.Body, op *ledger.Transfer) ledger.Code {
	for _, l := range op.Legs {
		if l.Amount.IsZero() && l.From == b.Sender && l.To == b.Sender && l.Asset == m.Settlement {
			continue // a cancel
		}
		asset := m.world.assets[l.Asset]
		if asset == nil {
			return ledger.CodeUnknownAsset
		}
		if code := asset.stands(); code != ledger.Applied {
			return code
		}
		if !m.acts(m.world.accounts[l.From]) {
			return ledger.CodeSourceInactive
		}
		if code := m.receiveAsset(l.Asset, l.To); code != ledger.Applied {
			return code
		}
		if code := m.spend(l.From, l.Asset, bigOf(l.Amount)); code != ledger.Applied {
			return code
		}
		m.world.add(l.To, l.Asset, bigOf(l.Amount))
	}
	return ledger.Applied
}

func (m *Model) receive(to crypto.Address) ledger.Code {
	if account := m.world.accounts[to]; account != nil {
		if account.barred() {
			return ledger.CodeRecipientInactive
		}
		return ledger.Applied
	}
	if m.world.assets[to] != nil {
		return ledger.CodeRecipientIsAsset
	}
	if !m.Open {
		return ledger.CodeRecipientNotAdmitted
	}
	if m.world.created == m.MaxNew {
		return ledger.CodeNewAccountLimit
	}
	m.world.created++
	m.world.accounts[to] = newModelAccount(to)
	return ledger.Applied
}

func (m *Model) createAsset(b *ledger.Body, op *ledger.CreateAsset) ledger.Code {
	if op.Flags > freezable+clawback+restricted {
		return ledger.CodeUnsupportedFlags
	}
	if !m.mayIssue(b.Sender) {
		return ledger.CodeNotIssuerMember
	}
	for _, a := range m.world.assets {
		if a.symbol == op.Symbol {
			return ledger.CodeSymbolTaken
		}
	}
	address := m.assetAddress(b.Sender, uint64(b.Nonce))
	if m.world.accounts[address] != nil || m.world.assets[address] != nil {
		return ledger.CodeAddressTaken
	}
	m.world.assets[address] = newModelAsset(op.Symbol, b.Sender, op.Cap)
	m.world.assets[address].flags = op.Flags
	return ledger.Applied
}

// issuedBy answers with the asset if sender is its issuer.
func (m *Model) issuedBy(sender, asset crypto.Address) (*modelAsset, ledger.Code) {
	a := m.world.assets[asset]
	if a == nil {
		return nil, ledger.CodeUnknownAsset
	}
	if a.issuer != sender {
		return nil, ledger.CodeNotIssuer
	}
	return a, ledger.Applied
}

func (m *Model) issue(b *ledger.Body, op *ledger.Issue) ledger.Code {
	a, code := m.issuedBy(b.Sender, op.Asset)
	if code != ledger.Applied {
		return code
	}
	if code := a.stands(); code != ledger.Applied {
		return code
	}
	if code := m.receiveAsset(op.Asset, op.To); code != ledger.Applied {
		return code
	}
	sum := new(big.Int).Add(a.supply, bigOf(op.Amount))
	if sum.Cmp(a.limit) > 0 {
		return ledger.CodeCapExceeded
	}
	a.supply = sum
	m.world.add(op.To, op.Asset, bigOf(op.Amount))
	return ledger.Applied
}

func (m *Model) redeem(b *ledger.Body, op *ledger.Redeem) ledger.Code {
	a, code := m.issuedBy(b.Sender, op.Asset)
	if code != ledger.Applied {
		return code
	}
	if a.paused {
		return ledger.CodeAssetPaused
	}
	if !m.acts(m.world.accounts[op.From]) {
		return ledger.CodeSourceInactive
	}
	if code := m.spend(op.From, op.Asset, bigOf(op.Amount)); code != ledger.Applied {
		return code
	}
	a.supply = new(big.Int).Sub(a.supply, bigOf(op.Amount))
	return ledger.Applied
}

func (m *Model) pause(b *ledger.Body, asset crypto.Address, to bool, already ledger.Code) ledger.Code {
	a, code := m.issuedBy(b.Sender, asset)
	if code != ledger.Applied {
		return code
	}
	if a.retired {
		return ledger.CodeAssetRetired
	}
	if a.paused == to {
		return already
	}
	a.paused = to
	return ledger.Applied
}

func (w *world) add(account, asset crypto.Address, amount *big.Int) {
	id := [2]crypto.Address{account, asset}
	if w.balances[id] == nil {
		w.balances[id] = new(big.Int)
	}
	w.balances[id].Add(w.balances[id], amount)
}

func (w *world) take(account, asset crypto.Address, amount *big.Int) bool {
	id := [2]crypto.Address{account, asset}
	if w.balances[id] == nil || w.balances[id].Cmp(amount) < 0 {
		return false
	}
	w.balances[id].Sub(w.balances[id], amount)
	return true
}
