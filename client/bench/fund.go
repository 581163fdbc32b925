package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/holiman/uint256"
	"golang.org/x/sync/errgroup"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

const (
	// fundingLegs is how many accounts one transaction funds.
	fundingLegs = 500
	// admittedAtOnce is how many accounts are admitted at a time: as many nonces
	// may be under way.
	admittedAtOnce = 64
	// fundingWait bounds the wait for one such transaction, or part.
	fundingWait = time.Minute
	// fundingTries bounds how often one is made again under another nonce,
	// after a refusal that another nonce cures.
	fundingTries = 5
	// fastest is how many transactions a second a run without a rate is funded
	// for.
	fastest = 50_000
)

// fund reads what the accounts have and gives each what it may come to need.
func (p *plan) fund(ctx context.Context, c *client.Client, cfg *Config) error {
	absent, err := p.open(ctx, c, cfg)
	if err != nil {
		return err
	}
	if err := p.admit(ctx, c, cfg, absent); err != nil {
		return err
	}
	funder := cfg.Funder.Address()
	b, err := c.Balance(ctx, funder, p.address, nil)
	if err != nil {
		return err
	}
	need := p.need(cfg)
	share := divide(b.Available, uint64(len(p.accounts)))
	var poor []int
	for i := range p.accounts {
		if p.accounts[i].opening.Cmp(need) < 0 {
			poor = append(poor, i)
		}
	}
	if len(poor) > 0 && share.Cmp(need) < 0 {
		return fmt.Errorf("account %s has %s %s, and the run needs %s for each of %d accounts: pay from an account that has more (--mnemonic, --keystore), take another asset, or run shorter",
			funder, client.FormatDecimal(b.Available, p.asset.Decimals), p.asset.Symbol,
			client.FormatDecimal(need, p.asset.Decimals), len(p.accounts))
	}
	for done := 0; done < len(poor); {
		cfg.Stage("fund", done, len(poor))
		part := poor[done:min(done+fundingLegs, len(poor))]
		if err := p.pay(ctx, c, cfg.Funder, part, need); err != nil {
			return fmt.Errorf("fund accounts from %s: %w", funder, err)
		}
		done += len(part)
	}
	cfg.Stage("fund", len(poor), len(poor))
	return nil
}

// need is what an account may have to pay in all, if it received nothing.
func (p *plan) need(cfg *Config) ledger.Amount {
	transactions := p.total
	if transactions == 0 {
		transactions = uint64(fastest * cfg.Duration.Seconds())
	}
	each := transactions/uint64(len(p.accounts)) + 1
	return ledger.NewAmount(each * uint64(p.legs) * maxUnits)
}

// divide returns a / n, rounded down.
func divide(a ledger.Amount, n uint64) ledger.Amount {
	out, _ := ledger.AmountFromUint256(new(uint256.Int).Div(a.Uint256(), uint256.NewInt(n)))
	return out
}

// open reads the accounts' balances and nonces, and tells which do not exist.
func (p *plan) open(ctx context.Context, c *client.Client, cfg *Config) (absent []crypto.Address, err error) {
	for i := range p.accounts {
		if i%1000 == 0 {
			cfg.Stage("look up accounts", i, len(p.accounts))
		}
		a := &p.accounts[i]
		found, err := c.Account(ctx, a.address, nil)
		var e *client.Error
		if errors.As(err, &e) && e.Name == client.NameNotFound {
			absent = append(absent, a.address)
			continue
		}
		if err != nil {
			return nil, err
		}
		a.base = ledger.Nonce(found.NextNonce)
		for _, b := range found.Balances {
			if b.Asset == p.address {
				a.opening = b.Available
			} else {
				a.others = append(a.others, b)
			}
		}
	}
	return absent, nil
}

