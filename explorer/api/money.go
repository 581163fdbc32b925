package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer/query"
)

// AccountParam names an account. Like the other groups of parameters it is exported because huma reads
// only embedded fields that are.
type AccountParam struct {
	Account string `path:"account" pattern:"^0x[0-9a-fA-F]{40}$" doc:"An account's address"`
}

// money registers what is asked of accounts and movements.
func (s *server) money(a huma.API) {
	read(a, s, huma.Operation{OperationID: "listMovements", Path: "/movements", Tags: []string{"Movements"}, Summary: "Amounts that changed their place",
		Description: "Transfers, issues, redemptions and holds, by place in the chain. type may leave pages short."}, s.movements)
	read(a, s, huma.Operation{OperationID: "listAccounts", Path: "/accounts", Tags: []string{"Accounts"}, Summary: "Accounts"}, s.accounts)
	read(a, s, huma.Operation{OperationID: "getAccount", Path: "/accounts/{account}", Tags: []string{"Accounts"}, Summary: "An account: its keys, status and member",
		Description: "Now, or as it was at a past height or time."}, s.account)
	read(a, s, huma.Operation{OperationID: "listAccountHistory", Path: "/accounts/{account}/history", Tags: []string{"Accounts"},
		Summary: "How an account's keys, status and member changed"}, s.accountHistory)
	read(a, s, huma.Operation{OperationID: "listBalances", Path: "/accounts/{account}/balances", Tags: []string{"Accounts"}, Summary: "An account's balances",
		Description: "Now, or as they were at a past height or time."}, s.balances)
	read(a, s, huma.Operation{OperationID: "listAccountTransactions", Path: "/accounts/{account}/transactions", Tags: []string{"Accounts"},
		Summary: "Transactions that an account sent or that had an effect on it"}, s.accountTransactions)
	read(a, s, huma.Operation{OperationID: "listAccountHolds", Path: "/accounts/{account}/holds", Tags: []string{"Accounts"}, Summary: "Holds that an account pays or is paid by"}, s.accountHolds)
	read(a, s, huma.Operation{OperationID: "getStatement", Path: "/accounts/{account}/statement", Tags: []string{"Accounts"}, Summary: "What moved a balance in a period",
		Description: "Opening and closing balance are those of the whole period, on every page. What happens at the time to itself belongs to the next period."}, s.statement)
	read(a, s, huma.Operation{OperationID: "exportStatement", Path: "/accounts/{account}/statement.csv", Tags: []string{"Accounts"}, Summary: "A statement as CSV",
		Description: "All of the period, in which the time to is not included, the oldest first, in one answer (RFC 4180, UTF-8). Texts that a spreadsheet would take for a formula begin with an apostrophe.",
		Responses: map[string]*huma.Response{"200": {Description: "The statement", Content: map[string]*huma.MediaType{
			"text/csv": {Schema: &huma.Schema{Type: huma.TypeString}}}}}}, s.statementCSV)
	read(a, s, huma.Operation{OperationID: "getBalanceSeries", Path: "/accounts/{account}/series", Tags: []string{"Accounts"}, Summary: "A balance over time"}, s.balanceSeries)
}

func (s *server) movements(ctx context.Context, in *struct {
	OrderedParams
	PeriodParams
	Account   string `query:"account" pattern:"^0x[0-9a-fA-F]{40}$" doc:"That moved a balance of this account: what it paid, was paid, set aside or got back"`
	Asset     string `query:"asset" maxLength:"42" doc:"Of this asset: its address or symbol"`
	Reference string `query:"reference" maxLength:"35" doc:"With this reference, in either case"`
	Type      string `query:"type" enum:"transfer,issue,redeem,clawback,holdCreated,holdCaptured,holdReleased" doc:"Of this type"`
}) (*answer[query.List[query.Movement]], error) {
	from, to, err := in.times()
	if err != nil {
		return nil, err
	}
	f := query.MovementFilter{Reference: in.Reference, Type: in.Type, From: from, To: to}
	if f.Account, err = addressOr("account", in.Account); err != nil {
		return nil, err
	}
	if f.Asset, err = s.assetOr(ctx, in.Asset); err != nil {
		return nil, err
	}
	return listed(s.q.Movements(ctx, f, in.OrderedParams.page()))
}

