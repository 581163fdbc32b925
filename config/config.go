// Package config is the node's typed configuration: one TOML file, the
// environment over it, and defaults beneath it.
//
// # Where a value comes from
//
// Every key has a default (Default). The file replaces defaults, and the
// environment replaces the file: key rpc.max_batch is read from
// TALLY_RPC_MAX_BATCH. A list is written there with commas. An environment
// variable that is set but empty is a value too: TALLY_METRICS_LISTEN= turns
// the metrics server off.
//
// # Strictness
//
// A setting that is not obeyed is worse than one that is refused, so nothing
// is dropped or guessed. An unknown key, an unknown TALLY_ variable of a known
// section, a wrong type, a value out of range: each is an error that names the
// key, the value and the form expected, and all of them are reported at once.
// Keys are lower-case; the [comet] table is passed on as it stands, for the
// node to check against CometBFT's own settings.
//
// # Reserved variables
//
// TALLY_HOME (the node's directory), TALLY_PASSPHRASE (the keystore's
// passphrase), TALLY_API_KEY and TALLY_RPC_CA (for talking to a node) belong to
// the commands; this package passes over them, and over what Kubernetes injects
// for a service whose name begins with "tally".
//
// The package reads and writes that one file and looks at nothing else. It
// imports none of the project's other packages.
package config

import "time"

// Config is everything an operator can set. The zero value is not valid: start
// from Default or Load.
type Config struct {
	// Moniker is the name that this node shows to its peers: 1 to 64 printable
	// ASCII characters, neither first nor last a space.
	Moniker   string
	P2P       P2P
	RPC       RPC
	Webhooks  Webhooks
	Metrics   Metrics
	Explorer  Explorer
	Log       Log
	State     State
	Mempool   Mempool
	Consensus Consensus
	Admission Admission
	// Comet holds raw CometBFT settings by their own names, nested as in the
	// file: bool, int64, float64, string, []any and map[string]any. It is nil
	// when there are none. The node refuses what CometBFT does not know.
	Comet map[string]any
}

// P2P is how validators reach each other.
type P2P struct {
	// Listen is the host:port on which peers connect.
	Listen string
	// External is the host:port that peers should dial, or empty if it is Listen.
	External string
	// Peers are the nodes to stay connected to, each "nodeID@host:port", where
	// nodeID is 40 lower-case hexadecimal digits.
	Peers []string
}

// RPC is the wallets' JSON-RPC server and its limits.
type RPC struct {
	// Listen is the host:port of HTTP and WebSocket.
	Listen string
	// MaxBodyBytes bounds one request's body, or one WebSocket message.
	MaxBodyBytes int
	// MaxBatch bounds the calls in one batch.
	MaxBatch int
	// MaxWaiting bounds the calls that wait for a receipt at the same time.
	MaxWaiting int
	// MaxConcurrent bounds the other calls that run at the same time.
	MaxConcurrent int
	// MaxConnections bounds open connections, HTTP and WebSocket together.
	MaxConnections int
	// MaxSubscriptions bounds the subscriptions of all WebSockets together, and
	// MaxConnectionSubscriptions those of one.
	MaxSubscriptions           int
	MaxConnectionSubscriptions int
	// WaitTimeout is the longest that one call may wait for a receipt.
	WaitTimeout time.Duration
	// ReadTimeout is the longest that reading one request may take.
	ReadTimeout time.Duration
	// IdleTimeout is how long an unused HTTP connection is kept.
	IdleTimeout time.Duration
	// TLSCert and TLSKey are files in PEM: the server's certificate, with those that
	// it was issued by, and its key. Both or neither; neither is plain HTTP.
	TLSCert, TLSKey string
	// AllowedOrigins are the web pages whose scripts may call, each
	// "scheme://host" with a port where it is not the scheme's own, or "*" for all.
	AllowedOrigins []string
	// KeysFile names who may call, by API keys. Empty: everybody, without a key.
	KeysFile string
	// Rate is how many calls a second one address may make, and Burst how many at
	// once after a pause; 0 is no limit, and for Burst as many as Rate.
	Rate, Burst int
	// TrustedProxies are the networks (CIDR) of the proxies whose X-Forwarded-For
	// says who calls.
	TrustedProxies []string
}

// Webhooks are the servers that are told what happens.
type Webhooks struct {
	// File is the path of the file that names them, or empty for none. A relative
	// path begins at the node's directory.
	File string
}

// Metrics is the operators' HTTP server: /metrics, /healthz and /readyz.
type Metrics struct {
	// Listen is its host:port, or empty for no such server.
	Listen string
}

