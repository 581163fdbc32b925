package client

import (
	"context"
	"fmt"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// Authority says whose signatures an account's transactions need. An account
// that is not there is an error with NameNotFound.
func (c *Client) Authority(ctx context.Context, account crypto.Address) (*wire.Authority, error) {
	return required[wire.Authority](ctx, c, fmt.Sprintf("account %s", account), "ledger_getAuthority", account)
}

// Hold finds a hold that has not ended. One that has, or never was, is an error
// with NameNotFound.
func (c *Client) Hold(ctx context.Context, hold crypto.Address) (*wire.OpenHold, error) {
	return required[wire.OpenHold](ctx, c, fmt.Sprintf("hold %s", hold), "ledger_getHold", hold)
}

// Holder says what an asset's issuer has said about an account.
func (c *Client) Holder(ctx context.Context, asset, account crypto.Address) (*wire.Holder, error) {
	var h wire.Holder
	if err := c.read(ctx, &h, "ledger_getHolder", asset, account); err != nil {
		return nil, err
	}
	return &h, nil
}

// Metadata says where an asset's terms stand.
func (c *Client) Metadata(ctx context.Context, asset crypto.Address) (*wire.Metadata, error) {
	var m wire.Metadata
	if err := c.read(ctx, &m, "ledger_getMetadata", asset); err != nil {
		return nil, err
	}
	return &m, nil
}

// Member finds a member by its admin account. One that is not there is an error
// with NameNotFound.
func (c *Client) Member(ctx context.Context, member crypto.Address) (*wire.Member, error) {
	return required[wire.Member](ctx, c, fmt.Sprintf("member %s", member), "ledger_getMember", member)
}

// AllMembers lists every member, removed ones included, ascending by address.
func (c *Client) AllMembers(ctx context.Context) ([]wire.Member, error) {
	return everyPage(func(page wire.Page) ([]wire.Member, *string, error) {
		var p wire.MemberPage
		err := c.read(ctx, &p, "ledger_listMembers", page)
		return p.Items, p.Next, err
	})
}

// Validators lists who votes on the next block.
func (c *Client) Validators(ctx context.Context) (*wire.Validators, error) {
	var v wire.Validators
	if err := c.read(ctx, &v, "ledger_listValidators"); err != nil {
		return nil, err
	}
	return &v, nil
}

// Proposal finds a proposal by its number. One that is not there is an error
// with NameNotFound.
func (c *Client) Proposal(ctx context.Context, proposal ledger.ProposalID) (*wire.Proposal, error) {
	return required[wire.Proposal](ctx, c, fmt.Sprintf("proposal %d", proposal), "ledger_getProposal", uint64(proposal))
}

// AllProposals lists every proposal, the newest first.
func (c *Client) AllProposals(ctx context.Context) ([]wire.Proposal, error) {
	return everyPage(func(page wire.Page) ([]wire.Proposal, *string, error) {
		var p wire.ProposalPage
		err := c.read(ctx, &p, "ledger_listProposals", page)
		return p.Items, p.Next, err
	})
}

// Params says what members can change by vote.
func (c *Client) Params(ctx context.Context) (*wire.Params, error) {
	var p wire.Params
	if err := c.read(ctx, &p, "ledger_getParams"); err != nil {
		return nil, err
	}
	return &p, nil
}
