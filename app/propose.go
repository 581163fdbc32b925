package app

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math/bits"
	"slices"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// minTxBytes is less than any includable transaction takes: when a block has
// no room for it, it has none for anything.
const minTxBytes = 64

// PrepareProposal picks a block of the transactions that wait, in the order in
// which they came, but those of one sender by nonce. Where not everything fits,
// members share the room (see candidates). What does not fit in one block is
// passed over, and smaller ones behind it may still stand. It costs some
// microseconds a transaction whose signers are remembered.
func (a *Application) PrepareProposal(_ context.Context, req *abci.RequestPrepareProposal) (*abci.ResponsePrepareProposal, error) {
	if err := a.follow(); err != nil {
		return nil, err
	}
	defer a.leave()
	if err := a.enter(); err != nil {
		return nil, err
	}
	defer a.timed("prepare")()
	if a.options.Propose != nil {
		a.proposer = bytes.Clone(req.ProposerAddress)
		req.Txs = a.pending.raws()
		return &abci.ResponsePrepareProposal{Txs: a.options.Propose(req)}, nil
	}
	c := a.latest.Load()
	if c.net == nil || req.Height != c.next() || req.Time.Unix() < 0 {
		a.log.Warn("proposing an empty block: asked for one that does not follow the committed state",
			"height", req.Height, "committed", c.height)
		return &abci.ResponsePrepareProposal{}, nil
	}
	txs, err := a.choose(c, req)
	if err != nil {
		return nil, a.fail(fmt.Errorf("prepare proposal %d: %w", req.Height, err))
	}
	return &abci.ResponsePrepareProposal{Txs: txs}, nil
}

// choose is PrepareProposal's choice. It looks at twice what would fill a
// block, so that a long pool does not make proposing slow; and a block may be
// paced. What is passed over keeps its place for the next block. What CometBFT's
// mempool offers is not looked at: that is Token.
func (a *Application) choose(c *committed, req *abci.RequestPrepareProposal) ([][]byte, error) {
	params, err := ledger.ReadParams(c.reader)
	if err != nil {
		return nil, err
	}
	room := &room{params: &params, wire: req.MaxTxBytes, weights: weightsOf(&params)}
	bytes, signatures := params.MaxBlockBytes, params.MaxBlockSignatures
	if most, light := a.pace.most(time.Now()); most > 0 && a.pending.heavier(most, light) {
		a.metrics.paced.Inc()
		room.pace = most
		bytes, signatures = min(bytes, most), min(signatures, max(most/room.weights.signature, 1))
	}
	return a.pick(c, blockTime(req.Time), room, a.pending.candidates(&params, 2*bytes, 2*signatures))
}

// pick makes a block of a time on c. Room is given in the order of from, but
// they stand in the block in order of arrival.
func (a *Application) pick(c *committed, at ledger.UnixTime, room *room, from []*pendingTx) ([][]byte, error) {
	check, err := ledger.NewBlockCheck(c.net, at, c.reader)
	if err != nil {
		return nil, err
	}
	room.check = check
	orderByNonce(from)
	chosen := make([]*pendingTx, 0, len(from))
	for _, e := range from {
		if room.full() {
			break
		}
		code, err := room.take(e.tx)
		if err != nil {
			return nil, err
		}
		switch code {
		case ledger.Applied:
			chosen = append(chosen, e)
		case ledger.CodeBlockLimit:
		default:
			a.pending.doubt(e.tx)
		}
	}
	slices.SortFunc(chosen, func(x, y *pendingTx) int { return cmp.Compare(x.seq, y.seq) })
	orderByNonce(chosen)
	raws := make([][]byte, len(chosen))
	for i, e := range chosen {
		raws[i] = e.tx.Raw
	}
	return raws, nil
}

// orderByNonce puts each sender's transactions in the order of their nonces,
// within the places that this sender's transactions hold.
func orderByNonce(list []*pendingTx) {
	places := make(map[crypto.Address][]int)
	for i, e := range list {
		places[e.tx.Sender] = append(places[e.tx.Sender], i)
	}
	for _, at := range places { // the senders' places are apart: any order gives the same
		if len(at) == 1 {
			continue
		}
		own := make([]*pendingTx, len(at))
		for i, place := range at {
			own[i] = list[place]
		}
		slices.SortStableFunc(own, func(x, y *pendingTx) int {
			return cmp.Compare(x.tx.Nonce, y.tx.Nonce)
		})
		for i, place := range at {
			list[place] = own[i]
		}
	}
}

// room is what is left of a block.
type room struct {
	check      *ledger.BlockCheck
	params     *ledger.Params
	wire       int64 // bytes of the block's message that transactions may take
	weights    weights
	pace       uint64 // weight from which on nothing more is taken; 0: none
	weight     uint64
	bytes      uint64
	signatures uint64
	legs       uint64
}

// full reports that nothing more can fit.
func (r *room) full() bool {
	return r.pace > 0 && r.weight >= r.pace || r.wire < minTxBytes || r.bytes+minTxBytes > r.params.MaxBlockBytes ||
		r.signatures >= r.params.MaxBlockSignatures || r.legs >= r.params.MaxBlockLegs
}

// take puts tx into the block if it may stand there and fits, and says why not:
// CodeBlockLimit where another block may have room for it.
func (r *room) take(tx *ledger.Tx) (ledger.Code, error) {
	size := wireSize(tx.Raw)
	if size > r.wire {
		return ledger.CodeBlockLimit, nil
	}
	code, err := r.check.Admit(tx)
	if err != nil || code != ledger.Applied {
		return code, err
	}
	r.wire -= size
	r.weight += r.weights.of(tx)
	r.bytes += uint64(len(tx.Raw))
	r.signatures += uint64(tx.SignatureCount())
	r.legs += uint64(tx.Legs())
	return ledger.Applied, nil
}

// wireSize is what raw takes in a block's protobuf message: a tag, the length
// as a varint, and the bytes. CometBFT counts the same.
func wireSize(raw []byte) int64 {
	length := (bits.Len64(uint64(len(raw))|1) + 6) / 7
	return int64(1 + length + len(raw))
}

// blockTime cuts off the fraction. t is not before 1970.
func blockTime(t time.Time) ledger.UnixTime { return ledger.UnixTime(t.Unix()) }

// timed measures a step; call what it returns at the end.
func (a *Application) timed(step string) func() {
	begin := time.Now()
	return func() { a.metrics.seconds.WithLabelValues(step).Observe(time.Since(begin).Seconds()) }
}
