package app

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	abci "github.com/cometbft/cometbft/abci/types"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// EventTx is the type of the first event of every result. Its attributes are
// hash and bodyHash, in lower-case hex with 0x, and, where the transaction
// spent its nonce, sender and nonce. Without that the sender has authorised
// nothing, and is not named.
const EventTx = "tx"

// toResponse makes the ABCI form of what a block did: its own events and its
// transactions' results. Nothing in it depends on anything but the block and the
// committed state.
func toResponse(txs []*ledger.Tx, result *ledger.BlockResult) *abci.ResponseFinalizeBlock {
	all := make([]abci.ExecTxResult, len(result.Results))
	list := make([]*abci.ExecTxResult, len(result.Results))
	for i := range result.Results {
		fillResult(&all[i], txs[i], &result.Results[i])
		list[i] = &all[i]
	}
	return &abci.ResponseFinalizeBlock{TxResults: list, Events: appendEvents(nil, result.Events)}
}

// appendEvents adds the ABCI form of events.
func appendEvents(out []abci.Event, events []ledger.Event) []abci.Event {
	for i := range events {
		attributes := events[i].Attributes()
		event := abci.Event{Type: events[i].Type.Name(), Attributes: make([]abci.EventAttribute, len(attributes))}
		for j, a := range attributes {
			event.Attributes[j] = abci.EventAttribute{Key: a.Key, Value: a.Value}
		}
		out = append(out, event)
	}
	return out
}

// fillResult writes the ABCI form of a result: the code, the outcome's digest
// as Data, and the events. Gas, log and info stay empty.
func fillResult(out *abci.ExecTxResult, tx *ledger.Tx, r *ledger.TxResult) {
	digest := r.Digest()
	out.Code, out.Data = uint32(r.Code), digest[:]
	if r.Code != ledger.Applied {
		out.Codespace = CodespaceLedger
	}
	out.Events = make([]abci.Event, 0, 1+len(r.Events))
	out.Events = append(out.Events, eventOfTx(tx, r))
	out.Events = appendEvents(out.Events, r.Events)
}

// eventOfTx makes the first event. All its values share one string: a block
// has many.
func eventOfTx(tx *ledger.Tx, r *ledger.TxResult) abci.Event {
	const hash, address, digits = 2 + 2*crypto.HashSize, 2 + 2*crypto.AddressSize, 20
	text := make([]byte, 0, 2*hash+address+digits)
	text = hex.AppendEncode(append(text, "0x"...), tx.Hash[:])
	text = hex.AppendEncode(append(text, "0x"...), r.BodyHash[:])
	named := r.Code.SpendsNonce()
	if named {
		text = hex.AppendEncode(append(text, "0x"...), tx.Sender[:])
		text = strconv.AppendUint(text, uint64(tx.Nonce), 10)
	}
	all := string(text)
	attributes := make([]abci.EventAttribute, 2, 4)
	attributes[0] = abci.EventAttribute{Key: "hash", Value: all[:hash]}
	attributes[1] = abci.EventAttribute{Key: "bodyHash", Value: all[hash : 2*hash]}
	if named {
		attributes = append(attributes,
			abci.EventAttribute{Key: "sender", Value: all[2*hash : 2*hash+address]},
			abci.EventAttribute{Key: "nonce", Value: all[2*hash+address:]})
	}
	return abci.Event{Type: EventTx, Attributes: attributes}
}

// ResultFromABCI is the inverse of what FinalizeBlock answers for one
// transaction. Everything in the result must be as FinalizeBlock writes it, and
// Data must be the digest of the outcome that code and events make, so that a
// result proved by a header's LastResultsHash has proved events.
func ResultFromABCI(in *abci.ExecTxResult) (ledger.TxResult, error) {
	r := ledger.TxResult{Code: ledger.Code(in.Code)}
	wantSpace := ""
	if r.Code != ledger.Applied {
		wantSpace = CodespaceLedger
	}
	switch {
	case r.Code.Info().Name == "unknown":
		return ledger.TxResult{}, fmt.Errorf("result: unknown code %d", in.Code)
	case in.Codespace != wantSpace:
		return ledger.TxResult{}, fmt.Errorf("result: codespace %q beside code %d", in.Codespace, in.Code)
	case in.Log != "" || in.Info != "" || in.GasWanted != 0 || in.GasUsed != 0:
		return ledger.TxResult{}, errors.New("result: log, info or gas is not empty")
	case len(in.Events) == 0:
		return ledger.TxResult{}, errors.New("result: it has no events")
	}
	var err error
	if r.BodyHash, err = bodyHashOf(&in.Events[0], r.Code); err != nil {
		return ledger.TxResult{}, err
	}
	if r.Events, err = EventsFromABCI(in.Events[1:]); err != nil {
		return ledger.TxResult{}, fmt.Errorf("result: after the first event, %w", err)
	}
	if digest := r.Digest(); !bytes.Equal(digest[:], in.Data) {
		return ledger.TxResult{}, fmt.Errorf("result: data %x is not the digest %x of its code and events", in.Data, digest)
	}
	return r, nil
}

// bodyHashOf checks a first event and takes the body hash from it.
func bodyHashOf(e *abci.Event, code ledger.Code) (crypto.Hash, error) {
	keys := []string{"hash", "bodyHash"}
	if code.SpendsNonce() {
		keys = append(keys, "sender", "nonce")
	}
	if e.Type != EventTx || len(e.Attributes) != len(keys) {
		return crypto.Hash{}, fmt.Errorf("result: the first event is %q with %d attributes, not %q with %d", e.Type, len(e.Attributes), EventTx, len(keys))
	}
	for i, key := range keys {
		if a := &e.Attributes[i]; a.Key != key || a.Index {
			return crypto.Hash{}, fmt.Errorf("result: attribute %d of the first event is %q, not a plain %q", i, a.Key, key)
		}
	}
	h, err := crypto.ParseHash(e.Attributes[1].Value)
	if err == nil && h.String() != e.Attributes[1].Value {
		err = errors.New("it is not in lower case")
	}
	if err != nil {
		return crypto.Hash{}, fmt.Errorf("result: body hash: %w", err)
	}
	return h, nil
}

// EventsFromABCI is the inverse of what FinalizeBlock answers as a block's own
// events. It checks their form alone: what commits to them is the state, with
// ledger.BlockEventsDigest at ledger.KeyEvents, and a proof of that.
func EventsFromABCI(in []abci.Event) (events []ledger.Event, err error) {
	for i := range in {
		event, err := eventFromABCI(&in[i])
		if err != nil {
			return nil, fmt.Errorf("event %d: %w", i, err)
		}
		events = append(events, event)
	}
	return events, nil
}

func eventFromABCI(in *abci.Event) (ledger.Event, error) {
	attributes := make([]ledger.Attribute, len(in.Attributes))
	for i, a := range in.Attributes {
		if a.Index {
			return ledger.Event{}, fmt.Errorf("attribute %q is marked for indexing", a.Key)
		}
		attributes[i] = ledger.Attribute{Key: a.Key, Value: a.Value}
	}
	event, ok := ledger.ParseEvent(in.Type, attributes)
	if !ok {
		return ledger.Event{}, fmt.Errorf("%q is not an event of the ledger in its one form", in.Type)
	}
	return event, nil
}
