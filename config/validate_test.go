package config

import (
	"strings"
	"testing"
	"time"
)

func TestDefaultIsValidAndItsOwn(t *testing.T) {
	a := Default()
	if err := a.Validate(); err != nil {
		t.Fatal(err)
	}
	a.P2P.Peers = append(a.P2P.Peers, "x")
	if b := Default(); len(b.P2P.Peers) != 0 {
		t.Error("two defaults share a list")
	}
}

func TestZeroConfigIsRefused(t *testing.T) {
	err := Config{}.Validate()
	if err == nil {
		t.Fatal("accepted")
	}
	for _, name := range []string{"moniker", "rpc.listen", "rpc.max_batch", "log.level", "consensus.timeout_propose"} {
		if !strings.Contains(err.Error(), name+" = ") {
			t.Errorf("%s is not named in:\n%v", name, err)
		}
	}
}

func TestRefusedValues(t *testing.T) {
	peer := func(p ...string) func(*Config) { return func(c *Config) { c.P2P.Peers = p } }
	origin := func(o ...string) func(*Config) { return func(c *Config) { c.RPC.AllowedOrigins = o } }
	proxies := func(p ...string) func(*Config) { return func(c *Config) { c.RPC.TrustedProxies = p } }
	cases := []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"no moniker", func(c *Config) { c.Moniker = "" }, `moniker = "": want`},
		{"long moniker", func(c *Config) { c.Moniker = strings.Repeat("x", 65) }, "moniker = "},
		{"moniker with a newline", func(c *Config) { c.Moniker = "a\nb" }, `moniker = "a\nb": want`},
		{"moniker not ASCII", func(c *Config) { c.Moniker = "Zürich" }, `moniker = "Zürich": want`},
		{"moniker with a space behind", func(c *Config) { c.Moniker = "a " }, `moniker = "a ": want`},
		{"no port", func(c *Config) { c.RPC.Listen = "127.0.0.1" }, `rpc.listen = "127.0.0.1": want`},
		{"no host", func(c *Config) { c.RPC.Listen = ":8545" }, `rpc.listen = ":8545": want`},
		{"port too high", func(c *Config) { c.RPC.Listen = "127.0.0.1:65536" }, "rpc.listen = "},
		{"negative port", func(c *Config) { c.RPC.Listen = "127.0.0.1:-1" }, "rpc.listen = "},
		{"port with a sign", func(c *Config) { c.RPC.Listen = "127.0.0.1:+1" }, "rpc.listen = "},
		{"port with a zero before", func(c *Config) { c.RPC.Listen = "127.0.0.1:080" }, "rpc.listen = "},
		{"port by name", func(c *Config) { c.RPC.Listen = "127.0.0.1:http" }, "rpc.listen = "},
		{"impossible address", func(c *Config) { c.RPC.Listen = "256.0.0.1:1" }, "rpc.listen = "},
		{"scheme", func(c *Config) { c.P2P.Listen = "tcp://0.0.0.0:26656" }, `p2p.listen = "tcp://0.0.0.0:26656": want`},
		{"bare IPv6", func(c *Config) { c.P2P.Listen = "::1:26656" }, "p2p.listen = "},
		{"host with a space", func(c *Config) { c.P2P.Listen = "a b:1" }, "p2p.listen = "},
		{"host name too long", func(c *Config) { c.P2P.Listen = strings.Repeat("a.", 127) + "b:1" }, "p2p.listen = "},
		{"external any address", func(c *Config) { c.P2P.External = "0.0.0.0:26656" }, "p2p.external = "},
		{"external port 0", func(c *Config) { c.P2P.External = "a:0" }, "p2p.external = "},
		{"explorer", func(c *Config) { c.Explorer.Listen = "on" }, `explorer.listen = "on": want an empty string or "host:port"`},
		{"explorer's database", func(c *Config) { c.Explorer.Database = "mysql://db" }, `explorer.database = "mysql://db": want an empty string, a path or a URL`},
		{"metrics", func(c *Config) { c.Metrics.Listen = "off" }, `metrics.listen = "off": want an empty string or "host:port"`},
		{"log format", func(c *Config) { c.Log.Format = "JSON" }, `log.format = "JSON": want "text" or "json"`},
		{"log level", func(c *Config) { c.Log.Level = "trace" }, `log.level = "trace": want`},

		{"peer without an ID", peer("a:1"), `p2p.peers = item 1 is "a:1": want "nodeID@host:port"`},
		{"peer with a short ID", peer(someID[1:] + "@a:1"), "p2p.peers = item 1 is "},
		{"peer with a long ID", peer(someID + "0@a:1"), "p2p.peers = item 1 is "},
		{"peer in upper case", peer(strings.ToUpper(someID) + "@a:1"), "p2p.peers = item 1 is "},
		{"peer without a host", peer(someID + "@:1"), "p2p.peers = item 1 is "},
		{"peer without a port", peer(someID + "@a"), "p2p.peers = item 1 is "},
		{"peer with port 0", peer(someID + "@a:0"), "p2p.peers = item 1 is "},
		{"peer with two at signs", peer(someID + "@@a:1"), "p2p.peers = item 1 is "},
		{"empty peer", peer(someID+"@a:1", ""), `p2p.peers = item 2 is "": want`},
		{"two peers in one", peer(someID + "@a:1," + someID + "@b:1"), "p2p.peers = item 1 is "},
		{"peer twice", peer(someID+"@a:1", someID+"@b:1"), "p2p.peers = item 2 names the same as item 1 (" + someID + ")"},
		{"too many peers", peer(make([]string, mostPeers+1)...), "p2p.peers = 1001 items: want at most 1000"},

		{"negative batch", func(c *Config) { c.RPC.MaxBatch = -1 }, "rpc.max_batch = -1: want"},
		{"no waiting", func(c *Config) { c.RPC.MaxWaiting = 0 }, "rpc.max_waiting = 0: want"},
		{"no connections", func(c *Config) { c.RPC.MaxConnections = 0 }, "rpc.max_connections = 0: want"},
		{"no concurrency", func(c *Config) { c.RPC.MaxConcurrent = 0 }, "rpc.max_concurrent = 0: want"},
		{"no wait", func(c *Config) { c.RPC.WaitTimeout = 0 }, `rpc.wait_timeout = "0s": want`},
		{"negative wait", func(c *Config) { c.RPC.WaitTimeout = -time.Second }, `rpc.wait_timeout = "-1s": want`},
		{"no read", func(c *Config) { c.RPC.ReadTimeout = 0 }, "rpc.read_timeout = "},
		{"certificate without a key", func(c *Config) { c.RPC.TLSCert = "c.pem" }, `rpc.tls_cert = "c.pem", rpc.tls_key = "": want both`},
		{"key without a certificate", func(c *Config) { c.RPC.TLSKey = "k.pem" }, "want both"},
		{"path with a newline", func(c *Config) { c.RPC.KeysFile = "a\nb" }, "rpc.keys_file = "},
		{"origin without a scheme", origin("app.example"), "rpc.allowed_origins = item 1"},
		{"origin with a path", origin("https://app.example/"), "rpc.allowed_origins = item 1"},
		{"origin with a query", origin("https://app.example?x"), "rpc.allowed_origins = item 1"},
		{"origin with a name", origin("https://me@app.example"), "rpc.allowed_origins = item 1"},
		{"origin in capitals", origin("https://App.example"), "rpc.allowed_origins = item 1"},
		{"origin with the standard port", origin("https://app.example:443"), "rpc.allowed_origins = item 1"},
		{"origin that is a port", origin("http://:80"), "rpc.allowed_origins = item 1"},
		{"origin with a star inside", origin("https://app.example", "*", "*"), "item 3 names the same as item 2"},
		{"the origin null", origin("null"), "rpc.allowed_origins = item 1"},
		{"negative rate", func(c *Config) { c.RPC.Rate = -1 }, "rpc.rate = -1: want"},
		{"burst without a rate", func(c *Config) { c.RPC.Burst = 5 }, "rpc.burst = 5: want a rpc.rate"},
		{"proxy by name", proxies("proxy.example"), "rpc.trusted_proxies = item 1"},
		{"proxy with bits beyond its mask", proxies("10.1.2.3/8"), "rpc.trusted_proxies = item 1"},
		{"proxy with a zone", proxies("fe80::1%eth0"), "rpc.trusted_proxies = item 1"},
		{"proxy with a port", proxies("10.1.2.3:80"), "rpc.trusted_proxies = item 1"},
		{"proxy twice", proxies("10.1.2.3", "10.1.2.3/32"), "item 2 names the same as item 1"},
		{"mapped network", proxies("::ffff:10.0.0.0/104"), "rpc.trusted_proxies = item 1"},
		{"endless idling", func(c *Config) { c.RPC.IdleTimeout = 2 * time.Hour }, `rpc.idle_timeout = "2h": want`},
		{"negative cache", func(c *Config) { c.State.CacheBytes = -1 }, "state.cache_bytes = -1: want"},
		{"one height", func(c *Config) { c.State.ProvableHeights = 1 }, "state.provable_heights = 1: want"},
		{"negative period", func(c *Config) { c.State.ProvablePeriod = -1 }, "state.provable_period = "},
		{"no period", func(c *Config) { c.State.ProvablePeriod = 0 }, `state.provable_period = "0s": want`},
		{"no transactions", func(c *Config) { c.Mempool.MaxTxs = 0 }, "mempool.max_txs = 0: want"},
		{"no mempool", func(c *Config) { c.Mempool.MaxBytes = 0 }, "mempool.max_bytes = 0: want"},
		{"transaction above the ledger's limit", func(c *Config) { c.Mempool.MaxTxBytes = 512<<10 + 1 }, "mempool.max_tx_bytes = 524289: want"},
		{"spinning consensus", func(c *Config) { c.Consensus.TimeoutPropose = 0 }, "consensus.timeout_propose = "},
		{"no delta", func(c *Config) { c.Consensus.TimeoutPrevoteDelta = 0 }, "consensus.timeout_prevote_delta = "},
		{"slow commit", func(c *Config) { c.Consensus.TimeoutCommit = time.Hour }, "consensus.timeout_commit = "},
		{"no heartbeat", func(c *Config) { c.Consensus.HeartbeatInterval = 0 }, "consensus.heartbeat_interval = "},
		{"negative workers", func(c *Config) { c.Admission.Workers = -1 }, "admission.workers = -1: want"},
		{"no signers", func(c *Config) { c.Admission.SignerCacheBytes = 0 }, "admission.signer_cache_bytes = 0: want"},

		{"body too small", func(c *Config) { c.RPC.MaxBodyBytes = 1 << 20 }, "rpc.max_body_bytes = 1048576: want at least 1052672"},
		{"negative quota", func(c *Config) { c.Mempool.MemberTxs = -1 }, "mempool.member_txs = -1: want"},
		{"pool without room", func(c *Config) { c.Mempool.MaxBytes = 2 << 20 }, "mempool.max_bytes = 2097152: want at least 2098432"},
		{"account without room", func(c *Config) { c.Mempool.AccountBytes = 1000 }, "mempool.account_bytes = 1000: want 0 or at least 2098432"},
		{"member without room", func(c *Config) { c.Mempool.MemberBytes = 1000 }, "mempool.member_bytes = 1000: want 0 or at least 2098432"},
		{"one port twice", func(c *Config) { c.Metrics.Listen = c.RPC.Listen }, `metrics.listen = "127.0.0.1:8545": want another port than that of rpc.listen`},
		{"one port on every interface", func(c *Config) { c.P2P.Listen = "0.0.0.0:8545" }, "rpc.listen = "},

		{"comet int", func(c *Config) { c.Comet = map[string]any{"x": 1} }, "comet.x = 1: want"},
		{"comet nil", func(c *Config) { c.Comet = map[string]any{"x": nil} }, "comet.x = <nil>: want"},
		{"comet name", func(c *Config) { c.Comet = map[string]any{"X": true} }, `comet."X": want`},
		{"comet text", func(c *Config) { c.Comet = map[string]any{"x": []any{"\xff"}} }, `comet.x[0] = "\xff": want`},
	}
	for _, k := range cases {
		t.Run(k.name, func(t *testing.T) {
			c := Default()
			k.change(&c)
			err := c.Validate()
			if err == nil || !strings.Contains(err.Error(), k.want) {
				t.Fatalf("got %v, want %q", err, k.want)
			}
			if strings.Count(err.Error(), "\n") != 0 {
				t.Errorf("more than one problem: %v", err)
			}
		})
	}
}

