package network

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cosmosdb "github.com/cosmos/cosmos-db"
	"github.com/cosmos/gogoproto/proto"

	"github.com/tallystick/tallystick/crypto/keystore"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
	"github.com/tallystick/tallystick/node"
	"github.com/tallystick/tallystick/rpc/wire"
)

// TestRotateKey: a member gives its validator another consensus key by the
// steps that `tally member rotate-key --help` names. The set of validators changes
// two blocks after the transaction's, the node signs blocks with the new key, and
// the old one proposes and signs none any more.
func TestRotateKey(t *testing.T) {
	t.Parallel()
	n := New(t, 4, Options{})
	n.StartAll()
	load := n.StartLoad(LoadOptions{})
	load.WaitReceipts(20)
	const who = 2
	old := n.consensusAddress(who)
	next := node.Home(filepath.Join(t.TempDir(), "next"))
	n.tally(0, "init", "--home", string(next))
	keys := n.keysOf(who)

	var receipt wire.Receipt
	out := n.tally(0, "member", "rotate-key", "--key-file", next.ValidatorKeyFile(), "--keys", keys, "--yes", "--rpc", n.RPC(0).url, "--json")
	if err := json.Unmarshal([]byte(out), &receipt); err != nil || receipt.Code != uint32(ledger.Applied) {
		t.Fatalf("%v: %s", err, out)
	}
	identity, err := node.ReadIdentity(next)
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := hex.DecodeString(identity.ValidatorAddress)
	if err != nil {
		t.Fatal(err)
	}
	n.Until(patience, "the new key is a validator's, and the old one is not", func() error {
		if validators := n.validatorSet(0); validators[string(fresh)] == nil || validators[string(old)] != nil {
			return fmt.Errorf("%d validators, among them the new key: %v", len(validators), validators[string(fresh)] != nil)
		}
		return nil
	})

	n.Stop(who)
	key, err := os.ReadFile(next.ValidatorKeyFile())
	if err != nil {
		t.Fatal(err)
	}
	write(t, n.Home(who).ValidatorKeyFile(), string(key))
	n.Start(who)
	n.WaitCaughtUp(who)
	n.Until(patience, "the new key proposes and signs blocks", func() error {
		if v := n.validatorSet(0)[string(fresh)]; v == nil || v.Signed == 0 {
			return errors.New("it has signed none")
		}
		if !n.proposed(fresh, receipt.Height, n.WaitHeight(0, receipt.Height).Height) {
			return errors.New("it has proposed none")
		}
		return nil
	})

	// Another one, too soon.
	another := node.Home(filepath.Join(t.TempDir(), "another"))
	n.tally(0, "init", "--home", string(another))
	out = n.tally(7, "member", "rotate-key", "--key-file", another.ValidatorKeyFile(), "--keys", keys, "--yes", "--rpc", n.RPC(0).url)
	for _, want := range []string{"the member changed its consensus key too recently; it did so at 20", "may again from 20", "keyRotationCooldown is 86400 seconds"} {
		if !strings.Contains(out, want) {
			t.Errorf("the refusal does not say %q: %s", want, out)
		}
	}
	load.Stop()
	load.Verify(n.All()...)
	top := n.SameChain(n.All()...)
	n.Stop(0)
	n.handedOver(0, receipt.Height+2, top, old, fresh)
}

// keysOf is a directory with the admin key of validator i's member.
func (n *Network) keysOf(i int) string {
	n.t.Helper()
	dir := filepath.Join(n.t.TempDir(), "keys")
	if err := os.Mkdir(dir, 0o700); err != nil {
		n.t.Fatal(err)
	}
	if _, err := keystore.Store(dir, ledgertest.Key(n.validators[i].name()), passphrase, true); err != nil {
		n.t.Fatal(err)
	}
	return dir
}

const passphrase = "x"

