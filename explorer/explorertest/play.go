package explorertest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

var memos = []string{"", "", "", "Invoice 17, Zürich office", "rent for März", "order №5 <b>\"quoted\"</b>", "line one\nline two", "100% of 'it'; DROP TABLE"}

// Sign makes a transaction of one of the people or members. A random number of
// nonces before it stays unspent.
func (c *Chain) Sign(by string, op ledger.Operation, memo string) *ledger.Tx {
	c.t.Helper()
	sender := ledgertest.Address(by)
	body := ledger.Body{Sender: sender, Nonce: c.nonces[sender], Op: op, Memo: memo}
	c.nonces[sender] += ledger.Nonce(1 + c.random.IntN(2))
	tx, code := ledger.Sign(c.net, body, ledger.SchemeBodyHash, ledgertest.Key(by))
	if code != ledger.Applied {
		c.t.Fatalf("%s of %s: %s", op.Kind(), by, code)
	}
	return tx
}

func (c *Chain) transactions() (txs []*ledger.Tx) {
	for range c.random.IntN(7) {
		by, op := c.operation()
		txs = append(txs, c.Sign(by, op, memos[c.random.IntN(len(memos))]))
	}
	return txs
}

func pick[T any](c *Chain, list ...T) T { return list[c.random.IntN(len(list))] }

// stranger is an account that nobody has a key of; there are few.
func (c *Chain) stranger() (a crypto.Address) {
	a[19] = byte(1 + c.random.IntN(9))
	return a
}

func (c *Chain) person() string { return pick(c, People[1:]...) }

func (c *Chain) account() crypto.Address {
	if c.random.IntN(3) == 0 {
		return c.stranger()
	}
	return ledgertest.Address(c.person())
}

func (c *Chain) state() ledger.MapState { return c.State(c.Top()) }

// under lists the state's keys with a prefix, without it.
func under(state ledger.MapState, prefix string) (keys []string) {
	for _, k := range slices.Sorted(maps.Keys(state)) {
		if rest, ok := strings.CutPrefix(k, prefix); ok {
			keys = append(keys, rest)
		}
	}
	return keys
}

func (c *Chain) asset() crypto.Address {
	return crypto.Address([]byte(pick(c, under(c.state(), "asset/")...)))
}

func (c *Chain) amount() ledger.Amount { return ledger.NewAmount(1 + c.random.Uint64N(3000)) }

func (c *Chain) reference() string {
	return pick(c, "", "", "INV-1", "inv-2", "Rechnung ä", fmt.Sprint("REF/", c.random.IntN(20)))
}

// operation is what somebody does; some of it is refused.
func (c *Chain) operation() (string, ledger.Operation) {
	by := c.person()
	from := ledgertest.Address(by)
	switch n := c.random.IntN(20); {
	case n < 8:
		op := &ledger.Transfer{}
		for range 1 + c.random.IntN(3) {
			op.Legs = append(op.Legs, ledger.Leg{From: from, To: c.account(), Asset: c.asset(), Amount: c.amount(), Reference: c.reference()})
		}
		return by, op
	case n < 11:
		return c.holding(by)
	case n < 14:
		return c.issuing()
	case n < 16:
		return c.registrar()
	case n == 16:
		return by, &ledger.SetKeys{Keys: []ledger.Key{{Address: from, Weight: uint32(2 + c.random.IntN(3))}}, Threshold: 1}
	}
	return c.governing()
}

func (c *Chain) holding(by string) (string, ledger.Operation) {
	holds := under(c.state(), "hold/")
	if len(holds) > 0 && c.random.IntN(2) == 0 {
		id := crypto.Address([]byte(pick(c, holds...)))
		h, _, err := ledger.ReadHold(c.state(), id)
		if err != nil {
			c.t.Fatal(err)
		}
		for _, name := range People[1:] {
			if ledgertest.Address(name) == h.To {
				return name, pick[ledger.Operation](c, &ledger.CaptureHold{Hold: id, Amount: h.Amount, Reference: "all"},
					&ledger.CaptureHold{Hold: id, Amount: ledger.NewAmount(1)}, &ledger.ReleaseHold{Hold: id})
			}
		}
	}
	other := c.person()
	if other == by {
		return by, &ledger.Transfer{Legs: []ledger.Leg{{From: ledgertest.Address(by), To: ledgertest.Address(by), Asset: c.asset(), Amount: c.amount()}}}
	}
	hold := ledger.Hold{
		From: ledgertest.Address(by), To: ledgertest.Address(other), Asset: c.asset(), Amount: c.amount(),
		Expiry: c.At(c.Top()).Time + 60 + ledger.UnixTime(c.random.IntN(400)), Reference: c.reference(),
	}
	if c.random.IntN(4) == 0 {
		return by, &ledger.Settle{Holds: []ledger.Hold{hold}, Legs: []ledger.Leg{{From: hold.From, To: c.stranger(), Asset: hold.Asset, Amount: ledger.NewAmount(2)}}}
	}
	return by, (*ledger.CreateHold)(&hold)
}

