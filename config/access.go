package config

import (
	"net/netip"
	"net/url"
	"path/filepath"
	"reflect"
	"strings"
)

// accessSettings say who may use the wallets' server, and how much of it. All
// of them can be changed while the node runs.
var accessSettings = []setting{
	live(text("rpc.tls_cert", "The file with the server's TLS certificate and, after it, those that it was issued by, in\n"+
		"PEM. Empty for plain HTTP. A relative path begins at the node's directory. A new\n"+
		"certificate is taken as said below; TLS is turned on or off by a restart only.",
		"the path of a file, or an empty string",
		func(c *Config) *string { return &c.RPC.TLSCert }, plainPath)),
	live(text("rpc.tls_key", "The file with the certificate's private key, in PEM. Nobody else should be able to read it.",
		"the path of a file, or an empty string",
		func(c *Config) *string { return &c.RPC.TLSKey }, plainPath)),
	live(list("rpc.allowed_origins", "The web pages whose scripts may call, such as \"https://app.example\"; \"*\" is every one.\n"+
		"Programs and wallets' own extensions need not be named.", originForm,
		func(c *Config) *[]string { return &c.RPC.AllowedOrigins }, mostOrigins, originKey)),
	live(text("rpc.keys_file", "The file of API keys (tally apikey new). When it is set, nobody calls without a key of it;\n"+
		"empty, no key is asked for. A relative path begins at the node's directory.",
		"the path of a file, or an empty string",
		func(c *Config) *string { return &c.RPC.KeysFile }, plainPath)),
	live(whole("rpc.rate", "The most calls a second from one address (of IPv6: one /64). 0 is no limit. A key with a\n"+
		"rate of its own is bound by that alone, and a key with the scope admin by neither.", "",
		func(c *Config) *int { return &c.RPC.Rate }, 0, mostRate)),
	live(whole("rpc.burst", "The most calls at once from one address, after a pause. 0 is as many as rpc.rate.", "",
		func(c *Config) *int { return &c.RPC.Burst }, 0, mostRate)),
	live(list("rpc.trusted_proxies", "The networks of your own proxies. Of what comes from these, X-Forwarded-For says the\n"+
		"address; of anything else it is not believed.", proxyForm,
		func(c *Config) *[]string { return &c.RPC.TrustedProxies }, mostProxies, proxyKey)),
}

const (
	originForm  = `"scheme://host" in lower case, with ":port" where it is not the scheme's own, or "*"`
	proxyForm   = `an IP network such as "10.1.2.0/24" or "fd00::/8", or an IP address`
	mostOrigins = 1000
	mostProxies = 100
	mostRate    = 1_000_000 // calls a second
)

// originKey accepts an origin as browsers write it.
func originKey(s string) (string, bool) {
	if s == "*" {
		return s, true
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || u.Host == "" || strings.ToLower(s) != s {
		return "", false
	}
	standard := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	return s, s == u.Scheme+"://"+u.Host && u.Hostname() != "" && (u.Port() == "" || u.Port() != standard)
}

// proxyKey accepts an address or a network whose address has no bits beyond its
// mask: "10.1.2.3/8" more likely means one of the two.
func proxyKey(s string) (string, bool) {
	p, ok := ParseNetwork(s)
	return p.String(), ok
}

// ParseNetwork reads one of RPC.TrustedProxies. An address is the network of
// itself alone.
func ParseNetwork(s string) (netip.Prefix, bool) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	p, err := netip.ParsePrefix(s)
	return p, err == nil && p == p.Masked() && !p.Addr().Is4In6()
}

// In makes a path of the configuration absolute: a relative one begins at home,
// the node's directory. An empty one stays so.
func In(home, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(home, path)
}

// Change is a setting that differs between two configurations.
type Change struct {
	Key string
	// Was and Is are the values as TOML; empty for the comet table.
	Was, Is string
	// Live says that a running node takes it; any other needs a restart.
	Live bool
}

// Changes lists the settings that differ between two valid configurations, in
// the order of the file.
func Changes(before, after Config) []Change {
	var changes []Change
	for _, s := range settings {
		if was, is := s.render(&before), s.render(&after); was != is {
			changes = append(changes, Change{Key: s.name, Was: was, Is: is, Live: s.live})
		}
	}
	if (len(before.Comet) > 0 || len(after.Comet) > 0) && !reflect.DeepEqual(before.Comet, after.Comet) {
		changes = append(changes, Change{Key: "comet"})
	}
	return changes
}
