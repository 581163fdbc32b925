package ledger_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

var (
	carolBytes = addressBytes(ledgertest.Address("carol"))
)

// terms are a hold's fields that have no fault but those that change makes.
func terms(change func(f list)) list {
	f := list{aliceBytes, bobBytes, zero20, carolBytes, uint64(5), uint64(1_800_000_100), []byte("ref")}
	if change != nil {
		change(f)
	}
	return f
}

func createHold(change func(f list)) func(list) list { return operation(21, terms(change)...) }

// goldHold is createHold of an asset that there is.
func goldHold(change func(f list)) func(list) list {
	return func(f list) list {
		gold := f[fPayload].(list)[0].(list)[2]
		return createHold(func(t list) {
			t[3] = gold
			if change != nil {
				change(t)
			}
		})(f)
	}
}

func holdMalformations() []corruption {
	m := ledger.CodeMalformed
	capture, leg := list{carolBytes, aliceBytes, uint64(1)}, list{aliceBytes, bobBytes, carolBytes, uint64(1), []byte{}}
	return []corruption{
		{"createHold of six fields", m, true, operation(21, terms(nil)[:6]...)},
		{"createHold of eight fields", m, true, operation(21, append(terms(nil), uint64(0))...)},
		{"from of 19 bytes", m, true, createHold(func(f list) { f[0] = make([]byte, 19) })},
		{"to of 21 bytes", m, true, createHold(func(f list) { f[1] = make([]byte, 21) })},
		{"arbiter empty", m, true, createHold(func(f list) { f[2] = []byte{} })},
		{"asset is a list", m, true, createHold(func(f list) { f[3] = list{} })},
		{"amount of 2^128", m, true, createHold(func(f list) { f[4] = tooBig })},
		{"expiry with a leading zero", m, true, createHold(func(f list) { f[5] = []byte{0, 1} })},
		{"expiry of nine bytes", m, true, createHold(func(f list) { f[5] = bytes.Repeat([]byte{1}, 9) })},
		{"reference is a list", m, true, createHold(func(f list) { f[6] = list{} })},
		{"captureHold of two fields", m, true, operation(22, bobBytes, uint64(1))},
		{"captureHold of four fields", m, true, operation(22, bobBytes, uint64(1), []byte{}, []byte{})},
		{"captureHold of an amount too great", m, true, operation(22, bobBytes, tooBig, []byte{})},
		{"releaseHold of no field", m, true, operation(23)},
		{"releaseHold of two fields", m, true, operation(23, bobBytes, bobBytes)},
		{"settle of two lists", m, true, operation(24, list{capture}, list{leg})},
		{"settle of four lists", m, true, operation(24, list{capture}, list{leg}, list{terms(nil)}, list{})},
		{"settle of strings", m, true, operation(24, []byte{}, []byte{}, []byte{})},
		{"settle with a capture of two fields", m, true, operation(24, list{capture[:2]}, list{}, list{})},
		{"settle with a capture of four fields", m, true, operation(24, list{append(slices.Clone(capture), []byte{})}, list{}, list{})},
		{"settle with a leg of four fields", m, true, operation(24, list{}, list{leg[:4]}, list{})},
		{"settle with a hold of six fields", m, true, operation(24, list{}, list{}, list{terms(nil)[:6]})},
		{"settle with lists in another order", m, true, operation(24, list{leg}, list{capture}, list{})},
		{"kind 20", m, true, set(fKind, uint64(20))},
	}
}

