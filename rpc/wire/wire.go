// Package wire is the JSON of the native RPC: the parameters and results of
// the ledger_* methods, for the server and for every client alike.
//
// Hashes, addresses and raw bytes are 0x hex, addresses in EIP-55. Amounts
// are decimal strings in the asset's smallest unit. Heights and times (Unix
// seconds) are JSON numbers, and no number is above 2^53 - 1. Fields are
// stable: they are added, never renamed or removed.
package wire

import (
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// Bytes is raw data, 0x hex in JSON.
type Bytes []byte

// MarshalText writes 0x and lower-case hex.
func (b Bytes) MarshalText() ([]byte, error) {
	out := make([]byte, 2+hex.EncodedLen(len(b)))
	copy(out, "0x")
	hex.Encode(out[2:], b)
	return out, nil
}

// UnmarshalText reads 0x and an even number of hex digits.
func (b *Bytes) UnmarshalText(text []byte) error {
	if len(text) < 2 || text[0] != '0' || text[1] != 'x' {
		return fmt.Errorf("raw bytes must be hex that begins with 0x")
	}
	out := make([]byte, hex.DecodedLen(len(text)-2))
	if _, err := hex.Decode(out, text[2:]); err != nil {
		return fmt.Errorf("raw bytes: %w", err)
	}
	*b = out
	return nil
}

// Status is the result of ledger_status. The height is the highest that every
// other method answers for; blockHash, blockTime and appHash belong to it.
type Status struct {
	ChainID          uint64         `json:"chainId"`
	NetworkID        string         `json:"networkId"`
	Height           uint64         `json:"height"`
	BlockHash        crypto.Hash    `json:"blockHash"`
	BlockTime        uint64         `json:"blockTime"`
	AppHash          crypto.Hash    `json:"appHash"` // the state's root after this block
	CatchingUp       bool           `json:"catchingUp"`
	Version          string         `json:"version"`
	NodeID           string         `json:"nodeId"`           // CometBFT's: 40 hex digits, no 0x
	ValidatorAddress Bytes          `json:"validatorAddress"` // of the node's consensus key, 20 bytes
	SettlementAsset  crypto.Address `json:"settlementAsset"`  // the asset that plain Ethereum value moves
}

// Signature is one signature of a native transaction.
type Signature struct {
	Scheme    uint8           `json:"scheme"`           // 0: EIP-712 typed data, 1: body hash
	Signature Bytes           `json:"signature"`        // 65 bytes r ‖ s ‖ v; v may be 0, 1, 27 or 28 when sent
	Signer    *crypto.Address `json:"signer,omitempty"` // the recovered address; not sent
}

// SignedTransaction is the parameter of ledger_sendTransaction.
type SignedTransaction struct {
	Tx         ledger.Body `json:"tx"`
	Signatures []Signature `json:"signatures"`
}

// TypedData is the result of ledger_typedData.
type TypedData struct {
	TypedData ledger.TypedData `json:"typedData"` // what eth_signTypedData_v4 takes
	Digest    crypto.Hash      `json:"digest"`    // what it signs: scheme 0
	BodyHash  crypto.Hash      `json:"bodyHash"`  // what scheme 1 signs
}

// Receipt says what became of a committed transaction. Once a node has given
// a receipt, every later read from that node sees its effects.
type Receipt struct {
	Hash      crypto.Hash    `json:"hash"`
	BodyHash  crypto.Hash    `json:"bodyHash"`
	Height    uint64         `json:"height"`
	Index     uint32         `json:"index"` // place in the block, from 0
	BlockHash crypto.Hash    `json:"blockHash"`
	BlockTime uint64         `json:"blockTime"`
	Sender    crypto.Address `json:"sender"`
	Nonce     uint64         `json:"nonce"`
	Kind      string         `json:"kind"`
	Code      uint32         `json:"code"`    // 0: applied
	Status    string         `json:"status"`  // "applied" or "refused"
	Message   string         `json:"message"` // the code's meaning; empty when applied
	Events    []Event        `json:"events"`
}

// Event is an event in JSON: {"type": …} and the fields of its type.
type Event struct{ ledger.Event }

// MarshalJSON implements json.Marshaler.
func (e Event) MarshalJSON() ([]byte, error) { return e.appendJSON(nil) }

func quote(s string) []byte {
	b, err := json.Marshal(s)
	if err != nil {
		panic("wire: a string does not marshal: " + err.Error())
	}
	return b
}

// Transaction is the result of ledger_getTransaction. Height, index and
// blockHash are null while it is pending.
type Transaction struct {
	Hash       crypto.Hash  `json:"hash"`
	BodyHash   crypto.Hash  `json:"bodyHash"`
	Envelope   string       `json:"envelope"` // "native", "legacy" or "dynamicFee"
	Tx         ledger.Body  `json:"tx"`
	Signatures []Signature  `json:"signatures"` // of a native transaction; empty otherwise
	Raw        Bytes        `json:"raw"`
	Height     *uint64      `json:"height"`
	Index      *uint32      `json:"index"`
	BlockHash  *crypto.Hash `json:"blockHash"`
}

// Block is the result of ledger_getBlock.
type Block struct {
	Height       uint64        `json:"height"`
	Hash         crypto.Hash   `json:"hash"`
	ParentHash   crypto.Hash   `json:"parentHash"` // zero for the first block
	Time         uint64        `json:"time"`
	Proposer     Bytes         `json:"proposer"`    // consensus address, 20 bytes
	AppHash      crypto.Hash   `json:"appHash"`     // of the header: the state's root after the block before this
	ResultsHash  crypto.Hash   `json:"resultsHash"` // of the header: the results of the block before this
	SizeBytes    uint64        `json:"sizeBytes"`
	Transactions []crypto.Hash `json:"transactions"`
}

// Balance is the result of ledger_getBalance.
type Balance struct {
	Available ledger.Amount `json:"available"`
	Held      ledger.Amount `json:"held"`
}

// AssetBalance is one of an account's balances.
type AssetBalance struct {
	Asset     crypto.Address `json:"asset"`
	Symbol    string         `json:"symbol"`
	Available ledger.Amount  `json:"available"`
	Held      ledger.Amount  `json:"held"`
}

// Account is the result of ledger_getAccount; null where there is none.
type Account struct {
	Address   crypto.Address  `json:"address"`
	Status    string          `json:"status"` // "active", "frozen", "frozenByNetwork", "frozenByBoth" or "closed"
	NextNonce uint64          `json:"nextNonce"`
	Balances  []AssetBalance  `json:"balances"` // ascending by asset
	Member    *crypto.Address `json:"member"`   // the member that answers for it; null for none
}

// Asset is the result of ledger_getAsset; null where there is none.
type Asset struct {
	Asset    crypto.Address `json:"asset"`
	Symbol   string         `json:"symbol"`
	Name     string         `json:"name"`
	Decimals uint8          `json:"decimals"`
	Issuer   crypto.Address `json:"issuer"`
	Cap      ledger.Amount  `json:"cap"` // "0": no cap but 2^128 - 1
	Supply   ledger.Amount  `json:"supply"`
	Flags    uint32         `json:"flags"`
	Status   string         `json:"status"` // "active", "paused", "pausedByNetwork", "pausedByBoth", "retired" or "retiredAndPaused"
}

// Page asks for a part of a list.
type Page struct {
	Limit  int    `json:"limit,omitempty"`  // 1..1000; 100 where it is left out
	Cursor string `json:"cursor,omitempty"` // the next of the page before; empty to begin
}

// AssetPage is the result of ledger_listAssets, ascending by asset.
type AssetPage struct {
	Items []Asset `json:"items"`
	Next  *string `json:"next"` // cursor of the next page; null when there is none
}

// Error codes of the native RPC (EIP-1474). Retrying cures only
// CodeUnavailable.
const (
	CodeInvalidInput = -32000 // a parameter is well formed but cannot be meant
	CodeNotFound     = -32001 // what is asked about is not, or not any more, there
	CodeUnavailable  = -32002 // not now: timeout, busy, catching up
	CodeRejected     = -32003 // the ledger's rules are against the transaction
)

// ErrorData is the data of every error of the native RPC.
type ErrorData struct {
	Name string `json:"name"`           // stable, lowerCamelCase; for CodeRejected the name of the ledger's code
	Code uint32 `json:"code,omitempty"` // for CodeRejected: the ledger's code
	Hint string `json:"hint,omitempty"` // what to do next

	Hash     *crypto.Hash `json:"hash,omitempty"`     // timeout: of the transaction waited for; nonceSpent, duplicateNonce: of the one that has the nonce
	BodyHash *crypto.Hash `json:"bodyHash,omitempty"` // nonceSpent, duplicateNonce: of the one that has the nonce

	RetryAfterMs uint64 `json:"retryAfterMs,omitempty"` // rateLimited: in how many milliseconds one call is free again
}
