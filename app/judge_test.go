package app

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// delivery is a payment against payment: alice pays bob and bob pays alice.
func (c *chain) delivery(nonce uint64) ledger.Body {
	b := c.transfer("alice", nonce, "bob", 10)
	t := b.Op.(*ledger.Transfer)
	t.Legs = append(t.Legs, ledger.Leg{From: address("bob"), To: address("alice"), Asset: c.Network().Settlement, Amount: ledger.NewAmount(20)})
	b.ValidUntil = genesisTime + 3600
	return b
}

// unsigned builds a transaction with the signatures given, whatever they are.
func (c *chain) unsigned(body ledger.Body, signatures ...ledger.Signature) []byte {
	return ledger.EncodeNative(c.Network(), &body, signatures)
}

func signed(net *ledger.Network, body ledger.Body, name string) ledger.Signature {
	return ledger.Signature{Scheme: ledger.SchemeBodyHash, Signature: key(name).Sign(net.Digest(&body, ledger.SchemeBodyHash))}
}

// hostile lists transactions that a dishonest proposer might put into a block,
// each with the reason that the log must name.
func hostile(c *chain) []struct {
	name, reason string
	txs          [][]byte
} {
	net := c.Network()
	good := c.pay("carol", 0, "bob", 1)
	victim := c.transfer("alice", 0, "mallory", funds)
	noise := ledger.Signature{Scheme: ledger.SchemeBodyHash}
	outOfRange := noise
	for i := range outOfRange.Signature {
		outOfRange.Signature[i] = 0xff
	}
	high := signed(net, victim, "alice")
	high.Signature[32] |= 0x80
	replayed := signed(net, c.transfer("alice", 0, "bob", 1), "alice")
	expired := c.transfer("alice", 0, "bob", 1)
	expired.ValidUntil = genesisTime
	other, _ := ledger.NewNetwork("another-network", 77_777, net.Settlement, 18)
	foreign, _ := ledger.Sign(other, c.transfer("alice", 0, "bob", 1), ledger.SchemeBodyHash, key("alice"))
	endless := c.delivery(0)
	endless.ValidUntil = genesisTime + 400*24*3600
	return []struct {
		name, reason string
		txs          [][]byte
	}{
		{"no signature", "unauthorized", [][]byte{c.unsigned(victim)}},
		{"zero signature", "invalidSignature", [][]byte{c.unsigned(victim, noise)}},
		{"signature out of range", "invalidSignature", [][]byte{c.unsigned(victim, outOfRange)}},
		{"high s", "invalidSignature", [][]byte{c.unsigned(victim, high)}},
		{"signed by the thief", "unauthorized", [][]byte{c.unsigned(victim, signed(net, victim, "mallory"))}},
		{"signed by another account", "unauthorized", [][]byte{c.unsigned(victim, signed(net, victim, "bob"))}},
		{"the victim's signature of something else", "unauthorized", [][]byte{c.unsigned(victim, replayed)}},
		{"co-signature stripped", "unauthorized", [][]byte{c.unsigned(c.delivery(0), signed(net, c.delivery(0), "alice"))}},
		{"co-signature doubled", "signatureOrder", [][]byte{c.unsigned(c.delivery(0), signed(net, c.delivery(0), "alice"), signed(net, c.delivery(0), "alice"))}},
		{"signature added", "tooManySignatures", [][]byte{c.sign(c.transfer("alice", 0, "bob", 1), ledger.SchemeBodyHash, "alice", "mallory")}},
		{"an option without end", "lifetimeTooLong", [][]byte{c.sign(endless, ledger.SchemeBodyHash, "alice", "bob")}},
		{"expired", "expired", [][]byte{c.sign(expired, ledger.SchemeBodyHash, "alice")}},
		{"spent", "nonceSpent", [][]byte{c.pay("dave", 0, "bob", 2)}},
		{"nonce far ahead", "nonceTooHigh", [][]byte{c.pay("alice", 5000, "bob", 2)}},
		{"duplicate nonce", "duplicateNonce", [][]byte{c.pay("alice", 0, "bob", 1), c.pay("alice", 0, "bob", 2)}},
		{"same transaction twice", "duplicateNonce", [][]byte{good, good}},
		{"empty", "malformed", [][]byte{{}}},
		{"malformed", "malformed", [][]byte{{0x54, 0xc1, 0x80}}},
		{"truncated", "malformed", [][]byte{good[:len(good)-3]}},
		{"not the canonical bytes", "malformed", [][]byte{append(bytes.Clone(good), 0)}},
		{"unknown type", "unsupportedType", [][]byte{{0x01, 0xc0}}},
		{"oversized transaction", "tooLarge", [][]byte{bytes.Repeat([]byte{0x54}, ledger.MaxTxBytes+1)}},
		{"oversized block", "blockLimit", [][]byte{bytes.Repeat([]byte{0x54}, 5<<20)}},
		{"unknown sender", "unknownSender", [][]byte{c.pay("mallory", 0, "bob", 1)}},
		{"wrong network", "wrongNetwork", [][]byte{foreign.Raw}},
	}
}