func TestAcceptedValues(t *testing.T) {
	cases := []func(*Config){
		func(c *Config) {
			c.RPC.Listen, c.Metrics.Listen, c.P2P.Listen = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
		},
		func(c *Config) { c.RPC.Listen, c.Metrics.Listen = "127.0.0.1:1", "127.0.0.2:1" },
		func(c *Config) { c.RPC.Listen = "[::1]:65535" },
		func(c *Config) { c.RPC.Listen = "localhost:8545" },
		func(c *Config) { c.P2P.External = "203.0.113.7:1" },
		func(c *Config) { c.Consensus.TimeoutCommit = 0 },
		func(c *Config) { c.Comet = map[string]any{} },
	}
	for i, change := range cases {
		c := Default()
		change(&c)
		if err := c.Validate(); err != nil {
			t.Errorf("case %d: %v", i, err)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"rpc.listen", "p2p.listen", "rpc.max_batch"}
	cases := []struct{ unknown, want string }{
		{"rpc.listen", "rpc.listen"},
		{"rpc.listn", "rpc.listen"},
		{"p2.listen", "p2p.listen"},
		{"max_batch", "rpc.max_batch"},
		{"", ""},
		{"x", ""},
		{"something else entirely", ""},
		{strings.Repeat("rpc.listen", 100), ""},
	}
	for _, c := range cases {
		if got := Nearest(c.unknown, known); got != c.want {
			t.Errorf("Nearest(%q) = %q, want %q", c.unknown, got, c.want)
		}
	}
	if Nearest("x", nil) != "" {
		t.Error("a suggestion from nothing")
	}
}
