package node

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/app"
	"github.com/tallystick/tallystick/config"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/crypto/mnemonic"
	"github.com/tallystick/tallystick/ledger"
)

// admin is the admin key of the member whose validator is i.
func (n *testnet) admin(i int) *crypto.PrivateKey {
	n.t.Helper()
	key, err := mnemonic.Derive(DevnetMnemonic, "", devnetFirstAdmin+uint32(i))
	if err != nil {
		n.t.Fatal(err)
	}
	return key
}

// send has validator at take an operation of a member, and wants it applied.
func (n *testnet) send(at, member int, op ledger.Operation) {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), patience)
	defer cancel()
	key, b := n.admin(member), n.nodes[at].Backend()
	view, err := b.View(b.Height())
	if err != nil {
		n.t.Fatal(err)
	}
	account, err := view.Account(key.Address())
	if err != nil || account == nil {
		n.t.Fatalf("account of member %d: %v, %v", member, account, err)
	}
	tx, code := ledger.Sign(b.Network(), ledger.Body{Sender: key.Address(), Nonce: ledger.Nonce(account.NextNonce), Op: op}, ledger.SchemeBodyHash, key)
	if code != ledger.Applied {
		n.t.Fatalf("sign %s: %s", op.Kind(), code)
	}
	if verdict, err := b.Submit(ctx, tx.Raw); err != nil || verdict.Code != ledger.Applied {
		n.t.Fatalf("%s of member %d: %s, %v", op.Kind(), member, verdict.Code, err)
	}
	if receipt, err := b.WaitReceipt(ctx, tx.Hash); err != nil || receipt.Code != 0 {
		n.t.Fatalf("%s of member %d: %+v, %v", op.Kind(), member, receipt, err)
	}
}

// pass has the members of the first validators vote actions into effect.
func (n *testnet) pass(voters int, actions ...ledger.Action) {
	n.t.Helper()
	n.send(0, 0, &ledger.Propose{Actions: actions, VotingPeriod: 3600})
	r, err := n.nodes[0].Backend().State()
	if err != nil {
		n.t.Fatal(err)
	}
	id, err := ledger.ReadLastProposal(r)
	if err != nil {
		n.t.Fatal(err)
	}
	for i := 1; i < voters; i++ {
		n.send(0, i, &ledger.CastVote{Proposal: uint64(id), Choice: ledger.ChoiceYes})
	}
	if r, err = n.nodes[0].Backend().State(); err != nil {
		n.t.Fatal(err)
	}
	if p, _, err := ledger.ReadProposal(r, id); err != nil || p.Status != ledger.ProposalExecuted {
		n.t.Fatalf("proposal %d is %s (%s), %v", id, p.Status, p.Code, err)
	}
}

// until waits for something that must become so.
func (n *testnet) until(what string, so func() bool) {
	n.t.Helper()
	for deadline := time.Now().Add(patience); !so(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			n.t.Fatal("it never came about: ", what)
		}
	}
}

// signs reports whether validator i's signature is in a commit that validator 0
// knows, and how much power it has.
func (n *testnet) signs(i int) (signed bool, power uint64) {
	n.t.Helper()
	list, err := n.nodes[0].Backend().Validators()
	if err != nil {
		n.t.Fatal(err)
	}
	for _, v := range list.Items {
		if string(v.ConsensusKey) == string(n.files.identities[i].ConsensusKey) {
			return v.Signed > 0, v.Power
		}
	}
	return false, 0
}

// TestMembersComeAndGo: a stranger's node is turned away; once a vote has made its
// organisation a member it joins, catches up and validates; and the node of a
// member that a vote removes is cut off, while the others go on.
func TestMembersComeAndGo(t *testing.T) {
	n := newTestnet(t, 4)
	stranger := n.stranger()
	for i := range 4 {
		n.start(i)
	}
	for i := range 4 {
		n.ready(i)
	}
	n.commit(0, 0)
	n.start(stranger)
	n.commit(1, 1)
	n.until("every validator turns the stranger's node away", func() bool {
		for i := range 4 {
			if !n.nodes[i].gate.hasTold(n.files.identities[stranger].NodeID) {
				return false
			}
		}
		return true
	})
	if peers, height := n.nodes[stranger].chain.Switch().Peers().Size(), n.nodes[stranger].Height(); height != 0 {
		t.Fatalf("the stranger's node is at height %d with %d peers", height, peers)
	}

	identity := n.files.identities[stranger]
	action := &ledger.AdmitMemberAction{
		Admin: n.admin(stranger).Address(), Name: "Latecomer", Roles: ledger.RoleNames(ledger.RoleValidator), Power: ledger.MinFoundingPower,
	}
	copy(action.ConsensusKey[:], identity.ConsensusKey)
	var id ledger.NodeID
	if err := id.UnmarshalText([]byte(identity.NodeID)); err != nil {
		t.Fatal(err)
	}
	action.NodeIDs = ledger.NodeIDs{id}
	n.pass(3, action)
	n.reach(stranger, n.commit(0, 2))
	n.until("the new member's validator signs with all its power", func() bool {
		signed, power := n.signs(stranger)
		return signed && power == ledger.MinFoundingPower
	})

	removed := 3
	n.pass(4, &ledger.RemoveMemberAction{Member: n.admin(removed).Address()})
	n.until("the removed member's node has no peers", func() bool { return n.nodes[removed].chain.Switch().Peers().Size() == 0 })
	n.until("the removed member's validator has no power", func() bool { _, power := n.signs(removed); return power == 0 })
	at := n.nodes[removed].Height()
	top := n.commit(stranger, 3)
	n.stop(removed)
	if top <= at {
		t.Errorf("the removed member's node is at height %d of %d", at, top)
	}
	n.agree(top)
}

