// Package crypto holds the keys, addresses, hashes and signatures of the
// ledger. They are those of Ethereum, so that every wallet, library and
// hardware device made for Ethereum already holds keys for this ledger:
//
//   - a key is a scalar on the curve secp256k1 (SEC 2);
//   - an address is the last 20 bytes of the Keccak-256 hash of the
//     uncompressed public key, and its text form is EIP-55;
//   - a signature is ECDSA with a recovery bit, so that a signer is known by
//     the signature alone: Recover gives the address that signed a digest;
//   - what a hardware module or key service gives, (r, s) alone, is completed
//     to such a signature (external.go);
//   - a digest that a wallet signs is EIP-712 typed data; its building blocks
//     are in eip712.go.
//
// Recovery is consensus: every validator must accept exactly the same
// signatures and name the same signer for each. Two libraries do the curve
// arithmetic, libsecp256k1 where cgo is on and btcec where it is off. Neither
// decides what a valid signature is. Signature.Check does, before either
// library sees a byte, and whatever a library then refuses becomes the one
// error ErrRecover. A differential fuzz test holds the two together.
//
// The package does no I/O beyond reading the system's random source in
// GenerateKey, keeps no state but a pool of hashers, and is safe for use by
// many goroutines. Key files and mnemonics live in the packages keystore and
// mnemonic, so that the ledger does not carry their dependencies.
package crypto
