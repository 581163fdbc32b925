// Package gossip spreads waiting transactions among the nodes, in the place of
// CometBFT's own reactor, which sends each transaction in a message of its own.
//
// # What is sent
//
//   - What a node took from its clients it sends to all its peers, one that
//     comes alone at once, and many in batches of some milliseconds. Where
//     everybody is connected to everybody, each transaction so crosses each
//     link from its node once, and nothing else is sent for it.
//   - What a node had from a peer it does not pass on. When it has waited for a
//     while, the node tells its other peers the hash, and a peer that lacks it
//     asks. So where the mesh has gaps a transaction still gets everywhere.
//   - A peer that connects, or has caught up with the chain, greets. It is told
//     the hashes of all that waits, once, and asks for what it lacks.
//
// # Nothing is lost
//
// The table of waiting transactions is itself the queue of every peer: a peer's
// place in it moves on when the peer's connection has taken the message. On the
// receiving side messages are judged by a few workers, so that a peer's votes
// and blocks do not wait behind its transactions. What does not fit their queue
// is dropped, and so is what the full table refuses; the peer is then greeted
// anew as soon as there is room, and tells everything again. Likewise what is
// above the quota of an account or a member is dropped, and the peer greeted when
// half of such a quota has become free: not before, or who floods would have the
// nodes tell and refuse each other the same again and again.
//
// # Bounds
//
// A peer may be dishonest. Its messages have one form (message.go); one of any
// other ends the connection. In the queue a peer has its own share of messages
// and bytes, and peers take turns in being judged, so that a flood of one delays
// no other's transactions. Of what it asks for, so many hashes are remembered. A
// greeting costs a list of hashes, at most one a second.
//
// # Floods of one member
//
// A member whose clients flood one node must not delay what others hand to that
// node. As long as nothing waits all is sent, and judged, in order of arrival, and
// nobody looks at whose it is. When a connection does not take all at once, each
// message on it has a part for every member of which something waits (behind.go),
// and what the peer asked for has every other message. When more than a little of
// a peer's waits to be judged, what comes then is sorted by members, who take
// turns (queue.go), each with no more than is free of the peer's share. Ethereum's
// envelopes do not name their sender: at the receiver they are as if of no member.
package gossip
