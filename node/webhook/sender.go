package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tallystick/tallystick/rpc/feed"
	"github.com/tallystick/tallystick/rpc/wire"
)

// Limits of what is sent.
const (
	maxNotices    = 500     // in one delivery
	maxBytes      = 1 << 20 // of one delivery, unless a single notice is larger
	maxReplyBytes = 64 << 10

	searchedBlocks = 256 // for one delivery that has something already: it must not wait for a long search
)

// Times of sending. Tests shorten them.
type times struct {
	answer      time.Duration // for the receiver to answer
	first, last time.Duration // between two attempts; it doubles from the one to the other
	quiet       time.Duration // between two writes of the cursor while nothing fits
}

var usualTimes = times{answer: 30 * time.Second, first: time.Second, last: 5 * time.Minute, quiet: 10 * time.Second}

// Options are the surroundings of a Sender.
type Options struct {
	Dir       string // where the cursors stand; it is made
	NetworkID string
	ChainID   uint64
	Feed      *feed.Feed
	Logger    *slog.Logger
	Metrics   prometheus.Registerer // nil: counted, but not registered
}

// Sender sends to all webhooks.
type Sender struct {
	options Options
	times   times
	client  *http.Client
	hooks   []*sending
	metrics *metrics
}

// sending is one webhook at work. What is not atomic its goroutine owns.
type sending struct {
	Hook
	*Sender
	file     cursorFile
	told     wire.Cursor // everything up to here was taken over, and stands in the file
	height   atomic.Uint64
	items    []feed.Item // of the block that is being told, those that are not sent yet
	end      wire.Cursor // behind that block
	log      *slog.Logger
	failures int // in a row
}

// New prepares to send. It errs where a cursor cannot be read or the first one not
// be written.
func New(hooks []Hook, o Options) (*Sender, error) {
	s := &Sender{options: o, times: usualTimes}
	s.client = &http.Client{
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 1,
			IdleConnTimeout: time.Minute, TLSHandshakeTimeout: 10 * time.Second, MaxResponseHeaderBytes: maxReplyBytes,
		},
		// Whoever is asked must answer: the operator has named that address alone.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("webhooks: %w", err)
	}
	// That the directory is there must outlive a crash as what is in it does.
	if err := syncDir(filepath.Dir(o.Dir)); err != nil {
		return nil, fmt.Errorf("webhooks: %w", err)
	}
	for _, h := range hooks {
		w := &sending{Hook: h, Sender: s, file: cursorFile{filepath.Join(o.Dir, h.Name+".json"), o.NetworkID}, log: o.Logger.With("webhook", h.Name)}
		told, ok, err := w.file.read()
		if err == nil && !ok {
			// Before anything is sent: what happens from now on is told, even if the
			// node ends before the first delivery is taken.
			told = h.begin(o.Feed.Height())
			err = w.file.write(told)
		}
		if err != nil {
			return nil, err
		}
		w.told = told
		w.height.Store(told.Height)
		s.hooks = append(s.hooks, w)
	}
	var err error
	s.metrics, err = newMetrics(o.Metrics, s)
	return s, err
}

// Run sends until ctx ends. The error is one of the disk, or of the chain.
func (s *Sender) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	defer s.client.CloseIdleConnections()
	var all sync.WaitGroup
	failures := make([]error, len(s.hooks))
	for i, w := range s.hooks {
		all.Go(func() {
			err := w.run(ctx)
			if errors.Is(err, feed.ErrNotKept) {
				// To go on would be to pass over it. The others go on.
				w.log.Error("the webhook has stopped: the blocks behind its cursor are no longer kept; "+
					"get them from another node, then change the cursor's file and start again", "err", err, "file", w.file.path)
				return
			}
			if ctx.Err() == nil {
				failures[i] = fmt.Errorf("webhook %s: %w", w.Name, err)
				stop()
			}
		})
	}
	all.Wait()
	return errors.Join(failures...)
}

