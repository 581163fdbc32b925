package config

import (
	"slices"
	"strings"
	"testing"
)

func TestGoodAccess(t *testing.T) {
	c := Default()
	c.RPC.TLSCert, c.RPC.TLSKey, c.RPC.KeysFile = "tls/cert.pem", "/etc/tls/key.pem", "keys.toml"
	c.RPC.AllowedOrigins = []string{"*", "https://app.example", "http://localhost:3000", "http://[::1]:8080", "capacitor://localhost"}
	c.RPC.Rate, c.RPC.Burst = 100, 20
	c.RPC.TrustedProxies = []string{"10.0.0.0/8", "192.0.2.7", "fd00::/8", "::1"}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
}

// Nobody is asked for anything, no page may call, and no proxy is believed, until
// the operator says so.
func TestAccessByDefault(t *testing.T) {
	r := Default().RPC
	if r.TLSCert+r.TLSKey+r.KeysFile != "" || r.Rate != 0 || r.Burst != 0 || len(r.AllowedOrigins)+len(r.TrustedProxies) != 0 || !strings.HasPrefix(r.Listen, "127.0.0.1:") {
		t.Errorf("%+v", r)
	}
}

func TestChanges(t *testing.T) {
	before := Default()
	if changes := Changes(before, Default()); len(changes) != 0 {
		t.Errorf("of nothing: %v", changes)
	}
	after := Default()
	after.RPC.MaxBatch = 7
	after.RPC.Rate = 5
	after.Log.Level = "debug"
	after.P2P.Peers = []string{strings.Repeat("a", 40) + "@a.example:1"}
	after.Comet = map[string]any{"p2p": map[string]any{"send_rate": int64(1)}}
	var live, restart []string
	for _, c := range Changes(before, after) {
		if c.Live {
			live = append(live, c.Key+"="+c.Is)
		} else {
			restart = append(restart, c.Key)
		}
	}
	if !slices.Equal(live, []string{"rpc.rate=5", `log.level="debug"`}) || !slices.Equal(restart, []string{"p2p.peers", "rpc.max_batch", "comet"}) {
		t.Errorf("live %v, restart %v", live, restart)
	}
}

func TestIn(t *testing.T) {
	for path, want := range map[string]string{"": "", "a.pem": "/home/a.pem", "/etc/a.pem": "/etc/a.pem", "../a": "/a"} {
		if got := In("/home", path); got != want {
			t.Errorf("%q: %q", path, got)
		}
	}
}
