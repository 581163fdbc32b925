package keystore

import (
	"encoding/json"
	"errors"
	"fmt"

	gethkeystore "github.com/ethereum/go-ethereum/accounts/keystore"
	gethcrypto "github.com/ethereum/go-ethereum/crypto"
	"github.com/google/uuid"

	"github.com/tallystick/tallystick/crypto"
)

// What can be wrong with a key file, for errors.Is. Decrypt looks for them in
// the order given here.
var (
	ErrTooLarge   = errors.New("the key file is too large")
	ErrNotJSON    = errors.New("the key file is not JSON")
	ErrVersion    = errors.New("the key file's version is not supported")
	ErrDamaged    = errors.New("the key file is damaged")
	ErrCipher     = errors.New("the key file's cipher is not supported")
	ErrKDF        = errors.New("the key file's key derivation is not supported")
	ErrCost       = errors.New("the key file's key derivation asks for too much memory or time")
	ErrPassphrase = errors.New("wrong passphrase, or the key file was altered")
	ErrAddress    = errors.New("the key in the file is not that of the address in the file")
)

// Encrypt returns key as the content of a key file. With light false the key
// derivation takes 256 MiB of memory and about a second, which also slows down
// who guesses passphrases; with light true 4 MiB and a tenth of a second, for
// tests and machines that cannot do better. It fails only when the system's
// random source does.
func Encrypt(key *crypto.PrivateKey, passphrase string, light bool) ([]byte, error) {
	id, err := uuid.NewRandom()
	if err != nil {
		return nil, fmt.Errorf("encrypt key of %s: %w", key.Address(), err)
	}
	secret := key.Bytes()
	defer clear(secret)
	private, err := gethcrypto.ToECDSA(secret)
	if err != nil {
		return nil, fmt.Errorf("encrypt key of %s: %w", key.Address(), err)
	}
	n, p := gethkeystore.StandardScryptN, gethkeystore.StandardScryptP
	if light {
		n, p = gethkeystore.LightScryptN, gethkeystore.LightScryptP
	}
	entry := &gethkeystore.Key{Id: id, Address: [crypto.AddressSize]byte(key.Address()), PrivateKey: private}
	data, err := gethkeystore.EncryptKey(entry, passphrase, n, p)
	if err != nil {
		return nil, fmt.Errorf("encrypt key of %s: %w", key.Address(), err)
	}
	return data, nil
}

// Decrypt returns the private key in the content of a key file. The error
// wraps one of this package's error values. The cost is what the file asks
// for, at most MaxMemory bytes and a few seconds; a wrong passphrase costs the
// same as the right one.
func Decrypt(data []byte, passphrase string) (*crypto.PrivateKey, error) {
	file, err := parse(data)
	if err != nil {
		return nil, err
	}
	// The library gets the file as it was understood here, never the bytes it
	// came in: it panics on members it does not find where it expects them.
	canonical, err := json.Marshal(file)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	opened, err := gethkeystore.DecryptKey(canonical, passphrase)
	if errors.Is(err, gethkeystore.ErrDecrypt) {
		return nil, ErrPassphrase
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	secret := gethcrypto.FromECDSA(opened.PrivateKey)
	defer clear(secret)
	key, err := crypto.PrivateKeyFromBytes(secret)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if file.hasAddress() && file.address != key.Address() {
		return nil, fmt.Errorf("%w: the file says %s, the key is that of %s", ErrAddress, file.address, key.Address())
	}
	return key, nil
}

// Address returns the address that the content of a key file claims to be for,
// without the passphrase and so without proof. It is the zero address when the
// file names none, which the format allows. The error is that of Decrypt.
func Address(data []byte) (crypto.Address, error) {
	file, err := parse(data)
	if err != nil {
		return crypto.Address{}, err
	}
	return file.address, nil
}
