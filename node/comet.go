package node

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	cometconfig "github.com/cometbft/cometbft/config"
	"github.com/go-viper/mapstructure/v2"

	"github.com/tallystick/tallystick/config"
)

// The settings of CometBFT that this package chooses, each measured to matter.
const (
	// packetBytes is the payload of one packet between peers. Larger packets
	// mean fewer system calls; a vote waits for at most one packet of a block.
	packetBytes = 64 << 10
	// flushThrottle is how long small messages wait for company.
	flushThrottle = 2 * time.Millisecond
	// gossipSleep is how long a gossip routine sleeps that had nothing to send.
	// It stands in the latency of every step of every block.
	gossipSleep = 10 * time.Millisecond
	// peerBytesPerSecond bounds the traffic with one peer, each way: no bound
	// on a local network, but no more than one peer can do harm with.
	peerBytesPerSecond = 512 << 20
	// mostPeers bounds the connections that are not from configured peers, of
	// which there are none.
	mostPeers = 64
)

// cometConfig builds CometBFT's configuration out of the node's: its own
// defaults, then what this package chooses, then the node's settings, then the
// raw [comet] table. The result is valid: NewNode does not check it.
func cometConfig(c config.Config, home Home) (*cometconfig.Config, error) {
	comet := cometconfig.DefaultConfig()
	comet.SetRoot(string(home))
	comet.Moniker = c.Moniker
	comet.Genesis = home.GenesisFile()
	comet.NodeKey = home.NodeKeyFile()
	comet.PrivValidatorKey = home.ValidatorKeyFile()
	comet.PrivValidatorState = home.ValidatorStateFile()
	comet.DBBackend = "pebbledb"
	comet.DBPath = home.DataDir()
	comet.FilterPeers = true
	comet.RPC.ListenAddress = ""
	comet.TxIndex.Indexer = "null"
	comet.Instrumentation.Prometheus = false // this package serves the metrics itself
	setPeers(comet.P2P, c.P2P)
	setMempool(comet.Mempool)
	setConsensus(comet.Consensus, c.Consensus)
	comet.Consensus.WalPath = home.ConsensusLogFile()
	comet.P2P.AddrBook = home.AddressBookFile()
	if err := applyRaw(comet, c.Comet); err != nil {
		return nil, err
	}
	if err := comet.ValidateBasic(); err != nil {
		return nil, fmt.Errorf("comet: %w", err)
	}
	return comet, nil
}

// setPeers sets how peers talk: those of the configuration alone, which the
// node's own loop dials (see redial.go), so none is CometBFT's to redial.
func setPeers(p *cometconfig.P2PConfig, c config.P2P) {
	p.ListenAddress = "tcp://" + c.Listen
	p.ExternalAddress = c.External
	p.PersistentPeers, p.Seeds = "", ""
	p.UnconditionalPeerIDs = strings.Join(peerIDs(c.Peers), ",")
	p.PexReactor, p.AddrBookStrict, p.AllowDuplicateIP = false, false, true
	p.MaxNumInboundPeers, p.MaxNumOutboundPeers = mostPeers, mostPeers
	p.MaxPacketMsgPayloadSize = packetBytes
	p.FlushThrottleTimeout = flushThrottle
	p.SendRate, p.RecvRate = peerBytesPerSecond, peerBytesPerSecond
}

// peerIDs are the node IDs of peers of the form nodeID@host:port.
func peerIDs(peers []string) []string {
	ids := make([]string, len(peers))
	for i, peer := range peers {
		ids[i], _, _ = strings.Cut(peer, "@")
	}
	return ids
}

// setMempool makes CometBFT's mempool a place for the application's token (see
// signal.go) and nothing else. No cache: the same token comes again and again.
func setMempool(m *cometconfig.MempoolConfig) {
	m.Type = cometconfig.MempoolTypeFlood
	m.Broadcast, m.Recheck, m.CacheSize = false, false, 0
}

func setConsensus(t *cometconfig.ConsensusConfig, c config.Consensus) {
	t.TimeoutPropose, t.TimeoutProposeDelta = c.TimeoutPropose, c.TimeoutProposeDelta
	t.TimeoutPrevote, t.TimeoutPrevoteDelta = c.TimeoutPrevote, c.TimeoutPrevoteDelta
	t.TimeoutPrecommit, t.TimeoutPrecommitDelta = c.TimeoutPrecommit, c.TimeoutPrecommitDelta
	t.TimeoutCommit = c.TimeoutCommit
	// An idle network makes an empty block each interval, so that its block
	// time stays near the clock's.
	t.CreateEmptyBlocks, t.CreateEmptyBlocksInterval = true, c.HeartbeatInterval
	t.PeerGossipSleepDuration = gossipSleep
}

// An owned setting of CometBFT cannot be set in [comet]. The path is a key, or
// the beginning of keys if it ends with a dot.
type owned struct{ path, why string }

