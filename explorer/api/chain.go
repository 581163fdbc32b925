package api

import (
	"context"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer/query"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// BlockParam names a block. Like the other groups of parameters it is exported because huma reads
// only embedded fields that are.
type BlockParam struct {
	Block string `path:"block" maxLength:"66" example:"1" doc:"A height, a block's hash, or latest"`
}

// HeightParam names a block by its height. Like the other groups of parameters it is exported because huma reads
// only embedded fields that are.
type HeightParam struct {
	Height uint64 `path:"height" maximum:"9007199254740991" example:"1" doc:"A block's height; 0 is the genesis"`
}

// HashParam names a transaction. Like the other groups of parameters it is exported because huma reads
// only embedded fields that are.
type HashParam struct {
	Hash string `path:"hash" pattern:"^0x[0-9a-fA-F]{64}$" doc:"A transaction's hash"`
}

// chain registers what is asked of blocks and transactions.
func (s *server) chain(a huma.API) {
	read(a, s, huma.Operation{OperationID: "listBlocks", Path: "/blocks", Tags: []string{"Blocks"}, Summary: "Blocks, by height"}, s.blocks)
	read(a, s, huma.Operation{OperationID: "getBlock", Path: "/blocks/{block}", Tags: []string{"Blocks"}, Summary: "A block",
		Description: "A block never changes: by its hash the answer may be kept for ever, by its height for an hour, since another network may come to stand at this address."}, s.block)
	read(a, s, huma.Operation{OperationID: "listBlockTransactions", Path: "/blocks/{height}/transactions", Tags: []string{"Blocks"},
		Summary: "A block's transactions"}, s.blockTransactions)
	read(a, s, huma.Operation{OperationID: "listBlockEvents", Path: "/blocks/{height}/events", Tags: []string{"Blocks"},
		Summary: "What a block did by itself", Description: "What fell due, evidence and upgrades; of height 0 all that the network began with."}, s.blockEvents)
	read(a, s, huma.Operation{OperationID: "listTransactions", Path: "/transactions", Tags: []string{"Transactions"}, Summary: "Transactions, by place in the chain",
		Description: "With several filters a page may be shorter than limit, or empty, and not the last: go on while next is not null."}, s.transactions)
	read(a, s, huma.Operation{OperationID: "getTransaction", Path: "/transactions/{hash}", Tags: []string{"Transactions"}, Summary: "A transaction",
		Description: "All of it: decoded, raw, its signers, and the first hundred of its events."}, s.transaction)
	read(a, s, huma.Operation{OperationID: "listTransactionEvents", Path: "/transactions/{hash}/events", Tags: []string{"Transactions"},
		Summary: "A transaction's events"}, s.transactionEvents)
	read(a, s, huma.Operation{OperationID: "getReceipt", Path: "/transactions/{hash}/receipt", Tags: []string{"Transactions"}, Summary: "A transaction's receipt",
		Description: "What became of it, as ledger_getReceipt of the JSON-RPC says it."}, s.receipt)
}

func (s *server) blocks(ctx context.Context, in *struct {
	OrderedParams
	PeriodParams
	Proposer string `query:"proposer" pattern:"^0x[0-9a-fA-F]{40}$" doc:"Proposed by this validator (consensus address)"`
	NonEmpty bool   `query:"nonEmpty" doc:"With transactions only"`
}) (*answer[query.List[query.Block]], error) {
	from, to, err := in.times()
	if err != nil {
		return nil, err
	}
	f := query.BlockFilter{From: from, To: to, NonEmpty: in.NonEmpty}
	if in.Proposer != "" {
		p, err := consensusOf("proposer", in.Proposer)
		if err != nil {
			return nil, err
		}
		f.Proposer = &p
	}
	return listed(s.q.Blocks(ctx, f, in.OrderedParams.page()))
}

func (s *server) block(ctx context.Context, in *BlockParam) (*answer[query.Block], error) {
	switch {
	case in.Block == "latest":
		status, err := s.q.Status(ctx)
		if err != nil {
			return nil, err
		}
		return current(s.q.Block(ctx, ledger.Height(status.Height)))
	case strings.HasPrefix(in.Block, "0x"):
		h, err := hashOf("block", in.Block)
		if err != nil {
			return nil, err
		}
		b, err := s.q.BlockByHash(ctx, h)
		if err != nil {
			return nil, err
		}
		return fixed(b), nil
	}
	n, err := number("block", in.Block)
	if err != nil {
		return nil, err
	}
	b, err := s.q.Block(ctx, ledger.Height(n))
	if err != nil {
		return nil, err
	}
	return &answer[query.Block]{lasting, *b}, nil
}

func (s *server) blockTransactions(ctx context.Context, in *struct {
	HeightParam
	PageParams
}) (*answer[query.List[query.Transaction]], error) {
	height := ledger.Height(in.Height)
	if _, err := s.q.Block(ctx, height); err != nil {
		return nil, err
	}
	page := in.page()
	page.Ascending = true
	return listed(s.q.Transactions(ctx, query.TransactionFilter{Height: &height}, page))
}

func (s *server) blockEvents(ctx context.Context, in *struct {
	HeightParam
	PageParams
}) (*answer[query.List[query.Event]], error) {
	if _, err := s.q.Block(ctx, ledger.Height(in.Height)); err != nil {
		return nil, err
	}
	return listed(s.q.BlockEvents(ctx, ledger.Height(in.Height), in.page()))
}

// TransactionParams choose transactions.
type TransactionParams struct {
	OrderedParams
	PeriodParams
	Height  string `query:"height" pattern:"^[0-9]{1,16}$" doc:"Of this block"`
	Account string `query:"account" pattern:"^0x[0-9a-fA-F]{40}$" doc:"Sent by this account, or with an effect on it"`
	Sender  string `query:"sender" pattern:"^0x[0-9a-fA-F]{40}$" doc:"Sent by this account"`
	Kind    string `query:"kind" pattern:"^[a-zA-Z]{1,32}$" example:"transfer" doc:"Of this kind, as in the field kind"`
	Status  string `query:"status" enum:"applied,refused" doc:"Applied ones only, or refused ones only"`
	Code    string `query:"code" pattern:"^[0-9]{1,5}$" doc:"With this result code; docs/FORMATS.md lists them"`
}

func (p TransactionParams) filter() (f query.TransactionFilter, err error) {
	if f.From, f.To, err = p.times(); err != nil {
		return f, err
	}
	if p.Height != "" {
		n, err := number("height", p.Height)
		if err != nil {
			return f, err
		}
		h := ledger.Height(n)
		f.Height = &h
	}
	if f.Account, err = addressOr("account", p.Account); err != nil {
		return f, err
	}
	if f.Sender, err = addressOr("sender", p.Sender); err != nil {
		return f, err
	}
	if p.Status != "" {
		refused := p.Status == "refused"
		f.Refused = &refused
	}
	if p.Code != "" {
		n, err := number("code", p.Code)
		if err != nil {
			return f, err
		}
		code := ledger.Code(n)
		f.Code = &code
	}
	f.Kind = p.Kind
	return f, KnownKind(p.Kind)
}

// KnownKind is nil for the name of a kind of transaction, or for no name.
func KnownKind(name string) error {
	if name == "" {
		return nil
	}
	var names []string
	for _, k := range ledger.Kinds() {
		if k.String() == name {
			return nil
		}
		names = append(names, k.String())
	}
	return wrong("kind", name, "is none of "+strings.Join(names, ", "))
}

func (s *server) transactions(ctx context.Context, in *TransactionParams) (*answer[query.List[query.Transaction]], error) {
	f, err := in.filter()
	if err != nil {
		return nil, err
	}
	return listed(s.q.Transactions(ctx, f, in.OrderedParams.page()))
}

// settled reports whether a transaction stands where it does for ever. One that
// spent no nonce may yet stand in the chain again.
func settled(code uint32) string {
	if ledger.Code(code).SpendsNonce() {
		return forever
	}
	return revalidate
}

func (s *server) transaction(ctx context.Context, in *HashParam) (*answer[query.TransactionDetail], error) {
	h, err := hashOf("hash", in.Hash)
	if err != nil {
		return nil, err
	}
	t, err := s.q.Transaction(ctx, h)
	if err != nil {
		return nil, err
	}
	if t.Signers == nil {
		t.Signers = []crypto.Address{}
	}
	if t.EventList == nil {
		t.EventList = []query.Event{}
	}
	return &answer[query.TransactionDetail]{settled(t.Code), *t}, nil
}

func (s *server) transactionEvents(ctx context.Context, in *struct {
	HashParam
	PageParams
}) (*answer[query.List[query.Event]], error) {
	h, err := hashOf("hash", in.Hash)
	if err != nil {
		return nil, err
	}
	return listed(s.q.TransactionEvents(ctx, h, in.page()))
}

func (s *server) receipt(ctx context.Context, in *HashParam) (*answer[wire.Receipt], error) {
	h, err := hashOf("hash", in.Hash)
	if err != nil {
		return nil, err
	}
	t, err := s.q.Transaction(ctx, h)
	if err != nil {
		return nil, err
	}
	receipt := wire.Receipt{
		Hash: t.Hash, BodyHash: t.BodyHash, Height: t.Height, BlockHash: t.BlockHash, BlockTime: t.Time,
		Sender: t.Sender, Nonce: t.Nonce, Kind: t.Kind, Code: t.Code, Status: t.Status, Message: t.Message, Events: []wire.Event{},
	}
	if t.Index != nil {
		receipt.Index = *t.Index
	}
	events, err := s.allEvents(ctx, t)
	for _, e := range events {
		receipt.Events = append(receipt.Events, e.Event)
	}
	return &answer[wire.Receipt]{settled(t.Code), receipt}, err
}

// allEvents are all of a transaction's events. There are as many as it has bytes for.
func (s *server) allEvents(ctx context.Context, t *query.TransactionDetail) ([]query.Event, error) {
	if uint64(len(t.EventList)) == t.Events {
		return t.EventList, nil
	}
	var all []query.Event
	for page := (query.Page{Limit: query.MaxLimit}); ; {
		part, err := s.q.TransactionEvents(ctx, t.Hash, page)
		if err != nil {
			return nil, err
		}
		all = append(all, part.Items...)
		if part.Next == nil {
			return all, nil
		}
		page.Cursor = *part.Next
	}
}
