package node

import (
	stded25519 "crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tallystick/tallystick/config"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/node/card"
)

// Organisation is whose node a home is: the content of member.json.
type Organisation struct {
	Name  string         `json:"name"`
	Admin crypto.Address `json:"admin"` // of its admin account
}

// MemberFile says whose node it is.
func (h Home) MemberFile() string { return filepath.Join(string(h), "member.json") }

// InitMember is Init for the node of an organisation. keep stores the
// organisation's admin key in a directory, and is called when it is known that
// nothing stands in the way.
func InitMember(home Home, c config.Config, o Organisation, keep func(dir string) error) (Identity, error) {
	return initHome(home, c, func() error {
		if err := keep(home.KeysDir()); err != nil {
			return err
		}
		return writeJSON(home.MemberFile(), 0o644, o)
	})
}

// ReadOrganisation reads whose node a home is. The error wraps fs.ErrNotExist
// where the home does not say.
func ReadOrganisation(home Home) (o Organisation, err error) {
	data, err := os.ReadFile(home.MemberFile())
	if err != nil {
		return o, err
	}
	if err := json.Unmarshal(data, &o); err != nil {
		return o, fmt.Errorf("%s: %w", home.MemberFile(), err)
	}
	return o, nil
}

// CheckName refuses a text that cannot be a member's name.
func CheckName(name string) error {
	return (&ledger.GenesisMember{Name: name}).Check()
}

// SignCard makes the card c with the keys in home, and the admin key.
func SignCard(home Home, c card.Card, admin *crypto.PrivateKey) (*card.Card, error) {
	node, err := readNodeKey(home)
	if err != nil {
		return nil, err
	}
	validator, err := readValidatorKey(home)
	if err != nil {
		return nil, err
	}
	return c.Sign(card.Keys{
		Admin: admin, Consensus: stded25519.PrivateKey(validator.PrivKey.Bytes()), Node: stded25519.PrivateKey(node.PrivKey.Bytes()),
	})
}

// ReadCard reads a card from a file, and checks its signatures.
func ReadCard(path string) (*card.Card, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read card: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, card.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read card %s: %w", path, err)
	}
	c, err := card.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("card %s: %w", path, err)
	}
	return c, nil
}

// Installed is what Install has done.
type Installed struct {
	Home   Home          `json:"home"`
	Hash   string        `json:"hash"` // of the genesis document, as in GenesisReport
	Member string        `json:"member"`
	Peers  []string      `json:"peers"` // that the configuration now has from the cards
	Report GenesisReport `json:"-"`
}

// Install puts the genesis document at path into home, and the nodes of the other
// founders among the peers of its configuration. It refuses a network of which
// the home's node is no member's, and a home that is of another network. What
// else stands in the configuration is left as it is.
func Install(home Home, path string) (*Installed, error) {
	g, err := readGenesis(path)
	if err != nil {
		return nil, err
	}
	identity, err := ReadIdentity(home)
	if err != nil {
		return nil, err
	}
	mine, err := g.cardOf(identity)
	if err != nil {
		return nil, fmt.Errorf("%s in %s: %w", path, home, err)
	}
	document, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if err := isOrAbsent(home.GenesisFile(), document); err != nil {
		return nil, err
	}
	done := &Installed{Home: home, Member: mine.Name, Report: *g.report(), Peers: []string{}}
	done.Hash = done.Report.Hash
	for _, c := range g.cards {
		if c != mine {
			done.Peers = append(done.Peers, c.Peer())
		}
	}
	if err := config.AddPeers(home.ConfigFile(), done.Peers); err != nil {
		return nil, err
	}
	return done, writeFile(home.GenesisFile(), 0o644, document)
}

// ErrNoFounder: the document is for founders, and this node is none's.
var ErrNoFounder = errors.New("this node is no founder's: no card in the document has its keys")

// cardOf finds the card of an identity.
func (g *genesis) cardOf(id Identity) (*card.Card, error) {
	if len(g.cards) == 0 {
		return nil, errors.New("the document has no cards, so it does not say where the other nodes are: copy it and write p2p.peers yourself")
	}
	for _, c := range g.cards {
		key := string(c.ConsensusKey[:]) == string(id.ConsensusKey)
		node := c.NodeID.String() == id.NodeID
		switch {
		case key && node:
			return c, nil
		case key:
			return nil, fmt.Errorf("the card of %s has this validator's key but another node key: the card was made in another home", c)
		case node:
			return nil, fmt.Errorf("the card of %s has this node's key but another consensus key: the card was made in another home", c)
		}
	}
	return nil, ErrNoFounder
}

// isOrAbsent refuses to replace a file by another content.
func isOrAbsent(path string, want []byte) error {
	have, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && string(have) != string(want) {
		err = fmt.Errorf("%s is that of another network, or of an earlier attempt: nothing was changed; "+
			"remove it if that network has not begun, or choose another home", path)
	}
	return err
}
