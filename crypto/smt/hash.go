package smt

import "crypto/sha256"

// hash is the SHA-256 of a node, the zero hash that of an empty subtree. It
// also serves as the path of a key.
type hash = [32]byte

// pathBits is the number of bits in a path, and so the greatest depth.
const pathBits = 256

// The first byte of what is hashed, so that no leaf is ever an inner node.
const (
	leafTag  = 0x00
	innerTag = 0x01
)

// bit returns bit i of a path, 0 for left and 1 for right.
func bit(path *hash, i int) byte {
	return path[i>>3] >> (7 - i&7) & 1
}

// leafHash hashes the leaf of a value at the path of its key.
func leafHash(path *hash, value []byte) hash {
	valueHash := sha256.Sum256(value)
	var buf [65]byte
	buf[0] = leafTag
	copy(buf[1:33], path[:])
	copy(buf[33:65], valueHash[:])
	return sha256.Sum256(buf[:])
}

// innerHash hashes an inner node over its children's hashes.
func innerHash(left, right *hash) hash {
	var buf [65]byte
	buf[0] = innerTag
	copy(buf[1:33], left[:])
	copy(buf[33:65], right[:])
	return sha256.Sum256(buf[:])
}
