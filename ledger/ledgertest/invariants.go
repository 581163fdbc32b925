package ledgertest

import (
	"bytes"
	"math/big"
	"reflect"
	"slices"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// The invariants, checked after every block:
//
//   - each asset's balances sum to its supply (check);
//   - no balance, account or asset without a source: the state is exactly what
//     the events of genesis and of all transactions make (check);
//   - each account counts its balances, and a closed one has none (checkPeople);
//   - members, their powers, proposals, parameters and upgrades are exactly what
//     the events tell, every open proposal falls due once, and no consensus key
//     was ever two members' (checkGovernance);
//   - powers move by less than a third a block, never all go, and CometBFT is
//     told exactly what changed (checkPowers);
//   - no (sender, nonce) twice (checkSpending);
//   - nobody but the sender spends a sender's nonce: every transaction that
//     spends one carries signatures that meet the sender's authority, and no
//     other account's window changes (checkSpending);
//   - a nonce that was spent is never usable again (checkSpending);
//   - applying a block changes neither the reader nor the transactions, and
//     the same block gives the same answer again, also from bytes decoded
//     anew (checkRepeatable);
//   - changes ascend, are unique, and each has an effect (checkChanges).

// book is the state as events alone tell it.
type book struct {
	accounts map[crypto.Address]bool
	assets   map[crypto.Address]*bookAsset
	balances map[[2]crypto.Address]*big.Int
	people   map[crypto.Address]*bookAccount // the accounts again, with what else is told of them
	govern   *governBook
	holds    map[crypto.Address]*ledger.Hold      // with what is left
	holders  map[[2]crypto.Address]*ledger.Holder // by asset and account
}

type bookAsset struct {
	created  ledger.Event
	supply   *big.Int
	issuer   crypto.Address
	metadata ledger.Metadata
	// What the events say about its status.
	paused, pausedByNetwork, retired bool
}

func newBook() *book {
	return &book{
		accounts: map[crypto.Address]bool{}, assets: map[crypto.Address]*bookAsset{}, balances: map[[2]crypto.Address]*big.Int{},
		people: map[crypto.Address]*bookAccount{}, govern: newGovernBook(), holds: map[crypto.Address]*ledger.Hold{},
		holders: map[[2]crypto.Address]*ledger.Holder{},
	}
}

// record enters events, each through its text form and back.
func (b *book) record(t testing.TB, events []ledger.Event) {
	t.Helper()
	for i := range events {
		e, ok := ledger.ParseEvent(events[i].Type.Name(), events[i].Attributes())
		if !ok || e != events[i] {
			t.Fatalf("event %+v does not survive its text form: %+v", events[i], e)
		}
		b.enter(t, e)
	}
}

func (b *book) enter(t testing.TB, e ledger.Event) {
	t.Helper()
	if b.govern.enter(t, &e) {
		return
	}
	switch e.Type {
	case ledger.EventAccountCreated:
		if b.accounts[e.Account] {
			t.Fatalf("account %s is created twice", e.Account)
		}
		b.accounts[e.Account] = true
		b.people[e.Account] = &bookAccount{}
	case ledger.EventAccountAdmitted, ledger.EventAccountFrozen, ledger.EventAccountUnfrozen, ledger.EventAccountClosed,
		ledger.EventAuthorityChanged:
		b.enterAccount(t, e)
	case ledger.EventAssetCreated:
		if b.assets[e.Asset] != nil {
			t.Fatalf("asset %s is created twice", e.Asset)
		}
		b.assets[e.Asset] = &bookAsset{created: e, supply: new(big.Int), issuer: e.Account}
	case ledger.EventTransfer:
		b.add(e.From, e.Asset, e.Amount, -1)
		b.add(e.To, e.Asset, e.Amount, 1)
	case ledger.EventIssue:
		b.add(e.To, e.Asset, e.Amount, 1)
		b.assets[e.Asset].supply.Add(b.assets[e.Asset].supply, bigOf(e.Amount))
	case ledger.EventRedeem:
		b.add(e.From, e.Asset, e.Amount, -1)
		b.assets[e.Asset].supply.Sub(b.assets[e.Asset].supply, bigOf(e.Amount))
	case ledger.EventAssetPaused:
		b.assets[e.Asset].paused = true
	case ledger.EventAssetResumed:
		b.assets[e.Asset].paused = false
	case ledger.EventHoldCreated, ledger.EventHoldCaptured, ledger.EventHoldReleased:
		b.enterHold(t, e)
	default:
		if !b.enterRegulated(t, e) {
			t.Fatalf("event of unknown type %d", e.Type)
		}
	}
}

func bigOf(a ledger.Amount) *big.Int { return a.Uint256().ToBig() }

func (b *book) add(account, asset crypto.Address, amount ledger.Amount, sign int64) {
	id := [2]crypto.Address{account, asset}
	if b.balances[id] == nil {
		b.balances[id] = new(big.Int)
	}
	b.balances[id].Add(b.balances[id], new(big.Int).Mul(bigOf(amount), big.NewInt(sign)))
}

// check compares the state with the book, and sums the balances.
func (c *Chain) check(t testing.TB) {
	t.Helper()
	c.checkAccounts(t)
	c.checkPeople(t)
	c.checkGovernance(t)
	c.checkHolds(t)
	sums := c.checkBalances(t)
	entries := c.State.Under("asset/")
	if len(entries) != len(c.book.assets) {
		t.Fatalf("the state has %d assets, the events made %d", len(entries), len(c.book.assets))
	}
	for _, e := range entries {
		c.checkAsset(t, crypto.Address([]byte(e.Key)), e.Value, sums)
	}
	c.checkHolders(t)
	c.checkCounts(t)
}

func (c *Chain) checkAccounts(t testing.TB) {
	t.Helper()
	entries := c.State.Under("account/")
	if len(entries) != len(c.book.accounts) {
		t.Fatalf("the state has %d accounts, the events made %d", len(entries), len(c.book.accounts))
	}
	for _, e := range entries {
		if !c.book.accounts[crypto.Address([]byte(e.Key))] {
			t.Fatalf("account %x has no source", e.Key)
		}
	}
}

func (c *Chain) checkBalances(t testing.TB) map[crypto.Address]*big.Int {
	t.Helper()
	sums := map[crypto.Address]*big.Int{}
	seen := map[[2]crypto.Address]bool{}
	for _, e := range c.State.Under("balance/") {
		id := [2]crypto.Address{crypto.Address([]byte(e.Key[:20])), crypto.Address([]byte(e.Key[20:]))}
		b, err := ledger.DecodeBalance(e.Value)
		if err != nil {
			t.Fatal(err)
		}
		total := new(big.Int).Add(bigOf(b.Available), bigOf(b.Held))
		if want := c.book.balances[id]; want == nil || want.Cmp(total) != 0 {
			t.Fatalf("balance of %s in %s is %s, the events make %v", id[0], id[1], total, want)
		}
		if !c.book.accounts[id[0]] {
			t.Fatalf("%s has a balance and no account", id[0])
		}
		if sums[id[1]] == nil {
			sums[id[1]] = new(big.Int)
		}
		sums[id[1]].Add(sums[id[1]], total)
		seen[id] = true
	}
	for id, want := range c.book.balances {
		if want.Sign() != 0 && !seen[id] {
			t.Fatalf("balance of %s in %s is gone, the events make %s", id[0], id[1], want)
		}
	}
	return sums
}

func (c *Chain) checkAsset(t testing.TB, address crypto.Address, value []byte, sums map[crypto.Address]*big.Int) {
	t.Helper()
	a, err := ledger.DecodeAsset(value)
	if err != nil {
		t.Fatal(err)
	}
	known := c.book.assets[address]
	if known == nil {
		t.Fatalf("asset %s has no source", address)
	}
	e := known.created
	told := ledger.Asset{
		Symbol: e.Symbol, Name: e.Name, Decimals: e.Decimals, Issuer: known.issuer, Cap: e.Amount, Flags: e.Flags,
		Supply: a.Supply, Status: known.status(), Holds: c.book.holdsOf(address),
	}
	if a != told {
		t.Fatalf("asset %s is %+v, the events make %+v", address, a, told)
	}
	sum := sums[address]
	if sum == nil {
		sum = new(big.Int)
	}
	if supply := bigOf(a.Supply); supply.Cmp(known.supply) != 0 || supply.Cmp(sum) != 0 {
		t.Fatalf("asset %s has supply %s, the events make %s, the balances sum to %s", a.Symbol, supply, known.supply, sum)
	}
	if c.book.accounts[address] {
		t.Fatalf("an account and an asset stand at %s", address)
	}
	if got := c.Asset(a.Symbol); got != address {
		t.Fatalf("symbol %s names %s, not %s", a.Symbol, got, address)
	}
}

// checkRepeatable applies the block again, also from its bytes.
func (c *Chain) checkRepeatable(t testing.TB, block ledger.Block, first *ledger.BlockResult) {
	t.Helper()
	fresh := block
	fresh.Txs = nil
	for _, tx := range block.Txs {
		again, _ := ledger.Decode(c.Net, bytes.Clone(tx.Raw))
		fresh.Txs = append(fresh.Txs, again)
	}
	for _, b := range []ledger.Block{block, fresh} {
		second, err := ledger.Apply(c.Net, b, c.State)
		if err != nil || !reflect.DeepEqual(first, second) {
			t.Fatalf("block %d gives another result the second time (error %v)", block.Height, err)
		}
	}
	for i, tx := range block.Txs {
		tx.RecoverSigners()
		fresh.Txs[i].RecoverSigners()
		if !reflect.DeepEqual(tx, fresh.Txs[i]) {
			t.Fatalf("transaction %d of block %d was changed by applying it", i, block.Height)
		}
	}
}

// checkChanges checks the form of a block's changes on the state before it.
func checkChanges(t testing.TB, before *State, changes []ledger.Change) {
	t.Helper()
	for i, change := range changes {
		if i > 0 && bytes.Compare(changes[i-1].Key, change.Key) >= 0 {
			t.Fatalf("changes do not ascend at %q", change.Key)
		}
		if change.Value != nil && len(change.Value) == 0 {
			t.Fatalf("change of %q to an empty value", change.Key)
		}
		old, _ := before.Get(change.Key)
		if bytes.Equal(old, change.Value) && (old == nil) == (change.Value == nil) {
			t.Fatalf("change of %q has no effect", change.Key)
		}
	}
}

// checkSpending enters the nonces that a block spent, on the state before it.
func (c *Chain) checkSpending(t testing.TB, block ledger.Block, result *ledger.BlockResult) {
	t.Helper()
	changed := map[crypto.Address]ledger.Authority{} // earlier in this block
	for i, tx := range block.Txs {
		if !result.Results[i].Code.SpendsNonce() {
			continue
		}
		if c.Spent(tx.Sender, tx.Nonce) {
			t.Fatalf("nonce %d of %s is spent twice", tx.Nonce, tx.Sender)
		}
		c.spent[tx.Sender] = append(c.spent[tx.Sender], tx.Nonce)
		if !c.signedBySender(t, tx, changed) {
			t.Fatalf("transaction %d spends nonce %d of %s without its signatures", i, tx.Nonce, tx.Sender)
		}
		for _, e := range result.Results[i].Events {
			if e.Type == ledger.EventAuthorityChanged {
				keys, _ := ledger.ParseKeys(e.Keys)
				changed[e.Account] = ledger.Authority{Keys: keys, Threshold: e.Number}
			}
		}
	}
	after := c.State.Clone()
	after.Write(result.Changes)
	for _, e := range after.Under("account/") {
		a, err := ledger.DecodeAccount(e.Value)
		if err != nil {
			t.Fatal(err)
		}
		c.checkWindow(t, crypto.Address([]byte(e.Key)), &a.Window)
	}
}

// signedBySender adds up the weights of the signers in the sender's authority.
func (c *Chain) signedBySender(t testing.TB, tx *ledger.Tx, changed map[crypto.Address]ledger.Authority) bool {
	t.Helper()
	authority, known := changed[tx.Sender]
	if !known {
		// Of one created earlier in this block its own key is the authority.
		account, _ := c.Account(t, tx.Sender)
		authority = account.Authority
	}
	if len(authority.Keys) == 0 {
		return slices.Contains(tx.Signers, tx.Sender)
	}
	var total uint64
	for _, k := range authority.Keys {
		if slices.Contains(tx.Signers, k.Address) {
			total += uint64(k.Weight)
		}
	}
	return total >= authority.Threshold
}

// checkWindow: the window has spent what blocks spent, and nothing else that
// lies near.
func (c *Chain) checkWindow(t testing.TB, account crypto.Address, w *ledger.Window) {
	t.Helper()
	spent := map[ledger.Nonce]bool{}
	var next ledger.Nonce
	for _, n := range c.spent[account] {
		spent[n] = true
		next = max(next, n+1)
	}
	if w.Next != next {
		t.Fatalf("next nonce of %s is %d, the blocks make it %d", account, w.Next, next)
	}
	for n := range spent {
		if w.Usable(n) == ledger.Applied {
			t.Fatalf("nonce %d of %s was spent and is usable", n, account)
		}
	}
	for n := next - min(next, 64); n < next+8; n++ {
		if !spent[n] && w.Usable(n) != ledger.Applied {
			t.Fatalf("nonce %d of %s is not spent and not usable: %s", n, account, w.Usable(n))
		}
	}
}
