package node

import (
	"sync"

	"github.com/cometbft/cometbft/blocksync"
	cometconfig "github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/consensus"
	"github.com/cometbft/cometbft/mempool"
	cometnode "github.com/cometbft/cometbft/node"
	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/proxy"
	"github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/statesync"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// newRegistry makes a node's own registry: nodes in one process would panic on
// registering the same metrics in one.
func newRegistry(version string) *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "tallystick_build_info", Help: "1, with the program's version.",
		ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	r.MustRegister(build)
	return r
}

// defaultRegistry guards Prometheus's two global variables while they are
// borrowed.
var defaultRegistry sync.Mutex

// cometMetrics has CometBFT register its metrics in r. It knows the global
// registry only, so that is r for as long as it takes.
func cometMetrics(r *prometheus.Registry) cometnode.MetricsProvider {
	provide := cometnode.DefaultMetricsProvider(&cometconfig.InstrumentationConfig{Prometheus: true, Namespace: "cometbft"})
	return func(chainID string) (*consensus.Metrics, *p2p.Metrics, *mempool.Metrics, *state.Metrics,
		*proxy.Metrics, *blocksync.Metrics, *statesync.Metrics) {
		defaultRegistry.Lock()
		defer defaultRegistry.Unlock()
		all := collect(r)
		registerer, gatherer := prometheus.DefaultRegisterer, prometheus.DefaultGatherer
		prometheus.DefaultRegisterer, prometheus.DefaultGatherer = all, r
		defer func() { prometheus.DefaultRegisterer, prometheus.DefaultGatherer = registerer, gatherer }()
		engine, peers, pool, executor, proxied, blocks, states := provide(chainID)
		cache := metricsCache{from: all, base: prometheus.Labels{"chain_id": chainID}}
		if err := cache.replace(peers); err != nil {
			panic("node: " + err.Error()) // CometBFT's version is pinned, and a test starts a node
		}
		return engine, peers, pool, executor, proxied, blocks, states
	}
}

// registerMetrics registers the node's own.
func (n *Node) registerMetrics() {
	gauge := func(name, help string, value func() float64) {
		n.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "tallystick_node_" + name, Help: help}, value))
	}
	truth := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	gauge("index_height", "Height that the receipt index has reached.", func() float64 { return float64(n.index.Height()) })
	gauge("peers_connected", "Configured peers that are connected.", func() float64 { return float64(n.chain.Switch().Peers().Size()) })
	gauge("peers_configured", "Peers in the configuration.", func() float64 { return float64(len(n.config.P2P.Peers)) })
	gauge("catching_up", "1 while the node fetches blocks agreed on without it.", func() float64 { return truth(n.CatchingUp()) })
	gauge("ready", "1 while /readyz answers 200.", func() float64 { return truth(len(n.unready()) == 0) })
	gauge("reload_failed", "1 while the last configuration that the node was told to read again was refused.", func() float64 { return truth(n.reloadFailed()) })
	gauge("tls_certificate_expiry_seconds", "When the TLS certificate ends, in Unix seconds; 0 without TLS.", n.certificate.expiry)
	gauge("seconds_since_commit", "Time since the last block was committed here.", func() float64 { return n.sinceCommit().Seconds() })
}
