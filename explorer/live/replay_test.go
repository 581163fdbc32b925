package live

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tallystick/tallystick/explorer/query"
	"github.com/tallystick/tallystick/explorer/worldtest"
	"github.com/tallystick/tallystick/ledger"
)

// counted is a ledger that knows how many blocks are read of it at once, and that
// panics as often as it is told.
type counted struct {
	*worldtest.World
	now, most, crashes atomic.Int64
}

func (c *counted) Block(ctx context.Context, h ledger.Height) (*query.Block, error) {
	n := c.now.Add(1)
	defer c.now.Add(-1)
	for old := c.most.Load(); n > old && !c.most.CompareAndSwap(old, n); old = c.most.Load() {
	}
	time.Sleep(time.Millisecond) // as a database takes
	return c.World.Block(ctx, h)
}

func (c *counted) Status(ctx context.Context) (*query.Status, error) {
	if c.crashes.Add(-1) >= 0 {
		panic("a status that nobody thought of")
	}
	return c.World.Status(ctx)
}

// Many viewers that come back at once leave the database to others, too.
func TestReplaysTakeTurns(t *testing.T) {
	c := &counted{World: worldtest.New(60)}
	_, address := serve(t, c, Options{})
	var viewers []*viewer
	for range 20 {
		viewers = append(viewers, view(t, address, "1"))
	}
	for _, v := range viewers {
		v.wantBlocks(2, 60)
	}
	if most := c.most.Load(); most > replaying {
		t.Errorf("%d blocks were read at once", most)
	}
}

// A panic while the hub reads is an error of the hub, which goes on.
func TestHubSurvives(t *testing.T) {
	c := &counted{World: worldtest.New(20)}
	c.crashes.Store(1)
	_, address := serve(t, c, Options{})
	v := view(t, address, "20")
	c.Grow(1)
	v.wantBlocks(21, 21)
	if c.crashes.Load() >= 0 {
		t.Error("there was no panic")
	}
}
