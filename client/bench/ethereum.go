package bench

import (
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// transferSelector is the first four bytes of keccak256("transfer(address,uint256)").
var transferSelector = []byte{0xa9, 0x05, 0x9c, 0xbb}

// signEthereum makes the transaction that a wallet's Send button makes: plain
// value for the settlement asset, transfer(address,uint256) for any other.
func (p *plan) signEthereum(key *crypto.PrivateKey, body *ledger.Body) []byte {
	leg := body.Op.(*ledger.Transfer).Legs[0]
	fields := &types.DynamicFeeTx{
		ChainID: new(big.Int).SetUint64(p.network.ChainID), Nonce: uint64(body.Nonce),
		GasTipCap: new(big.Int), GasFeeCap: new(big.Int), Gas: 21_000, Value: new(big.Int),
	}
	to := common.Address(leg.To)
	if leg.Asset == p.network.Settlement {
		fields.Value = leg.Amount.Uint256().ToBig()
		scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(ledger.MaxDecimals-p.network.SettlementDecimals)), nil)
		fields.Value.Mul(fields.Value, scale)
	} else {
		to = common.Address(leg.Asset)
		amount := leg.Amount.Bytes32()
		fields.Data = append(append(append([]byte{}, transferSelector...), common.LeftPadBytes(leg.To[:], 32)...), amount[:]...)
		fields.Gas = 100_000
	}
	fields.To = &to
	signer := types.LatestSignerForChainID(fields.ChainID)
	signature := key.Sign(crypto.Hash(signer.Hash(types.NewTx(fields))))
	tx, err := types.NewTx(fields).WithSignature(signer, signature[:])
	if err != nil {
		panic("bench: go-ethereum refuses a signature of ours: " + err.Error())
	}
	raw, err := tx.MarshalBinary()
	if err != nil {
		panic("bench: go-ethereum does not encode a transaction: " + err.Error())
	}
	return raw
}
