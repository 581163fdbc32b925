// Package words says what the ledger's operations, actions and events are, in
// sentences that a person reads without knowing the ledger.
//
// A sentence is a list of parts: plain text, and things that a page can link to (an
// account, an asset, a hold, a proposal) or must set apart (what somebody else
// wrote). It holds no markup, and what others wrote is never in the plain text, so
// that whoever shows it escapes each part once and cannot be fooled by a reference
// that looks like a sentence. The sentences of `tally` are another text: they tell
// a signer what is about to be signed; these tell a reader what happened.
package words
