package ledger

import "github.com/tallystick/tallystick/crypto"

// Limits on a transaction. They are part of the rules.
const (
	MaxTxBytes        = 512 * 1024 // raw bytes of any envelope
	MaxSignatures     = 64
	MaxLegs           = 4096
	MaxMemoBytes      = 256 // of text
	MaxReferenceBytes = 35  // of text: an ISO 20022 end-to-end ID
	MaxSymbolBytes    = 12  // [A-Z0-9]
	MaxNameBytes      = 64  // of text
	MaxDecimals       = 18

	// MaxJSONInteger bounds every number that JSON carries as a number:
	// 2^53 - 1, the largest integer a JavaScript number holds exactly.
	MaxJSONInteger uint64 = 1<<53 - 1
)

// Height numbers a block; genesis is 0 and the first block is 1.
type Height uint64

// UnixTime is a time in whole seconds since 1970-01-01 UTC. A block's time is
// CometBFT's header time with the fraction cut off.
type UnixTime uint64

// Nonce is the number a sender picks to make a transaction distinct, at most
// MaxJSONInteger. Together with the sender it is an idempotency key.
type Nonce uint64

// Body is the unsigned content of a transaction: what its signers authorise.
// The network is not a field; it enters through the digests.
type Body struct {
	Sender     crypto.Address
	Nonce      Nonce
	ValidUntil UnixTime // the last block time at which it may be included; 0 is no limit
	Memo       string   // at most MaxMemoBytes of text, which may have lines; visible to everybody
	Op         Operation
}

// Operation is what a transaction asks for. kindSpecs lists the types.
type Operation interface {
	// Kind is the operation's number.
	Kind() Kind
	// check judges the fields by themselves. settlement is the asset whose
	// zero transfer to oneself is a cancel.
	check(sender, settlement crypto.Address) Code
	// authorisers lists the accounts besides the sender that must authorise
	// the operation, in order of appearance; repeats are allowed. The slice
	// is the caller's.
	authorisers(sender crypto.Address) []crypto.Address
	// recipients lists the accounts that would receive or be admitted, each once
	// for every time it does. The slice is the caller's.
	recipients() []crypto.Address
	// legs counts what the operation weighs against the block's cap; at least 1.
	legs() int
	// encode writes the payload, a list.
	encode(w *encoder)
	// typed fills the operation's fields of the EIP-712 message.
	typed(m *message)
	// apply changes the state, or answers with a refusal.
	apply(s *state, b *Body) (Code, error)
}
