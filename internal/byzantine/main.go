// Byzantine is a validator that lies: `tally start`, but for the blocks that it
// proposes. Each time it is its turn it does another wrong, one after the
// other (misdeeds.go lists them), and otherwise behaves well. Tests of package
// internal/network run it among honest validators, which must refuse every one
// of its blocks, say why, and go on.
//
//	byzantine --home DIR [--record FILE]
//
// The record gets one line of JSON for each block proposed: a Turn.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"

	abci "github.com/cometbft/cometbft/abci/types"

	"github.com/tallystick/tallystick/app"
	"github.com/tallystick/tallystick/config"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/node"
)

// Turn is a line of the record.
type Turn struct {
	Height  int64         `json:"height"`
	Misdeed string        `json:"misdeed"` // its name
	Code    string        `json:"code"`    // the name of the ledger.Code with which honest validators refuse
	Txs     []crypto.Hash `json:"txs"`     // that may never stand in a block for it
}

func main() {
	home := flag.String("home", "", "the validator's directory")
	record := flag.String("record", os.DevNull, "where to note what was proposed")
	flag.Parse()
	if err := run(node.Home(*home), *record); err != nil {
		fmt.Fprintln(os.Stderr, "byzantine:", err)
		os.Exit(1)
	}
}

func run(home node.Home, recordPath string) (err error) {
	c, err := config.Load(home.ConfigFile())
	if err != nil {
		return err
	}
	genesis, err := node.CheckGenesis(home.GenesisFile())
	if err != nil {
		return err
	}
	state, err := genesis.Build()
	if err != nil {
		return err
	}
	record, err := os.OpenFile(recordPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the record: %w", err)
	}
	defer func() { err = errors.Join(err, record.Close()) }()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	liar := &liar{net: state.Network, record: record}
	return node.Run(ctx, c, string(home), node.Options{
		Version: "byzantine", Application: app.Options{Propose: liar.propose},
	})
}

// liar proposes blocks.
type liar struct {
	net    *ledger.Network
	record io.Writer

	mu   sync.Mutex
	turn int    // how often it was its turn; mu
	seen []byte // a transaction that others have sent; mu
	at   int64  // the height at which it was seen; mu
}

// replayAfter is how many blocks are enough for a pending transaction to have
// been committed by the honest validators, through which it came.
const replayAfter = 8

// propose makes the next wrong block.
func (l *liar) propose(req *abci.RequestPrepareProposal) [][]byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen == nil && len(req.Txs) > 0 {
		l.seen, l.at = req.Txs[0], req.Height
	}
	if l.seen == nil || req.Height < l.at+replayAfter {
		return nil // an empty block is nothing wrong
	}
	m := misdeeds[l.turn%len(misdeeds)]
	l.turn++
	txs := m.block(&scene{l.net, ledger.UnixTime(req.Time.Unix()), l.seen})
	turn := Turn{Height: req.Height, Misdeed: m.name, Code: m.code.String(), Txs: []crypto.Hash{}}
	if !m.replays {
		for _, raw := range txs {
			turn.Txs = append(turn.Txs, crypto.Keccak256(raw))
		}
	}
	if err := json.NewEncoder(l.record).Encode(turn); err != nil {
		slog.Error("note the turn", "err", err)
	}
	return txs
}