// run sends to one webhook until ctx ends, or something fails.
func (w *sending) run(ctx context.Context) error {
	reader := w.options.Feed.ReadNotices(&w.Filter, w.told)
	if w.Blocks {
		reader = w.options.Feed.Read((*feed.Block).Whole, w.told)
	}
	w.end = w.told
	written := time.Now()
	for {
		d, err := w.next(ctx, reader)
		if err != nil {
			return err
		}
		if len(d.notices) > 0 {
			if err := w.deliver(ctx, d); err != nil {
				return err
			}
		} else if time.Since(written) < w.times.quiet {
			continue
		}
		// The receiver has it. A crash before this write sends it again.
		if err := w.file.write(d.upTo); err != nil {
			return err
		}
		w.told, written = d.upTo, time.Now()
		w.height.Store(w.told.Height)
	}
}

// next collects what to send: as much as there is by now and fits. It waits for a
// block if there is none, and may find nothing in it.
func (w *sending) next(ctx context.Context, reader *feed.Reader) (*delivery, error) {
	d := &delivery{after: w.told, upTo: w.told}
	for searched := 0; d.fits(); {
		if len(w.items) == 0 {
			d.upTo = w.end
			if len(d.notices) > 0 && (reader.Behind() == 0 || searched >= searchedBlocks) {
				return d, nil
			}
			searched++
			var err error
			if w.items, w.end, err = reader.Next(ctx); err != nil {
				return nil, err
			}
			if len(w.items) == 0 && len(d.notices) == 0 {
				d.upTo = w.end
				return d, nil
			}
			continue
		}
		text, err := w.items[0].JSON()
		if err != nil {
			return nil, err
		}
		if !d.add(text) {
			return d, nil
		}
		d.upTo = w.items[0].Cursor
		if w.items = w.items[1:]; len(w.items) == 0 {
			d.upTo = w.end
		}
	}
	return d, nil
}

// deliver sends until it is taken over, or ctx ends.
func (w *sending) deliver(ctx context.Context, d *delivery) error {
	body, err := d.body(w)
	if err != nil {
		return err
	}
	pause := w.times.first
	for {
		after, err := w.post(ctx, d, body)
		if err != nil && ctx.Err() != nil { // what was taken is written down even now
			return ctx.Err()
		}
		w.metrics.count(w.Name, err)
		if err == nil {
			if w.failures > 0 {
				w.log.Info("the webhook takes deliveries again", "failures", w.failures)
			}
			w.failures = 0
			return nil
		}
		if w.failures++; w.failures&(w.failures-1) == 0 { // the 1st, 2nd, 4th, …
			w.log.Warn("the webhook did not take a delivery: it is sent again, later and later", "err", err, "delivery", d.id(), "failures", w.failures)
		}
		rest := min(max(pause/2+rand.N(pause), after), w.times.last)
		pause = min(2*pause, w.times.last)
		select {
		case <-time.After(rest):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// post is one attempt. after is how long the receiver asks to be left alone.
func (w *sending) post(ctx context.Context, d *delivery, body []byte) (after time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, w.times.answer)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, strings.NewReader(string(body)))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "tallystick")
	request.Header.Set(HeaderDelivery, d.id())
	request.Header.Set(HeaderSignature, Sign(w.Secret, body, time.Now()))
	answer, err := w.client.Do(request)
	if err != nil {
		var at *url.Error
		if errors.As(err, &at) {
			err = at.Err // without the address, which may have a secret in it
		}
		return 0, err
	}
	defer answer.Body.Close()
	// So that the connection can be used again. More than this nobody needs to say.
	_, err = io.CopyN(io.Discard, answer.Body, maxReplyBytes)
	if answer.StatusCode/100 == 2 {
		return 0, nil
	}
	if seconds, err := strconv.ParseUint(answer.Header.Get("Retry-After"), 10, 16); err == nil {
		after = time.Duration(seconds) * time.Second
	}
	return after, fmt.Errorf("HTTP status %s", answer.Status)
}
