// Package keystore reads and writes encrypted key files in the format Web3
// Secret Storage, version 3, which every Ethereum wallet knows.
//
// A file is JSON. The passphrase, as its bytes stand and without any
// normalisation, goes through scrypt or PBKDF2 into a derived key; half of that
// encrypts the private key with AES-128-CTR, the other half authenticates it
// with Keccak-256. The cryptography is go-ethereum's. What this package adds is
// around it: a strict reading of the file before any of it is used, bounds on
// the cost that a hostile file may ask for, one distinct error for each thing
// that can be wrong, and files that appear whole, readable by their owner
// alone, or not at all.
//
// Files are written with scrypt; files with PBKDF2 are read only.
package keystore