var ownedSettings = []owned{
	{"home", "it is --home"},
	{"moniker", "set moniker instead"},
	{"version", "it is the node's"},
	{"proxy_app", "the application is part of the node"},
	{"abci", "the application is part of the node"},
	{"db_backend", "the databases are the node's"},
	{"db_dir", "the databases are the node's"},
	{"log_level", "set log.level instead"},
	{"log_format", "set log.format instead"},
	{"genesis_file", "files have fixed places in the node's directory"},
	{"node_key_file", "files have fixed places in the node's directory"},
	{"priv_validator_key_file", "files have fixed places in the node's directory"},
	{"priv_validator_state_file", "files have fixed places in the node's directory"},
	{"filter_peers", "peers are those of p2p.peers and nobody else"},
	{"p2p.home", "it is --home"},
	{"p2p.laddr", "set p2p.listen instead"},
	{"p2p.external_address", "set p2p.external instead"},
	{"p2p.persistent_peers", "set p2p.peers instead"},
	{"p2p.unconditional_peer_ids", "set p2p.peers instead"},
	{"p2p.private_peer_ids", "set p2p.peers instead"},
	{"p2p.addr_book_file", "files have fixed places in the node's directory"},
	{"p2p.seeds", "peers are those of p2p.peers and nobody else"},
	{"p2p.seed_mode", "peers are those of p2p.peers and nobody else"},
	{"p2p.pex", "peers are those of p2p.peers and nobody else"},
	{"p2p.libp2p.", "the node dials its peers itself, over CometBFT's own transport"},
	{"rpc.home", "it is --home"},
	{"mempool.", "transactions wait in the application, not in CometBFT's mempool: set mempool.max_txs and its neighbours, outside [comet], instead"},
	{"statesync.", "the node has no snapshots to start from"},
	{"consensus.home", "it is --home"},
	{"consensus.wal_file", "files have fixed places in the node's directory"},
	{"consensus.create_empty_blocks", "an idle network needs its heartbeat: set consensus.heartbeat_interval instead"},
	{"consensus.create_empty_blocks_interval", "set consensus.heartbeat_interval instead"},
	{"storage.discard_abci_responses", "receipts are made from them"},
	{"tx_index.", "the node has an index of its own"},
	{"instrumentation.", "set metrics.listen instead"},
}

// applyRaw sets what the [comet] table says, by CometBFT's own names, and
// reports every key that CometBFT does not have or that the node owns.
func applyRaw(comet *cometconfig.Config, raw map[string]any) error {
	known, err := cometKeys()
	if err != nil {
		return err
	}
	var problems []error
	for _, key := range leafKeys("", raw) {
		problems = append(problems, checkRaw(key, known))
	}
	if err := errors.Join(problems...); err != nil {
		return err
	}
	decoder, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		Result:      comet,
		ErrorUnused: true,
		DecodeHook:  mapstructure.StringToTimeDurationHookFunc(),
	})
	if err != nil {
		return fmt.Errorf("comet: %w", err)
	}
	if err := decoder.Decode(raw); err != nil {
		return fmt.Errorf("comet: %w", err)
	}
	return nil
}

// checkRaw judges one key of the [comet] table.
func checkRaw(key string, known []string) error {
	for _, o := range ownedSettings {
		if key == o.path || strings.HasSuffix(o.path, ".") && strings.HasPrefix(key+".", o.path) {
			return fmt.Errorf("comet.%s: cannot be set: %s", key, o.why)
		}
	}
	if slices.Contains(known, key) {
		return nil
	}
	hint := ""
	if near := config.Nearest(key, known); near != "" {
		hint = fmt.Sprintf("; did you mean comet.%s?", near)
	}
	return fmt.Errorf("comet.%s: CometBFT has no such setting%s", key, hint)
}

// cometKeys are the names of all settings of CometBFT, with their sections.
func cometKeys() ([]string, error) {
	c := cometconfig.DefaultConfig()
	sections := map[string]any{
		"": c.BaseConfig, "rpc": *c.RPC, "p2p": *c.P2P, "mempool": *c.Mempool, "statesync": *c.StateSync,
		"blocksync": *c.BlockSync, "consensus": *c.Consensus, "storage": *c.Storage,
		"tx_index": *c.TxIndex, "instrumentation": *c.Instrumentation,
	}
	var keys []string
	for name, section := range sections {
		table := map[string]any{}
		if err := mapstructure.Decode(section, &table); err != nil {
			return nil, fmt.Errorf("list CometBFT's settings of section %q: %w", name, err)
		}
		keys = append(keys, leafKeys(name, table)...)
	}
	slices.Sort(keys)
	return keys, nil
}

// leafKeys are the dotted names of all values in table, in order.
func leafKeys(path string, table map[string]any) []string {
	var keys []string
	for _, name := range slices.Sorted(maps.Keys(table)) {
		full := name
		if path != "" {
			full = path + "." + name
		}
		if inner, isTable := table[name].(map[string]any); isTable {
			keys = append(keys, leafKeys(full, inner)...)
			continue
		}
		keys = append(keys, full)
	}
	return keys
}
