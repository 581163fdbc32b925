package ledgertest

import (
	"slices"
	"strings"
	"unicode"

	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// AnyBody draws a body of any kind that CheckBody passes, with values from the
// whole range of every field.
func AnyBody(t *rapid.T, net *ledger.Network) ledger.Body {
	b := ledger.Body{
		Sender:     anyAddress(t, "sender"),
		Nonce:      ledger.Nonce(rapid.Uint64Max(ledger.MaxJSONInteger).Draw(t, "nonce")),
		ValidUntil: ledger.UnixTime(rapid.Uint64Max(ledger.MaxJSONInteger).Draw(t, "validUntil")),
		Memo:       AnyText(t, "memo", 0, ledger.MaxMemoBytes),
	}
	b.Op = anyOperation(t, b.Sender)
	if code := ledger.CheckBody(net, &b); code != ledger.Applied {
		t.Fatalf("drew a body with the fault %s: %+v", code, b)
	}
	return b
}

func anyOperation(t *rapid.T, sender crypto.Address) ledger.Operation {
	name := rapid.SampledFrom(ledger.KindNames()).Draw(t, "kind")
	if op := anyGovernance(t, name); op != nil {
		return op
	}
	if op := anyRegulated(t, name, sender); op != nil {
		return op
	}
	switch name {
	case "transfer":
		op := &ledger.Transfer{}
		for range rapid.IntRange(1, 4).Draw(t, "legs") {
			from := sender
			if rapid.Bool().Draw(t, "another pays") {
				from = anyAddress(t, "from")
			}
			op.Legs = append(op.Legs, ledger.Leg{
				From: from, To: anyAddress(t, "to"), Asset: anyAddress(t, "asset"),
				Amount: AnyAmount(t, "amount"), Reference: AnyText(t, "reference", 0, ledger.MaxReferenceBytes),
			})
		}
		return op
	case "createAsset":
		return &ledger.CreateAsset{
			Symbol: rapid.StringMatching(`[A-Z0-9]{1,12}`).Draw(t, "symbol"), Name: AnyText(t, "name", 1, ledger.MaxNameBytes),
			Decimals: rapid.Uint8Max(ledger.MaxDecimals).Draw(t, "decimals"), Cap: AnyAmount(t, "cap"), Flags: rapid.Uint32().Draw(t, "flags"),
		}
	case "issue":
		return &ledger.Issue{
			Asset: anyAddress(t, "asset"), To: anyAddress(t, "to"), Amount: AnyAmount(t, "amount"),
			Reference: AnyText(t, "reference", 0, ledger.MaxReferenceBytes),
		}
	case "redeem":
		return &ledger.Redeem{
			Asset: anyAddress(t, "asset"), From: anyAddress(t, "from"), Amount: AnyAmount(t, "amount"),
			Reference: AnyText(t, "reference", 0, ledger.MaxReferenceBytes),
		}
	case "pauseAsset":
		return &ledger.PauseAsset{Asset: anyAddress(t, "asset")}
	case "setKeys":
		return anySetKeys(t, sender)
	case "admitAccount":
		return &ledger.AdmitAccount{Account: anyAddress(t, "account")}
	case "freezeAccount":
		return &ledger.FreezeAccount{Account: anyAddress(t, "account"), Reference: AnyText(t, "reference", 0, ledger.MaxReferenceBytes)}
	case "unfreezeAccount":
		return &ledger.UnfreezeAccount{Account: anyAddress(t, "account"), Reference: AnyText(t, "reference", 0, ledger.MaxReferenceBytes)}
	case "closeAccount":
		return &ledger.CloseAccount{Account: anyAddress(t, "account")}
	case "createHold":
		terms := anyHold(t)
		return (*ledger.CreateHold)(&terms)
	case "captureHold":
		return &ledger.CaptureHold{
			Hold: anyAddress(t, "hold"), Amount: AnyAmount(t, "amount"), Reference: AnyText(t, "reference", 0, ledger.MaxReferenceBytes),
		}
	case "releaseHold":
		return &ledger.ReleaseHold{Hold: anyAddress(t, "hold")}
	case "settle":
		return anySettle(t)
	}
	return &ledger.ResumeAsset{Asset: anyAddress(t, "asset")}
}

// anySetKeys draws keys that may be the sender's authority.
func anySetKeys(t *rapid.T, sender crypto.Address) *ledger.SetKeys {
	drawn := map[crypto.Address]uint32{}
	for range rapid.IntRange(0, ledger.MaxAuthorityKeys).Draw(t, "keys") {
		drawn[anyAddress(t, "key")] = rapid.Uint32Min(1).Draw(t, "weight")
	}
	if rapid.Bool().Draw(t, "the sender's own") && len(drawn) > 0 && len(drawn) < ledger.MaxAuthorityKeys {
		drawn[sender] = rapid.Uint32Min(2).Draw(t, "own weight")
	}
	return SetKeys(drawn, func(sum uint64) uint64 { return rapid.Uint64Range(1, sum).Draw(t, "threshold") })
}

// SetKeys is the operation that makes these weights an authority, whose
// threshold is picked below their sum. No keys are the account's own.
func SetKeys(weights map[crypto.Address]uint32, threshold func(sum uint64) uint64) *ledger.SetKeys {
	op := &ledger.SetKeys{}
	var sum uint64
	for a, w := range weights {
		op.Keys = append(op.Keys, ledger.Key{Address: a, Weight: w})
		sum += uint64(w)
	}
	slices.SortFunc(op.Keys, func(a, b ledger.Key) int { return a.Address.Compare(b.Address) })
	if len(op.Keys) > 0 {
		op.Threshold = threshold(sum)
	}
	return op
}

func anyAddress(t *rapid.T, label string) (a crypto.Address) {
	copy(a[:], rapid.SliceOfN(rapid.Byte(), len(a), len(a)).Draw(t, label))
	if a.IsZero() {
		a[0] = 1
	}
	return a
}

// AnyAmount draws an amount from 1 to 2^128 - 1 of any length in bytes.
func AnyAmount(t *rapid.T, label string) ledger.Amount {
	b := rapid.SliceOfN(rapid.Byte(), 1, 16).Draw(t, label)
	if b[0] == 0 {
		b[0] = 1
	}
	a, ok := ledger.AmountFromBytes(b)
	if !ok {
		t.Fatalf("%x is not an amount", b)
	}
	return a
}

// AnyText draws text of at most maxBytes, and of minBytes that show.
func AnyText(t *rapid.T, label string, minBytes, maxBytes int) string {
	drawn := strings.ToValidUTF8(rapid.StringN(0, maxBytes, maxBytes).Draw(t, label), "?")
	s := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || (r >= 0x2028 && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069) {
			return '0'
		}
		return r
	}, drawn)
	if minBytes > 0 && len(strings.TrimSpace(s)) < minBytes {
		s = ""
	}
	for len(s) < minBytes {
		s += "x"
	}
	return s
}
