package ledgertest

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// The cast of the random play. "duo" is an account with two keys of which
// both must sign, "trio" one with three of which any two must; "alice" signs
// for both.
var (
	people    = []string{"alice", "bob", "carol", "issuer"}
	strangers = []string{"dave", "erin", "frank"}
	signers   = append(slices.Clone(people), "dave")
	// The members of a network that has any; "watch" is no registrar.
	members = []string{"bank", "desk", "watch"}
	cast    = slices.Concat(people, strangers, members, []string{"duo", "trio"})
)

func playGenesis(t *rapid.T) *ledger.Genesis {
	policy := rapid.SampledFrom([]ledger.AccountPolicy{ledger.PolicyOpen, ledger.PolicyAdmitted}).Draw(t, "policy")
	g := Genesis(policy, people[:3]...)
	g.Params.MaxNewAccounts = rapid.Uint64Range(1, 3).Draw(t, "maxNewAccounts")
	g.Params.MaxMultiPartyLifetime = 100
	g.Assets[1].Cap = Amount("40000")
	keys := func(weights map[string]uint32) (list []ledger.Key) {
		for name, w := range weights {
			list = append(list, ledger.Key{Address: Address(name), Weight: w})
		}
		slices.SortFunc(list, func(a, b ledger.Key) int { return a.Address.Compare(b.Address) })
		return list
	}
	g.Accounts = append(g.Accounts,
		ledger.GenesisAccount{Address: Address("duo"), Keys: keys(map[string]uint32{"alice": 1, "bob": 1}), Threshold: 2},
		ledger.GenesisAccount{Address: Address("trio"), Keys: keys(map[string]uint32{"alice": 3, "carol": 2, "dave": 1}), Threshold: 3})
	for _, name := range []string{"duo", "trio"} {
		g.Balances = append(g.Balances, ledger.GenesisBalance{Account: Address(name), Symbol: "GOLD", Amount: ledger.NewAmount(50)})
	}
	if !oneIn(t, 4, "no members") {
		addMembers(t, g)
	}
	regulate(t, g)
	return g
}

// TestModelAgrees plays random blocks on the ledger and on the model: every
// code, account, asset and balance must be the same, and the invariants hold.
func TestModelAgrees(t *testing.T) {
	seen := map[ledger.Code]int{}
	wanted := []ledger.Code{
		ledger.Applied, ledger.CodeNonceSpent, ledger.CodeExpired, ledger.CodeUnauthorized, ledger.CodeLifetimeRequired,
		ledger.CodeInsufficientBalance, ledger.CodeNotIssuer, ledger.CodeUnknownAsset, ledger.CodeRecipientIsAsset,
		ledger.CodeUnknownHold, ledger.CodeExpiryPassed,
	}
	checkUntilSeen(t, seen, wanted, func(rt *rapid.T) {
		g := playGenesis(rt)
		p := &play{chain: NewChain(t, g), model: NewModel(g)}
		p.vote(rt, t)
		for range rapid.IntRange(2, 6).Draw(rt, "blocks") {
			p.block(rt, t, seen)
		}
	})
}

// oneIn is true once in n times; rapid's own ranges prefer small numbers.
func oneIn(rt *rapid.T, n int, label string) bool {
	choices := make([]bool, n)
	choices[n-1] = true
	return rapid.SampledFrom(choices).Draw(rt, label)
}

type play struct {
	chain  *Chain
	model  *Model
	assets []crypto.Address // made during the play, whether it succeeded or not
	made   []crypto.Address // holds, likewise
	now    ledger.UnixTime  // the time of the block at hand

	registry bool // it is about accounts
}

func (p *play) block(rt *rapid.T, t *testing.T, seen map[ledger.Code]int) {
	time := p.chain.Time + ledger.UnixTime(rapid.IntRange(0, 50).Draw(rt, "seconds"))
	p.now = time
	var requests []Request
	var txs []*ledger.Tx
	for range rapid.IntRange(1, 6).Draw(rt, "transactions") {
		r, tx := p.transaction(rt, time)
		requests, txs = append(requests, r), append(txs, tx)
	}
	p.compare(t, seen, time, requests, txs)
}

