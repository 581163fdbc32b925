package webhook

import (
	"testing"

	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/feed"
	"github.com/tallystick/tallystick/rpc/wire"
)

// sparse is a long chain in which one receipt is somebody's, in block 1, and whose
// upper half cannot be read yet.
type sparse struct {
	*chain
	release chan struct{}
}

func (s sparse) Done(height ledger.Height) (*feed.Done, error) {
	done := &feed.Done{Height: height}
	switch {
	case height == 1:
		done.Receipts = []*wire.Receipt{{Height: 1, Sender: somebody, Kind: "transfer", Status: "applied", Events: []wire.Event{}}}
	case height > s.Height()/2:
		<-s.release
	}
	return done, nil
}

// What was found is sent while the search goes on, and so the cursor follows it.
func TestLongSearchKeepsNothingBack(t *testing.T) {
	g := newRig(t, 2*searchedBlocks+100)
	s := sparse{g.chain, make(chan struct{})}
	r := newReceiver(t, func(int) int { return 200 })
	hook := r.hook("erp")
	hook.From, hook.Filter = from(0), feed.Filter{Account: &somebody}
	sender := g.sender(t, hook)
	sender.options.Feed = feed.New(t.Context(), s)
	stop := start(t, sender)
	eventually(t, "the receipt is sent", func() bool { return len(r.cursors()) == 1 })
	eventually(t, "the cursor follows", func() bool {
		c, ok, err := sender.hooks[0].file.read()
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		return c.Height >= searchedBlocks
	})
	close(s.release)
	stop()
}
