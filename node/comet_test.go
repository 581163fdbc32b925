package node

import (
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/app"
	"github.com/tallystick/tallystick/config"
)

// TestLargestFits: the configuration takes a bound of the pool exactly if the
// application's count of the largest transaction is within it.
func TestLargestFits(t *testing.T) {
	for _, length := range []int{300 << 10, 512 << 10} {
		for _, bound := range []func(*config.Config) *int64{
			func(c *config.Config) *int64 { return &c.Mempool.MaxBytes },
			func(c *config.Config) *int64 { return &c.Mempool.AccountBytes },
			func(c *config.Config) *int64 { return &c.Mempool.MemberBytes },
		} {
			c := config.Default()
			c.Mempool.MaxTxBytes = length
			*bound(&c) = app.PendingBytes(length)
			if err := c.Validate(); err != nil {
				t.Errorf("%d bytes: %v", length, err)
			}
			if *bound(&c)--; c.Validate() == nil {
				t.Errorf("%d bytes: %d is taken", length, *bound(&c))
			}
		}
	}
}

func TestCometConfig(t *testing.T) {
	c := config.Default()
	c.P2P.Peers = []string{
		"0123456789abcdef0123456789abcdef01234567@a.example:26656",
		"89abcdef0123456789abcdef0123456789abcdef@10.0.0.1:26656",
	}
	home := Home(t.TempDir())
	comet, err := cometConfig(c, home)
	if err != nil {
		t.Fatal(err)
	}
	for name, ok := range map[string]bool{
		"no discovery":          !comet.P2P.PexReactor && comet.P2P.Seeds == "" && comet.P2P.PersistentPeers == "",
		"strangers are asked":   comet.FilterPeers,
		"peers unconditional":   comet.P2P.UnconditionalPeerIDs == "0123456789abcdef0123456789abcdef01234567,89abcdef0123456789abcdef0123456789abcdef",
		"no RPC of CometBFT's":  comet.RPC.ListenAddress == "" && comet.RPC.GRPCListenAddress == "",
		"no indexer":            comet.TxIndex.Indexer == "null",
		"mempool for a token":   !comet.Mempool.Recheck && !comet.Mempool.Broadcast && comet.Mempool.CacheSize == 0,
		"heartbeat":             comet.Consensus.CreateEmptyBlocks && comet.Consensus.CreateEmptyBlocksInterval == c.Consensus.HeartbeatInterval,
		"no pause after blocks": comet.Consensus.TimeoutCommit == 0,
		"results kept":          !comet.Storage.DiscardABCIResponses,
		"write-ahead log":       comet.Consensus.WalFile() == home.ConsensusLogFile(),
		"signing state":         comet.PrivValidatorStateFile() == home.ValidatorStateFile(),
		"gossip":                comet.Consensus.PeerGossipSleepDuration == 10*time.Millisecond && comet.P2P.MaxPacketMsgPayloadSize == 65536,
	} {
		if !ok {
			t.Errorf("%s: not so", name)
		}
	}
}

func TestRawCometSettings(t *testing.T) {
	c := config.Default()
	c.Comet = map[string]any{
		"p2p":       map[string]any{"send_rate": int64(1_000_000), "dial_timeout": "7s", "allow_duplicate_ip": false},
		"consensus": map[string]any{"block_time_tolerance": "90s", "timeout_propose": "2s"},
		"rpc":       map[string]any{"laddr": "tcp://127.0.0.1:26657", "cors_allowed_origins": []any{"*"}},
	}
	comet, err := cometConfig(c, Home(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	if comet.P2P.SendRate != 1_000_000 || comet.P2P.DialTimeout != 7*time.Second || comet.P2P.AllowDuplicateIP ||
		comet.Consensus.BlockTimeTolerance != 90*time.Second || comet.Consensus.TimeoutPropose != 2*time.Second ||
		comet.RPC.ListenAddress != "tcp://127.0.0.1:26657" || len(comet.RPC.CORSAllowedOrigins) != 1 {
		t.Errorf("not all settings were taken: %+v %+v %+v", comet.P2P, comet.Consensus, comet.RPC)
	}
	if comet.P2P.RecvRate != peerBytesPerSecond {
		t.Error("a setting that the table does not name was changed")
	}
}

func TestRawCometSettingsRefused(t *testing.T) {
	section := func(name, key string, value any) map[string]any {
		return map[string]any{name: map[string]any{key: value}}
	}
	for _, c := range []struct {
		name string
		raw  map[string]any
		want string
	}{
		{"misspelt", section("p2p", "sendrate", int64(1)), "did you mean comet.p2p.send_rate?"},
		{"misspelt at the top", map[string]any{"filter_peer": true}, "filter_peer"},
		{"no such section", section("consenus", "timeout_commit", "1s"), "comet.consenus.timeout_commit: CometBFT has no such setting; did you mean comet.consensus.timeout_commit?"},
		{"nothing like it", section("p2p", "zzzzzzzzzzzz", true), "comet.p2p.zzzzzzzzzzzz: CometBFT has no such setting"},
		{"owned key", map[string]any{"db_backend": "goleveldb"}, "comet.db_backend: cannot be set"},
		{"owned section", section("tx_index", "indexer", "kv"), "comet.tx_index.indexer: cannot be set"},
		{"owned deeper", map[string]any{"p2p": map[string]any{"libp2p": map[string]any{"enabled": true}}}, "comet.p2p.libp2p.enabled: cannot be set"},
		{"discovery", section("p2p", "pex", true), "comet.p2p.pex: cannot be set"},
		{"recheck", section("mempool", "recheck", false), "comet.mempool.recheck: cannot be set"},
		{"section as a value", map[string]any{"p2p": int64(3)}, "comet.p2p"},
		{"value as a section", map[string]any{"p2p": map[string]any{"send_rate": map[string]any{"x": int64(1)}}}, "comet.p2p.send_rate.x"},
		{"wrong type", section("p2p", "send_rate", "fast"), "send_rate"},
		{"wrong duration", section("p2p", "dial_timeout", "soon"), "dial_timeout"},
		{"invalid value", section("p2p", "send_rate", int64(-1)), "send_rate"},
		{"invalid tolerance", section("consensus", "block_time_tolerance", "0s"), "block_time_tolerance"},
	} {
		t.Run(c.name, func(t *testing.T) {
			settings := config.Default()
			settings.Comet = c.raw
			_, err := cometConfig(settings, Home(t.TempDir()))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want something with %q", err, c.want)
			}
		})
	}
}

// Every problem is reported at once.
func TestRawCometSettingsAllReported(t *testing.T) {
	c := config.Default()
	c.Comet = map[string]any{"db_dir": "x", "p2p": map[string]any{"pex": true, "sendrate": int64(1)}}
	_, err := cometConfig(c, Home(t.TempDir()))
	if err == nil || strings.Count(err.Error(), "comet.") < 3 {
		t.Errorf("got %v", err)
	}
}

// The table of owned settings names only what CometBFT has.
func TestOwnedSettingsExist(t *testing.T) {
	known, err := cometKeys()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range ownedSettings {
		found := false
		for _, key := range known {
			found = found || key == o.path || strings.HasSuffix(o.path, ".") && strings.HasPrefix(key+".", o.path)
		}
		if !found {
			t.Errorf("%s is no setting of CometBFT", o.path)
		}
	}
}
