package wire

import "github.com/tallystick/tallystick/crypto"

// Simulation is the result of ledger_simulate: what a transaction would do, if
// those who must had signed it.
type Simulation struct {
	Height      uint64      `json:"height"`      // after this block
	BodyHash    crypto.Hash `json:"bodyHash"`    // zero where the transaction could never be one
	Code        uint32      `json:"code"`        // 0: it would be applied
	Status      string      `json:"status"`      // "applied", "refused" (its nonce would be spent) or "notIncludable"
	Message     string      `json:"message"`     // the code's meaning; empty when applied
	Events      []Event     `json:"events"`      // what it would do; empty where it would not be applied
	Authorisers []Authority `json:"authorisers"` // who must sign, the sender first
}
