package node

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func healthOf(t *testing.T, n *Node, path string) Health {
	t.Helper()
	status, body := get(t, "http://"+n.MetricsAddress()+path)
	var h Health
	if err := json.Unmarshal([]byte(body), &h); err != nil {
		t.Fatalf("%s: %v in %q", path, err, body)
	}
	if h.OK != (status == http.StatusOK) || h.OK != (len(h.Reasons) == 0) || h.Reasons == nil {
		t.Errorf("%s: status %d with %s", path, status, body)
	}
	return h
}

func TestHealthOfARunningNode(t *testing.T) {
	t.Parallel()
	net := newTestnet(t, 1)
	net.startAll()
	n := net.nodes[0]
	for _, path := range []string{"/healthz", "/readyz"} {
		if h := healthOf(t, n, path); !h.OK || h.Height == 0 {
			t.Errorf("%s: %+v", path, h)
		}
	}
	net.reach(0, n.Height()+1) // CometBFT counts a block's validators after its commit
	status, body := get(t, "http://"+n.MetricsAddress()+"/metrics")
	for _, metric := range []string{
		"cometbft_consensus_height", "cometbft_mempool_size", "cometbft_consensus_validators", "tallystick_app_height",
		"tallystick_node_index_height", "tallystick_node_ready 1", "tallystick_build_info{version=\"test\"} 1", "go_goroutines",
	} {
		if status != http.StatusOK || !strings.Contains(body, metric) {
			t.Errorf("status %d, no %s", status, metric)
		}
	}
	if status, _ := get(t, "http://"+n.MetricsAddress()+"/debug/pprof/"); status != http.StatusNotFound {
		t.Errorf("profiles are served to anybody: status %d", status)
	}
}

// A validator whose peers are away is healthy, and not ready, and says why.
func TestNotReadyAlone(t *testing.T) {
	t.Parallel()
	net := newTestnet(t, 2)
	n := net.start(0)
	if h := healthOf(t, n, "/healthz"); !h.OK {
		t.Errorf("%+v", h)
	}
	h := healthOf(t, n, "/readyz")
	if h.OK || !slices.ContainsFunc(h.Reasons, func(s string) bool { return strings.Contains(s, "none of the 1 configured peers") }) {
		t.Errorf("%+v", h)
	}
	net.start(1)
	net.ready(0)
	if h := healthOf(t, n, "/readyz"); !h.OK {
		t.Errorf("with its peer: %+v", h)
	}
}

func TestReasonsAgainst(t *testing.T) {
	t.Parallel()
	net := newTestnet(t, 1)
	net.startAll()
	n := net.nodes[0]
	n.lastCommit.Store(-int64(time.Hour)) // as if the last block were that old
	// A block may come in between, so either is right, but not silence after it.
	if reasons := n.unready(); len(reasons) > 1 {
		t.Errorf("reasons %q", reasons)
	}
	n.consensusPanicked("first")
	n.consensusPanicked("second")
	if got := fmt.Sprint(n.unhealthy()); !strings.Contains(got, "first") || strings.Contains(got, "second") {
		t.Errorf("reasons %s", got)
	}
	if h := healthOf(t, n, "/healthz"); h.OK {
		t.Errorf("%+v", h)
	}
	n.panicked.Store(nil)
	n.quiet.Store(true)
	if got := n.unready(); !slices.Contains(got, "stopping") {
		t.Errorf("reasons %q", got)
	}
}

// A port that is taken is an error that names the setting, and leaves nothing
// behind.
func TestPortTaken(t *testing.T) {
	t.Parallel()
	for ports, setting := range map[int]string{0: "rpc.listen", peerPorts: "p2p.listen", metricsPorts: "metrics.listen"} {
		testnet := newTestnet(t, 1)
		address := testnet.o.address(0, ports)
		taken, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		n, err := New(testnet.o.configuration(0, testnet.files.identities), string(testnet.files.home(0)), Options{Logger: testnet.o.Log})
		if err != nil {
			t.Fatal(err)
		}
		err = n.Start(t.Context())
		if err == nil || !strings.Contains(err.Error(), setting) || !strings.Contains(err.Error(), address) {
			t.Errorf("%s: %v", setting, err)
		}
		if err := n.Stop(t.Context()); err != nil {
			t.Errorf("%s: stop: %v", setting, err)
		}
		taken.Close()
		testnet.startAll() // the home is free, and good, again
	}
}
