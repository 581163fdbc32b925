package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer/query"
	"github.com/tallystick/tallystick/explorer/words"
	"github.com/tallystick/tallystick/ledger"
)

type blocksData struct {
	Blocks   []query.Block
	Turn     turn
	From, To string
	NonEmpty bool
	Proposer string
}

func (s *site) blocks(r *http.Request) (*view, error) {
	p := parametersOf(r)
	f := query.BlockFilter{From: p.time("from"), To: p.time("to"), Proposer: p.consensus("proposer"), NonEmpty: p.choice("nonempty", "1") != ""}
	page := p.page()
	if p.err != nil {
		return nil, p.err
	}
	list, err := s.q.Blocks(r.Context(), f, page)
	if err != nil {
		return nil, err
	}
	d := &blocksData{list.Items, turnOf(r, list.Next), p.text("from", 40), p.text("to", 40), f.NonEmpty, p.text("proposer", 42)}
	return &view{name: "blocks", Title: "Blocks", Nav: "blocks", Live: r.URL.RawQuery == "", Data: d}, nil
}

type blockData struct {
	*query.Block
	Txs        []query.Transaction
	Turn       turn
	Events     []words.Sentence
	EventsMore bool
	Previous   string
	Following  string
	Proposed   string // who proposed it, by name
}

func (s *site) block(r *http.Request) (*view, error) {
	b, err := s.findBlock(r)
	if err != nil {
		return nil, err
	}
	p := parametersOf(r)
	page := p.page()
	if p.err != nil {
		return nil, p.err
	}
	page.Ascending = true
	height := ledger.Height(b.Height)
	list, err := s.q.Transactions(r.Context(), query.TransactionFilter{Height: &height}, page)
	if err != nil {
		return nil, err
	}
	events, err := s.q.BlockEvents(r.Context(), height, query.Page{Limit: words.MaxSentences})
	if err != nil {
		return nil, err
	}
	d := &blockData{Block: b, Txs: list.Items, Turn: turnOf(r, list.Next), EventsMore: events.Next != nil}
	d.Events = s.tell(events.Items)
	if b.Height > 0 {
		d.Previous = fmt.Sprint(b.Height - 1)
	}
	if status, err := s.q.Status(r.Context()); err == nil && status.Height > b.Height {
		d.Following = fmt.Sprint(b.Height + 1)
	}
	d.Proposed = s.validatorName(r, b.Proposer)
	title := "Block " + count(b.Height)
	if b.Height == 0 {
		title = "Genesis"
	}
	return &view{name: "block", Title: title, Nav: "blocks", Data: d}, nil
}

// findBlock reads the path: a height, a hash, or latest.
func (s *site) findBlock(r *http.Request) (*query.Block, error) {
	text := r.PathValue("block")
	if text == "latest" {
		status, err := s.q.Status(r.Context())
		if err != nil {
			return nil, err
		}
		return s.q.Block(r.Context(), ledger.Height(status.Height))
	}
	if strings.HasPrefix(text, "0x") {
		h, err := hashIn(r, "block")
		if err != nil {
			return nil, err
		}
		return s.q.BlockByHash(r.Context(), h)
	}
	n, err := number("block", text)
	if err != nil {
		return nil, err
	}
	return s.q.Block(r.Context(), ledger.Height(n))
}

// tell says what events are.
func (s *site) tell(events []query.Event) (list []words.Sentence) {
	teller := words.Teller{Names: s.names}
	for i := range events {
		list = append(list, teller.Event(&events[i].Event.Event))
	}
	return list
}

// validatorName is the name of the member whose validator it is now, or "".
func (s *site) validatorName(r *http.Request, consensus []byte) string {
	members, err := s.q.Members(r.Context())
	if err != nil || len(consensus) == 0 {
		return ""
	}
	for _, m := range members {
		if string(m.ConsensusAddress) == string(consensus) {
			return m.Name
		}
	}
	return ""
}

type transactionsData struct {
	Transactions         []query.Transaction
	Turn                 turn
	Kind, Result         string
	From, To             string
	Account              string
	Movements            []query.Movement // in place of transactions, where a reference is asked for
	Reference, AssetName string
}

