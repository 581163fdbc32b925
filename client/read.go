package client

import (
	"context"
	"fmt"
	"strconv"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// Status describes the node that reads go to.
func (c *Client) Status(ctx context.Context) (*wire.Status, error) {
	var s wire.Status
	if err := c.read(ctx, &s, "ledger_status"); err != nil {
		return nil, err
	}
	return &s, nil
}

// TypedData asks a node for what a wallet signs for body. Network.Digest
// computes the same without a node.
func (c *Client) TypedData(ctx context.Context, body ledger.Body) (*wire.TypedData, error) {
	var d wire.TypedData
	if err := c.read(ctx, &d, "ledger_typedData", body); err != nil {
		return nil, err
	}
	return &d, nil
}

// Receipt returns the receipt of a committed transaction, or nil where the
// node has none.
func (c *Client) Receipt(ctx context.Context, hash crypto.Hash) (*wire.Receipt, error) {
	return optional[wire.Receipt](ctx, c, "ledger_getReceipt", hash)
}

// ReceiptByNonce returns the receipt of the transaction that spent a nonce, or
// nil where the node has none.
func (c *Client) ReceiptByNonce(ctx context.Context, sender crypto.Address, nonce ledger.Nonce) (*wire.Receipt, error) {
	return optional[wire.Receipt](ctx, c, "ledger_getReceiptByNonce", sender, nonce)
}

// Transaction returns a transaction, pending or committed, or nil where the
// node has none.
func (c *Client) Transaction(ctx context.Context, hash crypto.Hash) (*wire.Transaction, error) {
	return optional[wire.Transaction](ctx, c, "ledger_getTransaction", hash)
}

// LatestBlock returns the newest block.
func (c *Client) LatestBlock(ctx context.Context) (*wire.Block, error) { return c.block(ctx, "latest") }

// BlockAt returns the block at a height.
func (c *Client) BlockAt(ctx context.Context, height ledger.Height) (*wire.Block, error) {
	return c.block(ctx, uint64(height))
}

// BlockByHash returns the block with a hash.
func (c *Client) BlockByHash(ctx context.Context, hash crypto.Hash) (*wire.Block, error) {
	return c.block(ctx, hash)
}

func (c *Client) block(ctx context.Context, which any) (*wire.Block, error) {
	return required[wire.Block](ctx, c, fmt.Sprintf("block %v", which), "ledger_getBlock", which)
}

// Account returns an account with its balances, as it was after the block at
// height, or as it is where height is nil. An account that is not there is an
// error with NameNotFound.
func (c *Client) Account(ctx context.Context, address crypto.Address, height *ledger.Height) (*wire.Account, error) {
	return required[wire.Account](ctx, c, fmt.Sprintf("account %s", address), "ledger_getAccount", at(height, address)...)
}

// Balance returns an account's balance of one asset, zero where it has none.
func (c *Client) Balance(ctx context.Context, account, asset crypto.Address, height *ledger.Height) (*wire.Balance, error) {
	var b wire.Balance
	if err := c.read(ctx, &b, "ledger_getBalance", at(height, account, asset)...); err != nil {
		return nil, err
	}
	return &b, nil
}

// Asset finds an asset by its address or its symbol. One that is not there is
// an error with NameNotFound.
func (c *Client) Asset(ctx context.Context, addressOrSymbol string) (*wire.Asset, error) {
	return required[wire.Asset](ctx, c, fmt.Sprintf("asset %s", strconv.Quote(addressOrSymbol)), "ledger_getAsset", addressOrSymbol)
}

// Assets lists assets, ascending by address. The zero Page asks for the first.
func (c *Client) Assets(ctx context.Context, page wire.Page) (*wire.AssetPage, error) {
	var p wire.AssetPage
	if err := c.read(ctx, &p, "ledger_listAssets", page); err != nil {
		return nil, err
	}
	return &p, nil
}

// AllAssets lists every asset, page by page.
func (c *Client) AllAssets(ctx context.Context) ([]wire.Asset, error) {
	return everyPage(func(page wire.Page) ([]wire.Asset, *string, error) {
		p, err := c.Assets(ctx, page)
		if err != nil {
			return nil, nil, err
		}
		return p.Items, p.Next, nil
	})
}

// errEndless is what a list ends with that would never end.
var errEndless = &Error{Name: NameAnswer, Message: "the list does not end: the node gave the same cursor twice"}

// everyPage reads a list to its end; read answers with a page and the cursor of
// the next.
func everyPage[T any](read func(wire.Page) ([]T, *string, error)) ([]T, error) {
	all := []T{}
	page := wire.Page{Limit: 1000}
	for {
		items, next, err := read(page)
		if err != nil {
			return nil, err
		}
		all = append(all, items...)
		if next == nil {
			return all, nil
		}
		if *next == page.Cursor {
			return nil, errEndless
		}
		page.Cursor = *next
	}
}

// at appends a height to a method's parameters, where there is one.
func at(height *ledger.Height, args ...any) []any {
	if height == nil {
		return args
	}
	return append(args, uint64(*height))
}

// optional reads what may be null.
func optional[T any](ctx context.Context, c *Client, method string, args ...any) (*T, error) {
	var v *T
	if err := c.read(ctx, &v, method, args...); err != nil {
		return nil, err
	}
	return v, nil
}

// required reads what is called what, and must be there.
func required[T any](ctx context.Context, c *Client, what, method string, args ...any) (*T, error) {
	v, err := optional[T](ctx, c, method, args...)
	if err == nil && v == nil {
		err = &Error{Code: wire.CodeNotFound, Name: NameNotFound, Message: what + " is not on the ledger"}
	}
	if err != nil {
		return nil, err
	}
	return v, nil
}
