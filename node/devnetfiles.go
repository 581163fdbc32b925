package node

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/tallystick/tallystick/config"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/crypto/mnemonic"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/node/card"
)

// DevnetMnemonic is where the devnet's accounts come from. Every Ethereum
// developer knows it, and so does every thief.
const DevnetMnemonic = "test test test test test test test test test test test junk"

const (
	// devnetFormat is the version of a devnet's directory.
	devnetFormat   = 2 // 1 had no members
	devnetAccounts = 10
	devnetRecord   = "devnet.json"
	devnetLock     = "lock"
	devnetNode     = "node"
	// devnetAdmin is the file, among a validator's keys, of its member's admin
	// key: 64 hexadecimal digits. It is no secret: the mnemonic gives it, from this
	// index on.
	devnetAdmin             = "admin.key"
	devnetFirstAdmin uint32 = 100
)

// The devnet's assets: the first is the settlement asset. Each account begins
// with a million of each.
var devnetAssets = []struct {
	symbol, name string
	decimals     uint8
	balance      string // of each account, in the smallest unit
}{
	{"TALLY", "Tally", 18, "1000000" + "000000000000000000"},
	{"USD", "US Dollar", 2, "1000000" + "00"},
}

// devnetFiles is a devnet's directory:
//
//	devnet.json   what it is; written last, so that what has one is whole
//	lock          held while it runs
//	node0, …      each validator's Home
type devnetFiles struct {
	dir        string
	lock       *flock.Flock
	identities []Identity
}

// devnetRecordFile is the content of devnet.json.
type devnetRecordFile struct {
	Format     int    `json:"format"`
	NetworkID  string `json:"networkId"`
	Validators int    `json:"validators"`
}

// defaultValidators is how many a new devnet has.
const defaultValidators = 4

// errEarlierDevnet says that a directory was made by an earlier version.
var errEarlierDevnet = errors.New("it was made by an earlier version, whose networks had no members: start over with --reset, or go on with that version")

// openDevnet opens the devnet in o.Dir, or makes one, and sets o.Validators.
func openDevnet(o *DevnetOptions) (_ *devnetFiles, err error) {
	f := &devnetFiles{dir: o.Dir}
	if err := f.acquire(); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			f.unlock()
		}
	}()
	record, err := f.read()
	if o.Reset && errors.Is(err, errEarlierDevnet) {
		err = nil
	}
	if err != nil {
		return nil, err
	}
	if record == nil || o.Reset {
		if o.Validators == 0 {
			o.Validators = defaultValidators
		}
		return f, f.create(*o)
	}
	if o.Validators != 0 && o.Validators != record.Validators {
		return nil, fmt.Errorf("it has %d validators, not %d: leave --validators out to go on with it, or start over with --reset",
			record.Validators, o.Validators)
	}
	o.Validators = record.Validators
	return f, f.readIdentities(record.Validators)
}

// acquire makes the directory and takes its lock. A directory with other
// things in it is left alone.
func (f *devnetFiles) acquire() error {
	entries, err := os.ReadDir(f.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		name := strings.TrimSuffix(e.Name(), ".new")
		_, notNumber := strconv.Atoi(strings.TrimPrefix(name, devnetNode))
		isNode := strings.HasPrefix(name, devnetNode) && notNumber == nil
		if name != devnetRecord && name != devnetLock && !isNode {
			return fmt.Errorf("there is %s in it, which is no part of a devnet: choose another directory with --dir", e.Name())
		}
	}
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return err
	}
	f.lock = flock.New(filepath.Join(f.dir, devnetLock))
	held, err := f.lock.TryLock()
	if err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	if !held {
		return errors.New("another process runs it: stop that one, or choose another directory with --dir (and --base-port)")
	}
	return nil
}

// unlock lets another process have the directory.
func (f *devnetFiles) unlock() {
	if f.lock != nil {
		_ = f.lock.Unlock() // the process's end unlocks it too
	}
}

// read returns what the directory says it is, or nil if it is new.
func (f *devnetFiles) read() (*devnetRecordFile, error) {
	path := filepath.Join(f.dir, devnetRecord)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var record devnetRecordFile
	if err := json.Unmarshal(data, &record); err != nil {
		return nil, fmt.Errorf("%s is damaged (%w): remove the directory to start over", path, err)
	}
	switch {
	case record.Format > devnetFormat:
		return nil, fmt.Errorf("it was made by a newer version (format %d; this one knows %d): "+
			"run that version, or choose another directory with --dir", record.Format, devnetFormat)
	case record.Format >= 1 && record.Format < devnetFormat:
		return nil, errEarlierDevnet
	case record.Format != devnetFormat, record.Validators < 1, record.Validators > MaxDevnetValidators:
		return nil, fmt.Errorf("%s is damaged: remove the directory to start over", path)
	}
	return &record, nil
}

