package door

import (
	"context"
	"net/netip"
	"sync"
)

// crowd lets each address have so many requests at once; its others wait. It holds
// something only of addresses that have a request.
type crowd struct {
	most int

	mu    sync.Mutex // guards what follows
	lines map[netip.Addr]*line
}

// line is the requests of one address.
type line struct {
	turns chan struct{}
	users int // that have a turn or wait for one; owned by the crowd's mu
}

func newCrowd(most int) *crowd { return &crowd{most: most, lines: map[netip.Addr]*line{}} }

// enter waits for a turn of the address, or for ctx. Where ok, leave must be called.
func (c *crowd) enter(ctx context.Context, address netip.Addr) (leave func(), ok bool) {
	l := c.join(address)
	select {
	case l.turns <- struct{}{}:
		return c.turn(address, l), true
	case <-ctx.Done():
		c.part(address, l)
		return nil, false
	}
}

// try is enter without waiting.
func (c *crowd) try(address netip.Addr) (leave func(), ok bool) {
	l := c.join(address)
	select {
	case l.turns <- struct{}{}:
		return c.turn(address, l), true
	default:
		c.part(address, l)
		return nil, false
	}
}

// turn is what gives a turn back that was got.
func (c *crowd) turn(address netip.Addr, l *line) (leave func()) {
	return func() {
		<-l.turns
		c.part(address, l)
	}
}

func (c *crowd) join(address netip.Addr) *line {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.lines[address]
	if l == nil {
		l = &line{turns: make(chan struct{}, c.most)}
		c.lines[address] = l
	}
	l.users++
	return l
}

func (c *crowd) part(address netip.Addr, l *line) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if l.users--; l.users == 0 {
		delete(c.lines, address)
	}
}
