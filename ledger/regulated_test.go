package ledger

import (
	"bytes"
	"maps"
	"slices"
	"testing"

	"github.com/tallystick/tallystick/crypto"
)

// world is a state on which one operation is tried: an asset of issuer with all
// flags, of which payer has 100, and of which payer and payee are approved.
type world struct {
	net                  *Network
	issuer, payer, payee *crypto.PrivateKey
	sender               *crypto.PrivateKey

	at       crypto.Address // of the asset
	asset    *Asset         // nil for none
	accounts map[crypto.Address]Account
	holders  map[crypto.Address]Holder
	metadata Metadata
	params   Params
	members  map[crypto.Address]Member
	balance  Amount // of payer

	symbol string // of createAsset
	flags  uint32
	taken  bool // the address of the asset that is created
}

func newWorld(t *testing.T) *world {
	t.Helper()
	key := func(name string) *crypto.PrivateKey {
		k, err := crypto.PrivateKeyFromBytes(keyBytes(name))
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	w := &world{
		net: fuzzNet(t), issuer: key("issuer"), payer: key("payer"), payee: key("payee"),
		at: crypto.Address{7}, params: DefaultParams(), balance: NewAmount(100), symbol: "NEW",
	}
	w.sender = w.issuer
	active := Account{Status: StatusActive, Member: w.issuer.Address()}
	w.accounts = map[crypto.Address]Account{w.issuer.Address(): active, w.payer.Address(): active, w.payee.Address(): active}
	w.holders = map[crypto.Address]Holder{w.payer.Address(): {Approved: true}, w.payee.Address(): {Approved: true}}
	w.members = map[crypto.Address]Member{w.issuer.Address(): {Name: "I", Status: MemberActive, Roles: RoleIssuer}}
	w.asset = &Asset{Symbol: "OLD", Name: "Old", Issuer: w.issuer.Address(), Supply: NewAmount(100), Cap: NewAmount(1000), Flags: allFlags, Status: AssetActive}
	return w
}

func record[V any](write func(*encoder, *V), v V) []byte {
	var w encoder
	write(&w, &v)
	return w.out
}

// state writes the world's records.
func (w *world) state() MapState {
	s := MapState{KeyParams: encodeParams(w.params)}
	put := func(key, value []byte) { s[string(key)] = value }
	var list memberList
	for _, a := range slices.SortedFunc(maps.Keys(w.members), crypto.Address.Compare) {
		list.members = append(list.members, a)
		put(KeyMember(a), record(writeMember, w.members[a]))
	}
	if len(list.members) > 0 {
		put([]byte(KeyMembers), record(writeMemberList, list))
	}
	put(KeySymbol("OLD"), w.at[:])
	if w.asset != nil {
		put(KeyAsset(w.at), record(writeAsset, *w.asset))
	}
	if !w.balance.IsZero() {
		put(KeyBalance(w.payer.Address(), w.at), record(writeBalance, Balance{Available: w.balance}))
	}
	for a, account := range w.accounts {
		if a == w.payer.Address() && !w.balance.IsZero() {
			account.Balances = 1
		}
		put(KeyAccount(a), record(writeAccount, account))
	}
	for a, h := range w.holders {
		if !h.IsZero() {
			put(KeyHolder(w.at, a), record(writeHolder, h))
		}
	}
	if !w.metadata.IsZero() {
		put(KeyMetadata(w.at), record(writeMetadata, w.metadata))
	}
	if w.taken {
		put(KeyAccount(w.net.AssetAddress(w.sender.Address(), 5)), record(writeAccount, Account{Status: StatusActive}))
	}
	return s
}

// try applies op, sent by w.sender and signed by whoever must. A refusal must
// change nothing but the sender's account.
func (w *world) try(t *testing.T, op Operation, state Reader) *BlockResult {
	t.Helper()
	body := Body{Sender: w.sender.Address(), Nonce: 5, ValidUntil: 50, Op: op}
	var keys []*crypto.PrivateKey
	for _, k := range []*crypto.PrivateKey{w.issuer, w.payer, w.payee} {
		if k == w.sender || slices.Contains(op.authorisers(w.sender.Address()), k.Address()) {
			keys = append(keys, k)
		}
	}
	tx, code := Sign(w.net, body, SchemeBodyHash, keys...)
	if code != Applied {
		t.Fatalf("%s: %+v", code, op)
	}
	result, err := Apply(w.net, Block{Height: 1, Time: 10, Txs: []*Tx{tx}}, state)
	if err != nil {
		t.Fatal(err)
	}
	if result.Results[0].Code >= firstRefusal {
		if len(result.Changes) != 1 || !bytes.Equal(result.Changes[0].Key, KeyAccount(w.sender.Address())) {
			t.Fatalf("%s: changes %q", result.Results[0].Code, result.Changes)
		}
	}
	return result
}

// fault is one thing that is wrong with a world.
type fault struct {
	code Code
	make func(w *world)
}

func (w *world) account(k *crypto.PrivateKey, status AccountStatus) {
	a := w.accounts[k.Address()]
	a.Status = status
	w.accounts[k.Address()] = a
}

func (w *world) say(k *crypto.PrivateKey, change func(h *Holder)) {
	h := w.holders[k.Address()]
	change(&h)
	w.holders[k.Address()] = h
}

// The faults that several operations know.
var (
	noAsset  = fault{CodeUnknownAsset, func(w *world) { w.asset = nil }}
	stranger = fault{CodeNotIssuer, func(w *world) { w.asset.Issuer = w.payee.Address() }}
	retired  = fault{CodeAssetRetired, func(w *world) {
		if w.asset.Status = AssetRetired; w.asset.Holds == 77 {
			w.asset.Status = AssetRetiredAndPaused
		}
	}}
	paused = fault{CodeAssetPaused, func(w *world) { w.asset.Status, w.asset.Holds = AssetPausedByBoth, 77 }}
	noRole = fault{CodeNotIssuerMember, func(w *world) {
		w.members[w.issuer.Address()] = Member{Name: "I", Status: MemberActive, Roles: allRoles &^ RoleIssuer}
	}}
	payeeClosed      = fault{CodeRecipientInactive, func(w *world) { w.account(w.payee, StatusClosed) }}
	payeeNotApproved = fault{CodeRecipientNotApproved, func(w *world) { w.say(w.payee, func(h *Holder) { h.Approved = false }) }}
	payeeFrozen      = fault{CodeRecipientFrozen, func(w *world) { w.say(w.payee, func(h *Holder) { h.Frozen = true }) }}
	payerClosed      = fault{CodeSourceInactive, func(w *world) { w.account(w.payer, StatusFrozen) }}
	payerFrozen      = fault{CodeSourceFrozen, func(w *world) { w.say(w.payer, func(h *Holder) { h.Frozen = true }) }}
	payerPoor        = fault{CodeInsufficientBalance, func(w *world) { w.balance, w.asset.Supply = NewAmount(9), NewAmount(9) }}
	payerBound       = fault{CodeBalanceFrozen, func(w *world) { w.say(w.payer, func(h *Holder) { h.FrozenAmount = NewAmount(91) }) }}
	noHolder         = fault{CodeUnknownHolder, func(w *world) { w.account(w.payee, StatusClosed) }}
)

// lacking is a fault of the flags.
func lacking(code Code, flag AssetFlags) fault {
	return fault{code, func(w *world) { w.asset.Flags &^= flag }}
}

// ladders holds each operation with its refusals, in the order of precedence.
func ladders() map[string]struct {
	op     func(w *world) Operation
	faults []fault
} {
	type ladder = struct {
		op     func(w *world) Operation
		faults []fault
	}
	ten := NewAmount(10)
	return map[string]ladder{
		"transfer": {
			func(w *world) Operation {
				w.sender = w.payee
				return &Transfer{Legs: []Leg{{From: w.payer.Address(), To: w.issuer.Address(), Asset: w.at, Amount: ten}}}
			},
			[]fault{
				noAsset, retired, paused, payerClosed,
				{CodeRecipientInactive, func(w *world) { w.account(w.issuer, StatusFrozenByBoth) }},
				{CodeRecipientNotApproved, func(w *world) { w.asset.Issuer = w.payee.Address() }},
				{CodeRecipientFrozen, func(w *world) { w.say(w.issuer, func(h *Holder) { h.Frozen = true }) }},
				payerFrozen, payerPoor, payerBound,
			},
		},
		"createAsset": {
			func(w *world) Operation { return &CreateAsset{Symbol: w.symbol, Name: "New", Flags: w.flags} },
			[]fault{
				{CodeUnsupportedFlags, func(w *world) { w.flags = 8 }}, noRole,
				{CodeSymbolTaken, func(w *world) { w.symbol = "OLD" }},
				{CodeAddressTaken, func(w *world) { w.taken = true }},
			},
		},
		"issue": {
			func(w *world) Operation { return &Issue{Asset: w.at, To: w.payee.Address(), Amount: ten} },
			[]fault{
				noAsset, stranger, retired, paused, payeeClosed, payeeNotApproved, payeeFrozen,
				{CodeCapExceeded, func(w *world) { w.asset.Cap = w.asset.Supply }},
			},
		},
		"redeem": {
			func(w *world) Operation { return &Redeem{Asset: w.at, From: w.payer.Address(), Amount: ten} },
			[]fault{noAsset, stranger, paused, payerClosed, payerFrozen, payerPoor, payerBound},
		},
		"pauseAsset": {
			func(w *world) Operation { return &PauseAsset{Asset: w.at} },
			[]fault{noAsset, stranger, retired, paused},
		},
		"resumeAsset": {
			func(w *world) Operation { w.asset.Status = resumable(w.asset.Status); return &ResumeAsset{Asset: w.at} },
			[]fault{
				{CodeNotIssuer, stranger.make}, retired,
				{CodeAssetNotPaused, func(w *world) { w.asset.Status, w.asset.Holds = AssetPausedByNetwork, 77 }},
			},
		},
		"retireAsset": {
			func(w *world) Operation { return &RetireAsset{Asset: w.at} },
			[]fault{
				noAsset, stranger, retired, {CodeSettlementAsset, func(w *world) { w.at = w.net.Settlement }}, paused,
				{CodeAssetHasHolds, func(w *world) { w.asset.Holds = 1 }},
			},
		},
		"changeIssuer": {
			func(w *world) Operation { return &ChangeIssuer{Asset: w.at, To: w.payee.Address()} },
			[]fault{
				noAsset, {CodeNotIssuer, func(w *world) { w.asset.Issuer = w.payer.Address() }}, retired,
				{CodeNewIssuerInactive, func(w *world) { w.account(w.payee, StatusFrozen) }},
				{CodeNotIssuerMember, func(w *world) { w.accounts[w.payee.Address()] = Account{Status: StatusActive} }},
			},
		},
		"setMetadata": {
			func(w *world) Operation { return &SetMetadata{Asset: w.at, URI: "u", Hash: crypto.Hash{1}} },
			[]fault{
				noAsset, stranger, retired,
				{CodeMetadataUnchanged, func(w *world) { w.metadata = Metadata{"u", crypto.Hash{1}} }},
			},
		},
		"approveHolder": {
			func(w *world) Operation {
				if w.metadata.IsZero() { // the last fault is that nothing was done
					w.say(w.payee, func(h *Holder) { h.Approved = false })
				}
				return &ApproveHolder{Asset: w.at, Account: w.payee.Address()}
			},
			[]fault{
				noAsset, stranger, lacking(CodeNotRestricted, FlagRestricted), retired, noHolder,
				{CodeHolderApproved, func(w *world) { w.metadata.URI = "u" }},
			},
		},
		"revokeHolder": {
			func(w *world) Operation { return &RevokeHolder{Asset: w.at, Account: w.payee.Address()} },
			[]fault{
				noAsset, stranger, lacking(CodeNotRestricted, FlagRestricted), retired, noHolder,
				{CodeHolderNotApproved, payeeNotApproved.make},
			},
		},
		"freezeHolder": {
			func(w *world) Operation { return &FreezeHolder{Asset: w.at, Account: w.payee.Address()} },
			[]fault{
				noAsset, stranger, lacking(CodeNotFreezable, FlagFreezable), retired, noHolder,
				{CodeHolderFrozen, payeeFrozen.make},
			},
		},
		"unfreezeHolder": {
			func(w *world) Operation {
				if w.metadata.IsZero() {
					w.say(w.payee, func(h *Holder) { h.Frozen = true })
				}
				return &UnfreezeHolder{Asset: w.at, Account: w.payee.Address()}
			},
			[]fault{
				noAsset, stranger, lacking(CodeNotFreezable, FlagFreezable), retired, noHolder,
				{CodeHolderNotFrozen, func(w *world) { w.metadata.URI = "u" }},
			},
		},
		"freezeBalance": {
			func(w *world) Operation {
				return &FreezeBalance{Asset: w.at, Account: w.payee.Address(), Amount: MaxAmount}
			},
			[]fault{
				noAsset, stranger, lacking(CodeNotFreezable, FlagFreezable), retired, noHolder,
				{CodeFrozenUnchanged, func(w *world) { w.say(w.payee, func(h *Holder) { h.FrozenAmount = MaxAmount }) }},
			},
		},
		"clawback": {
			func(w *world) Operation {
				return &Clawback{Asset: w.at, From: w.payer.Address(), To: w.payee.Address(), Amount: ten, Reason: 1}
			},
			[]fault{
				noAsset, stranger, lacking(CodeNotClawback, FlagClawback), paused, payeeClosed, payeeNotApproved, payeeFrozen, payerPoor,
			},
		},
	}
}

// LadderCodes lists the codes that TestPrecedence produces.
func LadderCodes() (codes []Code) {
	for _, one := range ladders() {
		for _, f := range one.faults {
			codes = append(codes, f.code)
		}
	}
	return codes
}

// resumable is a status with the issuer's pause added, unless the world is
// about the lack of it.
func resumable(s AssetStatus) AssetStatus {
	if s == AssetActive {
		return AssetPaused
	}
	return s
}

// TestPrecedence tries each operation in a world with all its faults, then
// without the first of them, and so on: each time the first fault that is left
// is the answer, and without any the operation is applied.
func TestPrecedence(t *testing.T) {
	for name, one := range ladders() {
		for i := 0; i <= len(one.faults); i++ {
			w := newWorld(t)
			op := prepare(w, one.op, one.faults[i:])
			want := Applied
			if i < len(one.faults) {
				want = one.faults[i].code
			}
			result := w.try(t, op, w.state())
			if got := result.Results[0].Code; got != want {
				t.Errorf("%s from fault %d: %s, want %s", name, i, got, want)
			}
			if want == Applied && len(result.Results[0].Events) != 1 {
				t.Errorf("%s has events %+v", name, result.Results[0].Events)
			}
		}
	}
}

// prepare spoils a world, the last fault first, and makes the operation. That
// there is no asset comes after all.
func prepare(w *world, make func(w *world) Operation, faults []fault) Operation {
	gone := false
	for _, f := range slices.Backward(faults) {
		if f.code == CodeUnknownAsset {
			gone = true
			continue
		}
		f.make(w)
	}
	op := make(w)
	if gone {
		w.asset = nil
	}
	return op
}
