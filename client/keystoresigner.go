package client

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/crypto/keystore"
)

// PassphraseFunc gives the passphrase of the key file for an address, perhaps
// by asking a person, who is told what for. It ends with ctx.
type PassphraseFunc func(ctx context.Context, address crypto.Address) (string, error)

// KeystoreSigner signs with the key in an encrypted key file. The file is
// decrypted when something is first to be signed, and the key is kept in memory
// until Lock.
type KeystoreSigner struct {
	path    string
	data    []byte
	address crypto.Address
	ask     PassphraseFunc

	mu  sync.Mutex         // one goroutine at a time asks; guards key
	key *crypto.PrivateKey // nil while locked
}

// OpenKeystore reads a key file and does not decrypt it. The file must name its
// address, as those of every wallet do, unless address gives it; both must be
// the same where both are given.
func OpenKeystore(path string, address crypto.Address, ask PassphraseFunc) (*KeystoreSigner, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open key file: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, keystore.MaxFileSize+1))
	if err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}
	named, err := keystore.Address(data)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", path, err)
	case named.IsZero() && address.IsZero():
		return nil, fmt.Errorf("%s names no address: say which it is for", path)
	case !named.IsZero() && !address.IsZero() && named != address:
		return nil, fmt.Errorf("%s: %w: it is for %s, not %s", path, keystore.ErrAddress, named, address)
	case address.IsZero():
		address = named
	}
	return &KeystoreSigner{path: path, data: data, address: address, ask: ask}, nil
}

// Address implements Signer. Until the file is decrypted it is what the file
// says, which only the passphrase proves.
func (s *KeystoreSigner) Address() crypto.Address { return s.address }

// SignDigest implements Signer. The first call asks for the passphrase and
// decrypts, which takes about a second.
func (s *KeystoreSigner) SignDigest(ctx context.Context, digest crypto.Hash) (crypto.Signature, error) {
	key, err := s.unlocked(ctx)
	if err != nil {
		return crypto.Signature{}, err
	}
	return LocalSigner{key}.SignDigest(ctx, digest)
}

// Unlock asks for the passphrase and decrypts, if that has not been done yet.
func (s *KeystoreSigner) Unlock(ctx context.Context) error {
	_, err := s.unlocked(ctx)
	return err
}

func (s *KeystoreSigner) unlocked(ctx context.Context) (*crypto.PrivateKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.key != nil {
		return s.key, nil
	}
	passphrase, err := s.ask(ctx, s.address)
	if err != nil {
		return nil, err
	}
	key, err := keystore.Decrypt(s.data, passphrase)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.path, err)
	}
	if key.Address() != s.address {
		return nil, fmt.Errorf("%s: %w: it holds the key of %s", s.path, keystore.ErrAddress, key.Address())
	}
	s.key = key
	return key, nil
}

// Lock forgets the key. The next signature asks for the passphrase again.
func (s *KeystoreSigner) Lock() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.key = nil
}
