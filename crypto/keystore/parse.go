package keystore

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/crypto"
)

// Bounds on what a key file may hold or ask for. All are checked before any
// memory is used for the derivation.
const (
	// MaxFileSize bounds a key file, in bytes. Real ones have about 500.
	MaxFileSize = 64 << 10
	// MaxMemory bounds the memory of a key derivation, in bytes: twice what the
	// standard parameters take.
	MaxMemory = 512 << 20
	// MaxScryptWork bounds N·r·p: eight times the standard parameters.
	MaxScryptWork = 1 << 24
	// MaxPBKDF2Iterations bounds the iterations of PBKDF2: 64 times what wallets use.
	MaxPBKDF2Iterations = 1 << 24
	// maxSaltSize bounds the salt, in bytes. Real ones have 32.
	maxSaltSize = 256
)

// What the format fixes.
const (
	version        = 3
	cipherName     = "aes-128-ctr"
	kdfScrypt      = "scrypt"
	kdfPBKDF2      = "pbkdf2"
	pbkdf2Hash     = "hmac-sha256"
	derivedKeySize = 32
	ivSize         = 16
	macSize        = 32
)

// keyFile is a key file with the members that version 3 defines. The names in
// the JSON are the format's.
type keyFile struct {
	AddressText string        `json:"address,omitempty"`
	Crypto      cryptoSection `json:"crypto"`
	ID          string        `json:"id"`
	Version     int           `json:"version"`

	address crypto.Address // AddressText, parsed; zero when there is none
}

type cryptoSection struct {
	Cipher       string       `json:"cipher"`
	CipherText   string       `json:"ciphertext"`
	CipherParams cipherParams `json:"cipherparams"`
	KDF          string       `json:"kdf"`
	KDFParams    kdfParams    `json:"kdfparams"`
	MAC          string       `json:"mac"`
}

type cipherParams struct {
	IV string `json:"iv"`
}

// kdfParams holds the parameters of both derivations: n, r and p are scrypt's,
// c and prf are PBKDF2's.
type kdfParams struct {
	DKLen int64  `json:"dklen"`
	Salt  string `json:"salt"`
	N     int64  `json:"n,omitempty"`
	R     int64  `json:"r,omitempty"`
	P     int64  `json:"p,omitempty"`
	C     int64  `json:"c,omitempty"`
	PRF   string `json:"prf,omitempty"`
}

// parse reads and checks everything in a key file that can be checked without
// the passphrase.
func parse(data []byte) (*keyFile, error) {
	if len(data) > MaxFileSize {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(data), MaxFileSize)
	}
	if err := checkVersion(data); err != nil {
		return nil, err
	}
	file := new(keyFile)
	if err := json.Unmarshal(data, file); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if err := file.parseAddress(); err != nil {
		return nil, err
	}
	// The ID names the file and takes no part in decryption, so a wrong one must
	// not stand between an owner and a key.
	if _, err := uuid.Parse(file.ID); err != nil {
		file.ID = uuid.Nil.String()
	}
	if err := file.Crypto.check(); err != nil {
		return nil, err
	}
	return file, nil
}

