package index

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/tallystick/tallystick/explorer/store"
)

// periods are the lengths of statistics, in seconds.
var periods = [...]int64{60, 3600, 86400}

type bucketID struct{ seconds, start int64 }

// bucket is what happened in one period.
type bucket struct {
	bucketID
	blocks, transactions, refused, transfers, size, maxSize, interval, maxInterval int64
	touched                                                                        bool
}

// blockFigures is what one block adds to its periods.
type blockFigures struct{ time, transactions, refused, transfers, size, interval int64 }

func (b *bucket) add(f blockFigures) {
	b.blocks++
	b.transactions += f.transactions
	b.refused += f.refused
	b.transfers += f.transfers
	b.size += f.size
	b.maxSize = max(b.maxSize, f.size)
	b.interval += f.interval
	b.maxInterval = max(b.maxInterval, f.interval)
	b.touched = true
}

// tally adds a block to its periods. Times never go back, so that those of an
// earlier period are never needed again.
func (s *state) tally(f blockFigures) {
	for _, seconds := range periods {
		id := bucketID{seconds, f.time - f.time%seconds}
		b := s.buckets[id]
		if b == nil {
			b = &bucket{bucketID: id}
			s.buckets[id] = b
		}
		b.add(f)
	}
}

// loadBuckets reads the last period of each length: the next block may be in it.
func (s *state) loadBuckets(ctx context.Context) error {
	for _, seconds := range periods {
		b := &bucket{}
		err := s.w.QueryRow(ctx, "SELECT seconds, start, blocks, transactions, refused, transfers, size_bytes, max_size_bytes, interval_ms, max_interval_ms FROM statistics WHERE seconds = ? ORDER BY start DESC LIMIT 1", seconds).
			Scan(&b.seconds, &b.start, &b.blocks, &b.transactions, &b.refused, &b.transfers, &b.size, &b.maxSize, &b.interval, &b.maxInterval)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read the last statistics: %w", err)
		}
		s.buckets[b.bucketID] = b
	}
	return nil
}

// flushBuckets writes the periods that have changed.
func (s *state) flushBuckets() {
	for _, b := range s.buckets {
		if b.touched {
			s.w.Add(store.Statistics, b.seconds, b.start, b.blocks, b.transactions, b.refused, b.transfers, b.size, b.maxSize, b.interval, b.maxInterval)
		}
	}
}

// settleBuckets forgets all periods but the last of each length.
func (s *state) settleBuckets() {
	last := map[int64]int64{}
	for id := range s.buckets {
		last[id.seconds] = max(last[id.seconds], id.start)
	}
	for id, b := range s.buckets {
		b.touched = false
		if id.start < last[id.seconds] {
			delete(s.buckets, id)
		}
	}
}
