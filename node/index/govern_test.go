package index

import (
	"reflect"
	"testing"

	"github.com/ethereum/go-ethereum/rlp"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// TestEveryEventIsKept: no field of any type of event is lost in a receipt's
// record.
func TestEveryEventIsKept(t *testing.T) {
	one := crypto.Address{1}
	for _, kind := range ledger.EventTypes() {
		want := ledger.Event{
			Type: kind, Account: one, From: one, To: one, Asset: one, Other: one, Amount: ledger.NewAmount(7), Reference: "r",
			Symbol: "S", Name: "n", Decimals: 2, Flags: 3, Number: 4, Until: 5,
		}
		raw, err := rlp.EncodeToBytes(recordOf(&ledger.Tx{}, &ledger.TxResult{Events: []ledger.Event{want}}))
		if err != nil {
			t.Fatal(err)
		}
		var record receiptRecord
		if err := rlp.DecodeBytes(raw, &record); err != nil {
			t.Fatal(err)
		}
		got, err := record.Events[0].event()
		if err != nil || !reflect.DeepEqual(got.Attributes(), want.Attributes()) {
			t.Errorf("%s became %+v (%v)", kind.Name(), got, err)
		}
	}
}
