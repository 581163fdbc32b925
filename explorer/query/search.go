package query

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer/store"
	"github.com/tallystick/tallystick/explorer/words"
	"github.com/tallystick/tallystick/ledger"
)

// Bounds of a search.
const (
	maxSearchBytes = 200 // of the text: what is behind is not looked at
	minPrefix      = 6   // hex digits of a hash or address
	perSource      = 10  // hits of one kind
	shownText      = 80  // characters of a resolution
)

// How likely a hit is meant, by how it was found.
const (
	scoreExact     = 1.0
	scoreNumber    = 0.95 // a proposal's, beside the block of that height
	scoreSymbol    = 0.98
	scoreReference = 0.9
	scorePrefix    = 0.85
	scoreBegins    = 0.7 // a symbol or a reference begins so
	scoreNameBase  = 0.3 // and up to 0.5 more, by how alike the names are
	scoreProposal  = 0.55
	scoreMemo      = 0.5
)

// Search implements Queries.
func (r *Reader) Search(ctx context.Context, text string, limit int) ([]Hit, error) {
	if limit <= 0 || limit > MaxHits {
		limit = MaxHits
	}
	text = searched(text)
	if text == "" {
		return []Hit{}, nil
	}
	return view(ctx, r, func(v store.Read) ([]Hit, error) {
		s := &search{ctx: ctx, v: v, memos: r.db.Memos(), words: r.db.Words, known: map[string]int{}}
		for _, look := range []func(string) error{s.number, s.digits, s.symbols, s.names, s.references, s.texts, s.resolutions} {
			if err := look(text); err != nil {
				return nil, err
			}
		}
		slices.SortStableFunc(s.hits, func(a, b Hit) int {
			return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Kind, b.Kind))
		})
		return append([]Hit{}, s.hits[:min(limit, len(s.hits))]...), nil
	})
}

