package web

import (
	"fmt"
	"html/template"
	"net/http"

	"github.com/tallystick/tallystick/explorer/query"
	"github.com/tallystick/tallystick/explorer/words"
	"github.com/tallystick/tallystick/ledger"
)

type accountsData struct {
	Accounts []query.Account
	Turn     turn
	Status   string
	Member   string
}

// accountStatuses are the statuses of accounts.
var accountStatuses = []string{"active", "frozen", "frozenByNetwork", "frozenByBoth", "closed"}

func (s *site) accounts(r *http.Request) (*view, error) {
	p := parametersOf(r)
	f := query.AccountFilter{Member: p.address("member"), Status: p.choice("status", accountStatuses...)}
	page := p.page()
	if p.err != nil {
		return nil, p.err
	}
	list, err := s.q.Accounts(r.Context(), f, page)
	if err != nil {
		return nil, err
	}
	return &view{name: "accounts", Title: "Accounts", Nav: "accounts", Data: &accountsData{list.Items, turnOf(r, list.Next), f.Status, p.text("member", 42)}}, nil
}

type accountData struct {
	*query.Account
	Balances     []query.Balance
	BalancesMore bool
	Chosen       *query.AssetRef // whose statement is shown; nil without any balance
	Statement    *query.Statement
	Turn         turn
	Chart        *Chart
	QR           template.HTML
	Holds        []query.Hold
	From, To     string
	CSV          string
	API          string
	History      []query.AccountChange
	At           string // a past date whose balances are shown
	AtTime       uint64
}

// statementRows is how many lines of a statement a page has.
const statementRows = 20

func (s *site) account(r *http.Request) (*view, error) {
	address, err := addressIn(r, "account")
	if err != nil {
		return nil, err
	}
	p := parametersOf(r)
	from, to, at := p.time("from"), p.time("to"), p.time("at")
	assetName, page := p.text("asset", 42), p.page()
	if p.err == nil && from != nil && to != nil && *from > *to {
		p.fail("to", "the period ends before it begins")
	}
	if p.err != nil {
		return nil, p.err
	}
	ctx := r.Context()
	moment := query.Moment{Time: at}
	account, err := s.q.Account(ctx, address, moment)
	if err != nil {
		return nil, err
	}
	balances, err := s.q.Balances(ctx, address, moment, query.Page{Limit: 100})
	if err != nil {
		return nil, err
	}
	d := &accountData{Account: account, Balances: balances.Items, BalancesMore: balances.Next != nil, From: p.text("from", 40), To: p.text("to", 40),
		At: p.text("at", 40), QR: qrCode(address.String()), API: "/api/v1/accounts/" + address.String()}
	if at != nil {
		d.AtTime = uint64(*at)
	}
	if d.Chosen, err = s.chosen(r, balances.Items, assetName); err != nil {
		return nil, err
	}
	if d.Chosen != nil {
		page.Limit = statementRows
		if err := s.accountMoney(r, d, from, to, page); err != nil {
			return nil, err
		}
	}
	holds, err := s.q.Holds(ctx, query.HoldFilter{Account: &address, Status: "open"}, query.Page{Limit: 10})
	if err != nil {
		return nil, err
	}
	d.Holds = holds.Items
	history, err := s.q.AccountHistory(ctx, address, query.Page{Limit: 10})
	if err != nil {
		return nil, err
	}
	d.History = history.Items
	return &view{name: "account", Title: "Account " + address.String()[:10] + "…", Nav: "accounts", Data: d}, nil
}

// chosen is the asset whose statement is shown: the one that is asked for, or the
// first that the account has.
func (s *site) chosen(r *http.Request, balances []query.Balance, name string) (*query.AssetRef, error) {
	if name != "" {
		asset, err := s.findAsset(r, name)
		if err != nil {
			return nil, err
		}
		return &asset.AssetRef, nil
	}
	for i := range balances {
		if !balances[i].Total.IsZero() {
			return &balances[i].AssetRef, nil
		}
	}
	return nil, nil
}

// accountMoney fills in the statement and the chart.
func (s *site) accountMoney(r *http.Request, d *accountData, from, to *ledger.UnixTime, page query.Page) error {
	ctx := r.Context()
	var err error
	d.Statement, err = s.q.Statement(ctx, query.StatementFilter{Account: d.Address, Asset: d.Chosen.Asset, From: from, To: to}, page)
	if err != nil {
		return err
	}
	d.Turn = turnOf(r, d.Statement.Next)
	span := query.Span{Points: 120}
	pairs := []string{"asset", d.Chosen.Asset.String()}
	if from != nil {
		span.From = *from
		pairs = append(pairs, "from", d.From)
	}
	if to != nil {
		span.To = *to
		pairs = append(pairs, "to", d.To)
	}
	d.CSV = withQuery(d.API+"/statement.csv", pairs...)
	points, err := s.q.BalanceSeries(ctx, d.Address, d.Chosen.Asset, span)
	if err != nil {
		return err
	}
	d.Chart = balanceChart(points, *d.Chosen)
	return nil
}

func balanceChart(points []query.BalancePoint, asset query.AssetRef) *Chart {
	c := &Chart{Title: "Balance over time"}
	if len(points) < 2 {
		return c
	}
	var values []value
	lowest, highest := points[0].Total, points[0].Total
	for _, p := range points {
		values = append(values, value{p.Total.Uint256().Float64(), words.UTC(p.Time) + ": " + words.Decimal(p.Total, asset.Decimals) + " " + asset.Symbol})
		if p.Total.Cmp(highest) > 0 {
			highest = p.Total
		}
		if p.Total.Cmp(lowest) < 0 {
			lowest = p.Total
		}
	}
	last := points[len(points)-1]
	c.SVG, c.Times = line(values, true), true
	c.Top, c.Now = words.Decimal(highest, asset.Decimals), words.Decimal(last.Total, asset.Decimals)+" "+asset.Symbol
	if floorOf(values) > 0 {
		c.Bottom = words.Decimal(lowest, asset.Decimals)
	}
	c.Left, c.Right = fmt.Sprint(points[0].Time), fmt.Sprint(last.Time)
	c.Says = fmt.Sprintf("Between %s and %s %s, now %s", words.Decimal(lowest, asset.Decimals), words.Decimal(highest, asset.Decimals), asset.Symbol, words.Decimal(last.Total, asset.Decimals))
	return c
}

type holdsData struct {
	Holds  []query.Hold
	Turn   turn
	Status string
}

func (s *site) holds(r *http.Request) (*view, error) {
	p := parametersOf(r)
	f := query.HoldFilter{Account: p.address("account"), Status: p.choice("status", "open", "captured", "released", "expired")}
	page := p.page()
	if p.err != nil {
		return nil, p.err
	}
	list, err := s.q.Holds(r.Context(), f, page)
	if err != nil {
		return nil, err
	}
	return &view{name: "holds", Title: "Holds", Nav: "accounts", Data: &holdsData{list.Items, turnOf(r, list.Next), f.Status}}, nil
}

func (s *site) hold(r *http.Request) (*view, error) {
	address, err := addressIn(r, "hold")
	if err != nil {
		return nil, err
	}
	h, err := s.q.Hold(r.Context(), address)
	if err != nil {
		return nil, err
	}
	return &view{name: "hold", Title: "Hold " + address.String()[:10] + "…", Nav: "accounts", Data: h}, nil
}
