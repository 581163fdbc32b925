package rpc

import (
	"context"
	"encoding/json"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// holdingMethods are the rows about what binds accounts and their balances.
var holdingMethods = []*method{
	{
		name: "ledger_getAuthority", summary: "Whose signatures an account's transactions need.",
		description: "An account with no keys of its own has its address as the only one, with the threshold 1.",
		params:      []param{{"address", true, formAddress, "The account."}},
		result:      result{"authority", "there is no account at this address", refTo[wire.Authority]},
	}, {
		name: "ledger_getHold", summary: "A hold and what is left of it.",
		params: []param{{"hold", true, formAddress, "The hold's ID, which its holdCreated event tells."}},
		result: result{"hold", "there is no such hold, or it has ended", refTo[wire.OpenHold]},
	}, {
		name: "ledger_getHolder", summary: "What an asset's issuer has said about an account.",
		description: "Not approved and not frozen where nothing was said, whether account and asset exist or not.",
		params:      []param{{"asset", true, formAddress, "The asset's address."}, {"account", true, formAddress, "The account."}},
		result:      result{"holder", "", refTo[wire.Holder]},
	}, {
		name: "ledger_getMetadata", summary: "Where an asset's terms stand, and their hash.",
		description: "Empty and zero where there are none, whether the asset exists or not.",
		params:      []param{{"asset", true, formAddress, "The asset's address."}},
		result:      result{"metadata", "", refTo[wire.Metadata]},
	},
}

// GetAuthority is ledger_getAuthority.
func (a *ledgerAPI) GetAuthority(ctx context.Context, address arg) (json.RawMessage, error) {
	return a.reading(ctx, "ledger_getAuthority", []arg{address}, func(r ledger.Reader, p *params) (any, error) {
		address := p.address()
		if p.err != nil {
			return nil, p.err
		}
		return readAuthority(r, address)
	})
}

// readAuthority reads an account's keys; nil where there is no account.
func readAuthority(r ledger.Reader, address crypto.Address) (*wire.Authority, error) {
	value, err := r.Get(ledger.KeyAccount(address))
	if err != nil || len(value) == 0 {
		return nil, err
	}
	account, err := ledger.DecodeAccount(value)
	if err != nil {
		return nil, err
	}
	out := &wire.Authority{Account: address, Threshold: account.Authority.Threshold, Keys: account.Authority.Keys, Holds: account.Holds}
	if len(out.Keys) == 0 {
		out.Threshold, out.Keys = 1, []ledger.Key{{Address: address, Weight: 1}}
	}
	return out, nil
}

// GetHold is ledger_getHold.
func (a *ledgerAPI) GetHold(ctx context.Context, hold arg) (json.RawMessage, error) {
	return a.reading(ctx, "ledger_getHold", []arg{hold}, func(r ledger.Reader, p *params) (any, error) {
		id := p.address()
		if p.err != nil {
			return nil, p.err
		}
		return readHold(r, id)
	})
}

// readHold reads a hold; nil where there is none.
func readHold(r ledger.Reader, id crypto.Address) (*wire.OpenHold, error) {
	h, ok, err := ledger.ReadHold(r, id)
	if err != nil || !ok {
		return nil, err
	}
	out := &wire.OpenHold{
		Hold: id, From: h.From, To: h.To, Asset: h.Asset, Amount: h.Amount, Expiry: uint64(h.Expiry), Reference: h.Reference,
	}
	if !h.Arbiter.IsZero() {
		out.Arbiter = &h.Arbiter
	}
	return out, nil
}

// GetHolder is ledger_getHolder.
func (a *ledgerAPI) GetHolder(ctx context.Context, asset, account arg) (json.RawMessage, error) {
	return a.reading(ctx, "ledger_getHolder", []arg{asset, account}, func(r ledger.Reader, p *params) (any, error) {
		asset, account := p.address(), p.address()
		if p.err != nil {
			return nil, p.err
		}
		value, err := r.Get(ledger.KeyHolder(asset, account))
		if err != nil {
			return nil, err
		}
		h, err := ledger.DecodeHolder(value)
		return &wire.Holder{Asset: asset, Account: account, Approved: h.Approved, Frozen: h.Frozen, FrozenAmount: h.FrozenAmount}, err
	})
}

// GetMetadata is ledger_getMetadata.
func (a *ledgerAPI) GetMetadata(ctx context.Context, asset arg) (json.RawMessage, error) {
	return a.reading(ctx, "ledger_getMetadata", []arg{asset}, func(r ledger.Reader, p *params) (any, error) {
		asset := p.address()
		if p.err != nil {
			return nil, p.err
		}
		value, err := r.Get(ledger.KeyMetadata(asset))
		if err != nil {
			return nil, err
		}
		m, err := ledger.DecodeMetadata(value)
		return &wire.Metadata{Asset: asset, URI: m.URI, Hash: m.Hash}, err
	})
}
