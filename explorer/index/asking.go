package index

import (
	"context"

	"github.com/tallystick/tallystick/explorer"
	"github.com/tallystick/tallystick/ledger"
)

// asking are questions for blocks that are on their way, in order: a distant node
// answers several in the time of one.
type asking struct {
	src    explorer.Source
	next   ledger.Height // to ask for
	way    []*question
	ctx    context.Context // of what is on its way
	cancel context.CancelFunc
}

type question struct {
	beside bool // others were on their way when it was asked
	ended  chan struct{}
	block  *explorer.Block // once it has ended
	err    error
}

// more asks for blocks up to head, until width of them are on their way, and for one
// in any case.
func (a *asking) more(ctx context.Context, head ledger.Height, width int) {
	if a.cancel == nil {
		a.ctx, a.cancel = context.WithCancel(ctx)
	}
	for len(a.way) == 0 || len(a.way) < width && a.next <= head {
		ctx, height := a.ctx, a.next
		q := &question{beside: len(a.way) > 0, ended: make(chan struct{})}
		go func() {
			defer close(q.ended)
			q.err = caught(func() (err error) {
				q.block, err = a.src.Block(ctx, height)
				return err
			})
		}()
		a.way = append(a.way, q)
		a.next++
	}
}

// first waits for the answer to the first question. It was asked alone where no other
// was on its way meanwhile.
func (a *asking) first() (b *explorer.Block, alone bool, err error) {
	q := a.way[0]
	alone = !q.beside && len(a.way) == 1
	a.way = a.way[1:]
	<-q.ended
	return q.block, alone, q.err
}

// forget gives up all that is on its way, waits until it has ended, and goes on to ask
// from next.
func (a *asking) forget(next ledger.Height) {
	if a.cancel != nil {
		a.cancel()
		a.cancel = nil
	}
	for len(a.way) > 0 {
		_, _, _ = a.first()
	}
	a.next = next
}

// window is how many blocks are asked for at once. It opens by one after some that came
// and were small, and closes at one that did not come or was large.
type window struct {
	now, most int
	small     int // in a row, since it changed
	each      int // of them open it by one: more, the more often one did not come
}

const (
	opensAfter = 4
	opensLast  = 256
)

func newWindow(most int) *window { return &window{now: 1, most: most, each: opensAfter} }

// came takes the weight of a block that came. As many as are asked for are to weigh no
// more than askedBytes together; where large ones follow small ones, they may once.
func (w *window) came(weight int64) {
	fit := int(max(1, min(askedBytes/weight, int64(w.most))))
	switch w.small++; {
	case fit < w.now:
		w.now, w.small = fit, 0
	case w.small >= w.each && w.now < fit:
		w.now, w.small = w.now+1, 0
	}
}

// failed is for a block that did not come.
func (w *window) failed() { w.now, w.small, w.each = 1, 0, min(2*w.each, opensLast) }