func (s *site) transactions(r *http.Request) (*view, error) {
	p := parametersOf(r)
	f := query.TransactionFilter{From: p.time("from"), To: p.time("to"), Account: p.address("account"), Kind: p.choice("kind", kindNames()...)}
	result := p.choice("result", "applied", "refused")
	if result != "" {
		refused := result == "refused"
		f.Refused = &refused
	}
	page, reference := p.page(), p.text("reference", ledger.MaxReferenceBytes)
	if p.err != nil {
		return nil, p.err
	}
	d := &transactionsData{Kind: f.Kind, Result: result, From: p.text("from", 40), To: p.text("to", 40), Account: p.text("account", 42), Reference: reference}
	v := &view{name: "transactions", Title: "Transactions", Nav: "transactions", Live: r.URL.RawQuery == "", Data: d}
	if reference != "" {
		list, err := s.q.Movements(r.Context(), query.MovementFilter{Reference: reference, From: f.From, To: f.To}, page)
		if err != nil {
			return nil, err
		}
		d.Movements, d.Turn = list.Items, turnOf(r, list.Next)
		return v, nil
	}
	list, err := s.q.Transactions(r.Context(), f, page)
	if err != nil {
		return nil, err
	}
	d.Transactions, d.Turn = list.Items, turnOf(r, list.Next)
	return v, nil
}

type transactionData struct {
	*query.TransactionDetail
	Asked     []words.Sentence // what it asked for
	AskedMore uint64
	Happened  []words.Sentence // what it did
	Left      uint64           // events that are not said here
	Signed    []crypto.Address
	Decoded   string // its content as JSON
	Effects   string // its events as JSON
	Receipt   string // where the receipt is
	Encoding  string // of the raw bytes, in words
	Nothing   bool   // it spent no nonce
	Provable  bool   // the block whose header has its result is there
}

// maxRaw is how many raw bytes a page shows; the API has all.
const maxRaw = 8 << 10

func (s *site) transaction(r *http.Request) (*view, error) {
	h, err := hashIn(r, "hash")
	if err != nil {
		return nil, err
	}
	t, err := s.q.Transaction(r.Context(), h)
	if err != nil {
		return nil, err
	}
	d := &transactionData{TransactionDetail: t, Signed: t.Signers, Receipt: "/api/v1/transactions/" + t.Hash.String() + "/receipt"}
	teller := words.Teller{Names: s.names}
	if t.Body != nil {
		asked, more := teller.Operation(t.Sender, t.Body.Op)
		d.Asked, d.AskedMore = asked, uint64(more)
		d.Decoded = pretty(t.Body)
	}
	d.Happened = s.tell(t.EventList)
	d.Left = t.Events - min(t.Events, uint64(len(t.EventList)))
	d.Effects = pretty(t.EventList)
	d.Nothing = !ledger.Code(t.Code).SpendsNonce()
	status, err := s.q.Status(r.Context())
	if err != nil {
		return nil, err
	}
	d.Provable = status.Height > t.Height
	d.Encoding = map[string]string{
		"native": "Native envelope, type 0x54", "legacy": "Ethereum transaction with EIP-155 protection", "dynamicFee": "Ethereum transaction, type 0x02",
	}[t.Envelope]
	return &view{name: "transaction", Title: "Transaction " + t.Hash.String()[:10] + "…", Nav: "transactions", Data: d}, nil
}

// RawText is as much of the raw bytes as a page shows.
func (d *transactionData) RawText() string {
	if len(d.Raw) > maxRaw {
		return fmt.Sprintf("0x%x", []byte(d.Raw[:maxRaw]))
	}
	return fmt.Sprintf("0x%x", []byte(d.Raw))
}

// RawCut reports whether the page does not show all of them.
func (d *transactionData) RawCut() bool { return len(d.Raw) > maxRaw }

// maxDecoded is how many bytes of JSON a page shows.
const maxDecoded = 16 << 10

// pretty is JSON for people.
func pretty(v any) string {
	b, err := json.MarshalIndent(v, "", "  ")
	switch {
	case err != nil:
		return "" // what cannot be written is there in the API's answer
	case len(b) > maxDecoded:
		return strings.ToValidUTF8(string(b[:maxDecoded]), "") + "\n… (the rest is in the API's answer)"
	}
	return string(b)
}

// withQuery is a path with a query.
func withQuery(path string, pairs ...string) string {
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return path + "?" + values.Encode()
}