// Every one of these blocks is rejected, in front of, behind and without good
// transactions; the log says which transaction and why; no nonce is spent.
func TestProcessProposalRejects(t *testing.T) {
	var log bytes.Buffer
	c := newChain(t, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}, nil)
	c.block(c.pay("dave", 0, "bob", 1))
	root := c.store.Root()
	good := [][]byte{c.pay("bob", 0, "alice", 1), c.pay("bob", 1, "alice", 1)}
	for _, tc := range hostile(c) {
		t.Run(tc.name, func(t *testing.T) {
			for _, txs := range [][][]byte{tc.txs, append(good[:2:2], tc.txs...), append(tc.txs[:len(tc.txs):len(tc.txs)], good...)} {
				log.Reset()
				if c.accepts(c.proposal(txs...)) {
					t.Error("accepted")
				}
				if out := log.String(); !strings.Contains(out, "WARN") || !strings.Contains(out, "name="+tc.reason) || !strings.Contains(out, "index=") {
					t.Errorf("the log does not name %q: %s", tc.reason, out)
				}
			}
		})
	}
	c.block(good...) // the chain goes on
	for _, name := range []string{"alice", "carol"} {
		if next := c.account(name).Window.Next; next != 0 {
			t.Errorf("%s spent nonces up to %d", name, next)
		}
	}
	if c.account("dave").Window.Next != 1 || c.store.Root() == root {
		t.Error("what was good is missing")
	}
}

// Were such a block decided all the same, its bad transactions would change
// nothing and spend nothing.
func TestFinalizeBlockSurvivesHostileTransactions(t *testing.T) {
	c := newChain(t, Options{}, nil)
	c.block(c.pay("dave", 0, "bob", 1))
	for _, tc := range hostile(c) {
		if tc.reason == "duplicateNonce" || tc.reason == "blockLimit" {
			continue
		}
		root := c.store.Root()
		res := c.block(tc.txs...)
		if root != c.store.Root() {
			t.Errorf("%s: the state changed", tc.name)
		}
		for _, r := range res.TxResults {
			if code := ledger.Code(r.Code); code.SpendsNonce() || code.String() != tc.reason {
				t.Errorf("%s: %s", tc.name, code)
			}
		}
	}
}

func TestProcessProposalAccepts(t *testing.T) {
	c := newChain(t, Options{}, nil)
	c.block()
	joint := ledger.Body{Sender: jointAccount, Nonce: 0, ValidUntil: genesisTime + 3600, Op: &ledger.Transfer{Legs: []ledger.Leg{
		{From: jointAccount, To: address("newcomer"), Asset: c.Network().Settlement, Amount: ledger.NewAmount(3)}}}}
	txs := [][]byte{
		c.pay("alice", 7, "bob", 1), c.pay("alice", 2, "bob", 1),
		c.sign(c.delivery(0), ledger.SchemeBodyHash, "alice", "bob"),
		c.sign(joint, ledger.SchemeTypedData, "alice", "bob"),
		c.pay("carol", 0, "bob", 2*funds), // refused, which is the sender's own affair
	}
	p := c.proposal(txs...)
	if !c.accepts(p) {
		t.Fatal("rejected")
	}
	want := []ledger.Code{0, 0, 0, 0, ledger.CodeInsufficientBalance}
	if got := codesOf(c.finalize(p)); !equal(got, want) {
		t.Errorf("codes %v, want %v", got, want)
	}
}

func equal(x, y []ledger.Code) bool {
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if x[i] != y[i] {
			return false
		}
	}
	return true
}

// A block must follow the committed state.
func TestProcessProposalHeightAndTime(t *testing.T) {
	c := newChain(t, Options{}, nil)
	c.block()
	for name, change := range map[string]func(*abci.RequestProcessProposal){
		"same height":  func(p *abci.RequestProcessProposal) { p.Height-- },
		"height ahead": func(p *abci.RequestProcessProposal) { p.Height++ },
		"height zero":  func(p *abci.RequestProcessProposal) { p.Height = 0 },
		"negative":     func(p *abci.RequestProcessProposal) { p.Height = -1 },
		"before 1970":  func(p *abci.RequestProcessProposal) { p.Time = time.Unix(-5, 0) },
		"no time":      func(p *abci.RequestProcessProposal) { p.Time = time.Time{} },
	} {
		p := c.proposal(c.pay("alice", 0, "bob", 1))
		change(p)
		if c.accepts(p) {
			t.Errorf("%s: accepted", name)
		}
	}
	if !c.accepts(c.proposal(c.pay("alice", 0, "bob", 1))) {
		t.Error("the right block is rejected")
	}
}

