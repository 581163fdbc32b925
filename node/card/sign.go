package card

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"

	"github.com/ethereum/go-ethereum/rlp"
	strict "github.com/oasisprotocol/curve25519-voi/primitives/ed25519"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// domain begins what is signed, so that it is never something else.
const domain = "tallystick/card"

const publicKeySize = ed25519.PublicKeySize

// Keys are the private keys of an organisation's card.
type Keys struct {
	Admin     *crypto.PrivateKey
	Consensus ed25519.PrivateKey
	Node      ed25519.PrivateKey
}

// Sign returns c with the version, the public keys and the signatures of k. The
// error names the field that is wrong.
func (c Card) Sign(k Keys) (*Card, error) {
	c.Version, c.Admin = Version, k.Admin.Address()
	c.ConsensusKey = ledger.ConsensusKey(k.Consensus.Public().(ed25519.PublicKey))
	c.NodeKey = Hex(k.Node.Public().(ed25519.PublicKey))
	c.NodeID = nodeIDOf(c.NodeKey)
	message := c.message()
	admin := k.Admin.Sign(crypto.Keccak256(message))
	c.AdminSignature = admin[:]
	c.ConsensusSignature = ed25519.Sign(k.Consensus, message)
	c.NodeSignature = ed25519.Sign(k.Node, message)
	if err := c.verify(); err != nil {
		return nil, fmt.Errorf("card of %q: %w", c.Name, err)
	}
	return &c, nil
}

// message is what all three keys sign.
func (c *Card) message() []byte {
	fields := []any{
		c.Version, c.Name, c.Admin[:], c.ConsensusKey[:], []byte(c.NodeKey),
		c.Address, c.Roles, c.Power, c.NetworkID, uint64(c.Time),
	}
	encoded, err := rlp.EncodeToBytes(fields)
	if err != nil {
		panic("card: encode: " + err.Error()) // every field has a form in RLP
	}
	return append([]byte(domain), encoded...)
}

// verify checks the fields and then the signatures.
func (c *Card) verify() error {
	if err := c.check(); err != nil {
		return err
	}
	message := c.message()
	proofs := []struct {
		field, key string
		right      bool
	}{
		{"adminSignature", "admin", signedByAdmin(message, c.AdminSignature, c.Admin)},
		{"consensusSignature", "consensusKey", signedBy(message, c.ConsensusSignature, c.ConsensusKey[:])},
		{"nodeSignature", "nodeKey", signedBy(message, c.NodeSignature, c.NodeKey)},
	}
	var wrong []string
	for _, p := range proofs {
		if !p.right {
			wrong = append(wrong, fmt.Sprintf("%s: is not by the key of %s over what the card says", p.field, p.key))
		}
	}
	switch len(wrong) {
	case 0:
		return nil
	case len(proofs):
		return errors.New("none of the three signatures is over what the card says now: it was changed after it was signed, " +
			"so ask its owner for it again")
	}
	return errors.New(strings.Join(wrong, "; "))
}

func signedByAdmin(message []byte, signature Hex, admin crypto.Address) bool {
	if len(signature) != crypto.SignatureSize {
		return false
	}
	signer, err := crypto.Recover(crypto.Keccak256(message), crypto.Signature(signature))
	return err == nil && signer == admin
}

// signedBy verifies an Ed25519 signature with every doubtful form refused.
func signedBy(message []byte, signature Hex, key []byte) bool {
	return len(key) == publicKeySize && len(signature) == ed25519.SignatureSize &&
		strict.VerifyWithOptions(key, message, signature, &strict.Options{Verify: &strict.VerifyOptions{}})
}
