package ledgertest

import (
	"maps"
	"math/big"
	"slices"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// GovernModel is governance a second time: members, proposals, powers, parameters,
// upgrades, frozen accounts and paused assets, slow, obvious, and without a line of
// the ledger's own logic.
type GovernModel struct {
	world governWorld
	now   uint64
	high  uint64 // the block's height
}

// governWorld is what a proposal that fails leaves as it was.
type governWorld struct {
	members    map[crypto.Address]*councilMember
	owners     map[ledger.ConsensusKey]crypto.Address // of every key ever used
	accounts   map[crypto.Address]*councilAccount
	assets     map[crypto.Address]*councilAsset
	proposals  []*modelProposal // number 1 first
	params     map[string]uint64
	thresholds map[string]*big.Rat
	version    uint64
	upgrade    *ledger.ScheduleUpgradeAction
	unsettled  bool // who votes, or how many must, has changed
}

type councilMember struct {
	name, status string
	roles        ledger.Roles
	key          ledger.ConsensusKey
	power        *big.Int
	target       *big.Int
	nodes        []ledger.NodeID
	rotated      uint64
}

type modelProposal struct {
	proposer     crypto.Address
	actions      ledger.ActionList
	status       string
	created, due uint64
	delay        uint64
	order        []ledger.Vote
	ballots      map[crypto.Address]bool // yes or no
	vetoes       map[crypto.Address]bool
	code         ledger.Code
	failed       int
}

// NewGovernModel reads a genesis document. at are its assets' addresses, by symbol.
func NewGovernModel(g *ledger.Genesis, at func(symbol string) crypto.Address) *GovernModel {
	w := governWorld{
		members: map[crypto.Address]*councilMember{}, owners: map[ledger.ConsensusKey]crypto.Address{},
		accounts: map[crypto.Address]*councilAccount{}, assets: map[crypto.Address]*councilAsset{}, thresholds: map[string]*big.Rat{}, version: 1,
		params: map[string]uint64{
			"accountPolicy": 1, "maxNewAccounts": g.Params.MaxNewAccounts, "maxMultiPartyLifetime": g.Params.MaxMultiPartyLifetime,
			"maxBlockSignatures": g.Params.MaxBlockSignatures, "maxBlockLegs": g.Params.MaxBlockLegs, "maxBlockBytes": g.Params.MaxBlockBytes,
			"minProposalDelay": g.Params.MinProposalDelay, "keyRotationCooldown": g.Params.KeyRotationCooldown,
		},
	}
	if g.Params.AccountPolicy == "open" {
		w.params["accountPolicy"] = 2
	}
	for _, a := range g.Accounts {
		w.accounts[a.Address] = &councilAccount{member: a.Member}
	}
	for _, a := range g.Assets {
		w.assets[at(a.Symbol)] = &councilAsset{issuer: a.Issuer, settles: a.Symbol == g.Settlement}
	}
	for _, kind := range ledger.ActionKinds() {
		w.thresholds[kind.String()] = big.NewRat(2, 3)
	}
	w.thresholds["resolution"] = big.NewRat(1, 2)
	for _, t := range g.Params.Thresholds {
		w.thresholds[t.Action] = big.NewRat(int64(t.Numerator), int64(t.Denominator))
	}
	for _, m := range g.Members {
		roles, err := ledger.ParseRoles(m.Roles)
		if err != nil {
			panic("ledgertest: " + err.Error())
		}
		w.members[m.Admin] = &councilMember{m.Name, "active", roles, m.ConsensusKey, big.NewInt(int64(m.Power)), big.NewInt(int64(m.Power)), m.NodeIDs, 0}
		if !m.ConsensusKey.IsZero() {
			w.owners[m.ConsensusKey] = m.Admin
		}
	}
	return &GovernModel{world: w}
}

func (w *governWorld) clone() governWorld {
	c := *w
	c.members, c.owners = map[crypto.Address]*councilMember{}, maps.Clone(w.owners)
	for a, m := range w.members {
		copied := *m
		copied.power, copied.target = new(big.Int).Set(m.power), new(big.Int).Set(m.target)
		c.members[a] = &copied
	}
	c.accounts, c.assets = map[crypto.Address]*councilAccount{}, map[crypto.Address]*councilAsset{}
	for address, a := range w.accounts {
		copied := *a
		c.accounts[address] = &copied
	}
	for address, a := range w.assets {
		copied := *a
		c.assets[address] = &copied
	}
	c.params, c.thresholds = maps.Clone(w.params), maps.Clone(w.thresholds)
	return c
}

// Block says what becomes of each operation of the next block, whose senders
// have signed.
func (m *GovernModel) Block(time ledger.UnixTime, evidence []ledger.ConsensusKey, sent []Sent) (codes []ledger.Code) {
	m.now, m.high = uint64(time), m.high+1
	w := &m.world
	if w.upgrade != nil && w.upgrade.Height == m.high {
		w.version, w.upgrade = w.upgrade.Version, nil
	}
	for _, key := range evidence {
		w.punish(key)
	}
	m.fallDue()
	for _, s := range sent {
		codes = append(codes, m.run(Address(s.By), s.Op))
	}
	w.movePowers()
	return codes
}

func (m *GovernModel) run(sender crypto.Address, op ledger.Operation) ledger.Code {
	w := &m.world
	if !w.mayAct(sender) {
		return ledger.CodeSenderInactive
	}
	switch op := op.(type) {
	case *ledger.PauseAsset:
		return w.issuer(sender, op.Asset, op)
	case *ledger.ResumeAsset:
		return w.issuer(sender, op.Asset, op)
	case *ledger.RetireAsset:
		return w.issuer(sender, op.Asset, op)
	}
	member := w.members[sender]
	if member == nil {
		return ledger.CodeNotMember
	}
	switch op := op.(type) {
	case *ledger.FreezeAccount:
		return w.registrar(sender, op.Account, op)
	case *ledger.UnfreezeAccount:
		return w.registrar(sender, op.Account, op)
	case *ledger.CloseAccount:
		return w.registrar(sender, op.Account, op)
	}
	return m.govern(sender, member, op)
}

// govern is what becomes of a member's operation of governance.
func (m *GovernModel) govern(sender crypto.Address, member *councilMember, op ledger.Operation) ledger.Code {
	switch op := op.(type) {
	case *ledger.Propose:
		return m.propose(sender, op)
	case *ledger.CastVote:
		return m.vote(sender, op)
	case *ledger.WithdrawProposal:
		return m.withdraw(sender, op)
	case *ledger.RotateValidatorKey:
		return m.rotate(sender, member, op)
	case *ledger.SetNodes:
		if slices.Equal(member.nodes, op.NodeIDs) {
			return ledger.CodeNoChange
		}
		if len(op.NodeIDs) == 0 && member.power.Sign()+member.target.Sign() > 0 {
			return ledger.CodeNoNodes
		}
		member.nodes = op.NodeIDs
		return ledger.Applied
	}
	panic("ledgertest: unknown operation")
}

func (m *GovernModel) rotate(sender crypto.Address, member *councilMember, op *ledger.RotateValidatorKey) ledger.Code {
	if member.roles&ledger.RoleValidator == 0 {
		return ledger.CodeMissingRole
	}
	if member.rotated > 0 && m.now < member.rotated+m.world.params["keyRotationCooldown"] {
		return ledger.CodeKeyCooldown
	}
	if _, used := m.world.owners[op.ConsensusKey]; used {
		return ledger.CodeKeyUsed
	}
	m.world.owners[op.ConsensusKey] = sender
	member.key, member.rotated = op.ConsensusKey, m.now
	return ledger.Applied
}

// addresses are the members', ascending.
func (w *governWorld) addresses() []crypto.Address {
	return slices.SortedFunc(maps.Keys(w.members), crypto.Address.Compare)
}

func (w *governWorld) active() (n int) {
	for _, m := range w.members {
		if m.status == "active" {
			n++
		}
	}
	return n
}

// goal is where a member's power belongs.
func (m *councilMember) goal() *big.Int {
	if m.status != "active" || m.roles&ledger.RoleValidator == 0 {
		return new(big.Int)
	}
	return new(big.Int).Set(m.target)
}

// punish takes all power of whoever had the key, unless the others have less
// than 4 of what they keep.
func (w *governWorld) punish(key ledger.ConsensusKey) {
	owner, known := w.owners[key]
	if !known {
		return
	}
	kept := new(big.Int)
	for a, m := range w.members {
		if a == owner {
			continue
		}
		if goal := m.goal(); goal.Cmp(m.power) < 0 {
			kept.Add(kept, goal)
		} else {
			kept.Add(kept, m.power)
		}
	}
	if kept.Cmp(big.NewInt(4)) < 0 {
		return
	}
	w.members[owner].power, w.members[owner].target = new(big.Int), new(big.Int)
}

// movePowers: one unit after another is a budget of less than a third of the
// whole; first whoever rises, then whoever falls, by address.
func (w *governWorld) movePowers() {
	total := new(big.Int)
	for _, m := range w.members {
		total.Add(total, m.power)
	}
	budget := new(big.Int).Sub(total, big.NewInt(1))
	budget.Div(budget, big.NewInt(3))
	for _, rising := range []int{1, -1} {
		for _, a := range w.addresses() {
			m := w.members[a]
			way := new(big.Int).Sub(m.goal(), m.power)
			if way.Sign() != rising {
				continue
			}
			step := new(big.Int).Abs(way)
			if step.Cmp(budget) > 0 {
				step.Set(budget)
			}
			budget.Sub(budget, step)
			m.power = new(big.Int).Add(m.power, step.Mul(step, big.NewInt(int64(rising))))
		}
	}
}
