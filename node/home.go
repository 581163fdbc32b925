package node

import (
	"bytes"
	stded25519 "crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	cometcrypto "github.com/cometbft/cometbft/crypto"
	"github.com/cometbft/cometbft/crypto/ed25519"
	cometjson "github.com/cometbft/cometbft/libs/json"
	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/privval"

	"github.com/tallystick/tallystick/config"
	"github.com/tallystick/tallystick/ledger"
)

// Home is a node's directory:
//
//	config.toml                     the configuration (package config)
//	genesis.json                    the network's genesis document, the same on every node
//	member.json                     whose node it is, where that is known (Organisation)
//	keys/node_key.json              who the node is to its peers
//	keys/priv_validator_key.json    its vote in consensus: whoever has it votes in its name
//	keys/UTC--…                     the organisation's admin key, encrypted; the node does not need it
//	data/priv_validator_state.json  what it last signed, so that it never signs twice
//	data/cs.wal/                    CometBFT's log of consensus messages
//	data/{blockstore,state,evidence}.db   CometBFT's databases
//	data/ledger/                    committed state (package ledger/store)
//	data/index/                     the receipt index (package node/index)
//
// Two nodes must never run with the same validator key, and a validator that
// has lost priv_validator_state.json must not vote again before the network has
// passed the height it last voted at.
type Home string

// ConfigFile is the node's configuration.
func (h Home) ConfigFile() string { return filepath.Join(string(h), "config.toml") }

// GenesisFile is the network's genesis document.
func (h Home) GenesisFile() string { return filepath.Join(string(h), "genesis.json") }

// KeysDir holds the node's two keys.
func (h Home) KeysDir() string { return filepath.Join(string(h), "keys") }

// NodeKeyFile is the key that proves who the node is to its peers.
func (h Home) NodeKeyFile() string { return filepath.Join(h.KeysDir(), "node_key.json") }

// ValidatorKeyFile is the key that signs the node's votes.
func (h Home) ValidatorKeyFile() string { return filepath.Join(h.KeysDir(), "priv_validator_key.json") }

// DataDir holds everything that grows.
func (h Home) DataDir() string { return filepath.Join(string(h), "data") }

// ValidatorStateFile says what the validator key signed last.
func (h Home) ValidatorStateFile() string {
	return filepath.Join(h.DataDir(), "priv_validator_state.json")
}

// ConsensusLogFile is the head of CometBFT's write-ahead log.
func (h Home) ConsensusLogFile() string { return filepath.Join(h.DataDir(), "cs.wal", "wal") }

// AddressBookFile is where CometBFT would keep peers that it discovered.
func (h Home) AddressBookFile() string { return filepath.Join(h.DataDir(), "addrbook.json") }

// LedgerDir is the store of committed state.
func (h Home) LedgerDir() string { return filepath.Join(h.DataDir(), "ledger") }

// WebhooksDir is where each webhook's cursor stands.
func (h Home) WebhooksDir() string { return filepath.Join(h.DataDir(), "webhooks") }

// IndexDir is the receipt index.
func (h Home) IndexDir() string { return filepath.Join(h.DataDir(), "index") }

// Identity is what other operators need to know of a node.
type Identity struct {
	// NodeID names the node to its peers: 40 hexadecimal digits. Others write
	// it in p2p.peers, as nodeID@host:port.
	NodeID string `json:"nodeId"`
	// ConsensusKey is the public half of the validator key: ed25519, 32 bytes,
	// in base64. The genesis document names the validators by it.
	ConsensusKey []byte `json:"consensusKey"`
	// ValidatorAddress is CometBFT's address of that key: 40 hexadecimal digits.
	ValidatorAddress string `json:"validatorAddress"`
}

// Init makes the directory home for a new node: its two keys, and its
// configuration, which is c. It refuses a directory in which any of them
// already stands, and changes nothing then. The genesis document is put beside
// them by whoever makes the network.
func Init(home Home, c config.Config) (Identity, error) {
	return initHome(home, c, func() error { return nil })
}

// initHome is Init, with more to make before the configuration, which is last.
func initHome(home Home, c config.Config, more func() error) (Identity, error) {
	for _, path := range []string{
		home.ConfigFile(), home.MemberFile(), home.NodeKeyFile(), home.ValidatorKeyFile(), home.ValidatorStateFile(),
	} {
		_, err := os.Lstat(path)
		if err == nil {
			return Identity{}, fmt.Errorf("init %s: %s: %w", home, path, fs.ErrExist)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return Identity{}, fmt.Errorf("init %s: %w", home, err)
		}
	}
	if err := makeHome(home, c, more); err != nil {
		return Identity{}, fmt.Errorf("init %s: %w", home, err)
	}
	return ReadIdentity(home)
}

