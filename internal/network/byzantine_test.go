package network

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/config"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
	"github.com/tallystick/tallystick/rpc/wire"
)

// turn is a line of the record that the dishonest validator keeps.
type turn struct {
	Height  int64         `json:"height"`
	Misdeed string        `json:"misdeed"`
	Code    string        `json:"code"`
	Txs     []crypto.Hash `json:"txs"`
}

// misdeedCount is how many misdeeds internal/byzantine knows, and shortCount
// how many of them a short run waits for.
const misdeedCount, shortCount = 25, 6

// A validator that proposes wrong blocks of every kind is refused by all
// honest ones, for the right reason, which go on; and nothing of what it tried
// leaves a trace.
func TestByzantineProposer(t *testing.T) {
	t.Parallel()
	const liar = 3
	honest := []int{0, 1, 2}
	record := filepath.Join(t.TempDir(), "record")
	people := []string{"victim", "mallory", "friend", "board"}
	n := New(t, 4, Options{
		People:  people,
		Program: map[int][]string{liar: {BuildByzantine(t), "--record", record}},
		Genesis: smallBlocks,
		Config: func(_ int, c *config.Config) {
			c.Log.Format = "json"
			// A block that is late is voted down without a look; one that is wrong
			// is voted down at once.
			c.Consensus.TimeoutPropose = 5 * time.Second
		},
	})
	n.StartAll()
	load := n.StartLoad(LoadOptions{To: honest})
	n.Until(4*patience, "every honest validator has refused every misdeed", func() error {
		t.Helper()
		load.check()
		return n.refused(readTurns(t, record), liar, honest)
	})
	load.WaitReceipts(20)
	load.Stop()
	turns := readTurns(t, record)
	n.WaitCaughtUp(honest...)
	load.Verify(honest...)
	height := n.SameChain(honest...)
	n.noTrace(turns, height)
	for _, i := range honest {
		for _, name := range people {
			n.untouched(i, name)
		}
	}
}

// smallBlocks bounds a block so that it is soon too large, and makes an
// account of three keys.
func smallBlocks(g *ledger.Genesis) {
	g.Params.MaxBlockBytes = 1 << 20
	g.Params.MaxBlockSignatures = ledger.MaxSignatures
	g.Params.MaxBlockLegs = ledger.MaxLegs
	keys := []ledger.Key{}
	for _, name := range []string{"victim", "mallory", "friend"} {
		keys = append(keys, ledger.Key{Address: ledgertest.Address(name), Weight: 1})
	}
	slices.SortFunc(keys, func(a, b ledger.Key) int { return a.Address.Compare(b.Address) })
	for i := range g.Accounts {
		if g.Accounts[i].Address == ledgertest.Address("board") {
			g.Accounts[i].Keys, g.Accounts[i].Threshold = keys, 2
		}
	}
}

func readTurns(t *testing.T, record string) (turns []turn) {
	t.Helper()
	data, err := os.ReadFile(record)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for line := range bytes.Lines(data) {
		var one turn
		if !bytes.HasSuffix(line, []byte("\n")) {
			break // it is being written
		}
		if err := json.Unmarshal(line, &one); err != nil {
			t.Fatalf("the record has %q: %v", line, err)
		}
		turns = append(turns, one)
	}
	return turns
}

// rejection is a log line of a validator that refuses a block.
type rejection struct {
	Message  string `json:"msg"`
	Height   int64  `json:"height"`
	Proposer string `json:"proposer"`
	Name     string `json:"name"`
}

// refused returns nil once every misdeed has been proposed, and been refused
// for the right reason by every honest validator. (Not every time: a block
// that comes too late is voted down without being looked at.)
func (n *Network) refused(turns []turn, liar int, honest []int) error {
	n.t.Helper()
	done := map[string]int{}
	for _, i := range honest {
		names := map[int64][]string{}
		for line := range strings.Lines(n.FullLog(i)) {
			var r rejection
			if json.Unmarshal([]byte(line), &r) != nil || r.Message != "rejected a proposed block" {
				continue
			}
			if want := n.validators[liar].identity.ValidatorAddress; !strings.EqualFold(r.Proposer, want) {
				n.t.Fatalf("%s refused a block of an honest validator: %s", n.validators[i].name(), line)
			}
			names[r.Height] = append(names[r.Height], r.Name)
		}
		seen := map[string]bool{}
		for _, one := range turns {
			if slices.Contains(names[one.Height], one.Code) && !seen[one.Misdeed] {
				seen[one.Misdeed] = true
				done[one.Misdeed]++
			}
		}
	}
	missing := Rounds(n.t, shortCount, misdeedCount, misdeedCount)
	for _, one := range turns {
		if count, first := done[one.Misdeed]; first && count == len(honest) {
			missing--
			delete(done, one.Misdeed)
		}
	}
	if missing > 0 {
		return fmt.Errorf("%d turns; %d misdeeds missing; refused by some: %v", len(turns), missing, done)
	}
	return nil
}

// noTrace checks that no block has a transaction of a misdeed, and none twice.
func (n *Network) noTrace(turns []turn, height uint64) {
	n.t.Helper()
	wrong := map[crypto.Hash]string{}
	for _, one := range turns {
		for _, hash := range one.Txs {
			wrong[hash] = one.Misdeed
		}
	}
	seen := map[crypto.Hash]uint64{}
	for _, raw := range n.Blocks(0, 1, height) {
		var b wire.Block
		if err := json.Unmarshal(raw, &b); err != nil {
			n.t.Fatal(err)
		}
		for _, hash := range b.Transactions {
			if misdeed, is := wrong[hash]; is {
				n.t.Errorf("block %d has %s, which is %q", b.Height, hash, misdeed)
			}
			if first, again := seen[hash]; again {
				n.t.Errorf("%s stands in block %d and in block %d", hash, first, b.Height)
			}
			seen[hash] = b.Height
		}
	}
}

// untouched checks that an account has spent no nonce and has all its money.
func (n *Network) untouched(i int, name string) {
	n.t.Helper()
	var account wire.Account
	err := n.RPC(i).Read(context.Background(), &account, Ask("ledger_getAccount", ledgertest.Address(name).String()))
	if err != nil {
		n.t.Fatal(err)
	}
	if account.NextNonce != 0 || len(account.Balances) != 2 {
		n.t.Errorf("the account of %s on %s: %+v", name, n.validators[i].name(), account)
	}
	for _, b := range account.Balances {
		if b.Available != ledger.NewAmount(funds) || !b.Held.IsZero() {
			n.t.Errorf("%s has %s of %s on %s, had %d", name, b.Available, b.Symbol, n.validators[i].name(), funds)
		}
	}
}
