package client

import (
	"context"
	"errors"
	"fmt"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// Signer signs for one address. A key in memory (LocalSigner), a key file
// (KeystoreSigner) and a hardware module or key service (ExternalSigner) are
// signers, and so is whatever else implements it.
type Signer interface {
	// Address is the address whose key signs. It is always the same.
	Address() crypto.Address
	// SignDigest signs 32 bytes and returns r ‖ s ‖ v: s in the lower half of the
	// curve's order, v 0 or 1. It may take as long as it needs, a person may have
	// to agree; it returns early, with an error, when ctx ends. It may be called
	// by many goroutines.
	SignDigest(ctx context.Context, digest crypto.Hash) (crypto.Signature, error)
}

// LocalSigner is a key in memory.
type LocalSigner struct{ key *crypto.PrivateKey }

// NewLocalSigner makes a signer of a key.
func NewLocalSigner(key *crypto.PrivateKey) LocalSigner { return LocalSigner{key} }

// Address implements Signer.
func (s LocalSigner) Address() crypto.Address { return s.key.Address() }

// SignDigest implements Signer. It does not wait for anything.
func (s LocalSigner) SignDigest(ctx context.Context, digest crypto.Hash) (crypto.Signature, error) {
	if err := ctx.Err(); err != nil {
		return crypto.Signature{}, err
	}
	return s.key.Sign(digest), nil
}

// Sign has every signer sign body under scheme, one after the other, and builds
// the transaction. What a signer answers with is checked: it must be a
// signature of this very body by the signer's own address. The error is an
// *Error, with NameSigner where a signer failed, and that of Rejected where no
// signature could make body right; nobody is asked to sign it then.
func (c *Client) Sign(ctx context.Context, body ledger.Body, scheme ledger.Scheme, signers ...Signer) (*ledger.Tx, error) {
	if code := ledger.CheckBody(c.network, &body); code != ledger.Applied {
		return nil, Rejected(code)
	}
	if len(signers) > ledger.MaxSignatures {
		return nil, Rejected(ledger.CodeTooManySignatures)
	}
	digest := c.network.Digest(&body, scheme)
	signatures := make([]ledger.Signature, len(signers))
	for i, s := range signers {
		signature, err := SignDigest(ctx, s, digest)
		if err != nil {
			return nil, err
		}
		signatures[i] = ledger.Signature{Scheme: scheme, Signature: signature}
	}
	tx, code := ledger.Build(c.network, body, signatures)
	if code != ledger.Applied {
		return nil, Rejected(code)
	}
	return tx, nil
}

// SignDigest has one signer sign, and checks what it answers with. The error is
// an *Error with NameSigner.
func SignDigest(ctx context.Context, s Signer, digest crypto.Hash) (crypto.Signature, error) {
	signature, err := s.SignDigest(ctx, digest)
	if err != nil {
		return crypto.Signature{}, signerError(s, err)
	}
	address, err := crypto.Recover(digest, signature)
	if err == nil && address != s.Address() {
		err = fmt.Errorf("it answered with a signature by %s, or over something else", address)
	}
	if err != nil {
		return crypto.Signature{}, signerError(s, err)
	}
	return signature, nil
}

func signerError(s Signer, err error) *Error {
	if e, is := errors.AsType[*Error](err); is {
		return e
	}
	e := &Error{Name: NameSigner, Message: fmt.Sprintf("the signer of %s: %v", s.Address(), err), cause: err,
		Hint: "nothing was sent"}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		e.Message = fmt.Sprintf("the signer of %s did not answer in time", s.Address())
		e.Hint = "nothing was sent; what it signs later is worth nothing unless it is sent"
	}
	return e
}
