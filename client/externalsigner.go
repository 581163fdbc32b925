package client

import (
	"context"
	"fmt"

	"github.com/tallystick/tallystick/crypto"
)

// SignatureForm says how a hardware module or key service writes a signature.
type SignatureForm uint8

// The forms. Neither says who signed, so the ExternalSigner finds that out.
const (
	// FormDER is SEQUENCE { r INTEGER, s INTEGER }: AWS KMS, Google Cloud KMS.
	FormDER SignatureForm = iota
	// FormRS is r ‖ s, 64 bytes: PKCS #11, Azure Key Vault.
	FormRS
)

// SignFunc asks a module or service for the ECDSA signature of a digest, which
// it must sign as it stands and not hash again (CKM_ECDSA; MessageType DIGEST).
type SignFunc func(ctx context.Context, digest crypto.Hash) ([]byte, error)

// ExternalSigner makes a Signer of a hardware module or key service that signs
// with a secp256k1 key and knows nothing of Ethereum.
type ExternalSigner struct {
	address crypto.Address
	form    SignatureForm
	sign    SignFunc
}

// NewExternalSigner makes a signer for the address of the service's key, which
// crypto.AddressFromPKIX tells from its public key. sign may be called by many
// goroutines, and should end with its context; where it does not, the signer
// returns all the same, and what sign says later is dropped.
func NewExternalSigner(address crypto.Address, form SignatureForm, sign SignFunc) *ExternalSigner {
	return &ExternalSigner{address, form, sign}
}

// Address implements Signer.
func (s *ExternalSigner) Address() crypto.Address { return s.address }

// SignDigest implements Signer. An answer that is no signature, or one by
// another key or over another digest, is an error; s in the upper half is not.
func (s *ExternalSigner) SignDigest(ctx context.Context, digest crypto.Hash) (crypto.Signature, error) {
	type answer struct {
		bytes []byte
		err   error
	}
	answered := make(chan answer, 1)
	go func() {
		bytes, err := s.sign(ctx, digest)
		answered <- answer{bytes, err}
	}()
	select {
	case <-ctx.Done():
		return crypto.Signature{}, ctx.Err()
	case a := <-answered:
		if a.err != nil {
			return crypto.Signature{}, a.err
		}
		return s.complete(a.bytes, digest)
	}
}

// complete makes a Signature of an answer.
func (s *ExternalSigner) complete(answer []byte, digest crypto.Hash) (crypto.Signature, error) {
	switch s.form {
	case FormDER:
		return crypto.SignatureFromDER(answer, digest, s.address)
	case FormRS:
		if len(answer) != 64 {
			return crypto.Signature{}, fmt.Errorf("signature: %d bytes, want the 64 of r and s", len(answer))
		}
		return crypto.CompleteSignature([32]byte(answer[:32]), [32]byte(answer[32:]), digest, s.address)
	}
	return crypto.Signature{}, fmt.Errorf("signature: no form has the number %d", s.form)
}