// checkVersion reads the version alone, so that a file of another version is
// called that and not damaged.
func checkVersion(data []byte) error {
	if !json.Valid(data) {
		return ErrNotJSON
	}
	var head struct {
		Version json.RawMessage `json:"version"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if len(head.Version) == 0 {
		return fmt.Errorf("%w: it names no version, expected %d", ErrVersion, version)
	}
	var number int64
	if err := json.Unmarshal(head.Version, &number); err != nil || number != version {
		return fmt.Errorf("%w: version %s, expected %d", ErrVersion, clip(string(head.Version)), version)
	}
	return nil
}

func (f *keyFile) hasAddress() bool { return f.AddressText != "" }

// parseAddress reads the address, whose 40 digits stand with or without 0x.
func (f *keyFile) parseAddress() error {
	if !f.hasAddress() {
		return nil
	}
	address, err := crypto.ParseAddress("0x" + strings.TrimPrefix(f.AddressText, "0x"))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	f.address = address
	f.AddressText = hex.EncodeToString(address[:])
	return nil
}

func (c *cryptoSection) check() error {
	if c.Cipher != cipherName {
		return fmt.Errorf("%w: %q, expected %q", ErrCipher, clip(c.Cipher), cipherName)
	}
	fields := []struct {
		name, digits string
		size         int
	}{
		{"ciphertext", c.CipherText, crypto.PrivateKeySize},
		{"iv", c.CipherParams.IV, ivSize},
		{"mac", c.MAC, macSize},
	}
	for _, field := range fields {
		b, err := hex.DecodeString(field.digits)
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrDamaged, field.name, err)
		}
		if len(b) != field.size {
			return fmt.Errorf("%w: %s has %d bytes, expected %d", ErrDamaged, field.name, len(b), field.size)
		}
	}
	return c.checkKDF()
}

func (c *cryptoSection) checkKDF() error {
	params := &c.KDFParams
	switch {
	case c.KDF != kdfScrypt && c.KDF != kdfPBKDF2:
		return fmt.Errorf("%w: %q, expected %q or %q", ErrKDF, clip(c.KDF), kdfScrypt, kdfPBKDF2)
	case params.DKLen != derivedKeySize:
		return fmt.Errorf("%w: dklen is %d, expected %d", ErrKDF, params.DKLen, derivedKeySize)
	}
	salt, err := hex.DecodeString(params.Salt)
	if err != nil {
		return fmt.Errorf("%w: salt: %w", ErrDamaged, err)
	}
	if len(salt) == 0 || len(salt) > maxSaltSize {
		return fmt.Errorf("%w: salt has %d bytes, expected 1 to %d", ErrDamaged, len(salt), maxSaltSize)
	}
	if c.KDF == kdfPBKDF2 {
		return params.checkPBKDF2()
	}
	return params.checkScrypt()
}

// checkScrypt bounds the cost of scrypt (RFC 7914), which keeps N + p blocks of
// 128·r bytes and two more to work in, and mixes N·r·p of them. Every factor is
// bounded by MaxScryptWork before factors are multiplied, so that no product
// overflows.
func (k *kdfParams) checkScrypt() error {
	if k.N < 2 || k.N&(k.N-1) != 0 || k.R < 1 || k.P < 1 {
		return fmt.Errorf("%w: scrypt needs n a power of two above 1, r and p above 0; they are %d, %d, %d",
			ErrDamaged, k.N, k.R, k.P)
	}
	tooBig := k.N > MaxScryptWork || k.R > MaxScryptWork || k.P > MaxScryptWork ||
		k.N*k.R > MaxScryptWork || k.N*k.R*k.P > MaxScryptWork ||
		128*k.R*(k.N+k.P+2) > MaxMemory
	if tooBig {
		return fmt.Errorf("%w: scrypt with n %d, r %d, p %d; at most %d bytes and n·r·p %d are allowed",
			ErrCost, k.N, k.R, k.P, MaxMemory, MaxScryptWork)
	}
	return nil
}

// checkPBKDF2 bounds the cost of PBKDF2 (RFC 8018).
func (k *kdfParams) checkPBKDF2() error {
	switch {
	case k.PRF != pbkdf2Hash:
		return fmt.Errorf("%w: pbkdf2 with %q, expected %q", ErrKDF, clip(k.PRF), pbkdf2Hash)
	case k.C < 1:
		return fmt.Errorf("%w: pbkdf2 with %d iterations", ErrDamaged, k.C)
	case k.C > MaxPBKDF2Iterations:
		return fmt.Errorf("%w: pbkdf2 with %d iterations, at most %d are allowed", ErrCost, k.C, MaxPBKDF2Iterations)
	}
	return nil
}

// clip cuts a text from a file to a length that suits an error message.
func clip(s string) string {
	const limit = 40
	if len(s) <= limit {
		return s
	}
	return s[:limit] + "…"
}
