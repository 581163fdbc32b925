package ledgertest

import (
	"math/big"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

type modelMember struct {
	roles  map[string]bool
	status ledger.MemberStatus
}

// admitFounders reads the members of a genesis.
func (m *Model) admitFounders(g *ledger.Genesis) {
	for _, founder := range g.Members {
		roles := map[string]bool{}
		for _, r := range founder.Roles {
			roles[r] = true
		}
		m.world.members[founder.Admin] = &modelMember{roles, ledger.MemberActive}
	}
	for _, a := range g.Accounts {
		m.world.accounts[a.Address].member = a.Member
	}
}

// FreezeByNetwork makes an account unable to act and receive.
func (m *Model) FreezeByNetwork(a crypto.Address) { m.world.accounts[a].frozenByNetwork = true }

// SetMemberStatus suspends a member, removes it, or makes it active again.
func (m *Model) SetMemberStatus(member crypto.Address, status ledger.MemberStatus) {
	m.world.members[member].status = status
}

// barred: the account may neither act nor receive.
func (a *modelAccount) barred() bool { return a.frozen || a.frozenByNetwork || a.closed }

// acts: the account is not barred, and its member, if it has one, is active.
func (m *Model) acts(a *modelAccount) bool {
	if a.barred() {
		return false
	}
	member := m.world.members[a.member]
	return member == nil || member.status == ledger.MemberActive
}

func (m *Model) setKeys(b *ledger.Body, op *ledger.SetKeys) ledger.Code {
	account := m.world.accounts[b.Sender]
	next := newModelAccount(b.Sender)
	if len(op.Keys) > 0 {
		next.keys = map[crypto.Address]*big.Int{}
		for _, k := range op.Keys {
			next.keys[k.Address] = big.NewInt(int64(k.Weight))
		}
		next.threshold = new(big.Int).SetUint64(op.Threshold)
	}
	same := len(next.keys) == len(account.keys) && next.threshold.Cmp(account.threshold) == 0
	for k, weight := range next.keys {
		same = same && account.keys[k] != nil && account.keys[k].Cmp(weight) == 0
	}
	if same {
		return ledger.CodeAuthorityUnchanged
	}
	account.keys, account.threshold = next.keys, next.threshold
	return ledger.Applied
}

// registrar: only the admin account of an active member with that role.
func (m *Model) registrar(sender crypto.Address) ledger.Code {
	member := m.world.members[sender]
	if member == nil || member.status != ledger.MemberActive {
		return ledger.CodeNotMember
	}
	if !member.roles["registrar"] {
		return ledger.CodeMissingRole
	}
	return ledger.Applied
}

func (m *Model) admit(sender, address crypto.Address) ledger.Code {
	if code := m.registrar(sender); code != ledger.Applied {
		return code
	}
	if m.world.assets[address] != nil {
		return ledger.CodeAccountIsAsset
	}
	if account := m.world.accounts[address]; account != nil {
		if account.closed {
			return ledger.CodeAccountClosed
		}
		if former := m.world.members[account.member]; former == nil || former.status != ledger.MemberRemoved {
			return ledger.CodeAccountExists
		}
		account.member = sender
		return ledger.Applied
	}
	if m.world.created == m.MaxNew {
		return ledger.CodeNewAccountLimit
	}
	m.world.created++
	m.world.accounts[address] = newModelAccount(address)
	m.world.accounts[address].member = sender
	return ledger.Applied
}

// ownAccount answers with the account if it is the registrar's to freeze and
// close, and not closed already.
func (m *Model) ownAccount(sender, address crypto.Address) (*modelAccount, ledger.Code) {
	if code := m.registrar(sender); code != ledger.Applied {
		return nil, code
	}
	account := m.world.accounts[address]
	switch {
	case account == nil:
		return nil, ledger.CodeUnknownAccount
	case account.member != sender:
		return nil, ledger.CodeNotOwnAccount
	case address == sender:
		return nil, ledger.CodeAdminAccount
	case account.closed:
		return nil, ledger.CodeAccountClosed
	}
	return account, ledger.Applied
}

func (m *Model) freeze(sender, address crypto.Address, to bool, already ledger.Code) ledger.Code {
	account, code := m.ownAccount(sender, address)
	if code != ledger.Applied {
		return code
	}
	if account.frozen == to {
		return already
	}
	account.frozen = to
	return ledger.Applied
}

func (m *Model) closeAccount(sender, address crypto.Address) ledger.Code {
	account, code := m.ownAccount(sender, address)
	if code != ledger.Applied {
		return code
	}
	if m.balancesOf(address) > 0 {
		return ledger.CodeAccountHasBalances
	}
	for _, h := range m.world.holds {
		if h.from == address || h.to == address {
			return ledger.CodeAccountHasHolds
		}
	}
	account.closed = true
	return ledger.Applied
}

// balancesOf counts the assets of which the account has something.
func (m *Model) balancesOf(address crypto.Address) (n uint64) {
	for id, amount := range m.world.balances {
		held := m.world.held[id]
		if id[0] == address && (amount.Sign() > 0 || held != nil && held.Sign() > 0) {
			n++
		}
	}
	return n
}

// status is what the account's record should say.
func (a *modelAccount) status() ledger.AccountStatus {
	switch {
	case a.closed:
		return ledger.StatusClosed
	case a.frozen && a.frozenByNetwork:
		return ledger.StatusFrozenByBoth
	case a.frozen:
		return ledger.StatusFrozen
	case a.frozenByNetwork:
		return ledger.StatusFrozenByNetwork
	}
	return ledger.StatusActive
}

// sameAuthority compares the keys that count with the record's.
func (a *modelAccount) sameAuthority(self crypto.Address, recorded *ledger.Authority) bool {
	if len(recorded.Keys) == 0 {
		own := a.keys[self]
		return len(a.keys) == 1 && own != nil && own.Cmp(big.NewInt(1)) == 0 && a.threshold.Cmp(big.NewInt(1)) == 0
	}
	for _, k := range recorded.Keys {
		if weight := a.keys[k.Address]; weight == nil || weight.Cmp(big.NewInt(int64(k.Weight))) != 0 {
			return false
		}
	}
	return len(recorded.Keys) == len(a.keys) && a.threshold.Cmp(new(big.Int).SetUint64(recorded.Threshold)) == 0
}