// admit makes the accounts the registrar's member's, a part after the other, all
// of a part at a time.
func (p *plan) admit(ctx context.Context, c *client.Client, cfg *Config, absent []crypto.Address) error {
	if cfg.Registrar == nil {
		return nil
	}
	for done := 0; done < len(absent); {
		cfg.Stage("admit", done, len(absent))
		part := absent[done:min(done+admittedAtOnce, len(absent))]
		if err := admitAll(ctx, c, cfg.Registrar, part); err != nil {
			return fmt.Errorf("admit accounts by %s: %w", cfg.Registrar.Address(), err)
		}
		done += len(part)
	}
	cfg.Stage("admit", len(absent), len(absent))
	return nil
}

func admitAll(ctx context.Context, c *client.Client, registrar client.Signer, part []crypto.Address) error {
	ctx, cancel := context.WithTimeout(ctx, fundingWait)
	defer cancel()
	nonce, err := c.NextNonce(ctx, registrar.Address())
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	for i, account := range part {
		nonce := nonce + ledger.Nonce(i)
		group.Go(func() error {
			body, err := c.Build(ctx, registrar.Address(), &ledger.AdmitAccount{Account: account}, client.BuildOptions{Nonce: &nonce})
			if err != nil {
				return err
			}
			tx, err := c.Sign(ctx, body, ledger.SchemeBodyHash, registrar)
			if err != nil {
				return err
			}
			receipt, err := c.SubmitAndWait(ctx, tx.Raw)
			if err == nil && receipt.Code != uint32(ledger.Applied) {
				err = client.Rejected(ledger.Code(receipt.Code))
			}
			return err
		})
	}
	return group.Wait()
}

// pay gives each account of part amount more, in one transaction.
func (p *plan) pay(ctx context.Context, c *client.Client, signer client.Signer, part []int, amount ledger.Amount) error {
	legs := make([]ledger.Leg, len(part))
	for i, at := range part {
		legs[i] = ledger.Leg{From: signer.Address(), To: p.accounts[at].address, Asset: p.address, Amount: amount}
	}
	receipt, err := transact(ctx, c, signer, &ledger.Transfer{Legs: legs})
	if err != nil {
		return err
	}
	if receipt.Code != uint32(ledger.Applied) {
		return client.Rejected(ledger.Code(receipt.Code))
	}
	for _, at := range part {
		sum, ok := p.accounts[at].opening.Add(amount)
		if !ok {
			return fmt.Errorf("account %s would hold more than an amount can say", p.accounts[at].address)
		}
		p.accounts[at].opening = sum
	}
	return nil
}

// transact signs an operation under a fresh nonce and waits for the receipt.
// Several runs may share a funder, so the nonce is picked at random among the
// next ones, and again when another has it.
func transact(ctx context.Context, c *client.Client, signer client.Signer, op ledger.Operation) (*wire.Receipt, error) {
	ctx, cancel := context.WithTimeout(ctx, fundingWait)
	defer cancel()
	for try := 1; ; try++ {
		nonce, err := c.NextNonce(ctx, signer.Address())
		if err != nil {
			return nil, err
		}
		nonce += ledger.Nonce(rand.N(64))
		body, err := c.Build(ctx, signer.Address(), op, client.BuildOptions{Nonce: &nonce})
		if err != nil {
			return nil, err
		}
		tx, err := c.Sign(ctx, body, ledger.SchemeBodyHash, signer)
		if err != nil {
			return nil, err
		}
		receipt, err := c.SubmitAndWait(ctx, tx.Raw)
		if try < fundingTries && anotherNonceCures(receipt, err, tx.Hash) {
			continue
		}
		return receipt, err
	}
}

// anotherNonceCures reports whether the transaction was certainly not applied,
// for a reason that has gone by the next try.
func anotherNonceCures(receipt *wire.Receipt, err error, hash crypto.Hash) bool {
	if err == nil {
		return receipt.Code == uint32(ledger.CodeNewAccountLimit)
	}
	var e *client.Error
	if !errors.As(err, &e) || e.Pending || e.Hash == nil || *e.Hash == hash {
		return false
	}
	return e.LedgerCode == ledger.CodeNonceSpent || e.LedgerCode == ledger.CodeDuplicateNonce
}