// Explorer is the readers' door: pages and a REST API over an index of all blocks,
// which the node keeps beside its own stores.
type Explorer struct {
	// Listen is its host:port, or empty for none, and no index either.
	Listen string
	// Database is where its index is: a file (a relative path is within the home), or
	// the URL of a PostgreSQL database. Empty: a file among the node's data.
	Database string
}

// Log is what the node writes to standard error.
type Log struct {
	// Format is "text" or "json".
	Format string
	// Level is the least severe level written: "debug", "info", "warn" or "error".
	Level string
}

// State is the store of committed state.
type State struct {
	// CacheBytes bounds the cache of values read from the database.
	CacheBytes int64
	// ProvableHeights and ProvablePeriod say which recent heights can be proved:
	// the last ProvableHeights, and all of the last ProvablePeriod.
	ProvableHeights int
	ProvablePeriod  time.Duration
}

// Mempool bounds the transactions that wait for a block on this node.
type Mempool struct {
	// MaxTxs bounds their number.
	MaxTxs int
	// MaxBytes bounds the memory that they take in all. Each counts for four times
	// its bytes and 1,280 more (app.PendingBytes).
	MaxBytes int64
	// MaxTxBytes bounds one transaction.
	MaxTxBytes int
	// AccountTxs and AccountBytes bound those of one account, likewise. 0: an eighth of the above.
	AccountTxs   int
	AccountBytes int64
	// MemberTxs and MemberBytes bound those of all accounts of one member, and,
	// where there are members, of all accounts of none. 0: half of the above.
	MemberTxs   int
	MemberBytes int64
	// Pace is how long the transactions of a member that sends little may wait while
	// another sends more than fits, in percent of the usual: this node proposes blocks
	// that are small enough. 0: blocks as large as they may be.
	Pace int
}

// Consensus is the timing of blocks. It is local to the node; what all nodes
// must share, such as the size of a block, is a consensus parameter instead.
type Consensus struct {
	// HeartbeatInterval is the time between empty blocks on an idle network.
	HeartbeatInterval time.Duration
	// TimeoutPropose is how long the first round waits for a proposal, and
	// TimeoutProposeDelta how much longer each further round waits.
	TimeoutPropose      time.Duration
	TimeoutProposeDelta time.Duration
	// TimeoutPrevote and TimeoutPrevoteDelta are the same for prevotes that disagree.
	TimeoutPrevote      time.Duration
	TimeoutPrevoteDelta time.Duration
	// TimeoutPrecommit and TimeoutPrecommitDelta are the same for precommits.
	TimeoutPrecommit      time.Duration
	TimeoutPrecommitDelta time.Duration
	// TimeoutCommit is the pause after a block, in which late votes are gathered.
	TimeoutCommit time.Duration
}

// Admission is the checking of transactions before they enter the mempool.
type Admission struct {
	// Workers is how many signatures are recovered at once; 0 is one a core.
	Workers int
	// SignerCacheBytes bounds the memory that holds recovered signers.
	SignerCacheBytes int64
}

// Default returns the settings of a low-latency network of known members. Each
// call returns a value of its own, which the caller may change.
func Default() Config {
	return Config{
		Moniker: "tally",
		P2P:     P2P{Listen: "0.0.0.0:26656"},
		RPC: RPC{
			Listen:         "127.0.0.1:8545",
			MaxBodyBytes:   5 << 20,
			MaxBatch:       100,
			MaxWaiting:     4096,
			MaxConcurrent:  1024,
			MaxConnections: 4096,

			MaxSubscriptions:           10_000,
			MaxConnectionSubscriptions: 1024,

			WaitTimeout: 30 * time.Second,
			ReadTimeout: 30 * time.Second,
			IdleTimeout: 2 * time.Minute,
		},
		Metrics: Metrics{Listen: "127.0.0.1:9464"},
		Log:     Log{Format: "text", Level: "info"},
		State: State{
			CacheBytes:      128 << 20,
			ProvableHeights: 16,
			ProvablePeriod:  30 * time.Second,
		},
		Mempool: Mempool{
			MaxTxs:     50_000,
			MaxBytes:   256 << 20,
			MaxTxBytes: 512 << 10,
			Pace:       125,
		},
		Consensus: Consensus{
			HeartbeatInterval:     10 * time.Second,
			TimeoutPropose:        time.Second,
			TimeoutProposeDelta:   500 * time.Millisecond,
			TimeoutPrevote:        300 * time.Millisecond,
			TimeoutPrevoteDelta:   300 * time.Millisecond,
			TimeoutPrecommit:      300 * time.Millisecond,
			TimeoutPrecommitDelta: 300 * time.Millisecond,
		},
		Admission: Admission{SignerCacheBytes: 64 << 20},
	}
}