// makeHome writes the configuration last: what has one is complete.
func makeHome(home Home, c config.Config, more func() error) error {
	for _, dir := range []string{string(home), home.DataDir(), home.KeysDir()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	key := p2p.NodeKey{PrivKey: ed25519.GenPrivKey()}
	if err := key.SaveAs(home.NodeKeyFile()); err != nil {
		return err
	}
	if err := saveValidator(home); err != nil {
		return err
	}
	if err := more(); err != nil {
		return err
	}
	return config.Write(home.ConfigFile(), c)
}

// saveValidator makes a validator key. CometBFT's privval panics where it
// cannot write.
func saveValidator(home Home) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("write validator key: %v", r)
		}
	}()
	privval.GenFilePV(home.ValidatorKeyFile(), home.ValidatorStateFile()).Save()
	return nil
}

// ReadIdentity reads the public halves of the keys in home.
func ReadIdentity(home Home) (Identity, error) {
	node, err := readNodeKey(home)
	if err != nil {
		return Identity{}, err
	}
	validator, err := readValidatorKey(home)
	if err != nil {
		return Identity{}, err
	}
	public := validator.PrivKey.PubKey()
	return Identity{
		NodeID: string(node.ID()), ConsensusKey: public.Bytes(), ValidatorAddress: public.Address().String(),
	}, nil
}

func readNodeKey(home Home) (*p2p.NodeKey, error) {
	key, err := p2p.LoadNodeKey(home.NodeKeyFile())
	if err == nil {
		err = checkKey(key.PrivKey)
	}
	if err != nil {
		return nil, fmt.Errorf("read node key %s: %w", home.NodeKeyFile(), err)
	}
	return key, nil
}

// ReadConsensusKey reads the public half of a validator key from its file, which
// need not be in a home.
func ReadConsensusKey(path string) (public ledger.ConsensusKey, err error) {
	key, err := readValidatorFile(path)
	if err != nil {
		return public, err
	}
	return ledger.ConsensusKey(key.PrivKey.PubKey().Bytes()), nil
}

func readValidatorKey(home Home) (privval.FilePVKey, error) {
	return readValidatorFile(home.ValidatorKeyFile())
}

func readValidatorFile(path string) (privval.FilePVKey, error) {
	var key privval.FilePVKey
	data, err := os.ReadFile(path)
	if err == nil {
		err = cometjson.Unmarshal(data, &key)
	}
	if err == nil {
		err = checkKey(key.PrivKey)
	}
	if err == nil && key.PubKey != nil && !bytes.Equal(key.PubKey.Bytes(), key.PrivKey.PubKey().Bytes()) {
		err = errors.New("pub_key is not the public half of priv_key")
	}
	if err != nil {
		return key, fmt.Errorf("read validator key %s: %w", path, err)
	}
	return key, nil
}

// checkKey refuses a private key that CometBFT would take and then panic on, or
// sign with so that nobody could verify it.
func checkKey(key cometcrypto.PrivKey) error {
	if key == nil {
		return errors.New("there is no priv_key in it")
	}
	private, ok := key.(ed25519.PrivKey)
	if !ok {
		return fmt.Errorf("priv_key is of type %s, want %s", key.Type(), ed25519.KeyType)
	}
	if len(private) != ed25519.PrivateKeySize {
		return fmt.Errorf("priv_key has %d bytes, want %d", len(private), ed25519.PrivateKeySize)
	}
	if !bytes.Equal(stded25519.NewKeyFromSeed(private[:ed25519.SeedSize]), private) {
		return errors.New("priv_key is damaged: its two halves do not belong together")
	}
	return nil
}

// loadValidator loads the validator key with what it signed last. It checks
// both files first, because CometBFT's loader ends the process where it cannot
// read one.
func loadValidator(home Home) (*privval.FilePV, error) {
	if _, err := readValidatorKey(home); err != nil {
		return nil, err
	}
	path := home.ValidatorStateFile()
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read validator state: %w: without it this validator could sign twice at one height; "+
			"restore it, or, if this key has never voted, write it with {\"height\":\"0\",\"round\":0,\"step\":0}", err)
	}
	var state privval.FilePVLastSignState
	if err == nil {
		err = cometjson.Unmarshal(data, &state)
	}
	if err != nil {
		return nil, fmt.Errorf("read validator state %s: %w", path, err)
	}
	return privval.LoadFilePV(home.ValidatorKeyFile(), path), nil
}

// writeJSON writes v, indented, to a new file at path and syncs it. mode is the
// file's permission. An existing file is replaced in one step.
func writeJSON(path string, mode fs.FileMode, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return writeFile(path, mode, append(data, '\n'))
}

// writeFile puts data at path in one step: after a crash there is the old file
// or the new one.
func writeFile(path string, mode fs.FileMode, data []byte) error {
	temporary := path + ".new"
	file, err := os.OpenFile(temporary, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, mode)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = file.Write(data)
	if err == nil {
		err = file.Sync()
	}
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