// compare applies a block to both.
func (p *play) compare(t *testing.T, seen map[ledger.Code]int, time ledger.UnixTime, requests []Request, txs []*ledger.Tx) {
	t.Helper()
	got := Codes(p.chain.ApplyAt(t, time, txs...))
	want := p.model.Block(time, requests)
	for i := range want {
		seen[want[i]]++
		if got[i] != want[i] {
			t.Fatalf("transaction %d is %s, in the model %s: %+v %+v", i, got[i], want[i], requests[i], requests[i].Body.Op)
		}
	}
	p.model.Compare(t, p.chain)
}

func (p *play) transaction(rt *rapid.T, now ledger.UnixTime) (Request, *ledger.Tx) {
	senders := []string{"alice", "alice", "bob", "carol", "issuer", "issuer", "issuer", "duo", "trio", "dave"}
	if len(p.model.world.members) > 0 {
		senders = append(senders, "bank", "bank", "bank", "bank", "desk", "watch")
	}
	if p.registry {
		senders = []string{"bank", "bank", "bank", "bank", "bank", "desk", "desk", "watch", "alice", "bob", "carol", "duo"}
	}
	sender := rapid.SampledFrom(senders).Draw(rt, "sender")
	few, some, far := rapid.Uint64Range(0, 5), rapid.Uint64Range(0, 40), rapid.Uint64Range(1000, 1100)
	nonce := ledger.Nonce(rapid.OneOf(few, some, some, some, some, far).Draw(rt, "nonce"))
	if oneIn(rt, 5, "ethereum") {
		return p.ethereum(rt, sender, nonce)
	}
	b := ledger.Body{Sender: Address(sender), Nonce: nonce, Op: p.operation(rt, sender, nonce)}
	if oneIn(rt, 2, "limited") {
		b.ValidUntil = now + ledger.UnixTime(rapid.SampledFrom([]int{-1, 0, 1, 50, 99, 100, 101}).Draw(rt, "validUntil"))
	}
	var keys []*crypto.PrivateKey
	for _, name := range p.signedBy(rt, sender, b.Op) {
		keys = append(keys, Key(name))
	}
	scheme := ledger.Scheme(rapid.IntRange(0, 1).Draw(rt, "scheme"))
	tx, _ := ledger.Sign(p.chain.Net, b, scheme, keys...)
	if tx == nil {
		rt.Fatalf("no transaction from %+v", b)
	}
	r := Request{Envelope: ledger.EnvelopeNative, Body: b}
	for _, k := range keys {
		r.Signers = append(r.Signers, k.Address())
	}
	slices.SortFunc(r.Signers, crypto.Address.Compare)
	return r, tx
}

// signedBy is most often who must sign, and sometimes anybody.
func (p *play) signedBy(rt *rapid.T, sender string, op ledger.Operation) []string {
	if oneIn(rt, 5, "signed wrongly") {
		return rapid.SliceOfN(rapid.SampledFrom(signers), 0, 4).Draw(rt, "signers")
	}
	need := map[crypto.Address]bool{}
	for _, a := range append(paying(op), Address(sender)) {
		for _, signer := range p.enough(rt, a) {
			need[signer] = true
		}
	}
	var names []string
	for _, name := range cast {
		if need[Address(name)] {
			names = append(names, name)
		}
	}
	return names
}

func (p *play) asset(rt *rapid.T) crypto.Address {
	gold := p.chain.Asset("GOLD")
	share := p.chain.Asset("SHARE")
	known := []crypto.Address{p.chain.Asset("COIN"), gold, gold, gold, gold, share, share, share, share, Address("no asset")}
	return rapid.SampledFrom(append(known, p.assets...)).Draw(rt, "asset")
}

