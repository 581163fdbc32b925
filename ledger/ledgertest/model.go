package ledgertest

import (
	"maps"
	"math/big"
	"slices"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// Request is a transaction as its sender means it: the body, and who really
// signed, in the order of the envelope.
type Request struct {
	Envelope ledger.Envelope
	Body     ledger.Body
	Signers  []crypto.Address
}

// Model is the ledger a second time: slow, obvious, and without a line of the
// ledger's own logic. It judges transactions whose bytes have no fault.
type Model struct {
	Open        bool
	MaxNew      int
	MaxLifetime *big.Int
	Settlement  crypto.Address
	NetworkHash crypto.Hash

	now uint64 // the time of the block at hand

	world world
}

// world is what a refused transaction leaves as it was, but for the nonce.
type world struct {
	accounts map[crypto.Address]*modelAccount
	assets   map[crypto.Address]*modelAsset
	balances map[[2]crypto.Address]*big.Int
	members  map[crypto.Address]*modelMember

	holds   map[crypto.Address]*modelHold
	held    map[[2]crypto.Address]*big.Int     // balances holds what is available
	holders map[[2]crypto.Address]*modelHolder // by asset and account
	created int                                // accounts, in this block
}

type modelAccount struct {
	spent     map[uint64]bool
	frozen    bool // by its member's registrar
	keys      map[crypto.Address]*big.Int
	threshold *big.Int

	frozenByNetwork bool
	closed          bool
	member          crypto.Address
}

type modelAsset struct {
	symbol string
	issuer crypto.Address
	limit  *big.Int
	supply *big.Int
	paused bool

	flags   uint32
	retired bool
	uri     string
	hash    crypto.Hash
}

// NewModel reads a genesis document, not the state it makes.
func NewModel(g *ledger.Genesis) *Model {
	m := &Model{
		Open: g.Params.AccountPolicy == "open", MaxNew: int(g.Params.MaxNewAccounts),
		MaxLifetime: new(big.Int).SetUint64(g.Params.MaxMultiPartyLifetime),
		NetworkHash: crypto.Keccak256([]byte(g.NetworkID)),
		world: world{
			accounts: map[crypto.Address]*modelAccount{}, assets: map[crypto.Address]*modelAsset{}, balances: map[[2]crypto.Address]*big.Int{},
			members: map[crypto.Address]*modelMember{}, holders: map[[2]crypto.Address]*modelHolder{},
			holds: map[crypto.Address]*modelHold{}, held: map[[2]crypto.Address]*big.Int{},
		},
	}
	for _, a := range g.Accounts {
		account := newModelAccount(a.Address)
		if len(a.Keys) > 0 {
			account.keys = map[crypto.Address]*big.Int{}
			for _, k := range a.Keys {
				account.keys[k.Address] = big.NewInt(int64(k.Weight))
			}
			account.threshold = new(big.Int).SetUint64(a.Threshold)
		}
		m.world.accounts[a.Address] = account
	}
	m.admitFounders(g)
	bySymbol := map[string]crypto.Address{}
	for i, a := range g.Assets {
		address := m.assetAddress(crypto.Address{}, uint64(i))
		m.world.assets[address] = newModelAsset(a.Symbol, a.Issuer, a.Cap)
		bySymbol[a.Symbol] = address
	}
	for _, b := range g.Balances {
		asset := bySymbol[b.Symbol]
		m.world.add(b.Account, asset, bigOf(b.Amount))
		supply := m.world.assets[asset].supply
		supply.Add(supply, bigOf(b.Amount))
	}
	m.Settlement = bySymbol[g.Settlement]
	m.regulated(g, bySymbol)
	return m
}

func newModelAccount(own crypto.Address) *modelAccount {
	return &modelAccount{spent: map[uint64]bool{}, keys: map[crypto.Address]*big.Int{own: big.NewInt(1)}, threshold: big.NewInt(1)}
}

func newModelAsset(symbol string, issuer crypto.Address, limit ledger.Amount) *modelAsset {
	most := bigOf(limit)
	if most.Sign() == 0 {
		most = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 128), big.NewInt(1))
	}
	return &modelAsset{symbol: symbol, issuer: issuer, limit: most, supply: new(big.Int)}
}

func (m *Model) assetAddress(creator crypto.Address, nonce uint64) (a crypto.Address) {
	number := new(big.Int).SetUint64(nonce).FillBytes(make([]byte, 8))
	h := crypto.Keccak256([]byte("tallystick/asset"), m.NetworkHash[:], creator[:], number)
	copy(a[:], h[12:])
	return a
}

// Block says what becomes of each request of a block.
func (m *Model) Block(time ledger.UnixTime, requests []Request) []ledger.Code {
	m.world.created, m.now = 0, uint64(time)
	m.expire()
	var codes []ledger.Code
	for i := range requests {
		codes = append(codes, m.run(uint64(time), &requests[i]))
	}
	return codes
}

func (m *Model) run(time uint64, r *Request) ledger.Code {
	if code := m.includable(time, r); code != ledger.Applied {
		return code
	}
	m.world.accounts[r.Body.Sender].spent[uint64(r.Body.Nonce)] = true
	before := m.world.clone()
	code := m.apply(&r.Body)
	if code != ledger.Applied {
		m.world = before
	}
	return code
}

