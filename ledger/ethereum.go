package ledger

import (
	"bytes"

	"github.com/holiman/uint256"

	"github.com/tallystick/tallystick/crypto"
)

// transferSelector is the first four bytes of keccak256("transfer(address,uint256)").
var transferSelector = [4]byte{0xa9, 0x05, 0x9c, 0xbb}

const transferCallBytes = 4 + 32 + 32

// ethFields are the fields of an Ethereum transaction that the ledger looks
// at, and those it must carry to encode it again. Gas and fees are carried
// and otherwise ignored: nothing is ever charged.
type ethFields struct {
	nonce      uint64
	price, tip *uint256.Int // gasPrice, or maxFeePerGas and maxPriorityFeePerGas
	gas        uint64
	to         []byte
	value      *uint256.Int
	data       []byte
	v          uint64 // legacy: 35 + 2·chainId + parity; type 2: parity
	r, s       *uint256.Int
	chainID    uint64
}

// big reads an unsigned integer below 2^256 without leading zeros.
func (d *decoder) big() *uint256.Int {
	b := d.bytes()
	if len(b) > 32 || (len(b) > 0 && b[0] == 0) {
		d.fail()
		return new(uint256.Int)
	}
	return new(uint256.Int).SetBytes(b)
}

// decodeLegacy reads rlp([nonce, gasPrice, gas, to, value, data, v, r, s])
// with v as EIP-155 has it. Unprotected transactions are for no network.
func (tx *Tx) decodeLegacy() Code {
	tx.Envelope = EnvelopeLegacy
	d := decoder{rest: tx.Raw}
	l := d.list()
	f := ethFields{nonce: l.uint(), price: l.big(), gas: l.uint(), to: l.bytes(), value: l.big(), data: l.bytes(), v: l.uint(), r: l.big(), s: l.big()}
	d.close(l)
	if !d.done() || !validRecipientLength(f.to) {
		return CodeMalformed
	}
	again := encode(ethBytes+len(f.data), nil, func(w *encoder) {
		i := w.list()
		f.writeLegacy(w)
		w.uint(f.v)
		w.big(f.r)
		w.big(f.s)
		w.end(i)
	})
	if !bytes.Equal(again, tx.Raw) {
		return CodeMalformed
	}
	if f.v < eip155Base {
		return CodeWrongNetwork
	}
	f.chainID = (f.v - eip155Base) / 2
	tx.ethDigest = crypto.Keccak256(encode(ethBytes+len(f.data), nil, func(w *encoder) {
		i := w.list()
		f.writeLegacy(w)
		w.uint(f.chainID)
		w.uint(0)
		w.uint(0)
		w.end(i)
	}))
	return tx.fromEthereum(&f, byte((f.v-eip155Base)%2))
}

const (
	eip155Base = 35  // v is eip155Base + 2·chainId + parity
	ethBytes   = 256 // to expect of an Ethereum transaction beside its data
)

// decodeDynamicFee reads 0x02 ‖ rlp([chainId, nonce, maxPriorityFeePerGas,
// maxFeePerGas, gas, to, value, data, accessList, yParity, r, s]) (EIP-1559).
func (tx *Tx) decodeDynamicFee() Code {
	tx.Envelope = EnvelopeDynamicFee
	d := decoder{rest: tx.Raw[1:]}
	l := d.list()
	f := ethFields{chainID: l.uint(), nonce: l.uint(), tip: l.big(), price: l.big(), gas: l.uint(), to: l.bytes(), value: l.big(), data: l.bytes()}
	access := l.list()
	f.v, f.r, f.s = l.uint(), l.big(), l.big()
	d.close(l)
	if !d.done() || !validRecipientLength(f.to) || f.v > 1 {
		return CodeMalformed
	}
	if len(access.rest) > 0 {
		return CodeUnsupportedType
	}
	again := encode(ethBytes+len(f.data), []byte{DynamicFeeType}, func(w *encoder) {
		i := w.list()
		f.writeDynamicFee(w)
		w.uint(f.v)
		w.big(f.r)
		w.big(f.s)
		w.end(i)
	})
	if !bytes.Equal(again, tx.Raw) {
		return CodeMalformed
	}
	tx.ethDigest = crypto.Keccak256(encode(ethBytes+len(f.data), []byte{DynamicFeeType}, func(w *encoder) {
		i := w.list()
		f.writeDynamicFee(w)
		w.end(i)
	}))
	return tx.fromEthereum(&f, byte(f.v))
}

