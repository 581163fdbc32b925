package main

import (
	"bytes"
	"slices"
	"strings"

	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

// The people in whose name it is done, by their names in ledgertest. All must
// have accounts with some of the settlement asset, and use them for nothing
// else.
const (
	victim  = "victim"  // whose money and nonce it is about
	mallory = "mallory" // who works with the validator, and signs what it is asked to
	friend  = "friend"  // who receives
	board   = "board"   // an account of which the three above are keys, any two of them enough
)

// A misdeed is a kind of wrong block.
type misdeed struct {
	name string
	// code is what speaks against the block.
	code ledger.Code
	// block makes the block.
	block func(s *scene) [][]byte
	// replays is true where the transaction itself is good and rightly stands
	// in an earlier block.
	replays bool
}

var misdeeds = []misdeed{
	{name: "forged signature", code: ledger.CodeUnauthorized, block: func(s *scene) [][]byte {
		return [][]byte{s.signed(s.pay(victim, 0), mallory)}
	}},
	{name: "no signature", code: ledger.CodeUnauthorized, block: func(s *scene) [][]byte {
		return [][]byte{s.signed(s.pay(victim, 0))}
	}},
	{name: "broken signature", code: ledger.CodeInvalidSignature, block: func(s *scene) [][]byte {
		body := s.pay(victim, 0)
		sig := ledger.Signature{Scheme: ledger.SchemeBodyHash, Signature: ledgertest.Key(victim).Sign(s.net.BodyHash(body))}
		copy(sig.Signature[32:], bytes.Repeat([]byte{0xff}, 32)) // s above n/2
		return [][]byte{ledger.EncodeNative(s.net, body, []ledger.Signature{sig})}
	}},
	{name: "signature of another payment", code: ledger.CodeUnauthorized, block: func(s *scene) [][]byte {
		other, body := s.pay(victim, 1), s.pay(victim, 0)
		sig := ledger.Signature{Scheme: ledger.SchemeBodyHash, Signature: ledgertest.Key(victim).Sign(s.net.BodyHash(other))}
		return [][]byte{ledger.EncodeNative(s.net, body, []ledger.Signature{sig})}
	}},
	{name: "stripped signature of the other party", code: ledger.CodeUnauthorized, block: func(s *scene) [][]byte {
		return [][]byte{s.signed(s.swap(mallory), mallory)}
	}},
	{name: "stripped signature of the sender", code: ledger.CodeUnauthorized, block: func(s *scene) [][]byte {
		return [][]byte{s.signed(s.swap(victim), mallory)}
	}},
	{name: "swapped signatures", code: ledger.CodeSignatureOrder, block: func(s *scene) [][]byte {
		body := s.swap(victim)
		both := s.signatures(body, victim, mallory)
		slices.Reverse(both)
		return [][]byte{ledger.EncodeNative(s.net, body, both)}
	}},
	{name: "below the threshold", code: ledger.CodeUnauthorized, block: func(s *scene) [][]byte {
		return [][]byte{s.signed(s.pay(board, 0), mallory)}
	}},
	{name: "superfluous signature", code: ledger.CodeSuperfluous, block: func(s *scene) [][]byte {
		return [][]byte{s.signed(s.pay(board, 0), victim, mallory, friend)}
	}},
	{name: "added signature", code: ledger.CodeTooManySignatures, block: func(s *scene) [][]byte {
		return [][]byte{s.signed(s.pay(victim, 0), victim, mallory)}
	}},
	{name: "expired", code: ledger.CodeExpired, block: func(s *scene) [][]byte {
		body := s.pay(victim, 0)
		body.ValidUntil = 1
		return [][]byte{s.signed(body, victim)}
	}},
	{name: "without end", code: ledger.CodeLifetimeRequired, block: func(s *scene) [][]byte {
		body := s.swap(victim)
		body.ValidUntil = 0
		return [][]byte{s.signed(body, victim, mallory)}
	}},
	{name: "nonce far ahead", code: ledger.CodeNonceTooHigh, block: func(s *scene) [][]byte {
		return [][]byte{s.signed(s.pay(victim, 1_000_000), victim)}
	}},
	{name: "twice in one block", code: ledger.CodeDuplicateNonce, block: func(s *scene) [][]byte {
		raw := s.signed(s.pay(mallory, 0), mallory)
		return [][]byte{raw, raw}
	}},
	{name: "two for one nonce", code: ledger.CodeDuplicateNonce, block: func(s *scene) [][]byte {
		other := s.pay(mallory, 0)
		other.Memo = "another"
		return [][]byte{s.signed(s.pay(mallory, 0), mallory), s.signed(other, mallory)}
	}},
	{name: "replayed", code: ledger.CodeNonceSpent, replays: true, block: func(s *scene) [][]byte {
		return [][]byte{s.seen}
	}},
	{name: "malformed", code: ledger.CodeMalformed, block: func(s *scene) [][]byte {
		raw := s.signed(s.pay(mallory, 0), mallory)
		return [][]byte{raw[:len(raw)-1]}
	}},
	{name: "not a transaction", code: ledger.CodeUnsupportedType, block: func(*scene) [][]byte {
		return [][]byte{[]byte("\x01 anything")}
	}},
	{name: "empty transaction", code: ledger.CodeMalformed, block: func(*scene) [][]byte {
		return [][]byte{{}}
	}},
	{name: "other chain", code: ledger.CodeWrongNetwork, block: func(s *scene) [][]byte {
		return [][]byte{s.on(s.net.ID, s.net.ChainID+1).signed(s.pay(victim, 0), victim)}
	}},
	{name: "other network", code: ledger.CodeUnauthorized, block: func(s *scene) [][]byte {
		return [][]byte{s.on("other-network", s.net.ChainID).signed(s.pay(victim, 0), victim)}
	}},
	{name: "long transaction", code: ledger.CodeTooLarge, block: func(*scene) [][]byte {
		return [][]byte{append([]byte{ledger.NativeType}, make([]byte, ledger.MaxTxBytes)...)}
	}},
	{name: "large block", code: ledger.CodeBlockLimit, block: func(s *scene) [][]byte {
		return s.many(3, 3600)
	}},
	{name: "many legs", code: ledger.CodeBlockLimit, block: func(s *scene) [][]byte {
		return s.many(2, 3000)
	}},
	{name: "many signatures", code: ledger.CodeBlockLimit, block: func(s *scene) [][]byte {
		return s.many(ledger.MaxSignatures+1, 1)
	}},
}

// scene is what a wrong block is made from.
type scene struct {
	net  *ledger.Network
	now  ledger.UnixTime
	seen []byte // a transaction that others have sent, committed by now
}

// on is the same scene on another network.
func (s *scene) on(id string, chainID uint64) *scene {
	other, err := ledger.NewNetwork(id, chainID, s.net.Settlement, s.net.SettlementDecimals)
	if err != nil {
		panic("byzantine: " + err.Error())
	}
	return &scene{other, s.now, s.seen}
}

// pay is a payment of 1 to the friend.
func (s *scene) pay(from string, nonce ledger.Nonce) *ledger.Body {
	return &ledger.Body{Sender: ledgertest.Address(from), Nonce: nonce, Op: &ledger.Transfer{
		Legs: []ledger.Leg{s.leg(from, friend)},
	}}
}

// swap is a delivery against payment between the victim and mallory, for the
// next hour.
func (s *scene) swap(sender string) *ledger.Body {
	return &ledger.Body{Sender: ledgertest.Address(sender), ValidUntil: s.now + 3600, Op: &ledger.Transfer{
		Legs: []ledger.Leg{s.leg(victim, mallory), s.leg(mallory, victim)},
	}}
}

func (s *scene) leg(from, to string) ledger.Leg {
	return ledger.Leg{
		From: ledgertest.Address(from), To: ledgertest.Address(to), Asset: s.net.Settlement, Amount: ledger.NewAmount(1),
	}
}

// many makes good transactions of mallory's, each of so many legs.
func (s *scene) many(count, legs int) [][]byte {
	long := s.leg(mallory, friend)
	long.Reference = strings.Repeat("x", ledger.MaxReferenceBytes)
	txs := make([][]byte, count)
	for i := range txs {
		body := s.pay(mallory, ledger.Nonce(i))
		body.Op = &ledger.Transfer{Legs: slices.Repeat([]ledger.Leg{long}, legs)}
		txs[i] = s.signed(body, mallory)
	}
	return txs
}

// signed encodes body with the signatures of people, in their right order.
func (s *scene) signed(body *ledger.Body, people ...string) []byte {
	return ledger.EncodeNative(s.net, body, s.signatures(body, people...))
}

func (s *scene) signatures(body *ledger.Body, people ...string) []ledger.Signature {
	slices.SortFunc(people, func(a, b string) int { return ledgertest.Address(a).Compare(ledgertest.Address(b)) })
	hash := s.net.BodyHash(body)
	out := make([]ledger.Signature, len(people))
	for i, person := range people {
		out[i] = ledger.Signature{Scheme: ledger.SchemeBodyHash, Signature: ledgertest.Key(person).Sign(hash)}
	}
	return out
}
