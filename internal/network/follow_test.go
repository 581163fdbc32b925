package network

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/config"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/node/webhook"
	"github.com/tallystick/tallystick/rpc/wire"
)

// told is what a follower has been told, by cursor.
type told struct {
	mu      sync.Mutex // guards what follows
	notices []wire.Notice
	twice   int // notices that were not behind the one before
}

// take keeps a notice. With again, it may come once more.
func (s *told) take(n wire.Notice, again bool) error {
	if n.Block == nil && n.Own == nil && n.Receipt == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if last := len(s.notices) - 1; last >= 0 && n.Cursor.Compare(s.notices[last].Cursor) <= 0 {
		s.twice++
		if !again {
			return fmt.Errorf("%v came after %v", n.Cursor, s.notices[last].Cursor)
		}
		return nil
	}
	s.notices = append(s.notices, n)
	return nil
}

func (s *told) all() []wire.Notice {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.notices)
}

// mortal follows until ctx ends, and dies now and then: what comes after it goes on
// from the cursor that it has left.
func (s *told) mortal(ctx context.Context, t testing.TB, urls []string, kind string, options wire.SubscribeOptions, random *rand.Rand) {
	for ctx.Err() == nil {
		life, cancel := context.WithTimeout(ctx, time.Duration(50+random.IntN(1500))*time.Millisecond)
		c, err := client.Dial(life, urls...)
		if err != nil {
			cancel()
			continue // no node answers just now
		}
		for n, err := range c.Follow(life, kind, options) {
			if err != nil {
				if life.Err() == nil {
					t.Errorf("following: %v", err)
				}
				break
			}
			if err := s.take(n, false); err != nil {
				t.Error(err)
			}
			options.Cursor = &n.Cursor
		}
		c.Close()
		cancel()
	}
}

// hooked writes the webhooks file of a validator, for a receiver that fails now and
// then and keeps what it takes over.
func (s *told) hooked(t testing.TB, n *Network, i int) {
	secret := []byte("0123456789abcdef0123456789abcdef")
	count := 0
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the node died
		}
		var d webhook.Delivery
		if err := webhook.Verify(secret, body, r.Header.Get(webhook.HeaderSignature), time.Now(), time.Minute); err != nil {
			t.Error(err)
		} else if err := json.Unmarshal(body, &d); err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		count++
		fails := count%5 == 4
		s.mu.Unlock()
		if fails {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		for _, notice := range d.Notices {
			if err := s.take(notice, true); err != nil {
				t.Error(err)
			}
		}
	}))
	t.Cleanup(receiver.Close)
	text := fmt.Sprintf("[[webhook]]\nname = \"test\"\nurl = %q\nsecret_file = \"webhook.secret\"\nfrom = 0\n", receiver.URL)
	for name, content := range map[string][]byte{"webhooks.toml": []byte(text), "webhook.secret": secret} {
		if err := os.WriteFile(filepath.Join(string(n.Home(i)), name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// Nodes are killed under load, followers over two of them too, and connections with
// both; one node posts to a webhook. Each sees every event exactly once by cursor,
// from the genesis on.
func TestFollowersAndNodesAreKilled(t *testing.T) {
	t.Parallel()
	const hooked = 2
	n := New(t, 4, Options{Config: func(i int, c *config.Config) {
		if i == hooked {
			c.Webhooks.File = "webhooks.toml"
		}
	}})
	var posted, everything, some, blocks told
	posted.hooked(t, n, hooked)
	n.StartAll()
	random := Random(t)
	load := n.StartLoad(LoadOptions{Seed: random.Uint64()})
	urls := []string{"http://" + n.validators[0].rpc, "http://" + n.validators[1].rpc}
	ctx, cancel := context.WithCancel(t.Context())
	var followers sync.WaitGroup
	defer followers.Wait()
	defer cancel()
	account := address(1)
	begin := wire.Cursor{Height: 0, Index: wire.IndexBlockBegin}
	for _, f := range []struct {
		to      *told
		kind    string
		options wire.SubscribeOptions
	}{
		{&everything, client.Receipts, wire.SubscribeOptions{Cursor: &begin}},
		{&some, client.Receipts, wire.SubscribeOptions{Cursor: &begin, Account: &account}},
		{&blocks, client.NewBlocks, wire.SubscribeOptions{Cursor: &begin}},
	} {
		own := rand.New(rand.NewPCG(random.Uint64(), 1))
		followers.Go(func() { f.to.mortal(ctx, t, urls, f.kind, f.options, own) })
	}
	for range Rounds(t, 2, 4, 40) {
		load.WaitReceipts(20 + random.IntN(60))
		dead := []int{0, 1, hooked}[random.IntN(3)]
		n.Kill(dead)
		load.WaitReceipts(20)
		n.Start(dead)
		n.WaitCaughtUp(dead)
	}
	load.Stop()
	n.WaitCaughtUp(n.All()...)
	height := n.SameChain(n.All()...)
	want := n.transactions(height)
	n.Until(time.Minute, "all followers have everything", func() error {
		have := []int{len(hashesOf(everything.all())), len(hashesOf(posted.all())), len(blocks.all())}
		if have[0] < len(want) || have[1] < len(want) || have[2] < int(height) {
			return fmt.Errorf("of %d receipts in %d blocks they have %v", len(want), height, have)
		}
		return nil
	})
	if got := hashesOf(everything.all()); !slices.Equal(got[:len(want)], want) {
		t.Errorf("the follower of everything has other receipts than the chain")
	}
	if got := hashesOf(posted.all()); !slices.Equal(got[:len(want)], want) {
		t.Errorf("the webhook has other receipts than the chain")
	}
	for i, b := range blocks.all() {
		if b.Block.Height != uint64(i+1) {
			t.Fatalf("block %d stands where %d must", b.Block.Height, i+1)
		}
	}
	wanted := concerning(everything.all(), account)
	n.Until(time.Minute, "the follower of one account has everything", func() error {
		if have := len(some.all()); have < len(wanted) {
			return fmt.Errorf("%d of %d", have, len(wanted))
		}
		return nil
	})
	if got := some.all(); !slices.EqualFunc(got[:len(wanted)], wanted, func(a, b wire.Notice) bool { return a.Cursor == b.Cursor }) {
		t.Errorf("the follower of one account has not what concerns it")
	}
	t.Logf("%d receipts in %d blocks; the webhook got %d twice", len(want), height, posted.twice)
}

// transactions are the hashes of all transactions up to a height, in order.
func (n *Network) transactions(height uint64) (hashes []crypto.Hash) {
	n.t.Helper()
	for h := uint64(1); h <= height; h++ {
		var b wire.Block
		if err := n.RPC(3).Read(n.t.Context(), &b, Ask("ledger_getBlock", h)); err != nil {
			n.t.Fatal(err)
		}
		hashes = append(hashes, b.Transactions...)
	}
	return hashes
}

func hashesOf(notices []wire.Notice) (hashes []crypto.Hash) {
	for _, n := range notices {
		if n.Receipt != nil {
			hashes = append(hashes, n.Receipt.Hash)
		}
	}
	return hashes
}

// concerning are the notices in which an account is named.
func concerning(notices []wire.Notice, account crypto.Address) (out []wire.Notice) {
	for _, n := range notices {
		var events []wire.Event
		found := false
		if n.Own != nil {
			events = n.Own.Events
		} else {
			events, found = n.Receipt.Events, n.Receipt.Sender == account
		}
		for _, e := range events {
			found = found || e.From == account || e.To == account || e.Account == account
		}
		if found {
			out = append(out, n)
		}
	}
	return out
}
