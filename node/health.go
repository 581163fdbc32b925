package node

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const (
	// quietHeartbeats is how many heartbeats may pass without a block before
	// the node counts as cut off, and quietSlack what a slow round may add.
	quietHeartbeats = 3
	quietSlack      = 5 * time.Second
	// indexSlack is how many blocks the receipt index may be behind while
	// blocks come fast.
	indexSlack = 2
)

// Health is the body of /healthz and /readyz.
type Health struct {
	// OK is true with status 200, false with 503.
	OK bool `json:"ok"`
	// Height is the highest height that the node answers for.
	Height uint64 `json:"height"`
	// Reasons say why not, one each; empty when OK.
	Reasons []string `json:"reasons"`
}

// operatorHandler serves /metrics, /healthz and /readyz.
//
// /healthz says whether the process is worth keeping: it answers, and its
// consensus has not stopped. /readyz says whether to send it clients.
func (n *Node) operatorHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.InstrumentMetricHandler(n.registry, promhttp.HandlerFor(n.registry, promhttp.HandlerOpts{
		MaxRequestsInFlight: metricsConnections,
	})))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { n.report(w, n.unhealthy()) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { n.report(w, n.unready()) })
	return mux
}

// report answers with the reasons against, if any.
func (n *Node) report(w http.ResponseWriter, reasons []string) {
	h := Health{OK: len(reasons) == 0, Height: uint64(n.index.Height()), Reasons: append([]string{}, reasons...)}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if !h.OK {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(h) // a client that has gone needs no answer
}

// unhealthy lists the reasons to end this process.
func (n *Node) unhealthy() []string {
	select {
	case <-n.failed:
		return []string{n.failure.Error()}
	default:
	}
	if p := n.panicked.Load(); p != nil && n.app.Outdated() == nil {
		return []string{"consensus stopped: " + *p}
	}
	return nil
}

// unready lists the reasons not to send this node any clients.
func (n *Node) unready() []string {
	reasons := n.unhealthy()
	if n.quiet.Load() {
		reasons = append(reasons, "stopping")
	}
	if err := n.app.Outdated(); err != nil {
		reasons = append(reasons, err.Error())
	}
	if !n.chain.IsRunning() {
		return append(reasons, "not started yet")
	}
	if n.CatchingUp() {
		reasons = append(reasons, "catching up with the network")
	}
	if at, has := n.store.Height(), n.index.Height(); at > has+indexSlack {
		reasons = append(reasons, fmt.Sprintf("the receipt index is at height %d of %d", has, at))
	}
	if want := len(n.config.P2P.Peers); want > 0 && n.chain.Switch().Peers().Size() == 0 {
		reasons = append(reasons, fmt.Sprintf("none of the %d configured peers is connected", want))
	}
	if quiet := n.sinceCommit(); quiet > quietHeartbeats*n.config.Consensus.HeartbeatInterval+quietSlack {
		reasons = append(reasons, fmt.Sprintf("no block for %s", quiet.Round(time.Second)))
	}
	return reasons
}

// sinceCommit is the time since the last block was committed here, or since the
// node was opened.
func (n *Node) sinceCommit() time.Duration {
	return time.Since(n.born) - time.Duration(n.lastCommit.Load())
}
