package web

import (
	"net/http"
	"net/url"

	"github.com/tallystick/tallystick/explorer/api"
	"github.com/tallystick/tallystick/explorer/query"
)

type searchData struct {
	Query string
	Hits  []hit
}

// hit is a hit and where it leads.
type hit struct {
	query.Hit
	Path string
}

// places are where the pages of hits are, by their kinds.
var places = map[string]string{
	"block": "/blocks/", "transaction": "/transactions/", "account": "/accounts/", "asset": "/assets/", "member": "/members/",
	"validator": "/validators/", "hold": "/holds/", "proposal": "/proposals/", "reference": "/transactions/", "memo": "/transactions/",
}

// certain is the score of a hit that can be nothing else.
const certain = 1

func (s *site) search(r *http.Request) (*view, error) {
	p := parametersOf(r)
	if p.err != nil {
		return nil, p.err
	}
	raw := p.values.Get("q")
	d := &searchData{Query: raw}
	v := &view{name: "search", Title: "Search", Data: d}
	if raw == "" {
		return v, nil
	}
	text, ok := api.CleanQuery(raw)
	if !ok {
		return nil, refuse("q", "there is nothing in it to search for, or more than 256 bytes")
	}
	hits, err := s.q.Search(r.Context(), text, query.MaxHits)
	if err != nil {
		return nil, err
	}
	for _, h := range hits {
		d.Hits = append(d.Hits, hit{h, places[h.Kind] + url.PathEscape(h.ID)})
	}
	if len(hits) == 1 && hits[0].Score >= certain || len(hits) > 1 && hits[0].Score >= certain && hits[1].Score < certain {
		return &view{moved: d.Hits[0].Path}, nil
	}
	d.Query, v.Title = text, "Search: "+text
	return v, nil
}