func (s *server) accounts(ctx context.Context, in *struct {
	PageParams
	Member string `query:"member" pattern:"^0x[0-9a-fA-F]{40}$" doc:"That this member answers for"`
	Status string `query:"status" enum:"active,frozen,frozenByNetwork,frozenByBoth,closed" doc:"With this status"`
}) (*answer[query.List[query.Account]], error) {
	member, err := addressOr("member", in.Member)
	if err != nil {
		return nil, err
	}
	return listed(s.q.Accounts(ctx, query.AccountFilter{Member: member, Status: in.Status}, in.page()))
}

func (s *server) account(ctx context.Context, in *struct {
	AccountParam
	MomentParams
}) (*answer[query.Account], error) {
	a, err := address("account", in.Account)
	if err != nil {
		return nil, err
	}
	at, err := in.moment()
	if err != nil {
		return nil, err
	}
	return current(s.q.Account(ctx, a, at))
}

func (s *server) accountHistory(ctx context.Context, in *struct {
	AccountParam
	PageParams
}) (*answer[query.List[query.AccountChange]], error) {
	a, err := address("account", in.Account)
	if err != nil {
		return nil, err
	}
	return listed(s.q.AccountHistory(ctx, a, in.page()))
}

func (s *server) balances(ctx context.Context, in *struct {
	AccountParam
	MomentParams
	PageParams
}) (*answer[query.List[query.Balance]], error) {
	a, err := address("account", in.Account)
	if err != nil {
		return nil, err
	}
	at, err := in.moment()
	if err != nil {
		return nil, err
	}
	return listed(s.q.Balances(ctx, a, at, in.page()))
}

func (s *server) accountTransactions(ctx context.Context, in *struct {
	AccountParam
	OrderedParams
}) (*answer[query.List[query.Transaction]], error) {
	a, err := address("account", in.Account)
	if err != nil {
		return nil, err
	}
	return listed(s.q.Transactions(ctx, query.TransactionFilter{Account: &a}, in.page()))
}

func (s *server) accountHolds(ctx context.Context, in *struct {
	AccountParam
	OrderedParams
	Status string `query:"status" enum:"open,captured,released,expired" doc:"With this status"`
}) (*answer[query.List[query.Hold]], error) {
	a, err := address("account", in.Account)
	if err != nil {
		return nil, err
	}
	return listed(s.q.Holds(ctx, query.HoldFilter{Account: &a, Status: in.Status}, in.page()))
}

// StatementParams choose a statement.
type StatementParams struct {
	AccountParam
	PeriodParams
	Asset string `query:"asset" required:"true" maxLength:"42" example:"USD" doc:"The asset: its address or symbol"`
}

func (s *server) statementFilter(ctx context.Context, p StatementParams) (f query.StatementFilter, err error) {
	if f.Account, err = address("account", p.Account); err != nil {
		return f, err
	}
	if f.From, f.To, err = p.times(); err != nil {
		return f, err
	}
	f.Asset, err = s.asset(ctx, p.Asset)
	return f, err
}

func (s *server) statement(ctx context.Context, in *struct {
	StatementParams
	OrderedParams
}) (*answer[query.Statement], error) {
	f, err := s.statementFilter(ctx, in.StatementParams)
	if err != nil {
		return nil, err
	}
	st, err := s.q.Statement(ctx, f, in.OrderedParams.page())
	if err == nil && st.Items == nil {
		st.Items = []query.StatementLine{}
	}
	return current(st, err)
}

func (s *server) balanceSeries(ctx context.Context, in *struct {
	AccountParam
	SpanParams
	Asset string `query:"asset" required:"true" maxLength:"42" example:"USD" doc:"The asset: its address or symbol"`
}) (*answer[series[query.BalancePoint]], error) {
	a, err := address("account", in.Account)
	if err != nil {
		return nil, err
	}
	asset, err := s.asset(ctx, in.Asset)
	if err != nil {
		return nil, err
	}
	span, err := in.span()
	if err != nil {
		return nil, err
	}
	return sampled(s.q.BalanceSeries(ctx, a, asset, span))
}

// asset finds the asset that an address or a symbol names.
func (s *server) asset(ctx context.Context, name string) (crypto.Address, error) {
	return FindAsset(ctx, s.q, name)
}

func (s *server) assetOr(ctx context.Context, name string) (*crypto.Address, error) {
	if name == "" {
		return nil, nil
	}
	a, err := s.asset(ctx, name)
	return &a, err
}
