package query

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer/store"
	"github.com/tallystick/tallystick/ledger"
)

// transactionColumns are of t, its block b and its first movement m.
const (
	transactionColumns = "t.position, b.time_ms, t.hash, t.sender, t.nonce, t.kind, t.envelope, t.code, t.size_bytes, t.events, t.movements, t.memo, " + firstColumns
	firstColumns       = "m.n, m.type, m.asset, m.payer, m.payee, m.amount, m.hold, m.reference"
	transactionJoins   = "JOIN blocks b ON b.height = (t.position >> 20) LEFT JOIN movements m ON m.position = t.position AND m.n = t.first_movement"
)

// movementRow is a movement as it is read, perhaps not there.
type movementRow struct {
	n, kind            *int64
	asset              *crypto.Address
	payer, payee, hold *crypto.Address
	amount             []byte
	reference          *string
}

func (m *movementRow) into() []any {
	return []any{&m.n, &m.kind, address{&m.asset}, address{&m.payer}, address{&m.payee}, &m.amount, address{&m.hold}, &m.reference}
}

// movement is nil where there is none. The asset's symbol is filled in by name.
func (m *movementRow) movement(place Place, hash *crypto.Hash) *Movement {
	if m.n == nil || m.kind == nil || m.asset == nil || m.reference == nil {
		return nil
	}
	value, ok := store.ParseAmountBytes(m.amount)
	if !ok {
		return nil
	}
	return &Movement{
		Place: place, Order: uint32(*m.n), Hash: hash, Type: ledger.EventType(*m.kind).Name(), AssetRef: AssetRef{Asset: *m.asset},
		From: m.payer, To: m.payee, Amount: value, Reference: *m.reference, Hold: m.hold,
	}
}

// name fills in the symbols of movements' assets.
func (r *Reader) name(ctx context.Context, from store.Read, list ...*Movement) error {
	var assets []crypto.Address
	for _, m := range list {
		if m != nil {
			assets = append(assets, m.Asset)
		}
	}
	refs, err := r.refs(ctx, from, assets...)
	if err != nil {
		return err
	}
	for _, m := range list {
		if m != nil {
			m.AssetRef = refs[m.Asset]
		}
	}
	return nil
}

func scanTransaction(scan func(...any) error, t *Transaction, more ...any) (position int64, err error) {
	var ms, nonce, kind, envelope int64
	var first movementRow
	into := append([]any{&position, &ms, fixed(t.Hash[:]), fixed(t.Sender[:]), &nonce, &kind, &envelope, &t.Code, &t.SizeBytes, &t.Events, &t.Movements, &t.Memo}, first.into()...)
	if err := scan(append(into, more...)...); err != nil {
		return 0, err
	}
	t.Nonce = uint64(nonce) // above 2^63 in what is at fault
	t.Place, t.Kind, t.Envelope = placeOf(position, ms), ledger.Kind(kind).String(), ledger.Envelope(envelope).String()
	t.Status = "applied"
	info := ledger.Code(t.Code).Info()
	t.CodeName = info.Name
	if t.Code != 0 {
		t.Status, t.Message = "refused", info.Meaning
	}
	t.First = first.movement(t.Place, &t.Hash)
	return position, nil
}

// Transactions implements Queries.
func (r *Reader) Transactions(ctx context.Context, f TransactionFilter, p Page) (*List[Transaction], error) {
	return view(ctx, r, func(v store.Read) (*List[Transaction], error) {
		out := &List[Transaction]{Items: []Transaction{}}
		l, err := transactionList(ctx, v, f)
		if err != nil {
			return nil, err
		}
		out.Next, err = l.read(ctx, v, p, func(scan func(...any) error) (int64, int64, error) {
			var t Transaction
			at, err := scanTransaction(scan, &t)
			out.Items = append(out.Items, t)
			return at, 0, err
		})
		if err != nil {
			return nil, err
		}
		return out, r.name(ctx, v, firsts(out.Items)...)
	})
}

func firsts(list []Transaction) (out []*Movement) {
	for i := range list {
		out = append(out, list[i].First)
	}
	return out
}