// hasTold reports whether the gate has turned a node away and logged it.
func (g *peerGate) hasTold(id string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return !g.told[id].IsZero()
}

// stranger makes one more home, on the same genesis, whose peers are all others.
func (n *testnet) stranger() (i int) {
	n.t.Helper()
	i = len(n.nodes)
	n.o.Validators++
	if _, err := n.files.createMember(i, n.o.address(i, peerPorts), ""); err != nil {
		n.t.Fatal(err)
	}
	document, err := os.ReadFile(n.files.home(0).GenesisFile())
	if err != nil {
		n.t.Fatal(err)
	}
	if err := writeFile(n.files.home(i).GenesisFile(), 0o644, document); err != nil {
		n.t.Fatal(err)
	}
	n.nodes = append(n.nodes, nil)
	return i
}

// TestUpgrade: at the height that the members have agreed upon, the programs that
// know the new rules go on, one at a time or not; the one that does not runs no
// further block, still answers, says what it needs, refuses to start again, and
// catches up once replaced.
func TestUpgrade(t *testing.T) {
	n := newTestnet(t, 4)
	old := 3
	n.application = func(i int) app.Options {
		if i == old {
			return app.Options{}
		}
		return app.Options{Protocols: []uint64{ledger.Protocol, 2}}
	}
	n.startAll()
	at := n.commit(0, 0) + 30
	n.pass(3, &ledger.ScheduleUpgradeAction{Version: 2, Height: uint64(at), Name: "v2.0.0"})
	nonce := ledger.Nonce(1)
	for ; n.nodes[0].Height() <= at; nonce++ {
		n.commit(0, nonce)
	}
	n.until("the old program says that it is too old", func() bool { return n.nodes[old].app.Outdated() != nil })
	n.reach(old, at-1)
	if height := n.nodes[old].Height(); height != at-1 {
		t.Errorf("the old program is at height %d, want %d", height, at-1)
	}
	if reasons := strings.Join(n.nodes[old].unready(), "; "); !strings.Contains(reasons, `install release "v2.0.0"`) || !strings.Contains(reasons, "goes on answering reads") {
		t.Errorf("the old program says only %q", reasons)
	}
	if healthy := n.nodes[old].unhealthy(); len(healthy) > 0 {
		t.Errorf("the old program is to be replaced by itself: %q", healthy)
	}
	if n.balance(old) == "" {
		t.Error("the old program does not answer")
	}
	for i := range 3 {
		n.reach(i, at)
		r, err := n.nodes[i].Backend().State()
		if err != nil {
			t.Fatal(err)
		}
		if version, err := ledger.ReadProtocol(r); err != nil || version != 2 {
			t.Errorf("validator %d follows version %d (%v)", i, version, err)
		}
	}
	n.stop(old)
	_, err := New(n.configuration(old), string(n.files.home(old)), Options{Logger: n.o.Log})
	if outdated := new(app.OutdatedError); !errors.As(err, &outdated) || outdated.Needs.Version != 2 || !outdated.Starting {
		t.Errorf("the old program starts again: %v", err)
	}
	n.application = func(int) app.Options { return app.Options{Protocols: []uint64{ledger.Protocol, 2}} }
	n.start(old)
	n.ready(old)
	n.agree(n.commit(old, nonce))
}

// configuration is validator i's.
func (n *testnet) configuration(i int) config.Config {
	return n.o.configuration(i, n.files.identities)
}

// TestSixteenValidators: a network of as many members agrees, and votes.
func TestSixteenValidators(t *testing.T) {
	if testing.Short() {
		t.Skip("sixteen nodes in one process")
	}
	const validators = 16
	n := newTestnet(t, validators)
	n.startAll()
	n.commit(0, 0)
	n.pass(11, &ledger.SetPowerAction{Member: n.admin(validators - 1).Address(), Power: 2 * ledger.MinFoundingPower})
	n.until("the last validator has twice the power", func() bool {
		_, power := n.signs(validators - 1)
		return power == 2*ledger.MinFoundingPower
	})
	n.agree(n.commit(validators-1, 1))
}
