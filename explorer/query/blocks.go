package query

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer/store"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// decode reads a record.
func decode[T any](text string) (*T, error) {
	v := new(T)
	if err := json.Unmarshal([]byte(text), v); err != nil {
		return v, fmt.Errorf("record %.40q: %w", text, err)
	}
	return v, nil
}

const blockColumns = "height, hash, parent_hash, app_hash, results_hash, time_ms, interval_ms, proposer, size_bytes, transactions, refused, transfers, events"

func scanBlock(scan func(...any) error, b *Block) error {
	var ms int64
	var proposer []byte
	err := scan(&b.Height, fixed(b.Hash[:]), fixed(b.ParentHash[:]), fixed(b.AppHash[:]), fixed(b.ResultsHash[:]), &ms, &b.IntervalMs,
		&proposer, &b.SizeBytes, &b.Transactions, &b.Refused, &b.Transfers, &b.Events)
	b.Time, b.Millis, b.Proposer = uint64(ms/1000), uint16(ms%1000), wire.Bytes(append([]byte{}, proposer...))
	return err
}

// Status implements Queries.
func (r *Reader) Status(ctx context.Context) (*Status, error) {
	s := &Status{}
	err := r.db.View(ctx, func(v store.Read) error {
		var height, ms int64
		var chain int64
		err := row(ctx, v, "the cursor", "SELECT p.network_id, p.chain_id, p.height, b.time_ms FROM progress p JOIN blocks b ON b.height = p.height WHERE p.id = 1",
			nil, &s.NetworkID, &chain, &height, &ms)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		s.ChainID, s.Height, s.BlockTime, s.Source = uint64(chain), uint64(height), uint64(ms/1000), uint64(height)
		checked := &Reconciliation{}
		err = row(ctx, v, "the last comparison", "SELECT height, time, compared, differences, runs FROM reconciliation WHERE id = 1", nil,
			&checked.Height, &checked.Time, &checked.Compared, &checked.Differences, &checked.TotalRuns)
		switch {
		case err == nil:
			s.Checked = checked
		case !errors.Is(err, ErrNotFound):
			return err
		}
		return row(ctx, v, "differences", "SELECT count(*) FROM differences WHERE resolved = 0", nil, &s.Differences)
	})
	if err != nil {
		return nil, err
	}
	r.lag(s)
	return s, nil
}

// Lags that readers are told of: so many blocks, if the last one indexed is also so
// old.
const (
	behindBlocks  = 5
	behindSeconds = 10
)

func (r *Reader) lag(s *Status) {
	if r.follower == nil {
		return
	}
	s.Source = max(s.Source, uint64(r.follower.Head()))
	s.Lag = s.Source - s.Height
	if s.Lag > 0 {
		s.LagSecs = uint64(max(time.Now().Unix()-int64(s.BlockTime), 0))
	}
	s.Error = r.follower.Problem()
	s.Behind = s.Error != "" || s.Lag >= behindBlocks && s.LagSecs >= behindSeconds
}

// WaitHeight implements Queries.
func (r *Reader) WaitHeight(ctx context.Context, height ledger.Height) error {
	return r.db.Wait(ctx, height)
}

// Blocks implements Queries. Heights have no gaps, so that a page that filters looks
// at so many heights.
func (r *Reader) Blocks(ctx context.Context, f BlockFilter, p Page) (*List[Block], error) {
	limit, err := p.limit()
	if err != nil {
		return nil, err
	}
	c := parseCursor('b', p.Cursor)
	from := c.number()
	if err := c.end(); err != nil {
		return nil, err
	}
	return view(ctx, r, func(v store.Read) (*List[Block], error) {
		out := &List[Block]{Items: []Block{}}
		times, err := during(ctx, v, f.From, f.To)
		if err != nil {
			return nil, err
		}
		low, high := max(times.low>>20, 1), times.high>>20
		if !p.Ascending { // cursors come from strangers: none begins above the last block
			var top int64
			if err := row(ctx, v, "the last block", "SELECT height FROM blocks ORDER BY height DESC LIMIT 1", nil, &top); err != nil {
				return out, ignore(err)
			}
			high = min(high, top)
		}
		bounds := span{low, high}
		window := int64(limit)
		where := ""
		args := []any{}
		if f.Proposer != nil {
			where, args, window = where+" AND proposer = ?", append(args, f.Proposer[:]), scanned
		}
		if f.NonEmpty {
			where, window = where+" AND transactions > 0", scanned
		}
		var edge int64
		if p.Ascending {
			if !c.begin {
				low = max(low, addUpTo(from, 1))
			}
			edge = min(high, addUpTo(low, window-1))
			high = edge
		} else {
			if !c.begin {
				high = min(high, from-1)
			}
			edge = max(low, high-window+1)
			low = edge
		}
		return out, r.blockPage(ctx, v, out, where+" ORDER BY height"+p.order()+" LIMIT ?", append([]any{low, high}, append(args, limit)...), limit, edge, bounds, p.Ascending)
	})
}

func addUpTo(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// ignore takes that there is nothing for an empty answer.
func ignore(err error) error {
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// blockPage reads a page; edge is the last height that it looks at.
func (r *Reader) blockPage(ctx context.Context, v store.Read, out *List[Block], tail string, args []any, limit int, edge int64, bounds span, ascending bool) error {
	err := each(ctx, v, "blocks", func(scan func(...any) error) error {
		var b Block
		err := scanBlock(scan, &b)
		out.Items = append(out.Items, b)
		return err
	}, "SELECT "+blockColumns+" FROM blocks WHERE height >= ? AND height <= ?"+tail, args...)
	if err != nil {
		return err
	}
	if len(out.Items) == limit {
		edge = int64(out.Items[limit-1].Height)
	}
	beyond := span{bounds.low, edge - 1}
	if ascending {
		beyond = span{edge + 1, bounds.high}
	}
	var more int64
	err = row(ctx, v, "blocks", "SELECT count(*) FROM (SELECT 1 FROM blocks WHERE height >= ? AND height <= ? LIMIT 1) x", []any{beyond.low, beyond.high}, &more)
	if err != nil {
		return err
	}
	if more > 0 {
		out.Next = next(newCursor('b').number(edge))
	}
	return nil
}

// Block implements Queries.
func (r *Reader) Block(ctx context.Context, height ledger.Height) (*Block, error) {
	if uint64(height) > ledger.MaxJSONInteger {
		return nil, ErrNotFound
	}
	return r.oneBlock(ctx, "WHERE height = ?", int64(height))
}

// BlockByHash implements Queries.
func (r *Reader) BlockByHash(ctx context.Context, hash crypto.Hash) (*Block, error) {
	return r.oneBlock(ctx, "WHERE hash = ? LIMIT 1", hash[:])
}

// BlockAt implements Queries.
func (r *Reader) BlockAt(ctx context.Context, at ledger.UnixTime) (*Block, error) {
	return r.oneBlock(ctx, "WHERE time_ms < ? ORDER BY time_ms DESC, height DESC LIMIT 1", int64(min(uint64(at), ledger.MaxJSONInteger-1)+1)*1000)
}

func (r *Reader) oneBlock(ctx context.Context, where string, args ...any) (*Block, error) {
	b := &Block{}
	found := false
	err := each(ctx, r.db, "a block", func(scan func(...any) error) error {
		found = true
		return scanBlock(scan, b)
	}, "SELECT "+blockColumns+" FROM blocks "+where, args...)
	if err == nil && !found {
		err = ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}
