package ledgertest

import (
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// EthereumRaw makes and signs an Ethereum transaction with go-ethereum, which
// knows nothing of this ledger, and returns its bytes.
func EthereumRaw(net *ledger.Network, key *crypto.PrivateKey, inner types.TxData) []byte {
	signer := types.LatestSignerForChainID(new(big.Int).SetUint64(net.ChainID))
	return ethereumRaw(signer, key, inner)
}

// UnprotectedRaw is EthereumRaw without EIP-155: a transaction of no network.
func UnprotectedRaw(key *crypto.PrivateKey, inner types.TxData) []byte {
	return ethereumRaw(types.HomesteadSigner{}, key, inner)
}

func ethereumRaw(signer types.Signer, key *crypto.PrivateKey, inner types.TxData) []byte {
	unsigned := types.NewTx(inner)
	signature := key.Sign(crypto.Hash(signer.Hash(unsigned)))
	tx, err := unsigned.WithSignature(signer, signature[:])
	if err != nil {
		panic("ledgertest: " + err.Error())
	}
	raw, err := tx.MarshalBinary()
	if err != nil {
		panic("ledgertest: " + err.Error())
	}
	return raw
}

// EthereumInner is what a wallet would make of a movement: plain value for the
// settlement asset, a token call for any other. The envelope is
// EnvelopeLegacy or EnvelopeDynamicFee.
func EthereumInner(net *ledger.Network, envelope ledger.Envelope, nonce ledger.Nonce, to, asset crypto.Address, amount ledger.Amount) types.TxData {
	target, value, data := common.Address(to), bigOf(amount), []byte(nil)
	if asset == net.Settlement {
		scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(ledger.MaxDecimals-net.SettlementDecimals)), nil)
		value.Mul(value, scale)
	} else {
		target, value = common.Address(asset), new(big.Int)
		data = TokenCall(to, bigOf(amount))
	}
	if envelope == ledger.EnvelopeLegacy {
		return &types.LegacyTx{Nonce: uint64(nonce), GasPrice: big.NewInt(1), Gas: 21000, To: &target, Value: value, Data: data}
	}
	return &types.DynamicFeeTx{
		ChainID: new(big.Int).SetUint64(net.ChainID), Nonce: uint64(nonce), GasTipCap: big.NewInt(1), GasFeeCap: big.NewInt(2),
		Gas: 21000, To: &target, Value: value, Data: data,
	}
}

// TokenCall is the calldata of transfer(address,uint256).
func TokenCall(to crypto.Address, amount *big.Int) []byte {
	selector := crypto.Keccak256([]byte("transfer(address,uint256)"))
	data := append([]byte(nil), selector[:4]...)
	data = append(data, make([]byte, 12)...)
	data = append(data, to[:]...)
	return append(data, amount.FillBytes(make([]byte, 32))...)
}
