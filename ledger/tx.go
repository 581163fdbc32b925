package ledger

import (
	"github.com/tallystick/tallystick/crypto"
)

// The EIP-2718 type bytes of the envelopes that are carried. A legacy
// transaction has none: it begins as a list does.
const (
	NativeType     = 0x54
	DynamicFeeType = 0x02 // EIP-1559
)

// Envelope says in which of the three forms a transaction came.
type Envelope uint8

// The envelopes.
const (
	EnvelopeNative     Envelope = iota + 1 // type 0x54
	EnvelopeLegacy                         // Ethereum, EIP-155 protected
	EnvelopeDynamicFee                     // Ethereum, type 0x02
)

// String returns the envelope's name in JSON.
func (e Envelope) String() string {
	return [...]string{"unknown", "native", "legacy", "dynamicFee"}[min(e, 3)]
}

// Scheme says what a native signature signs.
type Scheme uint8

// The schemes.
const (
	SchemeTypedData Scheme = 0 // the EIP-712 digest: what wallets sign
	SchemeBodyHash  Scheme = 1 // the body hash: what programs sign
)

// Signature is one signature of a native transaction.
type Signature struct {
	Scheme    Scheme
	Signature crypto.Signature
}

// Tx is a decoded transaction. It is immutable once its signers are
// recovered, and may then be shared.
type Tx struct {
	Raw      []byte      // the canonical bytes, as the block carries them
	Hash     crypto.Hash // keccak256(Raw): the transaction hash, for every envelope
	Envelope Envelope
	// Body is what was signed; for Ethereum envelopes the native equivalent,
	// whose Sender is known once the signers are recovered. It is empty (and
	// Op nil) when the bytes are malformed or of no kind that is carried.
	Body

	// Signatures of a native transaction, as they stand in it.
	Signatures []Signature
	// BodyHash identifies what was authorised, whoever signed it how. For
	// Ethereum envelopes it is set by RecoverSigners.
	BodyHash crypto.Hash
	// Signers are the recovered addresses, in the order of the signatures.
	// For an Ethereum envelope it is the sender alone.
	Signers []crypto.Address

	net       *Network
	fault     Code // what is wrong with the bytes, or 0
	sigFault  Code // what is wrong with the signatures, or 0; set by RecoverSigners
	recovered bool
	ethDigest crypto.Hash      // what an Ethereum envelope's key signed
	ethSig    crypto.Signature // and the signature
}

// Decode takes raw bytes apart and checks what bytes alone can show, up to
// CodeZeroAmount in the order of precedence. The Tx is never nil: with a code
// other than Applied it carries Raw, Hash and the verdict, so that a block
// which holds it can still be applied. Raw is kept, not copied.
func Decode(net *Network, raw []byte) (*Tx, Code) {
	return DecodeHashed(net, raw, crypto.Keccak256(raw))
}

// DecodeHashed is Decode for who has computed hash, the Keccak-256 of raw,
// already.
func DecodeHashed(net *Network, raw []byte, hash crypto.Hash) (*Tx, Code) {
	tx := &Tx{Raw: raw, Hash: hash, net: net}
	switch {
	case len(raw) > MaxTxBytes:
		tx.fault = CodeTooLarge
	case len(raw) == 0:
		tx.fault = CodeMalformed
	case raw[0] == NativeType:
		tx.fault = tx.decodeNative()
	case raw[0] == DynamicFeeType:
		tx.fault = tx.decodeDynamicFee()
	case raw[0] >= rlpList:
		tx.fault = tx.decodeLegacy()
	case raw[0] < rlpString:
		tx.fault = CodeUnsupportedType
	default:
		tx.fault = CodeMalformed
	}
	return tx, tx.fault
}

// Legs counts what tx weighs against a block's cap on legs: the legs of a
// transfer, the items of a settlement, the actions of a proposal, and one for
// every other operation.
func (tx *Tx) Legs() int {
	if tx.Op == nil {
		return 1
	}
	return tx.Op.legs()
}

// SignatureCount is what tx weighs against a block's cap on signatures.
func (tx *Tx) SignatureCount() int {
	if tx.Envelope == EnvelopeNative {
		return len(tx.Signatures)
	}
	return 1
}

// RecoverSigners fills Signers (and Sender and BodyHash of an Ethereum
// envelope) and checks their order. It is the costly step, 30 to 120 µs a
// signature, and a pure function of the bytes. It answers with the fault of
// the bytes or else of the signatures, and does nothing the second time. It
// must have returned before tx is shared between goroutines.
func (tx *Tx) RecoverSigners() Code {
	if tx.fault != Applied {
		return tx.fault
	}
	if !tx.recovered {
		tx.recovered = true
		if tx.Envelope == EnvelopeNative {
			tx.sigFault = tx.recoverNative()
		} else {
			tx.sigFault = tx.recoverEthereum()
		}
	}
	return tx.sigFault
}

// Recovered reports whether RecoverSigners has done its work, well or not.
func (tx *Tx) Recovered() bool { return tx.recovered }

func (tx *Tx) recoverNative() Code {
	signers, code := recoverAll(tx.net, &tx.Body, tx.BodyHash, tx.Signatures)
	if code != Applied {
		return code
	}
	for i := 1; i < len(signers); i++ {
		if signers[i-1].Compare(signers[i]) >= 0 {
			return CodeSignatureOrder
		}
	}
	tx.Signers = signers
	return Applied
}

// Build encodes a native transaction. The signatures are put in the order of
// their signers. It answers with the first fault that Decode or
// RecoverSigners would find, and then without a transaction, or with one that
// carries the fault.
func Build(net *Network, body Body, signatures []Signature) (*Tx, Code) {
	if code := first(CheckBody(net, &body), checkSignatures(signatures)); code != Applied {
		return nil, code
	}
	sorted, code := sortSignatures(net, &body, signatures)
	if code != Applied {
		return nil, code
	}
	tx, code := Decode(net, EncodeNative(net, &body, sorted))
	if code == Applied {
		code = tx.RecoverSigners()
	}
	return tx, code
}

// Sign signs body with each key under scheme, and builds the transaction. It
// answers as Build does; a body that has no digest is not signed.
func Sign(net *Network, body Body, scheme Scheme, keys ...*crypto.PrivateKey) (*Tx, Code) {
	signatures := make([]Signature, len(keys))
	for i := range signatures {
		signatures[i].Scheme = scheme
	}
	if code := first(CheckBody(net, &body), checkSignatures(signatures)); code != Applied {
		return nil, code
	}
	digest := net.Digest(&body, scheme)
	for i, k := range keys {
		signatures[i].Signature = k.Sign(digest)
	}
	return Build(net, body, signatures)
}

// Digest is what a signature of body under scheme signs. body.Op must not be
// nil.
func (n *Network) Digest(body *Body, scheme Scheme) crypto.Hash {
	if scheme == SchemeTypedData {
		return n.TypedDataDigest(body)
	}
	return n.BodyHash(body)
}
