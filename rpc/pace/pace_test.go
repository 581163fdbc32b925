package pace

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// Who calls is what the connection says, unless it is of a trusted proxy.
func TestAddressOf(t *testing.T) {
	networks := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, c := range []struct {
		name, peer string
		forwarded  []string
		proxies    []netip.Prefix
		want       string
	}{
		{"no proxy", "192.0.2.1:5", nil, nil, "192.0.2.1"},
		{"spoofed, nobody trusted", "192.0.2.1:5", []string{"198.51.100.1"}, nil, "192.0.2.1"},
		{"spoofed by a stranger", "192.0.2.1:5", []string{"198.51.100.1"}, networks, "192.0.2.1"},
		{"through the proxy", "10.1.1.1:5", []string{"198.51.100.1"}, networks, "198.51.100.1"},
		{"with a port", "10.1.1.1:5", []string{"198.51.100.1:777"}, networks, "198.51.100.1"},
		{"spoofed through the proxy", "10.1.1.1:5", []string{"203.0.113.9, 198.51.100.1"}, networks, "198.51.100.1"},
		{"spoofed as a proxy", "10.1.1.1:5", []string{"203.0.113.9, 10.9.9.9, 198.51.100.1"}, networks, "198.51.100.1"},
		{"two proxies", "10.1.1.1:5", []string{"203.0.113.9, 198.51.100.1, 10.2.2.2"}, networks, "198.51.100.1"},
		{"two headers", "10.1.1.1:5", []string{"203.0.113.9", "198.51.100.1"}, networks, "198.51.100.1"},
		{"rubbish", "10.1.1.1:5", []string{"unknown"}, networks, "10.1.1.1"},
		{"rubbish at the end", "10.1.1.1:5", []string{"198.51.100.1, "}, networks, "10.1.1.1"},
		{"rubbish before", "10.1.1.1:5", []string{"<script>, 198.51.100.1"}, networks, "198.51.100.1"},
		{"rubbish behind a second proxy", "10.1.1.1:5", []string{"unknown, 10.2.2.2"}, networks, "10.2.2.2"},
		{"nothing", "10.1.1.1:5", nil, networks, "10.1.1.1"},
		{"proxies alone", "10.1.1.1:5", []string{"10.3.3.3, 10.2.2.2"}, networks, "10.3.3.3"},
		{"very many", "10.1.1.1:5", []string{"198.51.100.1" + strings.Repeat(", 10.2.2.2", 1000)}, networks, "10.2.2.2"},
		{"IPv6", "[2001:db8:1:2:3::4]:5", nil, nil, "2001:db8:1:2::"},
		{"IPv6 with a zone", "[fe80::1%eth0]:5", nil, nil, "fe80::"},
		{"IPv6 proxy", "[fd00::1]:5", []string{"2001:db8:1:2:3::4"}, networks, "2001:db8:1:2::"},
		{"IPv4 in IPv6", "[::ffff:10.1.1.1]:5", []string{"::ffff:198.51.100.1"}, networks, "198.51.100.1"},
		{"no address", "@", nil, networks, "invalid IP"},
	} {
		r := &http.Request{RemoteAddr: c.peer, Header: http.Header{"X-Forwarded-For": c.forwarded}}
		if got := AddressOf(r, c.proxies); got.String() != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// The limits of addresses take a bounded memory, and of those remembered none
// begins anew.
func TestAddressesAreBounded(t *testing.T) {
	limits := NewLimits(1, 1)
	now := time.Unix(1_800_000_000, 0)
	address := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}) }
	for i := range maxAddresses {
		if Take(limits.Of(address(i)), now) != 0 {
			t.Fatal(i)
		}
	}
	for i := range maxAddresses {
		if Take(limits.Of(address(i)), now) == 0 {
			t.Fatalf("%d began anew", i)
		}
	}
	for i := maxAddresses; i < 2*maxAddresses; i++ {
		limits.Of(address(i))
	}
	if n := limits.table.Len(); n != maxAddresses {
		t.Errorf("%d addresses are remembered", n)
	}
}