// tally runs a command of the program, wants an exit code, and returns what it
// printed: its standard output, and after a failure that of errors.
func (n *Network) tally(want int, arguments ...string) string {
	n.t.Helper()
	cmd := exec.Command(Build(n.t), arguments...)
	cmd.Env = append(cleanEnvironment(), "TALLY_PASSPHRASE="+passphrase)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != want {
		n.t.Fatalf("tally %s: %v, want exit code %d\n%s%s", strings.Join(arguments, " "), err, want, &out, &problems)
	}
	if want != 0 {
		return problems.String()
	}
	return out.String()
}

// consensusAddress is that of validator i as it was laid out.
func (n *Network) consensusAddress(i int) []byte {
	n.t.Helper()
	address, err := hex.DecodeString(n.Identity(i).ValidatorAddress)
	if err != nil {
		n.t.Fatal(err)
	}
	return address
}

// validatorSet is who votes on the next block as validator i knows it, by
// consensus address.
func (n *Network) validatorSet(i int) map[string]*wire.Validator {
	n.t.Helper()
	raw, err := n.RPC(i).Call(context.Background(), Ask("ledger_listValidators"))
	var answer wire.Validators
	if err == nil {
		err = json.Unmarshal(raw, &answer)
	}
	if err != nil {
		n.t.Fatal(err)
	}
	set := map[string]*wire.Validator{}
	for _, v := range answer.Items {
		set[string(v.ConsensusAddress)] = &v
	}
	return set
}

// proposed reports whether a validator proposed one of the blocks from to to.
func (n *Network) proposed(address []byte, from, to uint64) bool {
	n.t.Helper()
	for _, raw := range n.Blocks(0, from, to) {
		var b wire.Block
		if err := json.Unmarshal(raw, &b); err != nil {
			n.t.Fatal(err)
		}
		if bytes.Equal(b.Proposer, address) {
			return true
		}
	}
	return false
}

// handedOver checks in the block store of validator i, which does not run, that
// the set of validators changes at height from and at no other up to to, and that
// of two keys only the first signs and proposes before it, and only the second
// from it on.
func (n *Network) handedOver(i int, from, to uint64, before, after []byte) {
	n.t.Helper()
	db, err := cosmosdb.NewPebbleDB("blockstore", n.Home(i).DataDir(), nil)
	if err != nil {
		n.t.Fatal(err)
	}
	defer db.Close()
	var validators []byte
	signed := map[string]uint64{}
	for height := uint64(1); height <= to; height++ {
		var meta cmtproto.BlockMeta
		n.stored(db, fmt.Sprint("H:", height), &meta)
		if changed := validators != nil && !bytes.Equal(validators, meta.Header.ValidatorsHash); changed != (height == from) {
			n.t.Errorf("block %d: the set of validators changes: %v; it must at block %d", height, changed, from)
		}
		validators = meta.Header.ValidatorsHash
		signers := [][]byte{meta.Header.ProposerAddress}
		if height < to { // the commit for a block comes with the next one
			var commit cmtproto.Commit
			n.stored(db, fmt.Sprint("C:", height), &commit)
			for _, s := range commit.Signatures {
				signers = append(signers, s.ValidatorAddress)
			}
		}
		for _, s := range signers {
			signed[string(s)]++
			if wrong := map[bool][]byte{true: after, false: before}[height < from]; bytes.Equal(s, wrong) {
				n.t.Errorf("block %d, of which %d is the first by the new key, has a signature of %x", height, from, s)
			}
		}
	}
	if signed[string(before)] == 0 || signed[string(after)] == 0 {
		n.t.Errorf("the old key has signed %d times, the new one %d times", signed[string(before)], signed[string(after)])
	}
}

// stored reads one of a block store's messages.
func (n *Network) stored(db cosmosdb.DB, key string, m proto.Message) {
	n.t.Helper()
	raw, err := db.Get([]byte(key))
	if err == nil && raw == nil {
		err = errors.New("there is none")
	}
	if err == nil {
		err = proto.Unmarshal(raw, m)
	}
	if err != nil {
		n.t.Fatalf("%s of the block store: %v", key, err)
	}
}