func (p *play) recipient(rt *rapid.T) crypto.Address {
	if oneIn(rt, 10, "to an asset") {
		return p.asset(rt)
	}
	return Address(rapid.SampledFrom(cast).Draw(rt, "to"))
}

func (p *play) amount(rt *rapid.T) ledger.Amount {
	return ledger.NewAmount(rapid.OneOf(rapid.Uint64Range(1, 60), rapid.Uint64Range(1, 20000)).Draw(rt, "amount"))
}

func (p *play) operation(rt *rapid.T, sender string, nonce ledger.Nonce) ledger.Operation {
	if oneIn(rt, 8, "keys") {
		return p.setKeys(rt, sender)
	}
	if slices.Contains(members, sender) && (p.registry || oneIn(rt, 2, "registrar's day")) || oneIn(rt, 12, "registrar's work") {
		return p.registrar(rt, Address(sender))
	}
	switch rapid.SampledFrom([]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20}).Draw(rt, "operation") {
	case 0:
		symbol := rapid.SampledFrom([]string{"GOLD", "RUST", "TIN"}).Draw(rt, "symbol")
		p.assets = append(p.assets, p.chain.Net.AssetAddress(Address(sender), nonce))
		return &ledger.CreateAsset{Symbol: symbol, Name: "An asset", Cap: ledger.NewAmount(rapid.Uint64Max(100).Draw(rt, "cap")), Flags: rapid.SampledFrom([]uint32{0, 0, 3, 7, 8}).Draw(rt, "flags")}
	case 1, 2:
		return &ledger.Issue{Asset: p.asset(rt), To: p.recipient(rt), Amount: p.amount(rt)}
	case 3:
		from := rapid.SampledFrom(slices.Concat(people, []string{"duo", "trio"})).Draw(rt, "from")
		return &ledger.Redeem{Asset: p.asset(rt), From: Address(from), Amount: p.amount(rt)}
	case 4:
		return &ledger.PauseAsset{Asset: p.asset(rt)}
	case 5:
		return &ledger.ResumeAsset{Asset: p.asset(rt)}
	case 11, 12, 13, 14, 15, 16, 17:
		return p.holdOperation(rt, sender, nonce)
	case 18, 19, 20:
		return p.regulated(rt, Address(sender))
	}
	op := &ledger.Transfer{}
	for range rapid.IntRange(1, 3).Draw(rt, "legs") {
		from := sender
		if oneIn(rt, 4, "another pays") {
			from = rapid.SampledFrom(slices.Concat(people, []string{"duo", "trio", "dave"})).Draw(rt, "from")
		}
		op.Legs = append(op.Legs, ledger.Leg{From: Address(from), To: p.recipient(rt), Asset: p.asset(rt), Amount: p.amount(rt)})
	}
	return op
}

func (p *play) ethereum(rt *rapid.T, sender string, nonce ledger.Nonce) (Request, *ledger.Tx) {
	envelope := rapid.SampledFrom([]ledger.Envelope{ledger.EnvelopeLegacy, ledger.EnvelopeDynamicFee}).Draw(rt, "envelope")
	leg := ledger.Leg{From: Address(sender), To: p.recipient(rt), Asset: p.asset(rt), Amount: p.amount(rt)}
	raw := EthereumRaw(p.chain.Net, Key(sender), EthereumInner(p.chain.Net, envelope, nonce, leg.To, leg.Asset, leg.Amount))
	tx, code := ledger.Decode(p.chain.Net, raw)
	if code != ledger.Applied {
		rt.Fatalf("%s: %x", code, raw)
	}
	b := ledger.Body{Sender: Address(sender), Nonce: nonce, Op: &ledger.Transfer{Legs: []ledger.Leg{leg}}}
	return Request{Envelope: envelope, Body: b, Signers: []crypto.Address{Address(sender)}}, tx
}
