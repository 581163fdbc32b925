package door

import (
	"net"
	"net/netip"
	"sync"
)

// fair is a listener that lets each address have so many connections: those beyond
// are closed at once. Without it one client that opens connections and says nothing
// keeps everybody out. Trusted proxies, behind which there are many, have no limit.
type fair struct {
	net.Listener
	most    int
	proxies func() []netip.Prefix

	mu   sync.Mutex // guards open
	open map[netip.Addr]int
}

func newFair(l net.Listener, most int, proxies func() []netip.Prefix) *fair {
	return &fair{Listener: l, most: most, proxies: proxies, open: map[netip.Addr]int{}}
}

// Accept implements net.Listener.
func (f *fair) Accept() (net.Conn, error) {
	for {
		c, err := f.Listener.Accept()
		if err != nil {
			return nil, err
		}
		address, counted := f.addressOf(c)
		if !counted {
			return c, nil
		}
		if f.enter(address) {
			return &connection{Conn: c, end: func() { f.leave(address) }}, nil
		}
		c.Close()
	}
}

func (f *fair) addressOf(c net.Conn) (a netip.Addr, counted bool) {
	peer, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return a, true // all that cannot be told apart
	}
	a = peer.Addr().Unmap().WithZone("")
	for _, p := range f.proxies() {
		if p.Contains(a) {
			return a, false
		}
	}
	if a.Is6() {
		if whole, err := a.Prefix(64); err == nil { // one client has all of it, as in rpc/pace
			a = whole.Addr()
		}
	}
	return a, true
}

func (f *fair) enter(a netip.Addr) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open[a] >= f.most {
		return false
	}
	f.open[a]++
	return true
}

func (f *fair) leave(a netip.Addr) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open[a]--; f.open[a] == 0 {
		delete(f.open, a)
	}
}

// connection is a connection that counts until it is closed.
type connection struct {
	net.Conn
	once sync.Once
	end  func()
}

// Close implements net.Conn.
func (c *connection) Close() error {
	defer c.once.Do(c.end)
	return c.Conn.Close()
}
