package node

import (
	"slices"
	"strings"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/types"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// What CometBFT saved of a block gives the block's own events back, or an error.
func TestSourceReadsTheBlocksOwnEvents(t *testing.T) {
	want := ledger.Event{
		Type: ledger.EventHoldReleased, Other: crypto.Address{1}, From: crypto.Address{2}, To: crypto.Address{3}, Asset: crypto.Address{4},
		Amount: ledger.NewAmount(5), Number: uint64(ledger.HoldExpired),
	}
	saved := &abci.ResponseFinalizeBlock{AppHash: make([]byte, 32)}
	event := abci.Event{Type: want.Type.Name()}
	for _, a := range want.Attributes() {
		event.Attributes = append(event.Attributes, abci.EventAttribute{Key: a.Key, Value: a.Value})
	}
	saved.Events = []abci.Event{event}
	meta := &types.BlockMeta{BlockID: types.BlockID{Hash: make([]byte, 32)}, Header: types.Header{Height: 9, Time: time.Unix(1_700_000_000, 5)}}
	b, err := new(source).block(9, meta, new(types.Block), saved)
	if err != nil || !slices.Equal(b.Events, []ledger.Event{want}) || b.Height != 9 || len(b.Txs) != 0 {
		t.Fatalf("%+v, %v", b, err)
	}
	saved.Events[0].Type = "lost"
	if _, err := new(source).block(9, meta, new(types.Block), saved); err == nil || !strings.Contains(err.Error(), "block 9 itself") {
		t.Errorf("error %v", err)
	}
}