// transactionList chooses the index for a filter.
func transactionList(ctx context.Context, v store.Read, f TransactionFilter) (*placed, error) {
	l := &placed{list: 't', what: "transactions", from: "transactions", where: "1 = 1", columns: transactionColumns,
		joins: "JOIN transactions t ON t.position = d.position " + transactionJoins}
	var err error
	if l.span, err = during(ctx, v, f.From, f.To); err != nil {
		return nil, err
	}
	if f.Height != nil {
		if uint64(*f.Height) > ledger.MaxJSONInteger>>20 {
			return nil, &InvalidError{"height", "no block has it"}
		}
		l.span.low = max(l.span.low, int64(store.OwnAt(*f.Height)))
		l.span.high = min(l.span.high, int64(store.OwnAt(*f.Height+1))-1)
	}
	filter := func(condition string, args ...any) {
		l.filter += " AND " + condition
		l.filters = append(l.filters, args...)
	}
	kind, err := kindOf(f.Kind)
	if err != nil {
		return nil, err
	}
	along := f.Height != nil // an index is chosen
	if f.Account != nil {
		l.from, l.where, l.args, l.lossy, along = "subjects", "subject = ?", []any{f.Account[:]}, true, true
	}
	if f.Sender != nil {
		if f.Account == nil {
			l.from, l.where, l.args, along = "subjects", "subject = ?", []any{f.Sender[:]}, true
		}
		filter("t.sender = ?", f.Sender[:])
	}
	switch {
	case f.Kind != "" && !along:
		l.where, l.args, along = "kind = ?", []any{kind}, true
	case f.Kind != "":
		filter("t.kind = ?", kind)
	}
	refused := f.Refused != nil && *f.Refused || f.Code != nil && *f.Code != ledger.Applied
	switch {
	case refused && !along && f.Code != nil:
		l.where, l.args = "code <> 0 AND code = ?", []any{int64(*f.Code)}
	case refused && !along:
		l.where = "code <> 0"
	case refused:
		filter("t.code <> 0")
	}
	if f.Refused != nil && !*f.Refused {
		filter("t.code = 0")
	}
	if f.Code != nil && (along || !refused) {
		filter("t.code = ?", int64(*f.Code))
	}
	return l, nil
}

// kindOf finds a kind by its name.
func kindOf(name string) (int64, error) {
	i := slices.Index(ledger.KindNames(), name)
	switch {
	case name == "" || name == "unknown":
		return 0, nil
	case i < 0:
		return 0, &InvalidError{"kind", "there is no kind of transaction of this name"}
	}
	return int64(ledger.Kinds()[i]), nil
}

// Transaction implements Queries.
func (r *Reader) Transaction(ctx context.Context, hash crypto.Hash) (*TransactionDetail, error) {
	return view(ctx, r, func(v store.Read) (*TransactionDetail, error) {
		d := &TransactionDetail{Signers: []crypto.Address{}}
		position, err := findTransaction(ctx, v, hash)
		if err != nil {
			return nil, err
		}
		if err := scanDetail(ctx, v, d, int64(position)); err != nil {
			return nil, err
		}
		if err := first(r.name(ctx, v, d.First), r.decodeBody(ctx, v, d)); err != nil {
			return nil, err
		}
		list, err := r.eventsAt(ctx, v, position, Page{Limit: MaxEvents, Ascending: true})
		if err != nil {
			return nil, err
		}
		d.EventList = list.Items
		return d, nil
	})
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// findTransaction finds the place of a transaction: where its nonce was spent, or
// else the first.
func findTransaction(ctx context.Context, v store.Read, hash crypto.Hash) (store.Position, error) {
	var found int64
	err := row(ctx, v, "a transaction", "SELECT position FROM transactions WHERE hash = ? ORDER BY code IN ("+unspent+"), position LIMIT 1", []any{hash[:]}, &found)
	return store.Position(found), err
}

// unspent are the codes with which a transaction does not spend its nonce.
var unspent = func() string {
	var codes []string
	for _, c := range ledger.Codes() {
		if !c.Code.SpendsNonce() {
			codes = append(codes, strconv.Itoa(int(c.Code)))
		}
	}
	return strings.Join(codes, ", ")
}()

func scanDetail(ctx context.Context, v store.Read, d *TransactionDetail, position int64) error {
	var signers []byte
	err := each(ctx, v, "a transaction", func(scan func(...any) error) error {
		var until int64
		_, err := scanTransaction(scan, &d.Transaction, fixed(d.BodyHash[:]), fixed(d.BlockHash[:]), &until, &signers, (*[]byte)(&d.Raw))
		d.ValidUntil = uint64(until)
		return err
	}, "SELECT "+transactionColumns+", t.body_hash, b.hash, t.valid_until, t.signers, t.raw FROM transactions t "+transactionJoins+" WHERE t.position = ?", position)
	for ; len(signers) >= 20; signers = signers[20:] {
		d.Signers = append(d.Signers, crypto.Address(signers[:20]))
	}
	return err
}

// decodeBody decodes the raw bytes; the sender of an Ethereum transaction, whom its
// signature shows, is known already.
func (r *Reader) decodeBody(ctx context.Context, v store.Read, d *TransactionDetail) error {
	net, err := r.network(ctx, v)
	if err != nil {
		return err
	}
	tx, _ := ledger.Decode(net, d.Raw)
	if tx.Op != nil {
		body := tx.Body
		body.Sender = d.Sender
		d.Body = &body
	}
	return nil
}

// TransactionEvents implements Queries.
func (r *Reader) TransactionEvents(ctx context.Context, hash crypto.Hash, p Page) (*List[Event], error) {
	return view(ctx, r, func(v store.Read) (*List[Event], error) {
		position, err := findTransaction(ctx, v, hash)
		if err != nil {
			return nil, err
		}
		return r.eventsAt(ctx, v, position, p)
	})
}

// BlockEvents implements Queries.
func (r *Reader) BlockEvents(ctx context.Context, height ledger.Height, p Page) (*List[Event], error) {
	if uint64(height) > ledger.MaxJSONInteger>>20 {
		return nil, ErrNotFound
	}
	return view(ctx, r, func(v store.Read) (*List[Event], error) {
		return r.eventsAt(ctx, v, store.OwnAt(height), p)
	})
}
