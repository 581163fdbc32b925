package ledger

import (
	"bytes"
	"slices"

	"github.com/tallystick/tallystick/crypto"
)

// EncodeNative returns the native envelope:
//
//	0x54 ‖ rlp([chainId, sender, nonce, validUntil, kind, payload, memo, signatures])
//
// with signatures a list of [scheme, 65 bytes], in the order given. body.Op
// must not be nil.
func EncodeNative(net *Network, body *Body, signatures []Signature) []byte {
	return encodeNative(net.ChainID, body, signatures)
}

func encodeNative(chainID uint64, body *Body, signatures []Signature) []byte {
	size := nativeHeadBytes + len(body.Memo) + nativeLegBytes*body.Op.legs() + nativeSignatureBytes*len(signatures)
	return encode(size, []byte{NativeType}, func(w *encoder) {
		outer := w.list()
		writeBody(w, chainID, body)
		list := w.list()
		for i := range signatures {
			item := w.list()
			w.uint(uint64(signatures[i].Scheme))
			w.bytes(signatures[i].Signature[:])
			w.end(item)
		}
		w.end(list)
		w.end(outer)
	})
}

// Sizes to expect of an envelope's parts.
const (
	nativeHeadBytes      = 96
	nativeLegBytes       = 120
	nativeSignatureBytes = 70
)

// BodyHash identifies the unsigned content on this network:
//
//	keccak256(0x54 ‖ networkHash ‖ rlp([chainId, sender, nonce, validUntil, kind, payload, memo]))
//
// body.Op must not be nil.
func (n *Network) BodyHash(body *Body) crypto.Hash {
	size := nativeHeadBytes + len(body.Memo) + nativeLegBytes*body.Op.legs()
	return n.hashUnsigned(encode(size, nil, func(w *encoder) { writeBody(w, n.ChainID, body) }))
}

// hashUnsigned is the body hash of the encoded unsigned fields.
func (n *Network) hashUnsigned(fields []byte) crypto.Hash {
	var head [1 + 8]byte
	listHead := appendListHead(head[:0], len(fields))
	return crypto.Keccak256(nativePrefix[:], n.Hash[:], listHead, fields)
}

var nativePrefix = [1]byte{NativeType}

func writeBody(w *encoder, chainID uint64, body *Body) {
	w.uint(chainID)
	w.address(body.Sender)
	w.uint(uint64(body.Nonce))
	w.uint(uint64(body.ValidUntil))
	w.uint(uint64(body.Op.Kind()))
	body.Op.encode(w)
	w.string(body.Memo)
}

func (tx *Tx) decodeNative() Code {
	tx.Envelope = EnvelopeNative
	d := decoder{rest: tx.Raw[1:]}
	outer := d.list()
	fields := outer.rest
	chainID := outer.uint()
	body := Body{Sender: outer.address(), Nonce: Nonce(outer.uint()), ValidUntil: UnixTime(outer.uint())}
	spec, known := specOf(Kind(outer.uintUpTo(255)))
	if outer.bad || !known {
		return CodeMalformed
	}
	payload := outer.list()
	body.Op = spec.decode(&payload)
	outer.close(payload)
	body.Memo = string(outer.bytes())
	fields = fields[:len(fields)-len(outer.rest)]
	signatures := decodeSignatures(&outer)
	d.close(outer)
	if !d.done() || !bytes.Equal(encodeNative(chainID, &body, signatures), tx.Raw) {
		return CodeMalformed
	}
	tx.Body, tx.Signatures = body, signatures
	if chainID != tx.net.ChainID {
		return CodeWrongNetwork
	}
	if code := first(CheckBody(tx.net, &tx.Body), checkSignatures(tx.Signatures)); code != Applied {
		return code
	}
	tx.BodyHash = tx.net.hashUnsigned(fields)
	return Applied
}

func decodeSignatures(d *decoder) []Signature {
	list := d.list()
	var out []Signature
	for len(list.rest) > 0 && !list.bad {
		item := list.list()
		var s Signature
		s.Scheme = Scheme(item.uintUpTo(255))
		item.fixed(s.Signature[:])
		list.close(item)
		out = append(out, s)
	}
	d.close(list)
	return out
}

// CheckBody judges the unsigned content by itself, and answers with the first
// code in order of precedence that fits. A body without an operation has
// CodeInvalidField.
func CheckBody(net *Network, body *Body) Code {
	if body.Op == nil {
		return CodeInvalidField
	}
	code := body.Op.check(body.Sender, net.Settlement)
	if len(body.Memo) > MaxMemoBytes {
		code = first(code, CodeLimitExceeded)
	}
	if !validMemo(body.Memo) || body.Sender.IsZero() ||
		uint64(body.Nonce) > MaxJSONInteger || uint64(body.ValidUntil) > MaxJSONInteger {
		code = first(code, CodeInvalidField)
	}
	return code
}

func checkSignatures(signatures []Signature) Code {
	if len(signatures) > MaxSignatures {
		return CodeLimitExceeded
	}
	for _, s := range signatures {
		if s.Scheme > SchemeBodyHash {
			return CodeInvalidField
		}
	}
	return Applied
}

// first returns the one of two verdicts that takes precedence.
func first(a, b Code) Code {
	if a == Applied || (b != Applied && b < a) {
		return b
	}
	return a
}

// sortSignatures orders signatures by their recovered signers.
func sortSignatures(net *Network, body *Body, signatures []Signature) ([]Signature, Code) {
	signers, code := recoverAll(net, body, net.BodyHash(body), signatures)
	if code != Applied {
		return nil, code
	}
	order := make([]int, len(signatures))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return signers[a].Compare(signers[b]) })
	out := make([]Signature, len(order))
	for i, at := range order {
		out[i] = signatures[at]
	}
	return out, Applied
}

// recoverAll returns the signer of each signature. The typed-data digest is
// computed once, and only if a signature is over it.
func recoverAll(net *Network, body *Body, bodyHash crypto.Hash, signatures []Signature) ([]crypto.Address, Code) {
	var typed crypto.Hash
	signers := make([]crypto.Address, len(signatures))
	for i, s := range signatures {
		digest := bodyHash
		if s.Scheme == SchemeTypedData {
			if typed == (crypto.Hash{}) {
				typed = net.TypedDataDigest(body)
			}
			digest = typed
		}
		signer, err := crypto.Recover(digest, s.Signature)
		if err != nil {
			return nil, CodeInvalidSignature
		}
		signers[i] = signer
	}
	return signers, Applied
}