func holdInvalidities() []corruption {
	limit, invalid, zero := ledger.CodeLimitExceeded, ledger.CodeInvalidField, ledger.CodeZeroAmount
	many := func(n int, item list) any { return slices.Repeat(list{item}, n) }
	capture, leg := list{carolBytes, aliceBytes, uint64(1)}, list{aliceBytes, bobBytes, carolBytes, uint64(1), []byte{}}
	return []corruption{
		{"createHold", ledger.Applied, true, goldHold(nil)},
		{"createHold with an arbiter", ledger.Applied, true, goldHold(func(f list) { f[2] = someone })},
		{"createHold of the longest reference", ledger.Applied, true, goldHold(func(f list) { f[6] = []byte(text("r", 35)) })},
		{"createHold, unsigned by who pays", ledger.CodeUnauthorized, true, goldHold(func(f list) { f[0], f[1] = bobBytes, aliceBytes })},
		{"createHold from zero", invalid, true, createHold(func(f list) { f[0] = zero20 })},
		{"createHold to zero", invalid, true, createHold(func(f list) { f[1] = zero20 })},
		{"createHold of the zero asset", invalid, true, createHold(func(f list) { f[3] = zero20 })},
		{"createHold to oneself", invalid, true, createHold(func(f list) { f[1] = aliceBytes })},
		{"createHold with the payer as arbiter", invalid, true, createHold(func(f list) { f[2] = aliceBytes })},
		{"createHold with the payee as arbiter", invalid, true, createHold(func(f list) { f[2] = bobBytes })},
		{"createHold of nothing", zero, true, createHold(func(f list) { f[4] = uint64(0) })},
		{"createHold of nothing to oneself", invalid, true, createHold(func(f list) { f[1], f[4] = aliceBytes, uint64(0) })},
		{"createHold until after 2^53-1", invalid, true, createHold(func(f list) { f[5] = uint64(1 << 53) })},
		{"createHold until 2^64-1", invalid, true, createHold(func(f list) { f[5] = ^uint64(0) })},
		{"createHold with a long reference", limit, true, createHold(func(f list) { f[6] = []byte(text("r", 36)) })},
		{"createHold with a reference not UTF-8", invalid, true, createHold(func(f list) { f[6] = []byte{0xff} })},
		{"createHold until the end of time", ledger.CodeExpiryTooFar, true, createHold(func(f list) { f[5] = uint64(1<<53 - 1) })},
		{"createHold until zero", ledger.CodeExpiryPassed, true, createHold(func(f list) { f[5] = uint64(0) })},
		{"captureHold", ledger.CodeUnknownHold, true, operation(22, bobBytes, uint64(1), []byte{})},
		{"captureHold of the zero hold", invalid, true, operation(22, zero20, uint64(1), []byte{})},
		{"captureHold of nothing", zero, true, operation(22, bobBytes, uint64(0), []byte{})},
		{"captureHold with a long reference", limit, true, operation(22, bobBytes, uint64(1), []byte(text("r", 36)))},
		{"captureHold with a reference of two lines", invalid, true, operation(22, bobBytes, uint64(1), []byte("a\nb"))},
		{"releaseHold", ledger.CodeUnknownHold, true, operation(23, bobBytes)},
		{"releaseHold of the zero hold", invalid, true, operation(23, zero20)},
		{"settle of nothing", invalid, true, operation(24, list{}, list{}, list{})},
		{"settle of 4097 captures", limit, true, operation(24, many(4097, capture), list{}, list{})},
		{"settle of 4097 items", limit, true, operation(24, many(1, capture), many(4095, leg), many(1, terms(nil)))},
		{"settle of 4096 items", ledger.CodeUnknownHold, true, operation(24, many(1, capture), many(4095, leg), list{})},
		{"settle with a capture of the zero hold", invalid, true, operation(24, list{list{zero20, aliceBytes, uint64(1)}}, list{}, list{})},
		{"settle with a capture by zero", invalid, true, operation(24, list{list{bobBytes, zero20, uint64(1)}}, list{}, list{})},
		{"settle with a capture of nothing", zero, true, operation(24, list{list{bobBytes, aliceBytes, uint64(0)}}, list{}, list{})},
		{"settle with a capture by another", ledger.CodeUnauthorized, true, operation(24, list{list{bobBytes, bobBytes, uint64(1)}}, list{}, list{})},
		{"settle with a leg of nothing", zero, true, operation(24, list{}, list{list{aliceBytes, bobBytes, carolBytes, uint64(0), []byte{}}}, list{})},
		{"settle with a leg from another", ledger.CodeUnauthorized, true, operation(24, list{}, list{list{bobBytes, aliceBytes, carolBytes, uint64(1), []byte{}}}, list{})},
		{"settle with a hold to oneself", invalid, true, operation(24, list{}, list{}, list{terms(func(f list) { f[1] = aliceBytes })})},
		{"settle with a hold from another", ledger.CodeUnauthorized, true, operation(24, list{}, list{}, list{terms(func(f list) { f[0], f[1] = bobBytes, aliceBytes })})},
		{"settle that looks like a cancel", zero, true, func(f list) list {
			gold := f[fPayload].(list)[0].(list)[2]
			return operation(24, list{}, list{list{aliceBytes, aliceBytes, gold, uint64(0), []byte{}}}, list{})(f)
		}},
	}
}

// TestHoldCorruptions spoils the operations on holds in every way.
func TestHoldCorruptions(t *testing.T) {
	t.Run("form", func(t *testing.T) { runCorruptions(t, holdMalformations()) })
	t.Run("content", func(t *testing.T) { runCorruptions(t, holdInvalidities()) })
}
