package ledger

import (
	"fmt"

	"github.com/tallystick/tallystick/crypto"
)

// GenesisHolder is an account that may receive a restricted asset from the
// start. Of such an asset, nobody else but the issuer has a balance.
type GenesisHolder struct {
	Account crypto.Address `json:"account"`
	Symbol  string         `json:"symbol"`
}

// holders approves the holders.
func (b *genesisBuilder) holders() error {
	for i := range b.g.Holders {
		if err := b.holder(&b.g.Holders[i]); err != nil {
			return fmt.Errorf("holders[%d] (%s %q): %w", i, b.g.Holders[i].Account, b.g.Holders[i].Symbol, err)
		}
	}
	return nil
}

func (b *genesisBuilder) holder(h *GenesisHolder) error {
	address, ok := b.symbols[h.Symbol]
	if !ok {
		return fmt.Errorf("symbol: there is no such asset")
	}
	asset, err := b.s.asset(address)
	if err != nil {
		return err
	}
	if asset.value.Flags&FlagRestricted == 0 {
		return fmt.Errorf("symbol: %s", CodeNotRestricted.Info().Meaning)
	}
	account, err := b.s.account(h.Account)
	if err != nil {
		return err
	}
	if !account.present {
		return fmt.Errorf("account: is not among the accounts")
	}
	c, err := b.s.holder(address, h.Account)
	if err != nil {
		return err
	}
	if c.present {
		return fmt.Errorf("account: is listed twice for this asset")
	}
	b.s.setHolder(c, Holder{Approved: true})
	b.s.emit(Event{Type: EventHolderApproved, Asset: address, Account: h.Account})
	return nil
}
