package wire

import (
	"bytes"
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// A receipt, and an item of a history, is written as encoding/json writes it, to
// the byte.
func TestAppendReceipt(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		hash := func(name string) (h crypto.Hash) {
			copy(h[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(r, name))
			return h
		}
		address := func(name string) (a crypto.Address) {
			copy(a[:], rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(r, name))
			return a
		}
		text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "plain", "<&>\"\\\n\u2028\x7f", "é", "\xff"}))
		receipt := &Receipt{
			Hash: hash("hash"), BodyHash: hash("body"), Height: rapid.Uint64().Draw(r, "height"),
			Index: rapid.Uint32().Draw(r, "index"), BlockHash: hash("block"), BlockTime: rapid.Uint64().Draw(r, "time"),
			Sender: address("sender"), Nonce: rapid.Uint64().Draw(r, "nonce"), Kind: text.Draw(r, "kind"),
			Code: rapid.Uint32().Draw(r, "code"), Status: text.Draw(r, "status"), Message: text.Draw(r, "message"),
		}
		if rapid.Bool().Draw(r, "events") {
			receipt.Events = []Event{}
		}
		for range rapid.IntRange(0, 3).Draw(r, "count") {
			receipt.Events = append(receipt.Events, Event{ledger.Event{
				Type: ledger.EventTransfer, From: address("from"), To: address("to"), Asset: address("asset"),
				Amount: ledger.NewAmount(rapid.Uint64().Draw(r, "amount")), Reference: text.Draw(r, "reference"),
			}})
		}
		want, err := json.Marshal(receipt)
		if err != nil {
			r.Fatal(err)
		}
		got, err := receipt.AppendJSON([]byte("x"))
		if err != nil || !bytes.Equal(got[1:], want) {
			r.Fatalf("%v\n%s\n%s", err, got[1:], want)
		}
		item := &HistoryItem{Height: receipt.Height, BlockHash: receipt.BlockHash, BlockTime: receipt.BlockTime, Events: receipt.Events}
		if rapid.Bool().Draw(r, "transaction") {
			item.Index, item.Hash, item.Receipt, item.Events = &receipt.Index, &receipt.Hash, receipt, []Event{}
		}
		if want, err = json.Marshal(item); err != nil {
			r.Fatal(err)
		}
		got, err = item.AppendJSON([]byte("x"))
		if err != nil || !bytes.Equal(got[1:], want) {
			r.Fatalf("%v\n%s\n%s", err, got[1:], want)
		}
	})
}