// searched is what is looked for of a text: without what surrounds it, what no
// database takes, and what is too long.
func searched(text string) string {
	if len(text) > 4*maxSearchBytes {
		text = text[:4*maxSearchBytes]
	}
	text = strings.TrimSpace(strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\x00", ""))
	if len(text) <= maxSearchBytes {
		return text
	}
	end := maxSearchBytes
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

type search struct {
	ctx   context.Context
	v     store.Read
	memos string
	words func([]string) string
	hits  []Hit
	known map[string]int // kind and ID to its place in hits
}

// add adds a hit, once, with its best score.
func (s *search) add(score float64, kind, id, label, note string) {
	key := kind + " " + id
	if i, ok := s.known[key]; ok {
		s.hits[i].Score = max(s.hits[i].Score, score)
		return
	}
	s.known[key] = len(s.hits)
	s.hits = append(s.hits, Hit{Kind: kind, ID: id, Label: label, Note: note, Score: score})
}

func (s *search) each(what string, visit func(scan func(...any) error) error, query string, args ...any) error {
	return each(s.ctx, s.v, what, visit, query, args...)
}

// numbered is the number in a text such as 7, #7, proposal 7 or Block 1,234, and
// whether a block and a proposal may be meant by it.
func numbered(text string) (n uint64, block, proposal, ok bool) {
	digits, block, proposal := strings.ToLower(text), true, true
	for _, name := range []string{"block", "proposal"} {
		if rest, named := strings.CutPrefix(digits, name); named {
			digits, block, proposal = strings.TrimSpace(rest), name == "block", name == "proposal"
			break
		}
	}
	if rest, marked := strings.CutPrefix(digits, "#"); marked {
		digits, block = rest, block && !proposal
	}
	n, err := strconv.ParseUint(strings.ReplaceAll(digits, ",", ""), 10, 53)
	return n, block, proposal, err == nil
}

// number looks for a block's height and a proposal's number.
func (s *search) number(text string) error {
	n, block, proposal, ok := numbered(text)
	if !ok {
		return nil
	}
	if block {
		if err := s.blocks("height = ?", scoreExact, int64(n)); err != nil {
			return err
		}
	}
	if !proposal {
		return nil
	}
	score := scoreExact // it alone is meant
	if block {
		score = scoreNumber
	}
	return s.proposals(score, "SELECT proposal, record FROM proposals WHERE proposal = ?", int64(n))
}

// proposals adds those of a query of number and record, the newest first.
func (s *search) proposals(score float64, query string, args ...any) error {
	return s.each("proposals", func(scan func(...any) error) error {
		var n int64
		var text string
		if err := scan(&n, &text); err != nil {
			return err
		}
		p, err := decode[store.ProposalRecord](text)
		s.add(score, "proposal", strconv.FormatInt(n, 10), fmt.Sprintf("Proposal %d", n), proposalNote(p))
		score -= 0.001
		return err
	}, query, args...)
}

// proposalNote says how a proposal stands and what it is about: what it does, and the
// text of its first resolution.
func proposalNote(p *store.ProposalRecord) string {
	parts, said := []string{p.Status.String()}, false
	for _, a := range p.Actions {
		part := words.Spaced(a.ActionKind().String())
		if r, ok := a.(*ledger.ResolutionAction); ok && !said {
			part, said = part+" “"+beginningOf(r.Text, shownText)+"”", true
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

// beginningOf is a text in one line, cut where it has more characters than most.
func beginningOf(text string, most int) string {
	runes := []rune(strings.Join(strings.Fields(text), " "))
	if len(runes) <= most {
		return string(runes)
	}
	return strings.TrimRight(string(runes[:most-1]), " ") + "…"
}

func (s *search) blocks(where string, score float64, args ...any) error {
	return s.each("blocks", func(scan func(...any) error) error {
		var height, txs int64
		if err := scan(&height, &txs); err != nil {
			return err
		}
		s.add(score, "block", strconv.FormatInt(height, 10), fmt.Sprintf("Block %d", height), plural(txs, "transaction"))
		return nil
	}, fmt.Sprintf("SELECT height, transactions FROM blocks WHERE %s LIMIT %d", where, perSource), args...)
}

func plural(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// prefix is the range of bytes whose hex begins with digits.
type prefix struct{ low, high []byte }

func hexPrefix(digits string) (p prefix, ok bool) {
	low, high := digits, digits
	if len(digits)%2 != 0 {
		low, high = low+"0", high+"f"
	}
	var err error
	if p.low, err = hex.DecodeString(low); err != nil {
		return p, false
	}
	p.high, _ = hex.DecodeString(high)
	for len(p.high) < 33 {
		p.high = append(p.high, 0xff)
	}
	return p, true
}

// digits looks for hashes and addresses, whole or by their beginning.
func (s *search) digits(text string) error {
	digits := strings.TrimPrefix(strings.ToLower(text), "0x")
	if len(digits) < minPrefix || len(digits) > 64 {
		return nil
	}
	p, ok := hexPrefix(digits)
	if !ok {
		return nil
	}
	if err := s.hashes(p, scoreOf(len(digits), 64)); err != nil || len(digits) > 40 {
		return err
	}
	return s.addresses(p, scoreOf(len(digits), 40))
}

func scoreOf(digits, whole int) float64 {
	if digits == whole {
		return scoreExact
	}
	return scorePrefix
}

func (s *search) hashes(p prefix, score float64) error {
	if err := s.blocks("hash >= ? AND hash <= ?", score, p.low, p.high); err != nil {
		return err
	}
	return s.transactions("transaction", score, "SELECT t.hash, t.kind, t.code, t.memo FROM transactions t WHERE t.hash >= ? AND t.hash <= ? ORDER BY t.hash LIMIT ?",
		p.low, p.high, perSource)
}

// transactions adds those of a query of hash, kind, code, and the text that was
// found.
func (s *search) transactions(kind string, score float64, query string, args ...any) error {
	return s.each("transactions", func(scan func(...any) error) error {
		var h crypto.Hash
		var op, code int64
		var text string
		if err := scan(fixed(h[:]), &op, &code, &text); err != nil {
			return err
		}
		status := "applied"
		if code != 0 {
			status = "refused: " + ledger.Code(code).String()
		}
		label := text
		if kind == "transaction" {
			label = h.String()
		}
		s.add(score, kind, h.String(), label, ledger.Kind(op).String()+", "+status)
		score -= 0.001 // the newest first
		return nil
	}, query, args...)
}

// addresses looks for whatever has an address.
func (s *search) addresses(p prefix, score float64) error {
	for _, q := range []struct {
		kind, note, query string
		ahead             float64
	}{
		{"member", "member", "SELECT member, name FROM members WHERE member >= ? AND member <= ? ORDER BY member LIMIT ?", 0.002},
		{"asset", "asset", "SELECT asset, '' FROM assets WHERE asset >= ? AND asset <= ? ORDER BY asset LIMIT ?", 0.001},
		{"account", "account", "SELECT account, '' FROM accounts WHERE account >= ? AND account <= ? ORDER BY account LIMIT ?", 0},
		{"hold", "hold", "SELECT hold, '' FROM holds WHERE hold >= ? AND hold <= ? ORDER BY hold LIMIT ?", 0},
		{"validator", "validator", "SELECT k.address, m.name FROM validator_keys k JOIN members m ON m.member = k.member WHERE k.address >= ? AND k.address <= ? ORDER BY k.address LIMIT ?", 0},
	} {
		err := s.each("addresses", func(scan func(...any) error) error {
			var a crypto.Address
			var label string
			if err := scan(fixed(a[:]), &label); err != nil {
				return err
			}
			id := a.String()
			if q.kind == "validator" {
				id = "0x" + hex.EncodeToString(a[:])
			}
			if label == "" {
				label = id
			}
			s.add(score-0.002+q.ahead, q.kind, id, label, q.note)
			return nil
		}, q.query, p.low, p.high, perSource)
		if err != nil {
			return err
		}
	}
	return nil
}

// symbols looks for assets whose symbol is the text, or begins with it.
func (s *search) symbols(text string) error {
	symbol := []byte(strings.ToUpper(text))
	if len(symbol) > ledger.MaxSymbolBytes {
		return nil
	}
	return s.assets(func(record *store.AssetRecord) float64 {
		if record.Symbol == string(symbol) {
			return scoreSymbol
		}
		return scoreBegins
	}, "SELECT asset, record FROM assets WHERE symbol >= ? AND symbol <= ? ORDER BY symbol LIMIT ?", symbol, append(slices.Clone(symbol), 0xff), perSource)
}

func (s *search) assets(score func(*store.AssetRecord) float64, query string, args ...any) error {
	return s.each("assets", func(scan func(...any) error) error {
		var a crypto.Address
		var text string
		if err := scan(fixed(a[:]), &text); err != nil {
			return err
		}
		record, err := decode[store.AssetRecord](text)
		s.add(score(record), "asset", a.String(), record.Symbol, record.Name+", "+record.Status.String())
		return err
	}, query, args...)
}

// leastAlike is how much of the text's trigrams a name must have.
const leastAlike = 0.4

// names looks for assets and members whose names are like the text.
func (s *search) names(text string) error {
	trigrams := store.Trigrams(text)
	if len(trigrams) == 0 {
		return nil
	}
	args := make([]any, 0, len(trigrams)+1)
	for _, t := range trigrams {
		args = append(args, []byte(t))
	}
	type match struct {
		kind  int64
		key   []byte
		alike float64
	}
	var matches []match
	err := s.each("names", func(scan func(...any) error) error {
		var m match
		var count int64
		err := scan(&m.kind, &m.key, &count)
		m.key, m.alike = slices.Clone(m.key), float64(count)/float64(len(trigrams))
		if m.alike >= leastAlike {
			matches = append(matches, m)
		}
		return err
	}, "SELECT kind, key, count(*) FROM trigrams WHERE trigram IN ("+marks(len(trigrams))+") GROUP BY kind, key ORDER BY count(*) DESC, key LIMIT ?", append(args, 2*perSource)...)
	if err != nil {
		return err
	}
	for _, m := range matches {
		score := scoreNameBase + 0.5*m.alike
		if m.kind == store.TrigramAsset {
			err = s.assets(func(*store.AssetRecord) float64 { return score }, "SELECT asset, record FROM assets WHERE asset = ?", m.key)
		} else {
			err = s.member(score, m.key)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *search) member(score float64, key []byte) error {
	return s.each("members", func(scan func(...any) error) error {
		var text string
		if err := scan(&text); err != nil {
			return err
		}
		m, err := decode[store.MemberRecord](text)
		s.add(score, "member", crypto.Address(key).String(), m.Name, "member, "+m.Status.String())
		return err
	}, "SELECT record FROM members WHERE member = ?", key)
}

// references looks for transactions with a reference that is the text, or begins
// with it.
func (s *search) references(text string) error {
	key := store.ReferenceKey(text)
	if len(key) > 2*ledger.MaxReferenceBytes {
		return nil
	}
	const query = "SELECT t.hash, t.kind, t.code, m.reference FROM movements m JOIN transactions t ON t.position = m.position WHERE "
	err := s.transactions("reference", scoreReference, query+"m.reference_key = ? ORDER BY m.position DESC, m.n DESC LIMIT ?", key, perSource)
	if err != nil {
		return err
	}
	return s.transactions("reference", scoreBegins, query+"m.reference_key > ? AND m.reference_key <= ? ORDER BY m.reference_key, m.position, m.n LIMIT ?",
		key, append(slices.Clone(key), 0xff), perSource)
}

// texts looks for memos with all the words of the text, the last of which may be
// a beginning.
func (s *search) texts(text string) error {
	wanted := store.Tokens(text)
	if len(wanted) == 0 {
		return nil
	}
	var positions []any
	err := s.each("memos", func(scan func(...any) error) error {
		var p int64
		err := scan(&p)
		positions = append(positions, p)
		return err
	}, s.memos, s.words(wanted), int64(1)<<62, perSource)
	if err != nil || len(positions) == 0 {
		return err
	}
	return s.transactions("memo", scoreMemo, "SELECT hash, kind, code, memo FROM transactions WHERE position IN ("+marks(len(positions))+") ORDER BY position DESC", positions...)
}

// resolutions looks for proposals with all the words of the text, the last of which may
// be a beginning.
func (s *search) resolutions(text string) error {
	wanted := store.Tokens(text)
	if len(wanted) == 0 {
		return nil
	}
	const with = "SELECT proposal FROM proposal_words WHERE word = ?"
	var query strings.Builder
	var args []any
	last := len(wanted) - 1
	for _, w := range wanted[:last] {
		query.WriteString(with + " INTERSECT ")
		args = append(args, []byte(w))
	}
	if begins := []byte(wanted[last]); utf8.RuneCount(begins) < store.MinBeginning {
		query.WriteString(with)
		args = append(args, begins)
	} else {
		query.WriteString("SELECT proposal FROM proposal_words WHERE word >= ? AND word <= ?")
		args = append(args, begins, append(slices.Clone(begins), 0xff))
	}
	return s.proposals(scoreProposal, "SELECT proposal, record FROM proposals WHERE proposal IN ("+query.String()+") ORDER BY proposal DESC LIMIT ?", append(args, perSource)...)
}

// keyText shows a key of the state: its name, and the rest in hex.
func keyText(key []byte) string {
	name, rest, ok := strings.Cut(string(key), "/")
	if !ok {
		return "0x" + hex.EncodeToString(key)
	}
	return name + "/0x" + hex.EncodeToString([]byte(rest))
}