func (c *Chain) issuing() (string, ledger.Operation) {
	asset, account := c.asset(), c.account()
	issuer := ledgertest.Address("issuer")
	return pick(c, "issuer", "issuer", "issuer", "m0"), pick[ledger.Operation](c,
		&ledger.Issue{Asset: asset, To: account, Amount: c.amount(), Reference: c.reference()},
		&ledger.Redeem{Asset: asset, From: issuer, Amount: c.amount()},
		&ledger.CreateAsset{Symbol: fmt.Sprintf("A%d", c.random.IntN(40)), Name: fmt.Sprint("Asset number ", c.random.IntN(40)), Decimals: 3, Flags: uint32(c.random.IntN(8))},
		&ledger.PauseAsset{Asset: asset}, &ledger.ResumeAsset{Asset: asset}, &ledger.ResumeAsset{Asset: asset},
		&ledger.SetMetadata{Asset: asset, URI: "https://example.org/terms", Hash: crypto.Keccak256(asset[:])},
		&ledger.ApproveHolder{Asset: asset, Account: account}, &ledger.RevokeHolder{Asset: asset, Account: account},
		&ledger.FreezeHolder{Asset: asset, Account: account, Reference: "case"}, &ledger.UnfreezeHolder{Asset: asset, Account: account},
		&ledger.FreezeBalance{Asset: asset, Account: account, Amount: c.amount()},
		&ledger.Clawback{Asset: asset, From: account, To: issuer, Amount: c.amount(), Reason: 7, Reference: "order"},
		&ledger.ChangeIssuer{Asset: asset, To: ledgertest.Address("alice")},
	)
}

func (c *Chain) registrar() (string, ledger.Operation) {
	account := c.account()
	return pick(c, "m0", "m0", "m1"), pick[ledger.Operation](c,
		&ledger.AdmitAccount{Account: account}, &ledger.FreezeAccount{Account: account, Reference: "case"},
		&ledger.UnfreezeAccount{Account: account}, &ledger.UnfreezeAccount{Account: account}, &ledger.CloseAccount{Account: c.stranger()},
	)
}

func (c *Chain) governing() (string, ledger.Operation) {
	proposals := under(c.state(), "proposal/")
	if n := uint64(len(proposals)); n > 0 && c.random.IntN(3) > 0 {
		id := n - c.random.Uint64N(min(n, 4))
		return pick(c, "m0", "m1", "m2", "m3"), pick[ledger.Operation](c, &ledger.CastVote{Proposal: id, Choice: ledger.ChoiceYes},
			&ledger.CastVote{Proposal: id, Choice: ledger.ChoiceYes}, &ledger.CastVote{Proposal: id, Choice: ledger.ChoiceNo},
			&ledger.CastVote{Proposal: id, Choice: ledger.ChoiceVeto}, &ledger.WithdrawProposal{Proposal: id})
	}
	by := pick(c, "m0", "m1", "m2", "m3")
	if c.random.IntN(6) == 0 {
		c.keys++
		return by, pick[ledger.Operation](c, &ledger.RotateValidatorKey{ConsensusKey: ledgertest.ConsensusKey(fmt.Sprint("made up ", c.keys))},
			&ledger.SetNodes{NodeIDs: ledger.NodeIDs{ledgertest.NodeID(fmt.Sprint("node ", c.random.IntN(5)))}})
	}
	return by, &ledger.Propose{Actions: ledger.ActionList{c.action()}, VotingPeriod: 120 + c.random.Uint64N(400), Delay: pick(c, uint64(0), 0, 90)}
}

func (c *Chain) action() ledger.Action {
	member := ledgertest.Address(pick(c, "m1", "m2", "m3"))
	c.keys++
	name := fmt.Sprint("new ", c.random.IntN(6))
	return pick[ledger.Action](c,
		&ledger.AdmitMemberAction{Admin: ledgertest.Address(name), Name: "Newcomer " + name, Roles: ledger.RoleNames(ledger.RoleValidator | ledger.RoleIssuer),
			ConsensusKey: ledgertest.ConsensusKey(fmt.Sprint("of ", c.keys)), Power: ledger.MinFoundingPower, NodeIDs: ledger.NodeIDs{ledgertest.NodeID(name)}},
		&ledger.SetPowerAction{Member: member, Power: ledger.MinFoundingPower * (1 + c.random.Uint64N(50))},
		&ledger.SuspendMemberAction{Member: member}, &ledger.ReinstateMemberAction{Member: member}, &ledger.ReinstateMemberAction{Member: member},
		&ledger.SetParameterAction{Name: "maxNewAccounts", Value: 100 + c.random.Uint64N(100)},
		&ledger.SetThresholdAction{Action: "resolution", Numerator: 2, Denominator: 3},
		&ledger.FreezeAccountAction{Account: c.account(), Reference: "court"}, &ledger.UnfreezeAccountAction{Account: c.account()},
		&ledger.PauseAssetAction{Asset: c.asset()}, &ledger.ResumeAssetAction{Asset: c.asset()},
		&ledger.ResolutionAction{Text: "We resolve\nto go on.", Hash: crypto.Keccak256([]byte("minutes"))},
		&ledger.ScheduleUpgradeAction{Version: 2, Height: uint64(c.Top()) + 1000, Name: "v2"}, &ledger.CancelUpgradeAction{Version: 2},
	)
}
