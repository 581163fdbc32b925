package config

import (
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sections are the tables of the file, in its order, each with what it is about.
// Keys outside any table stand in the section named "".
var sections = []struct{ name, doc string }{
	{"", ""},
	{"p2p", "How validators reach each other. Only the peers named here are dialled."},
	{"rpc", "The wallets' JSON-RPC server, over HTTP and WebSocket, and its limits."},
	{"webhooks", "Signed notices of what happens on the ledger, posted to servers of your own."},
	{"metrics", "The operators' HTTP server: /metrics for Prometheus, /healthz and /readyz."},
	{"explorer", "The explorer: pages and a REST API over an index of all blocks, for everybody who can reach it."},
	{"log", "What the node writes to standard error."},
	{"state", "The store of committed state."},
	{"mempool", "Transactions that wait on this node for a block."},
	{"consensus", "The timing of blocks on this node. Give every validator the same."},
	{"admission", "The checking of transactions before they enter the mempool."},
}

const (
	listenForm = `"host:port" with a host (0.0.0.0 for every interface) and a port from 0 to 65535`
	dialForm   = `"host:port" that others can dial, with a port from 1 to 65535`
	peerForm   = `"nodeID@host:port" with a nodeID of 40 lower-case hexadecimal digits and a port from 1 to 65535`
	mostPeers  = 1000
)

// settings are all keys but those of [comet], in the order of the file.
var settings = slices.Concat(
	nodeSettings, rpcSettings, accessSettings, webhookSettings, operatorSettings, storeSettings, consensusSettings, admissionSettings)

var nodeSettings = []setting{
	text("moniker", "The name that this node shows to its peers.",
		"1 to 64 printable ASCII characters, neither first nor last a space",
		func(c *Config) *string { return &c.Moniker }, goodMoniker),
	text("p2p.listen", "Where peers connect: host:port.", listenForm,
		func(c *Config) *string { return &c.P2P.Listen }, goodListen),
	text("p2p.external", "The host:port that peers should dial, where it is not the one above. Empty for none.",
		"an empty string or "+dialForm,
		func(c *Config) *string { return &c.P2P.External }, optional(goodDial)),
	list("p2p.peers", "The nodes to stay connected to: \"nodeID@host:port\", each node once.", peerForm,
		func(c *Config) *[]string { return &c.P2P.Peers }, mostPeers, peerID),
}

var rpcSettings = []setting{
	text("rpc.listen", "Where wallets connect: host:port. Beyond loopback, use TLS and keys (below), or a proxy.", listenForm,
		func(c *Config) *string { return &c.RPC.Listen }, goodListen),
	whole("rpc.max_body_bytes", "The largest request body or WebSocket message, in bytes.", "bytes",
		func(c *Config) *int { return &c.RPC.MaxBodyBytes }, 4096, 128<<20),
	whole("rpc.max_batch", "The most calls in one batch.", "",
		func(c *Config) *int { return &c.RPC.MaxBatch }, 1, 10_000),
	whole("rpc.max_waiting", "The most calls that wait for a receipt at the same time.", "",
		func(c *Config) *int { return &c.RPC.MaxWaiting }, 1, 1_000_000),
	whole("rpc.max_concurrent", "The most other calls that run at the same time.", "",
		func(c *Config) *int { return &c.RPC.MaxConcurrent }, 1, 1_000_000),
	whole("rpc.max_connections", "The most open connections, HTTP and WebSocket together.", "",
		func(c *Config) *int { return &c.RPC.MaxConnections }, 1, 1_000_000),
	whole("rpc.max_subscriptions", "The most subscriptions over WebSocket, of all connections together.", "",
		func(c *Config) *int { return &c.RPC.MaxSubscriptions }, 1, 1_000_000),
	whole("rpc.max_connection_subscriptions", "The most subscriptions of one WebSocket.", "",
		func(c *Config) *int { return &c.RPC.MaxConnectionSubscriptions }, 1, 1_000_000),
	duration("rpc.wait_timeout", "The longest that one call may wait for a receipt.",
		func(c *Config) *time.Duration { return &c.RPC.WaitTimeout }, 100*time.Millisecond, 10*time.Minute),
	duration("rpc.read_timeout", "The longest that reading one request may take.",
		func(c *Config) *time.Duration { return &c.RPC.ReadTimeout }, 100*time.Millisecond, 10*time.Minute),
	duration("rpc.idle_timeout", "How long an unused HTTP connection is kept.",
		func(c *Config) *time.Duration { return &c.RPC.IdleTimeout }, 100*time.Millisecond, time.Hour),
}

var operatorSettings = []setting{
	text("metrics.listen", "Where it listens: host:port. Empty for no such server.",
		"an empty string or "+listenForm,
		func(c *Config) *string { return &c.Metrics.Listen }, optional(goodListen)),
	text("explorer.listen", "Where it listens: host:port. Empty for no explorer, and no index.",
		"an empty string or "+listenForm,
		func(c *Config) *string { return &c.Explorer.Listen }, optional(goodListen)),
	database(text("explorer.database", "Where its index is: a file, within the home unless the path is absolute, or a URL that begins with\npostgres://, whose password may stand in PGPASSWORD or ~/.pgpass instead. Empty: data/explorer.db.",
		"an empty string, a path or a URL",
		func(c *Config) *string { return &c.Explorer.Database }, optional(goodDatabase)),
		func(c *Config) *string { return &c.Explorer.Database }),
	text("log.format", "How a line is written: \"text\" for people, \"json\" for programs.", `"text" or "json"`,
		func(c *Config) *string { return &c.Log.Format }, among("text", "json")),
	live(text("log.level", "The least severe lines written: \"debug\", \"info\", \"warn\" or \"error\".",
		`"debug", "info", "warn" or "error"`,
		func(c *Config) *string { return &c.Log.Level }, among("debug", "info", "warn", "error"))),
}

var storeSettings = []setting{
	whole("state.cache_bytes", "The cache of values read from the database, in bytes.", "bytes",
		func(c *Config) *int64 { return &c.State.CacheBytes }, 1<<20, 1<<40),
	whole("state.provable_heights", "How many of the last heights can be proved, whatever their age.", "",
		func(c *Config) *int { return &c.State.ProvableHeights }, 2, 128),
	duration("state.provable_period", "All heights of this last period can be proved too.",
		func(c *Config) *time.Duration { return &c.State.ProvablePeriod }, time.Second, 10*time.Minute),
	whole("mempool.max_txs", "The most transactions that wait.", "",
		func(c *Config) *int { return &c.Mempool.MaxTxs }, 1, mostCount),
	whole("mempool.max_bytes", "The most memory that they take. Each counts for four times its bytes and 1280 more, which\n"+
		"is about the most that it takes decoded: one payment for 2000.", "bytes",
		func(c *Config) *int64 { return &c.Mempool.MaxBytes }, 1<<20, 1<<40),
	whole("mempool.max_tx_bytes", "The largest transaction that waits, in bytes. Give every node the same:\n"+
		"one with less does not take the larger ones that others hold.", "bytes",
		func(c *Config) *int { return &c.Mempool.MaxTxBytes }, 1024, 512<<10),
	whole("mempool.account_txs", "The most transactions that wait of one account. 0 is an eighth of max_txs.", "",
		func(c *Config) *int { return &c.Mempool.AccountTxs }, 0, mostCount),
	whole("mempool.account_bytes", "The most memory that they take, counted as for max_bytes. 0 is an eighth of it.", "bytes",
		func(c *Config) *int64 { return &c.Mempool.AccountBytes }, 0, 1<<40),
	whole("mempool.member_txs", "The most transactions that wait of the accounts of one member together, and of\n"+
		"those of no member where there are members. 0 is half of max_txs.", "",
		func(c *Config) *int { return &c.Mempool.MemberTxs }, 0, mostCount),
	whole("mempool.member_bytes", "The most memory that they take, counted as for max_bytes. 0 is half of it.", "bytes",
		func(c *Config) *int64 { return &c.Mempool.MemberBytes }, 0, 1<<40),
	whole("mempool.pace", "While one member sends more than fits and another little, this node proposes blocks so\n"+
		"small that the other's transactions wait about so long, in percent of the usual time.\n"+
		"0 is blocks as large as they may be: most transactions a second, and all wait for them.", "",
		func(c *Config) *int { return &c.Mempool.Pace }, 0, 10_000),
}

var consensusSettings = []setting{
	duration("consensus.heartbeat_interval", "The time between empty blocks while nothing happens.",
		func(c *Config) *time.Duration { return &c.Consensus.HeartbeatInterval }, time.Second, time.Hour),
	timeout("consensus.timeout_propose", "How long the first round of a height waits for its proposal.",
		func(c *Config) *time.Duration { return &c.Consensus.TimeoutPropose }),
	timeout("consensus.timeout_propose_delta", "How much longer each further round waits.",
		func(c *Config) *time.Duration { return &c.Consensus.TimeoutProposeDelta }),
	timeout("consensus.timeout_prevote", "How long the first round waits for prevotes to agree.",
		func(c *Config) *time.Duration { return &c.Consensus.TimeoutPrevote }),
	timeout("consensus.timeout_prevote_delta", "How much longer each further round waits.",
		func(c *Config) *time.Duration { return &c.Consensus.TimeoutPrevoteDelta }),
	timeout("consensus.timeout_precommit", "How long the first round waits for precommits to agree.",
		func(c *Config) *time.Duration { return &c.Consensus.TimeoutPrecommit }),
	timeout("consensus.timeout_precommit_delta", "How much longer each further round waits.",
		func(c *Config) *time.Duration { return &c.Consensus.TimeoutPrecommitDelta }),
	duration("consensus.timeout_commit", "The pause after each block, in which late votes are gathered. Every transaction waits for it.",
		func(c *Config) *time.Duration { return &c.Consensus.TimeoutCommit }, 0, time.Minute),
}

var admissionSettings = []setting{
	whole("admission.workers", "How many signatures are recovered at once. 0 is one a core.", "",
		func(c *Config) *int { return &c.Admission.Workers }, 0, 1024),
	whole("admission.signer_cache_bytes", "The memory for recovered signers, in bytes.", "bytes",
		func(c *Config) *int64 { return &c.Admission.SignerCacheBytes }, 1<<20, 1<<40),
}

// timeout is a duration that consensus cannot do without: a zero one would spin.
func timeout(name, doc string, field func(*Config) *time.Duration) setting {
	return duration(name, doc, field, time.Millisecond, time.Minute)
}

func among(words ...string) func(string) bool {
	return func(s string) bool { return slices.Contains(words, s) }
}

func optional(good func(string) bool) func(string) bool {
	return func(s string) bool { return s == "" || good(s) }
}

func goodMoniker(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 64 && strings.TrimSpace(s) == s
}

// goodListen accepts a place to listen at. Port 0 is any free port.
func goodListen(s string) bool {
	_, _, ok := splitAddress(s)
	return ok
}

// goodDial accepts a place that somebody else can connect to.
func goodDial(s string) bool {
	host, port, ok := splitAddress(s)
	if !ok || port == 0 {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return err != nil || !ip.IsUnspecified()
}

var nodeID = regexp.MustCompile(`^[0-9a-f]{40}$`)

// peerID returns the node ID of "nodeID@host:port".
func peerID(s string) (string, bool) {
	id, address, found := strings.Cut(s, "@")
	return id, found && nodeID.MatchString(id) && goodDial(address)
}

var hostName = regexp.MustCompile(`^[0-9A-Za-z_]([0-9A-Za-z_-]{0,61}[0-9A-Za-z_])?(\.[0-9A-Za-z_]([0-9A-Za-z_-]{0,61}[0-9A-Za-z_])?)*$`)

var onlyDigitsAndDots = regexp.MustCompile(`^[0-9.]+$`)

// splitAddress takes "host:port" apart. The host is an IP address (an IPv6 one
// in brackets) or a DNS name; the port is decimal without leading zeros.
func splitAddress(s string) (host string, port int, ok bool) {
	host, portText, err := net.SplitHostPort(s)
	if err != nil {
		return "", 0, false
	}
	number, err := strconv.ParseUint(portText, 10, 16)
	if err != nil || strconv.FormatUint(number, 10) != portText {
		return "", 0, false
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return host, int(number), true
	}
	name := len(host) <= 253 && hostName.MatchString(host) && !onlyDigitsAndDots.MatchString(host)
	return host, int(number), name
}

// goodDatabase accepts a path, or the URL of a PostgreSQL database.
func goodDatabase(s string) bool {
	scheme, _, url := strings.Cut(s, "://")
	return s != "" && plainPath(s) && (!url || scheme == "postgres" || scheme == "postgresql")
}
