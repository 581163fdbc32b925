package eth

import (
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/holiman/uint256"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// Transaction is a transaction in the form of Ethereum's. Fields of other types
// than its own are absent.
type Transaction struct {
	BlockHash            *common.Hash      `json:"blockHash"` // null while it is pending, as the two below
	BlockNumber          *hexutil.Uint64   `json:"blockNumber"`
	BlockTimestamp       *hexutil.Uint64   `json:"blockTimestamp"`
	TransactionIndex     *hexutil.Uint64   `json:"transactionIndex"`
	Hash                 common.Hash       `json:"hash"` // Keccak-256 of the raw bytes
	Type                 hexutil.Uint64    `json:"type"` // 0x0 or 0x2
	From                 common.Address    `json:"from"`
	To                   *common.Address   `json:"to"`
	Nonce                hexutil.Uint64    `json:"nonce"`
	Value                hexutil.U256      `json:"value"`
	Input                hexutil.Bytes     `json:"input"`
	Gas                  hexutil.Uint64    `json:"gas"`
	GasPrice             hexutil.U256      `json:"gasPrice"` // of type 0x2: what is paid, which is nothing
	MaxFeePerGas         *hexutil.U256     `json:"maxFeePerGas,omitempty"`
	MaxPriorityFeePerGas *hexutil.U256     `json:"maxPriorityFeePerGas,omitempty"`
	AccessList           *types.AccessList `json:"accessList,omitempty"`
	ChainID              hexutil.Uint64    `json:"chainId"`
	V                    hexutil.U256      `json:"v"`
	R                    hexutil.U256      `json:"r"`
	S                    hexutil.U256      `json:"s"`
	YParity              *hexutil.Uint64   `json:"yParity,omitempty"`
}

// Place is where a transaction stands in the chain.
type Place struct {
	Height ledger.Height
	Block  crypto.Hash
	Time   ledger.UnixTime
	Index  uint32
	Sender crypto.Address // as its receipt has it, so that nothing need be recovered
}

// NewTransaction shows the transaction with these bytes and this hash. at is nil
// while it is pending; then its signers are recovered (30 to 120 µs each).
//
// An Ethereum envelope is shown exactly as it was signed. Of a native one, which
// Ethereum does not know, is made a legacy transaction with v, r and s all zero:
// go-ethereum, ethers, viem and web3.js read that without judging a signature
// that is not there, and take the sender from "from". One leg of the sender's own
// becomes what a wallet would have sent: value, or a call of transfer. Every
// other operation is shown as a call of the network's own address (that of the
// EIP-712 domain), with the whole envelope as input.
func NewTransaction(net *ledger.Network, raw []byte, hash crypto.Hash, at *Place) *Transaction {
	f := fieldsOf(net, raw, hash)
	out := &Transaction{
		Hash: common.Hash(hash), Type: hexutil.Uint64(f.kind), To: f.to, Nonce: hexutil.Uint64(f.nonce),
		Value: quantity(f.value), Input: f.input, Gas: hexutil.Uint64(f.gas), ChainID: hexutil.Uint64(net.ChainID),
	}
	if f.signed != nil {
		out.addSigned(f.signed)
	}
	if at == nil {
		f.tx.RecoverSigners() // where it fails the sender stays unknown
		out.From = common.Address(f.tx.Sender)
		return out
	}
	block, height, time, index := common.Hash(at.Block), hexutil.Uint64(at.Height), hexutil.Uint64(at.Time), hexutil.Uint64(at.Index)
	out.BlockHash, out.BlockNumber, out.BlockTimestamp, out.TransactionIndex = &block, &height, &time, &index
	out.From = common.Address(at.Sender)
	return out
}

// addSigned adds what only an Ethereum envelope has.
func (t *Transaction) addSigned(signed *types.Transaction) {
	v, r, s := signed.RawSignatureValues()
	t.V, t.R, t.S = bigQuantity(v), bigQuantity(r), bigQuantity(s)
	if signed.Type() == types.LegacyTxType {
		t.GasPrice = bigQuantity(signed.GasPrice())
		return
	}
	most, tip := bigQuantity(signed.GasFeeCap()), bigQuantity(signed.GasTipCap())
	parity, list := hexutil.Uint64(v.Uint64()), types.AccessList{}
	t.MaxFeePerGas, t.MaxPriorityFeePerGas, t.YParity, t.AccessList = &most, &tip, &parity, &list
}

func bigQuantity(v *big.Int) hexutil.U256 {
	u, _ := uint256.FromBig(v) // RLP has bounded it to 256 bits
	return quantity(u)
}

// fields are what blocks, transactions and receipts show of a transaction.
type fields struct {
	tx     *ledger.Tx
	signed *types.Transaction // nil for a native envelope
	kind   byte               // the type shown
	nonce  uint64
	to     *common.Address
	value  *uint256.Int
	input  []byte
	gas    uint64 // the limit
	used   uint64
}

// fieldsOf takes raw apart. It recovers no signer.
func fieldsOf(net *ledger.Network, raw []byte, hash crypto.Hash) *fields {
	tx, code := ledger.DecodeHashed(net, raw, hash)
	f := &fields{tx: tx, value: new(uint256.Int)}
	if code == ledger.Applied && tx.Envelope != ledger.EnvelopeNative {
		signed := new(types.Transaction)
		if signed.UnmarshalBinary(raw) == nil {
			f.fromSigned(signed)
			return f
		}
	}
	f.fromNative(net, code == ledger.Applied)
	return f
}

func (f *fields) fromSigned(signed *types.Transaction) {
	f.signed, f.kind, f.nonce = signed, signed.Type(), signed.Nonce()
	f.to, f.input, f.gas = signed.To(), signed.Data(), signed.Gas()
	f.value.SetFromBig(signed.Value())
	f.used = min(GasOf(f.input), f.gas)
}

// fromNative adapts a native transaction, or bytes that are none: these have no
// effect and can stand in a block only if dishonest validators agreed on it.
func (f *fields) fromNative(net *ledger.Network, valid bool) {
	f.to, f.input = addressOf(net.VerifyingContract()), f.tx.Raw
	if valid {
		f.nonce = uint64(f.tx.Nonce)
		f.ownLeg(net)
	}
	f.used = GasOf(f.input)
	f.gas = f.used
}

// ownLeg shows a transfer of one leg from the sender as a wallet's own.
func (f *fields) ownLeg(net *ledger.Network) {
	t, ok := f.tx.Op.(*ledger.Transfer)
	if !ok || len(t.Legs) != 1 || t.Legs[0].From != f.tx.Sender {
		return
	}
	leg := &t.Legs[0]
	if leg.Asset == net.Settlement {
		f.to, f.value, f.input = addressOf(leg.To), Wei(net, leg.Amount), []byte{}
		return
	}
	f.to, f.input = addressOf(leg.Asset), transferCall(leg.To, leg.Amount)
}

// transferCall is the call data of transfer(to, amount).
func transferCall(to crypto.Address, amount ledger.Amount) []byte {
	recipient, value := topicOf(to), amount.Bytes32()
	return append(append(append([]byte{}, selectorTransfer[:]...), recipient[:]...), value[:]...)
}
