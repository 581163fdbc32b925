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

// Kind numbers an operation in the native envelope. Kinds are never reused.
type Kind uint8

// The kinds.
const (
	KindTransfer    Kind = 1
	KindCreateAsset Kind = 2
	KindIssue       Kind = 3
	KindRedeem      Kind = 4
	KindPauseAsset  Kind = 5
	KindResumeAsset Kind = 6
)

// String returns the operation's name, as JSON and receipts carry it.
func (k Kind) String() string {
	if s, ok := specOf(k); ok {
		return s.name
	}
	return "unknown"
}

// Operation is what a transaction asks for: Transfer, CreateAsset, Issue,
// Redeem, PauseAsset or ResumeAsset.
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
	// recipients lists the accounts that would receive, each once for every
	// time it does. The slice is the caller's.
	recipients() []crypto.Address
	// legs counts what the operation weighs against the block's cap.
	legs() int
	// encode writes the payload, a list.
	encode(w *encoder)
	// typed fills the operation's fields of the EIP-712 message.
	typed(m *message)
	// apply changes the state, or answers with a refusal.
	apply(s *state, b *Body) (Code, error)
}

// Transfer moves assets, leg by leg, all or nothing.
type Transfer struct {
	Legs []Leg `json:"legs"` // 1..MaxLegs, applied in order, each seeing the earlier ones
}

// Leg is one movement of a transfer. The account From must authorise it.
type Leg struct {
	From      crypto.Address `json:"from"`
	To        crypto.Address `json:"to"`
	Asset     crypto.Address `json:"asset"`
	Amount    Amount         `json:"amount"`              // above 0, but see CodeZeroAmount
	Reference string         `json:"reference,omitempty"` // at most MaxReferenceBytes of text
}

// CreateAsset creates an asset whose issuer is the sender.
type CreateAsset struct {
	Symbol   string `json:"symbol"`   // 1..MaxSymbolBytes of [A-Z0-9], unique
	Name     string `json:"name"`     // 1..MaxNameBytes of text, not white space alone
	Decimals uint8  `json:"decimals"` // 0..MaxDecimals: how a person writes an amount
	Cap      Amount `json:"cap"`      // the largest supply; 0 is no cap but 2^128 - 1
	Flags    uint32 `json:"flags"`    // bits of AssetFlags
}

// Issue creates Amount of an asset at To. Only the issuer may send it.
type Issue struct {
	Asset     crypto.Address `json:"asset"`
	To        crypto.Address `json:"to"`
	Amount    Amount         `json:"amount"`
	Reference string         `json:"reference,omitempty"`
}

// Redeem destroys Amount of an asset held by From. Only the issuer may send
// it, and From must authorise it.
type Redeem struct {
	Asset     crypto.Address `json:"asset"`
	From      crypto.Address `json:"from"`
	Amount    Amount         `json:"amount"`
	Reference string         `json:"reference,omitempty"`
}

// PauseAsset stops every movement of an asset. Only the issuer may send it.
type PauseAsset struct {
	Asset crypto.Address `json:"asset"`
}

// ResumeAsset ends a pause. Only the issuer may send it.
type ResumeAsset struct {
	Asset crypto.Address `json:"asset"`
}

// Kind implements Operation.
func (*Transfer) Kind() Kind { return KindTransfer }

// Kind implements Operation.
func (*CreateAsset) Kind() Kind { return KindCreateAsset }

// Kind implements Operation.
func (*Issue) Kind() Kind { return KindIssue }

// Kind implements Operation.
func (*Redeem) Kind() Kind { return KindRedeem }

// Kind implements Operation.
func (*PauseAsset) Kind() Kind { return KindPauseAsset }

// Kind implements Operation.
func (*ResumeAsset) Kind() Kind { return KindResumeAsset }
