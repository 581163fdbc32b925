// Package mnemonic turns the words that wallets show on paper into keys.
//
// A mnemonic is 12 to 24 words of the English list of BIP-39, the last of which
// holds a checksum. Words and an optional passphrase give a seed (BIP-39,
// PBKDF2), the seed gives a tree of keys (BIP-32), and the keys of this ledger
// stand at the path m/44'/60'/0'/0/i of the tree (BIP-44), where every Ethereum
// wallet has them. So a mnemonic from any wallet gives the same addresses here.
//
// A passphrase is part of the key, not a lock on it: every passphrase gives
// keys, and nothing can tell a wrong one from the right one.
package mnemonic

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/btcsuite/btcd/btcutil/hdkeychain"
	"github.com/btcsuite/btcd/chaincfg"
	bip39 "github.com/cosmos/go-bip39"
	"golang.org/x/text/unicode/norm"

	"github.com/tallystick/tallystick/crypto"
)

// What can be wrong with a mnemonic or a request, for errors.Is.
var (
	ErrWordCount = errors.New("a mnemonic has 12, 15, 18, 21 or 24 words")
	ErrWord      = errors.New("not a word of the BIP-39 English list")
	ErrChecksum  = errors.New("the mnemonic's checksum is wrong: a word is mistaken or out of place")
	ErrIndex     = errors.New("a key's index must be below 2147483648")
)

// MaxIndex is the highest index of a key.
const MaxIndex = hdkeychain.HardenedKeyStart - 1

// maxSize bounds a mnemonic's text, in bytes: 24 words of 8 letters and room
// for spaces.
const maxSize = 1024

// New returns a new mnemonic of the given number of words, from the system's
// random source. 12 words hold 128 bits, 24 words 256. The error wraps
// ErrWordCount, or comes from the random source.
func New(words int) (string, error) {
	if !validCount(words) {
		return "", fmt.Errorf("%w, not %d", ErrWordCount, words)
	}
	entropy, err := bip39.NewEntropy(words / 3 * 32)
	if err != nil {
		return "", fmt.Errorf("new mnemonic: %w", err)
	}
	defer clear(entropy)
	sentence, err := bip39.NewMnemonic(entropy)
	if err != nil {
		return "", fmt.Errorf("new mnemonic: %w", err)
	}
	return sentence, nil
}

// Normalize checks a mnemonic and returns it as BIP-39 writes it: words in
// lower case, one space between them. Input may have other space and capital
// letters. The error wraps ErrWordCount, ErrWord with the word and its place,
// or ErrChecksum.
func Normalize(mnemonic string) (string, error) {
	if len(mnemonic) > maxSize {
		return "", fmt.Errorf("%w: the text has %d bytes", ErrWordCount, len(mnemonic))
	}
	words := strings.Fields(strings.ToLower(norm.NFKD.String(mnemonic)))
	if !validCount(len(words)) {
		return "", fmt.Errorf("%w, not %d", ErrWordCount, len(words))
	}
	for i, word := range words {
		if !slices.Contains(bip39.WordList, word) {
			return "", fmt.Errorf("word %d, %q: %w", i+1, word, ErrWord)
		}
	}
	sentence := strings.Join(words, " ")
	// With the count and the words in order, the checksum is all that is left
	// for the library to refuse.
	if _, err := bip39.MnemonicToByteArray(sentence); err != nil {
		return "", ErrChecksum
	}
	return sentence, nil
}

// Derive returns the key at Path(index) of the tree that mnemonic and
// passphrase give. An empty passphrase is what wallets use when they ask for
// none. The error is that of Normalize, or wraps ErrIndex. It costs 2048
// rounds of HMAC-SHA-512 and five derivations, about 2 ms.
func Derive(mnemonic, passphrase string, index uint32) (*crypto.PrivateKey, error) {
	if index > MaxIndex {
		return nil, fmt.Errorf("%w, not %d", ErrIndex, index)
	}
	seed, err := Seed(mnemonic, passphrase)
	if err != nil {
		return nil, err
	}
	defer clear(seed)
	const hardened = hdkeychain.HardenedKeyStart
	node, err := deriveNode(seed, hardened+44, hardened+60, hardened+0, 0, index)
	if err != nil {
		return nil, fmt.Errorf("derive %s: %w", Path(index), err)
	}
	defer node.Zero()
	private, err := node.ECPrivKey()
	if err != nil {
		return nil, fmt.Errorf("derive %s: %w", Path(index), err)
	}
	defer private.Zero()
	secret := private.Serialize()
	defer clear(secret)
	key, err := crypto.PrivateKeyFromBytes(secret)
	if err != nil {
		return nil, fmt.Errorf("derive %s: %w", Path(index), err)
	}
	return key, nil
}

// Path returns the path of the key with the given index, m/44'/60'/0'/0/i.
func Path(index uint32) string { return fmt.Sprintf("m/44'/60'/0'/0/%d", index) }

// Seed returns the 64 bytes of BIP-39 that mnemonic and passphrase give. Both
// are normalised first (Unicode NFKD, as BIP-39 demands), so that a passphrase
// gives the same keys however a keyboard composes its letters. The error is
// that of Normalize.
func Seed(mnemonic, passphrase string) ([]byte, error) {
	sentence, err := Normalize(mnemonic)
	if err != nil {
		return nil, err
	}
	return bip39.NewSeed(sentence, norm.NFKD.String(passphrase)), nil
}

// deriveNode returns the node of the BIP-32 tree over seed that path leads to.
func deriveNode(seed []byte, path ...uint32) (*hdkeychain.ExtendedKey, error) {
	// The network gives only the prefix of a node's text form, which is not used.
	node, err := hdkeychain.NewMaster(seed, &chaincfg.MainNetParams)
	if err != nil {
		return nil, err
	}
	for _, step := range path {
		child, err := node.Derive(step)
		node.Zero()
		if err != nil {
			return nil, err
		}
		node = child
	}
	return node, nil
}

func validCount(words int) bool { return words >= 12 && words <= 24 && words%3 == 0 }
