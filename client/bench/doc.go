// Package bench is a load generator for a Tallystick network.
//
// # What a run does
//
//  1. It derives accounts from a seed, has a registrar admit them where one is
//     given, and funds them from one account that has the asset, in transfers of
//     many legs.
//  2. It signs every transaction before the clock starts. Each is a transfer
//     from one of the accounts to others of them; which one, with which nonce
//     and amounts, follows from its number alone (plan.go).
//  3. It drives the nodes (drive.go), at a fixed rate or with a fixed number
//     in flight. Over one WebSocket a node, each transaction is one call that
//     answers with the receipt (link.go).
//  4. What got no answer is looked up by its hash. What then is neither
//     committed nor refused is lost.
//  5. If asked, it compares every account's every balance on every node with
//     what the receipts say it must be, and the nodes' blocks with each other
//     (verify.go).
//
// # What it shares with the client
//
// Funding and admitting are the client's: its Build, Sign with any Signer,
// SubmitAndWait. The load is not: its transactions are encoded and signed here,
// sent over a WebSocket with thousands of calls under way and read without a
// JSON library, so that what is measured is the network and not its client.
//
// # Latency
//
// The clock of a transaction starts when it was due, not when it was sent. At
// a fixed rate the transactions are due at even intervals, whatever the
// network does; when it stalls, everything that was due meanwhile counts as
// waiting. So a stall shows in the percentiles with its whole weight
// (otherwise known as avoiding coordinated omission). With a fixed number in
// flight a transaction is due when the place for it becomes free.
//
// # Retries
//
// The bytes of a transaction can be committed once, so a node that dies, is
// busy or is silent loses nothing: the same bytes go to another. Nothing is
// signed twice.
package bench
