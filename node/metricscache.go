package node

import (
	"fmt"
	"strings"
	"sync"

	"github.com/cometbft/cometbft/p2p"
	"github.com/go-kit/kit/metrics"
	"github.com/prometheus/client_golang/prometheus"
)

// CometBFT counts every message between peers through an
// adapter that builds a map of labels each time: measured at a tenth of all
// memory that a busy node allocates. The counters that are touched for every
// message are replaced by ones that look up their labels once.

// collected is a registry that remembers what was registered, by full name.
type collected struct {
	prometheus.Registerer
	byName map[string]prometheus.Collector
}

func collect(r prometheus.Registerer) *collected {
	return &collected{r, map[string]prometheus.Collector{}}
}

// MustRegister implements prometheus.Registerer.
func (c *collected) MustRegister(all ...prometheus.Collector) {
	c.Registerer.MustRegister(all...)
	for _, collector := range all {
		if name, ok := nameOf(collector); ok {
			c.byName[name] = collector
		}
	}
}

// nameOf is the full name of a collector's first metric. The library shows it
// only in the description's text.
func nameOf(c prometheus.Collector) (string, bool) {
	descriptions := make(chan *prometheus.Desc, 16)
	c.Describe(descriptions)
	_, rest, ok := strings.Cut((<-descriptions).String(), `fqName: "`)
	name, _, closed := strings.Cut(rest, `"`)
	return name, ok && closed
}

// labelled finds metrics of one vector by label values, each the first time
// only. Vectors have at most two labels besides the chain's.
type labelled[M any] struct {
	find func(prometheus.Labels) M
	base prometheus.Labels

	mu    sync.RWMutex
	known map[[2]string]M // mu
}

func newLabelled[M any](base prometheus.Labels, find func(prometheus.Labels) M) *labelled[M] {
	return &labelled[M]{find: find, base: base, known: map[[2]string]M{}}
}

// with takes label names and values in turn.
func (l *labelled[M]) with(pairs []string) M {
	var key [2]string
	for i := 1; i < len(pairs) && i/2 < len(key); i += 2 {
		key[i/2] = pairs[i]
	}
	l.mu.RLock()
	m, ok := l.known[key]
	l.mu.RUnlock()
	if ok {
		return m
	}
	labels := prometheus.Labels{}
	for name, value := range l.base {
		labels[name] = value
	}
	for i := 1; i < len(pairs); i += 2 {
		labels[pairs[i-1]] = pairs[i]
	}
	m = l.find(labels)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.known[key] = m
	return m
}

// A counter is one of a vector's, or the vector itself where it has labels.
type counter struct {
	prometheus.Counter
	vector *labelled[counter]
}

// With implements metrics.Counter.
func (c counter) With(pairs ...string) metrics.Counter { return c.vector.with(pairs) }

type gauge struct {
	prometheus.Gauge
	vector *labelled[gauge]
}

// With implements metrics.Gauge.
func (g gauge) With(pairs ...string) metrics.Gauge { return g.vector.with(pairs) }

type histogram struct {
	prometheus.Observer
	vector *labelled[histogram]
}

// With implements metrics.Histogram.
func (h histogram) With(pairs ...string) metrics.Histogram { return h.vector.with(pairs) }

// metricsCache builds the replacements for one chain's metrics.
type metricsCache struct {
	from *collected
	base prometheus.Labels
	err  error
}

// vector finds what was registered under a name.
func vector[V prometheus.Collector](c *metricsCache, name string) (v V, ok bool) {
	v, ok = c.from.byName["cometbft_"+name].(V)
	if !ok && c.err == nil {
		c.err = fmt.Errorf("CometBFT registers no metric %s of type %T", name, v)
	}
	return v, ok
}

// counter replaces a counter.
func (c *metricsCache) counter(to *metrics.Counter, name string) {
	v, ok := vector[*prometheus.CounterVec](c, name)
	if !ok {
		return
	}
	out := counter{vector: newLabelled(c.base, func(l prometheus.Labels) counter { return counter{Counter: v.With(l)} })}
	*to = out
}

func (c *metricsCache) gauge(to *metrics.Gauge, name string) {
	v, ok := vector[*prometheus.GaugeVec](c, name)
	if !ok {
		return
	}
	out := gauge{vector: newLabelled(c.base, func(l prometheus.Labels) gauge { return gauge{Gauge: v.With(l)} })}
	*to = out
}

func (c *metricsCache) histogram(to *metrics.Histogram, name string) {
	v, ok := vector[*prometheus.HistogramVec](c, name)
	if !ok {
		return
	}
	out := histogram{vector: newLabelled(c.base, func(l prometheus.Labels) histogram { return histogram{Observer: v.With(l)} })}
	*to = out
}

// replace puts cached metrics in the place of those that are touched for every
// message.
func (c *metricsCache) replace(peers *p2p.Metrics) error {
	c.counter(&peers.PeerReceiveBytesTotal, "p2p_peer_receive_bytes_total")
	c.counter(&peers.PeerSendBytesTotal, "p2p_peer_send_bytes_total")
	c.counter(&peers.MessageReceiveBytesTotal, "p2p_message_receive_bytes_total")
	c.counter(&peers.MessageSendBytesTotal, "p2p_message_send_bytes_total")
	c.counter(&peers.MessagesReceived, "p2p_messages_received")
	c.gauge(&peers.MessagesReactorInFlight, "p2p_messages_reactor_in_flight")
	c.histogram(&peers.MessagesReactorPendingDuration, "p2p_messages_reactor_pending_duration")
	c.histogram(&peers.MessageReactorReceiveDuration, "p2p_message_reactor_receive_duration")
	return c.err
}
