package web

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer/query"
	"github.com/tallystick/tallystick/explorer/words"
)

// assetStatuses are the statuses of assets.
var assetStatuses = []string{"active", "paused", "pausedByNetwork", "pausedByBoth", "retired", "retiredAndPaused"}

type assetsData struct {
	Assets []query.Asset
	Turn   turn
	Status string
}

func (s *site) assets(r *http.Request) (*view, error) {
	p := parametersOf(r)
	f := query.AssetFilter{Issuer: p.address("issuer"), Status: p.choice("status", assetStatuses...)}
	page := p.page()
	if p.err != nil {
		return nil, p.err
	}
	list, err := s.q.Assets(r.Context(), f, page)
	if err != nil {
		return nil, err
	}
	return &view{name: "assets", Title: "Assets", Nav: "assets", Data: &assetsData{list.Items, turnOf(r, list.Next), f.Status}}, nil
}

type assetData struct {
	*query.Asset
	Link      bool // the URI is one that a page may link to
	Supplied  *Chart
	Holding   []query.Holder
	More      bool
	Movements []query.Movement
	Turn      turn
	Events    []told
}

// told is a sentence and where what it says happened.
type told struct {
	query.Place
	Sentence words.Sentence
}

var symbol = regexp.MustCompile(`^[A-Z0-9]{1,12}$`)

// findAsset finds an asset by its address or symbol.
func (s *site) findAsset(r *http.Request, name string) (*query.Asset, error) {
	if strings.HasPrefix(name, "0x") {
		a, err := crypto.ParseAddress(name)
		if err != nil {
			return nil, refuse("asset", err.Error())
		}
		return s.q.Asset(r.Context(), a)
	}
	if upper := strings.ToUpper(name); symbol.MatchString(upper) {
		return s.q.AssetBySymbol(r.Context(), upper)
	}
	return nil, refuse("asset", "it is neither an address nor a symbol of 1 to 12 letters and digits")
}

func (s *site) asset(r *http.Request) (*view, error) {
	ctx := r.Context()
	a, err := s.findAsset(r, r.PathValue("asset"))
	if err != nil {
		return nil, err
	}
	p := parametersOf(r)
	page := p.page()
	if p.err != nil {
		return nil, p.err
	}
	page.Limit = 15
	d := &assetData{Asset: a, Link: strings.HasPrefix(a.URI, "https://") || strings.HasPrefix(a.URI, "http://")}
	points, err := s.q.SupplySeries(ctx, a.Asset, query.Span{Points: 120})
	if err != nil {
		return nil, err
	}
	d.Supplied = supplyChart(points, a)
	holders, err := s.q.Holders(ctx, a.Asset, query.Page{Limit: 10})
	if err != nil {
		return nil, err
	}
	d.Holding, d.More = holders.Items, holders.Next != nil
	movements, err := s.q.Movements(ctx, query.MovementFilter{Asset: &a.Asset}, page)
	if err != nil {
		return nil, err
	}
	d.Movements, d.Turn = movements.Items, turnOf(r, movements.Next)
	events, err := s.q.AssetEvents(ctx, a.Asset, query.Page{Limit: 10})
	if err != nil {
		return nil, err
	}
	for i, sentence := range s.tell(events.Items) {
		d.Events = append(d.Events, told{events.Items[i].Place, sentence})
	}
	return &view{name: "asset", Title: a.Symbol, Nav: "assets", Data: d}, nil
}

func supplyChart(points []query.SupplyPoint, a *query.Asset) *Chart {
	c := &Chart{Title: "Supply over time"}
	if len(points) < 2 {
		return c
	}
	var values []value
	top := points[0].Supply
	for _, p := range points {
		values = append(values, value{p.Supply.Uint256().Float64(), words.UTC(p.Time) + ": " + words.Decimal(p.Supply, a.Decimals) + " " + a.Symbol})
		if p.Supply.Cmp(top) > 0 {
			top = p.Supply
		}
	}
	last := points[len(points)-1]
	c.SVG, c.Times = line(values, true), true
	c.Top, c.Now = words.Decimal(top, a.Decimals), words.Decimal(last.Supply, a.Decimals)+" "+a.Symbol
	c.Left, c.Right = fmt.Sprint(points[0].Time), fmt.Sprint(last.Time)
	c.Says = "The supply was " + words.Decimal(points[0].Supply, a.Decimals) + " at first and is " + words.Decimal(last.Supply, a.Decimals) + " " + a.Symbol + " now"
	return c
}
