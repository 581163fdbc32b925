// Package card is the signed identity card with which an organisation asks to
// found a network.
//
// A card says who the organisation is (its name and the address of its admin
// account), with which keys it takes part (its validator's consensus key and
// its node's key), where its node is reached, what it wants to be, and when it
// was made. Whoever has the cards of all founders can make the genesis document
// and check that of another, so nobody has to be trusted with it.
//
// # Proofs
//
// A card is signed three times, by each of the keys it names, so that nobody can
// found a network with somebody else's key. All three sign the same bytes,
//
//	"tallystick/card" ‖ rlp([version, name, admin, consensusKey, nodeKey,
//	                         address, [role…], power, networkId, time])
//
// The consensus key and the node key sign them with Ed25519 (RFC 8032), the
// admin key signs their Keccak-256 with secp256k1, r ‖ s ‖ v with v 0 or 1.
// Nothing else that these keys sign begins with those letters: a transaction
// begins with 0x54, typed data with 0x19, a vote with its length and 0x08.
// Ed25519 is verified strictly: a key of small order, for which anybody can make
// signatures, proves nothing and is refused.
//
// # Text
//
// A card is a JSON object of exactly the fields of Card, in their order, written
// as this package writes it. Only the space between the parts and the escapes of
// < > & are free. A reader that is laxer than another could show a person something else than what was
// signed.
//
// The package reads no files, clock or randomness, and never panics on a card
// that it is given.
package card

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/tallystick/tallystick/config"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// Version is the version of the form of cards.
const Version = 1

// DefaultPower is the voting power that a card wishes for unless it says
// otherwise.
const DefaultPower = ledger.MinFoundingPower

// latestTime is the last second that RFC 3339 can write.
const latestTime = 253402300799

// Hex is bytes whose text is 0x and two hexadecimal digits in lower case each.
type Hex []byte

// String is the text form.
func (h Hex) String() string { return "0x" + hex.EncodeToString(h) }

// MarshalText writes the text form.
func (h Hex) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads the text form.
func (h *Hex) UnmarshalText(text []byte) error {
	digits, found := bytes.CutPrefix(text, []byte("0x"))
	value, err := hex.DecodeString(string(digits))
	if !found || err != nil {
		return errors.New("it must be 0x and hexadecimal digits")
	}
	*h = value
	return nil
}

// Card is an organisation's identity card. Parse and Sign give only cards whose
// signatures are right.
type Card struct {
	Version      uint64              `json:"version"`
	Name         string              `json:"name"`         // of the organisation
	Admin        crypto.Address      `json:"admin"`        // its admin account
	ConsensusKey ledger.ConsensusKey `json:"consensusKey"` // of its validator
	NodeKey      Hex                 `json:"nodeKey"`      // Ed25519 public key, 32 bytes
	NodeID       ledger.NodeID       `json:"nodeId"`       // of NodeKey
	Address      string              `json:"address"`      // host:port where peers reach the node
	Roles        []string            `json:"roles"`        // in the ledger's order
	Power        uint64              `json:"power"`        // in consensus; 0 without the role validator
	NetworkID    string              `json:"networkId"`    // the one network it is for; empty for any
	Time         ledger.UnixTime     `json:"time"`         // when it was made, in seconds

	AdminSignature     Hex `json:"adminSignature"`     // 65 bytes
	ConsensusSignature Hex `json:"consensusSignature"` // 64 bytes
	NodeSignature      Hex `json:"nodeSignature"`      // 64 bytes
}

// Member is the member of genesis that the card asks to be.
func (c *Card) Member() ledger.GenesisMember {
	return ledger.GenesisMember{
		Admin: c.Admin, Name: c.Name, Roles: slices.Clone(c.Roles),
		ConsensusKey: c.ConsensusKey, Power: c.Power, NodeIDs: []ledger.NodeID{c.NodeID},
	}
}

// Peer is what other nodes write into p2p.peers: nodeID@host:port.
func (c *Card) Peer() string { return c.NodeID.String() + "@" + c.Address }

// String names the card to a person.
func (c *Card) String() string { return fmt.Sprintf("%q (%s)", c.Name, c.Admin) }

// check reports the first field that is wrong by itself.
func (c *Card) check() error {
	member := c.Member()
	if err := member.Check(); err != nil {
		return err
	}
	roles, err := ledger.ParseRoles(c.Roles)
	switch {
	case err != nil:
		return fmt.Errorf("roles: %w", err)
	case !slices.Equal(roles.Names(), c.Roles):
		return fmt.Errorf("roles: must stand in the order %q", roles.Names())
	case c.Admin.IsZero():
		return errors.New("admin: is the zero address")
	case c.ConsensusKey.IsZero():
		return errors.New("consensusKey: is missing")
	case len(c.NodeKey) != publicKeySize:
		return fmt.Errorf("nodeKey: %d bytes: an Ed25519 public key has %d", len(c.NodeKey), publicKeySize)
	case bytes.Equal(c.NodeKey, c.ConsensusKey[:]):
		return errors.New("nodeKey: is the consensus key too: a node and its validator have a key each")
	case c.NodeID != nodeIDOf(c.NodeKey):
		return fmt.Errorf("nodeId: is %s, but that of nodeKey is %s", c.NodeID, nodeIDOf(c.NodeKey))
	case c.Time == 0 || c.Time > latestTime:
		return fmt.Errorf("time: %d is no time in seconds since 1970", c.Time)
	}
	if err := config.CheckAddress(c.Address); err != nil {
		return fmt.Errorf("address: %w", err)
	}
	if c.NetworkID != "" {
		if err := ledger.CheckNetworkID(c.NetworkID); err != nil {
			return err
		}
	}
	return nil
}

// nodeIDOf is how CometBFT names a node key: the first 20 bytes of its SHA-256.
func nodeIDOf(key []byte) (id ledger.NodeID) {
	sum := sha256.Sum256(key)
	copy(id[:], sum[:])
	return id
}
