// Package pace tells who calls, and whether it calls too often. The doors to the
// network (the JSON-RPC server and the explorer) share it, so that a proxy is
// believed by one rule.
package pace

import (
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/time/rate"
)

const (
	// maxAddresses is how many addresses' limits are remembered, some 4 MiB. With
	// more, the one that has been quiet longest is forgotten, and so may make a
	// burst again: to gain by that takes as many addresses as are remembered.
	maxAddresses = 16_384
	// clientBits is how much of an IPv6 address tells one client from another: a
	// client usually has all of a /64 to itself.
	clientBits = 64
	// maxHops is how many addresses of X-Forwarded-For are looked at.
	maxHops = 32
)

// Limits is a limit for each address. It is safe for concurrent use.
type Limits struct {
	rate, burst int

	mu    sync.Mutex // guards table
	table *simplelru.LRU[netip.Addr, *rate.Limiter]
}

// NewLimits lets each address call perSecond times a second, and burst times at once
// after a pause; 0 for burst is as many as perSecond, which is above 0.
func NewLimits(perSecond, burst int) *Limits {
	if burst == 0 {
		burst = perSecond
	}
	table, err := simplelru.NewLRU[netip.Addr, *rate.Limiter](maxAddresses, nil)
	if err != nil {
		panic("pace: " + err.Error()) // only for a size that is not above 0
	}
	return &Limits{rate: perSecond, burst: burst, table: table}
}

// Same reports whether both have the same limits; l may be nil.
func (l *Limits) Same(other *Limits) bool {
	return l != nil && l.rate == other.rate && l.burst == other.burst
}

// Of finds the limit of an address, or begins one.
func (l *Limits) Of(address netip.Addr) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if limit, ok := l.table.Get(address); ok {
		return limit
	}
	limit := NewLimiter(l.rate, l.burst)
	l.table.Add(address, limit)
	return limit
}

// NewLimiter is one limit.
func NewLimiter(perSecond, burst int) *rate.Limiter {
	return rate.NewLimiter(rate.Limit(perSecond), burst)
}

// Take spends one call; what it returns is 0, or how long until there is one.
func Take(limit *rate.Limiter, now time.Time) time.Duration {
	if limit.AllowN(now, 1) {
		return 0
	}
	missing := 1 - limit.TokensAt(now)
	return max(time.Millisecond, time.Duration(missing/float64(limit.Limit())*float64(time.Second)))
}

// AddressOf is the address that a request's calls count for. Where it comes from
// a trusted proxy, that is the last one of X-Forwarded-For that is no trusted
// proxy: a proxy adds the address that it was called from at the end, and what
// stands before that is whatever the caller likes. A request with nothing there
// that can be believed counts for the proxy.
func AddressOf(r *http.Request, proxies []netip.Prefix) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{} // all that cannot be told apart
	}
	address := plain(peer.Addr())
	if trusted(address, proxies) {
		address = forwarded(r.Header.Values("X-Forwarded-For"), address, proxies)
	}
	return clientOf(address)
}

// forwarded walks back through the proxies, from the last one.
func forwarded(headers []string, last netip.Addr, proxies []netip.Prefix) netip.Addr {
	list := strings.Join(headers, ",")
	for range maxHops {
		cut := strings.LastIndexByte(list, ',')
		hop, ok := parseHop(strings.TrimSpace(list[cut+1:]))
		if !ok {
			return last
		}
		last = plain(hop)
		if cut < 0 || !trusted(last, proxies) {
			return last
		}
		list = list[:cut]
	}
	return last
}

// parseHop reads an address, which some proxies write with its port.
func parseHop(text string) (netip.Addr, bool) {
	if a, err := netip.ParseAddr(text); err == nil {
		return a, true
	}
	with, err := netip.ParseAddrPort(text)
	return with.Addr(), err == nil
}

// plain is an address in its one form.
func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// clientOf is what one client has of an address.
func clientOf(a netip.Addr) netip.Addr {
	if !a.Is6() {
		return a
	}
	whole, err := a.Prefix(clientBits)
	if err != nil {
		return a
	}
	return whole.Addr()
}

func trusted(a netip.Addr, proxies []netip.Prefix) bool {
	for _, p := range proxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
