package webhook

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics count by webhook.
type metrics struct {
	attempts *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer, s *Sender) (*metrics, error) {
	const namespace, subsystem = "tallystick", "webhook"
	m := &metrics{prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Subsystem: subsystem, Name: "attempts_total",
		Help: "Deliveries sent, by webhook and whether they were taken.",
	}, []string{"webhook", "outcome"})}
	if r == nil {
		return m, nil
	}
	collectors := []prometheus.Collector{m.attempts}
	for _, w := range s.hooks {
		collectors = append(collectors, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "lag_blocks",
			Help: "Blocks that a webhook has not taken yet.", ConstLabels: prometheus.Labels{"webhook": w.Name},
		}, w.lag))
	}
	for _, c := range collectors {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("webhook: register metrics: %w", err)
		}
	}
	return m, nil
}

// lag is how many blocks are above the cursor. Blocks of which nothing is to be
// told leave the cursor for some seconds.
func (w *sending) lag() float64 {
	return max(float64(w.options.Feed.Height())-float64(w.height.Load()), 0)
}

func (m *metrics) count(webhook string, err error) {
	outcome := "taken"
	if err != nil {
		outcome = "failed"
	}
	m.attempts.WithLabelValues(webhook, outcome).Inc()
}