// home is a validator's directory.
func (f *devnetFiles) home(validator int) Home {
	return Home(filepath.Join(f.dir, devnetNode+strconv.Itoa(validator)))
}

// create makes a new network in place of what the directory holds, the way that
// every network is founded: each validator is a member, and the genesis document
// follows from their cards.
func (f *devnetFiles) create(o DevnetOptions) error {
	if err := f.clear(); err != nil {
		return err
	}
	var random [4]byte
	if _, err := rand.Read(random[:]); err != nil {
		return err
	}
	record := devnetRecordFile{Format: devnetFormat, NetworkID: "devnet-" + hex.EncodeToString(random[:]), Validators: o.Validators}
	founding, err := devnetFounding(record.NetworkID)
	if err != nil {
		return err
	}
	for i := range o.Validators {
		c, err := f.createMember(i, o.address(i, peerPorts), record.NetworkID)
		if err != nil {
			return err
		}
		founding.Cards = append(founding.Cards, c)
	}
	document, err := founding.Document()
	if err != nil {
		return err
	}
	for i := range o.Validators {
		if err := writeFile(f.home(i).GenesisFile(), 0o644, document); err != nil {
			return err
		}
	}
	return writeJSON(filepath.Join(f.dir, devnetRecord), 0o644, record)
}

// createMember makes the home of a validator, with its admin key, and its card.
func (f *devnetFiles) createMember(i int, address, networkID string) (*card.Card, error) {
	home := f.home(i)
	admin, err := mnemonic.Derive(DevnetMnemonic, "", devnetFirstAdmin+uint32(i))
	if err != nil {
		return nil, fmt.Errorf("derive the admin key of validator %d: %w", i, err)
	}
	organisation := Organisation{Name: "Devnet " + strconv.Itoa(i+1), Admin: admin.Address()}
	identity, err := InitMember(home, config.Default(), organisation, func(dir string) error {
		return writeFile(filepath.Join(dir, devnetAdmin), 0o600, []byte(hex.EncodeToString(admin.Bytes())+"\n"))
	})
	if err != nil {
		return nil, err
	}
	f.identities = append(f.identities, identity)
	return SignCard(home, card.Card{
		Name: organisation.Name, Address: address, Roles: []string{"validator", "issuer", "registrar"},
		Power: card.DefaultPower, NetworkID: networkID, Time: ledger.UnixTime(time.Now().Unix()),
	}, admin)
}

// clear removes a devnet: what it is first, so that a half removed one is new.
func (f *devnetFiles) clear() error {
	if err := os.Remove(filepath.Join(f.dir, devnetRecord)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == devnetLock {
			continue
		}
		if err := os.RemoveAll(filepath.Join(f.dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

func (f *devnetFiles) readIdentities(validators int) error {
	for i := range validators {
		identity, err := ReadIdentity(f.home(i))
		if err != nil {
			return err
		}
		f.identities = append(f.identities, identity)
	}
	return nil
}

// devnetFounding is what a devnet starts with besides its members.
func devnetFounding(networkID string) (Founding, error) {
	f := Founding{NetworkID: networkID, Settlement: devnetAssets[0].symbol, Params: ledger.NewGenesisParams(ledger.DefaultParams())}
	f.Params.AccountPolicy = ledger.PolicyOpen.String()
	keys, err := devnetKeys()
	if err != nil {
		return f, err
	}
	for _, key := range keys {
		f.Accounts = append(f.Accounts, ledger.GenesisAccount{Address: key.Address()})
	}
	for _, a := range devnetAssets {
		f.Assets = append(f.Assets, ledger.GenesisAsset{
			Symbol: a.symbol, Name: a.name, Decimals: a.decimals, Issuer: keys[0].Address(),
		})
		amount, err := ledger.ParseAmount(a.balance)
		if err != nil {
			return f, fmt.Errorf("balance of %s: %w", a.symbol, err)
		}
		for _, key := range keys {
			f.Balances = append(f.Balances, ledger.GenesisBalance{Account: key.Address(), Symbol: a.symbol, Amount: amount})
		}
	}
	return f, nil
}

// devnetKeys are the keys of the accounts, in order.
func devnetKeys() ([]*crypto.PrivateKey, error) {
	keys := make([]*crypto.PrivateKey, devnetAccounts)
	for i := range keys {
		key, err := mnemonic.Derive(DevnetMnemonic, "", uint32(i))
		if err != nil {
			return nil, fmt.Errorf("derive account %d: %w", i, err)
		}
		keys[i] = key
	}
	return keys, nil
}