// Caps of a block: what fits exactly is accepted, one more is rejected.
func TestProcessProposalCaps(t *testing.T) {
	c := newChain(t, Options{}, func(g *ledger.Genesis) {
		g.Params.MaxBlockSignatures = ledger.MaxSignatures
	})
	c.block()
	var txs [][]byte
	for n := range uint64(ledger.MaxSignatures) {
		txs = append(txs, c.pay("alice", n, "bob", 1))
	}
	if !c.accepts(c.proposal(txs...)) {
		t.Error("a full block is rejected")
	}
	if c.accepts(c.proposal(append(txs, c.pay("alice", ledger.MaxSignatures, "bob", 1))...)) {
		t.Error("a block over the cap is accepted")
	}
}

// A block over the cap on signatures is rejected before any is recovered: one
// transaction carries 64, so bytes alone do not bound the work.
func TestProcessProposalCountsSignaturesFirst(t *testing.T) {
	c := newChain(t, Options{}, func(g *ledger.Genesis) { g.Params.MaxBlockSignatures = ledger.MaxSignatures })
	c.block()
	body := c.transfer("alice", 0, "bob", 1)
	forged := make([]ledger.Signature, ledger.MaxSignatures)
	for i := range forged {
		forged[i] = signed(c.Network(), body, "alice")
	}
	txs := [][]byte{c.pay("bob", 0, "alice", 1), c.unsigned(body, forged...)}
	params, err := ledger.ReadParams(c.latest.Load().reader)
	if err != nil {
		t.Fatal(err)
	}
	_, against := c.decodeProposal(c.latest.Load(), txs, &params)
	if against == nil || against.code != ledger.CodeBlockLimit || against.index != 1 || against.tx.Signers != nil {
		t.Errorf("%+v", against)
	}
	if c.cache.get(crypto.Keccak256(txs[0])) != nil {
		t.Error("a signature was recovered")
	}
}

// A proposer cannot spend others' nonces by filling a block with newcomers.
func TestProcessProposalNewAccounts(t *testing.T) {
	c := newChain(t, Options{}, func(g *ledger.Genesis) { g.Params.MaxNewAccounts = 1 })
	c.block()
	first, second := c.pay("alice", 0, "new 1", 1), c.pay("bob", 0, "new 2", 1)
	if c.accepts(c.proposal(first, second)) {
		t.Error("a block that one newcomer too many is in is accepted")
	}
	if !c.accepts(c.proposal(first)) || !c.accepts(c.proposal(second)) {
		t.Error("each alone is rejected")
	}
}

// A dishonest proposer of ours proposes what it likes and accepts it, and
// judges the blocks of others like anybody.
func TestProposeOption(t *testing.T) {
	mine := crypto.Keccak256([]byte("my address"))
	bad := [][]byte{{1, 2, 3}}
	var offered [][]byte
	c := newChain(t, Options{Propose: func(req *abci.RequestPrepareProposal) [][]byte {
		offered = req.Txs
		return bad
	}}, nil)
	c.block()
	waits := c.pay("alice", 0, "bob", 1)
	wantCode(t, "new", c.check(waits), ledger.Applied)
	p := c.proposal(bad...)
	p.ProposerAddress = mine[:20]
	if c.accepts(p) {
		t.Error("a bad block of its address is accepted before it proposed anything")
	}
	res, err := c.PrepareProposal(ctx, &abci.RequestPrepareProposal{Height: 2, Time: p.Time, ProposerAddress: mine[:20]})
	if err != nil || len(res.Txs) != 1 || !bytes.Equal(res.Txs[0], bad[0]) {
		t.Fatalf("proposed %v, %v", res, err)
	}
	wantTxs(t, "what it may choose from", offered, waits)
	if !c.accepts(p) {
		t.Error("its own block is rejected")
	}
	if c.accepts(c.proposal(bad...)) {
		t.Error("a stranger's bad block is accepted")
	}
	honest := newChain(t, Options{}, nil)
	honest.block()
	if honest.accepts(p) {
		t.Error("an honest node accepts it")
	}
}
