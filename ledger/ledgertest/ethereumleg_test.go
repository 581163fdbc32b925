package ledgertest

import (
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/holiman/uint256"
	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// What an Ethereum transaction would move is what it moves once it is signed.
func TestEthereumLegIsWhatDecodeFinds(t *testing.T) {
	c := NewChain(t, Genesis(ledger.PolicyOpen, "alice", "bob"))
	gold, alice := c.Asset("GOLD"), Address("alice")
	seen := map[ledger.Code]int{}
	wanted := []ledger.Code{ledger.Applied, ledger.CodeUnsupportedCall, ledger.CodeAmountOutOfRange}
	checkUntilSeen(t, seen, wanted, func(rt *rapid.T) {
		to := rapid.SampledFrom([]*crypto.Address{nil, &alice, &gold}).Draw(rt, "to")
		value := new(big.Int).SetBytes(rapid.SampledFrom([][]byte{nil, {7}, make32(1), make32(0, 9)}).Draw(rt, "value"))
		data := rapid.OneOf(
			rapid.SampledFrom([][]byte{nil, TokenCall(alice, big.NewInt(5)), TokenCall(alice, new(big.Int).SetBytes(make32(1))), TokenCall(alice, big.NewInt(5))[:67]}),
			rapid.SliceOfN(rapid.Byte(), 0, 70),
		).Draw(rt, "data")
		leg, code := ledger.EthereumLeg(c.Net, to, uint256.MustFromBig(value), data)
		inner := &types.LegacyTx{Value: value, Data: data, To: (*common.Address)(to), Gas: 1, GasPrice: new(big.Int)}
		tx, decoded := ledger.Decode(c.Net, EthereumRaw(c.Net, Key("alice"), inner))
		seen[code]++
		if code != ledger.Applied {
			if decoded != code {
				rt.Fatalf("%s, decoded %s", code, decoded)
			}
			return
		}
		if decoded == ledger.CodeZeroAmount || decoded == ledger.CodeInvalidField {
			return // which the body's own rules say, and SimulateBody with them
		}
		if got := tx.Op.(*ledger.Transfer).Legs[0]; decoded != ledger.Applied || got.To != leg.To || got.Asset != leg.Asset || got.Amount != leg.Amount {
			rt.Fatalf("%+v, decoded %s %+v", leg, decoded, got)
		}
	})
}

// make32 is a number of 32 bytes that begins with these.
func make32(head ...byte) []byte { return append(head, make([]byte, 32-len(head))...) }
