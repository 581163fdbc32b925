package node

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// What is counted through the replacements shows under CometBFT's own names,
// labels and help.
func TestCachedMetricsShowUnderTheirOwnNames(t *testing.T) {
	r := prometheus.NewRegistry()
	_, peers, _, _, _, _, _ := cometMetrics(r)("chain-x")
	for range 2 {
		peers.MessageSendBytesTotal.With("message_type", "vote").Add(3)
		peers.MessagesReceived.With("message_type", "vote", "reactor", "CONSENSUS").Add(1)
		peers.MessagesReceived.With("message_type", "vote", "reactor", "MEMPOOL").Add(10)
		peers.MessagesReactorPendingDuration.With("message_type", "vote", "reactor", "CONSENSUS").Observe(0.5)
	}
	got := map[string]float64{}
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			key := f.GetName()
			for _, l := range m.GetLabel() {
				key += " " + l.GetName() + "=" + l.GetValue()
			}
			got[key] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	for key, want := range map[string]float64{
		"cometbft_p2p_message_send_bytes_total chain_id=chain-x message_type=vote":                            2 * 3,
		"cometbft_p2p_messages_received chain_id=chain-x message_type=vote reactor=CONSENSUS":                 2,
		"cometbft_p2p_messages_received chain_id=chain-x message_type=vote reactor=MEMPOOL":                   20,
		"cometbft_p2p_messages_reactor_pending_duration chain_id=chain-x message_type=vote reactor=CONSENSUS": 2,
	} {
		if got[key] != want {
			t.Errorf("%s is %v, want %v", key, got[key], want)
		}
	}
}

func BenchmarkCachedCounter(b *testing.B) {
	_, peers, _, _, _, _, _ := cometMetrics(prometheus.NewRegistry())("chain-x")
	b.ReportAllocs()
	for b.Loop() {
		peers.MessageSendBytesTotal.With("message_type", "vote").Add(1)
	}
}