func (w *world) clone() world {
	c := world{
		accounts: map[crypto.Address]*modelAccount{}, assets: map[crypto.Address]*modelAsset{}, balances: map[[2]crypto.Address]*big.Int{},
		created: w.created, members: map[crypto.Address]*modelMember{}, holders: map[[2]crypto.Address]*modelHolder{},
	}
	w.cloneHolds(&c)
	for k, v := range w.accounts {
		copied := *v
		copied.spent = maps.Clone(v.spent)
		c.accounts[k] = &copied
	}
	for k, v := range w.assets {
		copied := *v
		copied.supply = new(big.Int).Set(v.supply)
		c.assets[k] = &copied
	}
	for k, v := range w.balances {
		c.balances[k] = new(big.Int).Set(v)
	}
	for k, v := range w.members {
		copied := *v
		c.members[k] = &copied
	}
	for k, v := range w.holders {
		copied := *v
		copied.amount = new(big.Int).Set(v.amount)
		c.holders[k] = &copied
	}
	return c
}

func (m *Model) includable(time uint64, r *Request) ledger.Code {
	sender := m.world.accounts[r.Body.Sender]
	if sender == nil {
		return ledger.CodeUnknownSender
	}
	if !m.acts(sender) {
		return ledger.CodeSenderInactive
	}
	if code := sender.usable(uint64(r.Body.Nonce)); code != ledger.Applied {
		return code
	}
	if until := uint64(r.Body.ValidUntil); until != 0 && until < time {
		return ledger.CodeExpired
	}
	needed := m.mustAuthorise(&r.Body)
	keys := 0
	for _, a := range needed {
		if account := m.world.accounts[a]; account != nil {
			keys += len(account.keys)
		}
	}
	if len(r.Signers) > keys {
		return ledger.CodeTooManySignatures
	}
	for i := 1; i < len(r.Signers); i++ {
		if r.Signers[i-1].Compare(r.Signers[i]) >= 0 {
			return ledger.CodeSignatureOrder
		}
	}
	return m.judgeSignatures(time, r, needed)
}

func (m *Model) judgeSignatures(time uint64, r *Request, needed []crypto.Address) ledger.Code {
	if !m.allAuthorised(needed, r.Signers) {
		return ledger.CodeUnauthorized
	}
	for i := range r.Signers {
		without := slices.Concat(r.Signers[:i], r.Signers[i+1:])
		if m.allAuthorised(needed, without) {
			return ledger.CodeSuperfluous
		}
	}
	sender := m.world.accounts[r.Body.Sender]
	for _, signer := range r.Signers {
		if sender.keys[signer] != nil {
			continue
		}
		if r.Body.ValidUntil == 0 {
			return ledger.CodeLifetimeRequired
		}
		ahead := new(big.Int).Sub(new(big.Int).SetUint64(uint64(r.Body.ValidUntil)), new(big.Int).SetUint64(time))
		if ahead.Cmp(m.MaxLifetime) > 0 {
			return ledger.CodeLifetimeTooLong
		}
	}
	return ledger.Applied
}

// usable: unspent, n < next + 1024, n + 4096 ≥ next.
func (a *modelAccount) usable(n uint64) ledger.Code {
	next := new(big.Int)
	for spent := range a.spent {
		if after := new(big.Int).SetUint64(spent + 1); after.Cmp(next) > 0 {
			next = after
		}
	}
	nonce := new(big.Int).SetUint64(n)
	switch {
	case new(big.Int).Add(nonce, big.NewInt(4096)).Cmp(next) < 0:
		return ledger.CodeNonceTooLow
	case a.spent[n]:
		return ledger.CodeNonceSpent
	case nonce.Cmp(new(big.Int).Add(next, big.NewInt(1024))) >= 0:
		return ledger.CodeNonceTooHigh
	}
	return ledger.Applied
}

// mustAuthorise: the sender, and whoever pays or becomes an issuer.
func (m *Model) mustAuthorise(b *ledger.Body) []crypto.Address {
	all := map[crypto.Address]bool{b.Sender: true}
	switch op := b.Op.(type) {
	case *ledger.Transfer:
		for _, l := range op.Legs {
			all[l.From] = true
		}
	case *ledger.Redeem:
		all[op.From] = true
	case *ledger.CreateHold:
		all[op.From] = true
	case *ledger.Settle:
		for _, c := range op.Captures {
			all[c.By] = true
		}
		for _, l := range op.Legs {
			all[l.From] = true
		}
		for _, h := range op.Holds {
			all[h.From] = true
		}
	case *ledger.ChangeIssuer:
		all[op.To] = true
	}
	return slices.Collect(maps.Keys(all))
}

func (m *Model) allAuthorised(accounts, signers []crypto.Address) bool {
	for _, a := range accounts {
		account := m.world.accounts[a]
		if account == nil {
			return false
		}
		total := new(big.Int)
		for _, s := range signers {
			if weight := account.keys[s]; weight != nil {
				total.Add(total, weight)
			}
		}
		if total.Cmp(account.threshold) < 0 {
			return false
		}
	}
	return true
}
