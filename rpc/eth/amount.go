package eth

import (
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/holiman/uint256"

	"github.com/tallystick/tallystick/ledger"
)

// weiDecimals is how many decimals Ethereum's coin has, which every wallet
// assumes of the native coin of a chain.
const weiDecimals = ledger.MaxDecimals

// Wei scales an amount of the settlement asset to 18 decimals.
func Wei(net *ledger.Network, a ledger.Amount) *uint256.Int {
	return new(uint256.Int).Mul(a.Uint256(), weiOfUnit(net))
}

// weiOfUnit is what the settlement asset's smallest unit is in wei. Every amount
// times it is below 2^188.
func weiOfUnit(net *ledger.Network) *uint256.Int {
	return new(uint256.Int).Exp(uint256.NewInt(10), uint256.NewInt(uint64(weiDecimals-net.SettlementDecimals)))
}

// FromWei is the inverse of Wei: Applied, or why the value cannot be moved, as a
// transaction would be refused for it.
func FromWei(net *ledger.Network, value *uint256.Int) (ledger.Amount, ledger.Code) {
	quotient, rest := new(uint256.Int), new(uint256.Int)
	quotient.DivMod(value, weiOfUnit(net), rest)
	if !rest.IsZero() {
		return ledger.Amount{}, ledger.CodeInexactValue
	}
	a, ok := ledger.AmountFromUint256(quotient)
	if !ok {
		return ledger.Amount{}, ledger.CodeAmountOutOfRange
	}
	return a, ledger.Applied
}

// quantity is a number as Ethereum's JSON has it: hex without leading zeros.
func quantity(v *uint256.Int) hexutil.U256 { return hexutil.U256(*v) }
