package ledger

import "github.com/tallystick/tallystick/crypto"

// apply of a transfer. Each leg is checked in this order: asset, pause, both
// accounts, balance.
func (t *Transfer) apply(s *state, b *Body) (Code, error) {
	if t.isCancel(b.Sender, s.net.Settlement) {
		return Applied, nil
	}
	for i := range t.Legs {
		if code, err := t.Legs[i].apply(s); code != Applied || err != nil {
			return code, err
		}
	}
	return Applied, nil
}

func (l *Leg) apply(s *state) (Code, error) {
	if code, err := s.moving(l.Asset); code != Applied || err != nil {
		return code, err
	}
	if code, err := s.paying(l.From); code != Applied || err != nil {
		return code, err
	}
	if code, err := s.receiving(l.To); code != Applied || err != nil {
		return code, err
	}
	if code, err := s.debit(l.From, l.Asset, l.Amount); code != Applied || err != nil {
		return code, err
	}
	if err := s.credit(l.To, l.Asset, l.Amount); err != nil {
		return 0, err
	}
	s.emit(Event{Type: EventTransfer, From: l.From, To: l.To, Asset: l.Asset, Amount: l.Amount, Reference: l.Reference})
	return Applied, nil
}

// moving: the asset exists and is not paused.
func (s *state) moving(asset crypto.Address) (Code, error) {
	c, err := s.asset(asset)
	switch {
	case err != nil:
		return 0, err
	case !c.present:
		return CodeUnknownAsset, nil
	case c.value.Status == AssetPaused:
		return CodeAssetPaused, nil
	}
	return Applied, nil
}

// paying: the account may act. It exists, for it has authorised.
func (s *state) paying(from crypto.Address) (Code, error) {
	c, err := s.account(from)
	if err != nil {
		return 0, err
	}
	if !c.present || c.value.Status != StatusActive {
		return CodeSourceInactive, nil
	}
	return Applied, nil
}

// receiving: the account may receive. Under the open policy it is created
// where there is none.
func (s *state) receiving(to crypto.Address) (Code, error) {
	account, err := s.account(to)
	if err != nil {
		return 0, err
	}
	if account.present {
		if account.value.Status != StatusActive {
			return CodeRecipientInactive, nil
		}
		return Applied, nil
	}
	asset, err := s.asset(to)
	switch {
	case err != nil:
		return 0, err
	case asset.present:
		return CodeRecipientIsAsset, nil
	case s.params.AccountPolicy != PolicyOpen:
		return CodeRecipientNotAdmitted, nil
	case s.created >= s.params.MaxNewAccounts:
		return CodeNewAccountLimit, nil
	}
	s.accountTable.set(account, Account{Status: StatusActive})
	s.created++
	s.emit(Event{Type: EventAccountCreated, Account: to})
	return Applied, nil
}

// debit takes from the available balance.
func (s *state) debit(account, asset crypto.Address, amount Amount) (Code, error) {
	c, err := s.balance(account, asset)
	if err != nil {
		return 0, err
	}
	b := c.value
	left, ok := b.Available.Sub(amount)
	if !ok {
		return CodeInsufficientBalance, nil
	}
	b.Available = left
	s.setBalance(c, b)
	return Applied, nil
}

// credit adds to the available balance. The sum cannot overflow: it is at
// most the asset's supply.
func (s *state) credit(account, asset crypto.Address, amount Amount) error {
	c, err := s.balance(account, asset)
	if err != nil {
		return err
	}
	b := c.value
	sum, ok := b.Available.Add(amount)
	if !ok {
		return errSupply
	}
	b.Available = sum
	s.setBalance(c, b)
	return nil
}

// setBalance writes a balance; an empty one is not kept.
func (s *state) setBalance(c *cell[balanceID, Balance], b Balance) {
	if b.IsZero() {
		s.balanceTable.remove(c)
		return
	}
	s.balanceTable.set(c, b)
}
