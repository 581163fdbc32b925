// Package node wires a Tallystick node together and runs it.
//
// A node is one process with one home directory (Home). In it stand, from the
// bottom up:
//
//   - the store of committed state (ledger/store) and, over it, the ABCI
//     application (app);
//   - CometBFT, which agrees on blocks with the peers named in the
//     configuration and drives the application; its own databases stand on
//     pebble through an adapter (database.go);
//   - the receipt index (node/index), derived from CometBFT's block store;
//   - two HTTP servers: JSON-RPC for wallets (rpc), and metrics and health for
//     operators (health.go).
//
// New opens and builds all that, in that order, and replays the blocks that
// the application has not seen. Start begins to listen and to agree. Wait
// returns when the node must not go on, and says why: a node whose consensus
// has stopped, whose disk fails or whose server has died is worth nothing, and
// its operator must hear of it, so the process exits. Stop takes everything
// down in the reverse order. Run is all four.
//
// Nobody is discovered: the node dials the peers of its configuration for as long
// as it runs (redial.go), and lets in the nodes of active members (gate.go).
//
// The package also makes what a node starts from: its keys and directory (Init),
// an organisation's card (SignCard), the genesis document that follows from the
// cards of all (Founding), and a whole network of validators on one machine
// (RunDevnet).
package node
