package api

import (
	"context"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/explorer/query"
)

// network registers what is asked of the whole.
func (s *server) network(a huma.API) {
	read(a, s, huma.Operation{OperationID: "getStatus", Path: "/status", Tags: []string{"Network"}, Summary: "How far the index is, and how sure",
		Description: "behind is true where the index lags so far that readers should be told; differences above 0 means that it does not agree with the node's proven state."}, s.status)
	read(a, s, huma.Operation{OperationID: "getTotals", Path: "/totals", Tags: []string{"Network"}, Summary: "Counts of everything"}, s.totals)
	read(a, s, huma.Operation{OperationID: "getStatistics", Path: "/statistics", Tags: []string{"Network"}, Summary: "The network's figures over time",
		Description: "Transactions, transfers, latency between blocks and block size, one entry for each period that has a block; at most 2,000, the newest."}, s.statistics)
	read(a, s, huma.Operation{OperationID: "listDifferences", Path: "/differences", Tags: []string{"Network"}, Summary: "Where the index and the node's proven state did not agree"}, s.differences)
	read(a, s, huma.Operation{OperationID: "search", Path: "/search", Tags: []string{"Network"}, Summary: "What a text may mean, the likeliest first",
		Description: "A height, a hash or its beginning, an address, an asset's symbol or name, a member, a reference, words of a memo, a proposal by its number or the words of what it does."}, s.search)
}

func (s *server) status(ctx context.Context, _ *struct{}) (*answer[query.Status], error) {
	return current(s.q.Status(ctx))
}

func (s *server) totals(ctx context.Context, _ *struct{}) (*answer[query.Totals], error) {
	return current(s.q.Totals(ctx))
}

// statistics is a list that MaxBuckets bounds.
type statistics struct {
	Period string            `json:"period"`
	Items  []query.Statistic `json:"items"`
}

func (s *server) statistics(ctx context.Context, in *struct {
	PeriodParams
	Period string `query:"period" enum:"minute,hour,day" default:"hour" doc:"What is added up"`
}) (*answer[statistics], error) {
	from, to, err := in.times()
	if err != nil {
		return nil, err
	}
	list, err := s.q.Statistics(ctx, query.StatisticsFilter{Period: in.Period, From: from, To: to})
	if list == nil {
		list = []query.Statistic{}
	}
	return current(&statistics{in.Period, list}, err)
}

func (s *server) differences(ctx context.Context, in *struct{ PageParams }) (*answer[query.List[query.Difference]], error) {
	return listed(s.q.Differences(ctx, in.page()))
}

// hits is what a search found.
type hits struct {
	Query string      `json:"query"`
	Items []query.Hit `json:"items"`
}

// MaxQueryBytes bounds the text of a search.
const MaxQueryBytes = 256

// CleanQuery takes from a searched text what no index can have, and reports whether
// anything is left that can be searched for.
func CleanQuery(text string) (string, bool) {
	clean := strings.TrimSpace(strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\x00", ""))
	return clean, clean != "" && len(clean) <= MaxQueryBytes && utf8.ValidString(clean)
}

func (s *server) search(ctx context.Context, in *struct {
	Q     string `query:"q" required:"true" minLength:"1" maxLength:"256" example:"USD" doc:"What is searched for"`
	Limit int    `query:"limit" minimum:"1" maximum:"50" default:"20" doc:"How many hits at most"`
}) (*answer[hits], error) {
	text, ok := CleanQuery(in.Q)
	if !ok {
		return nil, wrong("q", nil, "has nothing to search for, or more than 256 bytes")
	}
	found, err := s.q.Search(ctx, text, in.Limit)
	if found == nil {
		found = []query.Hit{}
	}
	return current(&hits{text, found}, err)
}

// describeEvents puts the live updates into the document, which huma cannot derive:
// they are no operation that answers once.
func describeEvents(o *huma.OpenAPI) {
	o.AddOperation(&huma.Operation{
		OperationID: "followEvents", Method: http.MethodGet, Path: Prefix + "/events", Tags: []string{"Network"},
		Summary: "Live updates, as server-sent events",
		Description: "An event `block` for each block, with its height as id and {block, transactions, more} as data (ten transactions at most, " +
			"fewer where several blocks come at once; more is how many are left out); an event `status` when the index falls behind, catches up or differs; and an event `reset` where blocks were " +
			"left out, because there were more than 1,000 of them: read the lists again. A stream that broke goes on where it was when " +
			"Last-Event-ID has the last id, as browsers send by themselves.",
		Parameters: []*huma.Param{
			{Name: "Last-Event-ID", In: "header", Description: "The id of the last event that was seen", Schema: &huma.Schema{Type: huma.TypeString, Pattern: "^[0-9]{1,16}$"}},
			{Name: "after", In: "query", Description: "The same, for programs that cannot send the header", Schema: &huma.Schema{Type: huma.TypeString, Pattern: "^[0-9]{1,16}$"}},
		},
		Responses: map[string]*huma.Response{
			"200": {Description: "The stream", Content: map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}}}},
			"422": {Description: "Last-Event-ID is no height", Content: map[string]*huma.MediaType{"application/problem+json": {Schema: &huma.Schema{Ref: "#/components/schemas/ErrorModel"}}}},
			"429": {Description: "There are too many streams", Content: map[string]*huma.MediaType{"application/problem+json": {Schema: &huma.Schema{Ref: "#/components/schemas/ErrorModel"}}}},
		},
	})
}

const description = "Everything on the ledger, read from an index of its committed blocks. Amounts are decimal strings in an asset's smallest " +
	"unit, with the asset's decimals beside them; times are Unix seconds; addresses are EIP-55. Lists go in pages: ask again with cursor = next " +
	"until next is null. Nothing here changes the ledger: transactions go to a node's JSON-RPC."

var tags = []*huma.Tag{
	{Name: "Network", Description: "The whole: status, figures, search and live updates"},
	{Name: "Blocks", Description: "What the validators agreed on"},
	{Name: "Transactions", Description: "What was asked for, by whom, and what became of it"},
	{Name: "Movements", Description: "Amounts that changed their place"},
	{Name: "Accounts", Description: "Balances now and at any past date, statements, keys"},
	{Name: "Assets", Description: "Supply, holders and activity"},
	{Name: "Holds", Description: "Amounts set aside"},
	{Name: "Members", Description: "The organisations"},
	{Name: "Validators", Description: "Who votes on blocks, and how reliably"},
	{Name: "Proposals", Description: "What members decide together"},
}
