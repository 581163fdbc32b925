package rpc

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics count the calls. Labels have few values: methods are those of the
// table, and "invalid" for what never reached one.
type metrics struct {
	calls   *prometheus.CounterVec
	errors  *prometheus.CounterVec
	seconds *prometheus.HistogramVec
	notices *prometheus.CounterVec
	ended   *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer, s *Server) (*metrics, error) {
	const namespace, subsystem = "tallystick", "rpc"
	gauge := func(name, help string, g gate) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: namespace, Subsystem: subsystem, Name: name, Help: help},
			func() float64 { return float64(g.used()) })
	}
	m := &metrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "calls_total",
			Help: "Calls answered, by method.",
		}, []string{"method"}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "errors_total",
			Help: "Calls answered with an error, by method, code and name.",
		}, []string{"method", "code", "name"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "call_seconds",
			Help:    "Time to answer a call, waiting for receipts included, by method.",
			Buckets: []float64{.0001, .0005, .001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"method"}),
	}
	m.notices = prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Subsystem: subsystem, Name: "notices_total",
		Help: "Messages sent to subscriptions, by what they follow.",
	}, []string{"kind"})
	m.ended = prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Subsystem: subsystem, Name: "subscriptions_ended_total",
		Help: "Subscriptions that have ended, by why: lagging, blocked (the peer did not take a message), closed (by the peer), or an error's name.",
	}, []string{"why"})
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{
		m.calls, m.errors, m.seconds, m.notices, m.ended,
		gauge("subscriptions", "Subscriptions over WebSocket.", s.subscribed),
		gauge("waiting_calls", "Calls that wait for a receipt.", s.waiting),
		gauge("running_calls", "Other calls that are running.", s.concurrent),
		gauge("websockets", "Open WebSockets.", s.sockets),
	} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("rpc: register metrics: %w", err)
		}
	}
	return m, nil
}

func (m *metrics) observe(method string, took time.Duration, err error) {
	m.calls.WithLabelValues(method).Inc()
	m.seconds.WithLabelValues(method).Observe(took.Seconds())
	var e *callError
	if errors.As(err, &e) {
		m.errors.WithLabelValues(method, strconv.Itoa(e.code), e.data.Name).Inc()
	}
}
