// Package eth translates the ledger into the shapes of Ethereum's JSON-RPC:
// blocks, transactions, receipts and logs, the calls of an ERC-20, and the
// parameters that name blocks and filter logs. It translates and nothing else:
// it reads no chain and serves nobody. What it is given are values of the native
// RPC (package wire), events and raw bytes; what it returns is ready for JSON.
//
// # What becomes what
//
// A block is the ledger's block under the same height and hash. Its hash is
// CometBFT's, so who computes the hash of an Ethereum header from its fields
// finds another. Block 0 is the genesis: it has no transactions, and the
// balances that the network began with are its logs.
//
// An Ethereum envelope is shown as it was signed. A native transaction is shown
// as a legacy one whose signature is all zeros, because no Ethereum signature
// stands in it: see NewTransaction. The hash of every transaction is the
// Keccak-256 of its raw bytes.
//
// Every movement of an asset is a log Transfer(from, to, value) at the asset's
// address: see NewLogs. The logs of an asset and a holder, added up from block 0
// on, are what the holder has, available and held together.
//
// Gas is a figure that wallets must see and that nobody pays: see GasOf.
//
// docs/ETHEREUM.md tells users the same, method by method.
package eth
