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

const (
	// certain is the least score of a hit that has just the height, hash or address
	// that was looked for.
	certain = 0.99
	// rival is the least score of another that may have been meant as well, such as the
	// proposal that has the number of a block.
	rival = 0.95
)

// goesTo is where a search leads without a list: to what alone can be meant. A member
// has the address of its admin account, and is meant.
func goesTo(hits []hit) (path string, ok bool) {
	if len(hits) == 0 || hits[0].Score < certain {
		return "", false
	}
	for _, other := range hits[1:] {
		if other.Score >= rival && (other.ID != hits[0].ID || other.Kind == "proposal") {
			return "", false
		}
	}
	return hits[0].Path, true
}

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
	if path, ok := goesTo(d.Hits); ok {
		return &view{moved: path}, nil
	}
	d.Query, v.Title = text, "Search: "+text
	return v, nil
}
