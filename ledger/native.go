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
// with signatures a list of [scheme, 65 bytes], in the order given.
func EncodeNative(net *Network, body *Body, signatures []Signature) []byte {
	return encode([]byte{NativeType}, func(w encoder) {
		outer := w.List()
		writeBody(w, net.ChainID, body)
		list := w.List()
		for _, s := range signatures {
			item := w.List()
			w.uint(uint64(s.Scheme))
			w.WriteBytes(s.Signature[:])
			w.ListEnd(item)
		}
		w.ListEnd(list)
		w.ListEnd(outer)
	})
}

// BodyHash identifies the unsigned content on this network:
//
//	keccak256(0x54 ‖ networkHash ‖ rlp([chainId, sender, nonce, validUntil, kind, payload, memo]))
func (n *Network) BodyHash(body *Body) crypto.Hash {
	prefix := append([]byte{NativeType}, n.Hash[:]...)
	return crypto.Keccak256(encode(prefix, func(w encoder) {
		outer := w.List()
		writeBody(w, n.ChainID, body)
		w.ListEnd(outer)
	}))
}

func writeBody(w encoder, chainID uint64, body *Body) {
	w.uint(chainID)
	w.address(body.Sender)
	w.uint(uint64(body.Nonce))
	w.uint(uint64(body.ValidUntil))
	w.uint(uint64(body.Op.Kind()))
	body.Op.encode(w)
	w.WriteString(body.Memo)
}

func (tx *Tx) decodeNative() Code {
	d := decoder{rest: tx.Raw[1:]}
	outer := d.list()
	chainID := outer.uint()
	tx.Envelope = EnvelopeNative
	tx.Sender = outer.address()
	tx.Nonce = Nonce(outer.uint())
	tx.ValidUntil = UnixTime(outer.uint())
	spec, known := specOf(Kind(outer.uintUpTo(255)))
	if outer.bad || !known {
		return CodeMalformed
	}
	payload := outer.list()
	op := spec.decode(&payload)
	outer.close(payload)
	memo := outer.bytes()
	tx.Memo = string(memo)
	tx.Signatures = decodeSignatures(&outer)
	d.close(outer)
	if !d.done() {
		return CodeMalformed
	}
	tx.Op = op
	if chainID != tx.net.ChainID {
		return CodeWrongNetwork
	}
	if code := first(CheckBody(tx.net, &tx.Body), checkSignatures(tx.Signatures)); code != Applied {
		return code
	}
	if !bytes.Equal(EncodeNative(tx.net, &tx.Body, tx.Signatures), tx.Raw) {
		return CodeMalformed
	}
	tx.BodyHash = tx.net.BodyHash(&tx.Body)
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
// code in order of precedence that fits.
func CheckBody(net *Network, body *Body) Code {
	code := body.Op.check(body.Sender, net.Settlement)
	if len(body.Memo) > MaxMemoBytes {
		code = first(code, CodeLimitExceeded)
	}
	if !validText(body.Memo) || body.Sender.IsZero() ||
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
	type signed struct {
		signer crypto.Address
		sig    Signature
	}
	list := make([]signed, len(signatures))
	for i, s := range signatures {
		if s.Scheme > SchemeBodyHash {
			return nil, CodeInvalidField
		}
		signer, err := crypto.Recover(net.Digest(body, s.Scheme), s.Signature)
		if err != nil {
			return nil, CodeInvalidSignature
		}
		list[i] = signed{signer, s}
	}
	slices.SortStableFunc(list, func(a, b signed) int { return a.signer.Compare(b.signer) })
	out := make([]Signature, len(list))
	for i, s := range list {
		out[i] = s.sig
	}
	return out, Applied
}
