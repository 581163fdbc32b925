package feed

import (
	"context"

	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// Pick takes from a block what a reader is to see, behind an index of it
// (Block.Notices, Block.Whole).
type Pick func(b *Block, after int64) ([]Item, error)

// Reader reads the stream from a cursor on. It is for one goroutine.
type Reader struct {
	feed   *Feed
	pick   Pick
	filter *Filter       // nil: every block is looked at
	height ledger.Height // of the block that comes next
	after  int64         // the index in it behind which to begin
	seen   wire.Cursor   // everything up to here has been returned
}

// Read returns a reader of what comes behind a cursor.
func (f *Feed) Read(pick Pick, behind wire.Cursor) *Reader {
	r := &Reader{feed: f, pick: pick, height: ledger.Height(behind.Height), after: behind.Index, seen: behind}
	if behind.Index >= wire.IndexBlockEnd {
		r.height, r.after = r.height+1, wire.IndexBlockBegin
	}
	return r
}

// ReadNotices returns a reader of the notices that filter chooses. Where it is far
// behind it passes over blocks that have none without a look at them.
func (f *Feed) ReadNotices(filter *Filter, behind wire.Cursor) *Reader {
	r := f.Read(func(b *Block, after int64) ([]Item, error) { return b.Notices(filter, after) }, behind)
	r.filter = filter
	return r
}

// farBehind is from how many blocks behind a reader asks for the next that it
// needs: fewer are cheaper to look at. Those that are farther behind than this look
// at blocks a few at a time, so that who follows the newest block stands behind none
// of them, however many there are and however little they find.
const farBehind = 16

// FarBehind reports whether the reader has so much to read that it has to wait for
// others who have.
func (r *Reader) FarBehind() bool { return r.Behind() > farBehind }

// place waits for the reader's turn to look at a block; call what it returns then.
func (r *Reader) place(ctx context.Context) (leave func(), err error) {
	if !r.FarBehind() {
		return func() {}, nil
	}
	select {
	case r.feed.looking <- struct{}{}:
		return func() { <-r.feed.looking }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-r.feed.ctx.Done():
		return nil, r.feed.ctx.Err()
	}
}

// seek goes to the next block that may have something, or else to the newest.
func (r *Reader) seek() error {
	if r.filter == nil || r.after != wire.IndexBlockBegin || !r.FarBehind() {
		return nil
	}
	top := r.feed.Height()
	next, err := r.feed.source.Seek(r.filter, r.height)
	r.height = max(r.height, min(next, top))
	return err
}

// Next waits for the next block and returns what the reader is to see of it, and
// the cursor behind it. Items may be empty.
func (r *Reader) Next(ctx context.Context) (items []Item, end wire.Cursor, err error) {
	if err := r.feed.Wait(ctx, r.height); err != nil {
		return nil, r.seen, err
	}
	leave, err := r.place(ctx)
	if err != nil {
		return nil, r.seen, err
	}
	defer leave()
	if err := r.seek(); err != nil {
		return nil, r.seen, err
	}
	block, err := r.feed.Block(ctx, r.height)
	if err != nil {
		return nil, r.seen, err
	}
	if items, err = r.pick(block, r.after); err != nil {
		return nil, r.seen, err
	}
	r.height, r.after = r.height+1, wire.IndexBlockBegin
	if end = block.End(); r.seen.Compare(end) > 0 {
		end = r.seen // a cursor behind more than the block has
	}
	r.seen = end
	return items, end, nil
}

// Return goes back to a cursor that was returned: what stands behind it is returned
// again. So who cannot take all items at once need not keep them, and their block.
func (r *Reader) Return(to wire.Cursor) {
	r.height, r.after, r.seen = ledger.Height(to.Height), to.Index, to
}

// Behind is how many blocks the reader has still to read.
func (r *Reader) Behind() uint64 {
	top := r.feed.Height()
	if top < r.height {
		return 0
	}
	return uint64(top-r.height) + 1
}