// validRecipientLength: an address, or nothing where a contract is created.
func validRecipientLength(to []byte) bool { return len(to) == 20 || len(to) == 0 }

func (f *ethFields) writeLegacy(w *encoder) {
	w.uint(f.nonce)
	w.big(f.price)
	w.uint(f.gas)
	w.bytes(f.to)
	w.big(f.value)
	w.bytes(f.data)
}

func (f *ethFields) writeDynamicFee(w *encoder) {
	w.uint(f.chainID)
	w.uint(f.nonce)
	w.big(f.tip)
	w.big(f.price)
	w.uint(f.gas)
	w.bytes(f.to)
	w.big(f.value)
	w.bytes(f.data)
	w.end(w.list())
}

// fromEthereum finishes what both Ethereum envelopes share: the network, what
// the transaction does, and its signature. The sender is not known yet, so
// the body is judged as if the recipient were the sender: only then can a zero
// amount be a cancel. RecoverSigners judges it again.
func (tx *Tx) fromEthereum(f *ethFields, parity byte) Code {
	if f.chainID != tx.net.ChainID {
		return CodeWrongNetwork
	}
	leg, code := f.movement(tx.net)
	if code != Applied {
		return code
	}
	lenient := Body{Sender: leg.To, Nonce: Nonce(f.nonce), Op: &Transfer{Legs: []Leg{leg}}}
	lenient.Op.(*Transfer).Legs[0].From = leg.To
	if code := CheckBody(tx.net, &lenient); code != Applied {
		return code
	}
	r, s := f.r.Bytes32(), f.s.Bytes32()
	copy(tx.ethSig[:32], r[:])
	copy(tx.ethSig[32:64], s[:])
	tx.ethSig[64] = parity
	tx.Nonce = Nonce(f.nonce)
	tx.Op = &Transfer{Legs: []Leg{leg}}
	return Applied
}

// movement translates value or a token call into a leg. Its From is filled
// when the signer is known.
func (f *ethFields) movement(net *Network) (Leg, Code) {
	if len(f.to) == 0 {
		return Leg{}, CodeUnsupportedCall
	}
	var to crypto.Address
	copy(to[:], f.to)
	if len(f.data) > 0 {
		return f.tokenTransfer(to)
	}
	scaled, remainder := new(uint256.Int), new(uint256.Int)
	scaled.DivMod(f.value, net.scale.Uint256(), remainder)
	if !remainder.IsZero() {
		return Leg{}, CodeInexactValue
	}
	amount, ok := AmountFromUint256(scaled)
	if !ok {
		return Leg{}, CodeAmountOutOfRange
	}
	return Leg{To: to, Asset: net.Settlement, Amount: amount}, Applied
}

func (f *ethFields) tokenTransfer(asset crypto.Address) (Leg, Code) {
	if len(f.data) != transferCallBytes || !bytes.Equal(f.data[:4], transferSelector[:]) || !f.value.IsZero() {
		return Leg{}, CodeUnsupportedCall
	}
	for _, b := range f.data[4:16] {
		if b != 0 {
			return Leg{}, CodeUnsupportedCall
		}
	}
	leg := Leg{Asset: asset}
	copy(leg.To[:], f.data[16:36])
	amount, ok := AmountFromUint256(new(uint256.Int).SetBytes(f.data[36:]))
	if !ok {
		return Leg{}, CodeAmountOutOfRange
	}
	leg.Amount = amount
	return leg, Applied
}

func (tx *Tx) recoverEthereum() Code {
	sender, err := crypto.Recover(tx.ethDigest, tx.ethSig)
	if err != nil {
		return CodeInvalidSignature
	}
	tx.Sender = sender
	tx.Op.(*Transfer).Legs[0].From = sender
	if code := CheckBody(tx.net, &tx.Body); code != Applied {
		return code
	}
	tx.Signers = []crypto.Address{sender}
	tx.BodyHash = tx.net.BodyHash(&tx.Body)
	return Applied
}
