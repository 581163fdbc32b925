package ledger_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

// counting counts the accounts that are read.
type counting struct {
	ledger.Reader
	accounts int
}

func (c *counting) Get(key []byte) ([]byte, error) {
	if strings.HasPrefix(string(key), "account/") {
		c.accounts++
	}
	return c.Reader.Get(key)
}

// drain is a transfer from alice and n others.
func drain(c *ledgertest.Chain, n int) ledger.Body {
	op := &ledger.Transfer{}
	leg := func(from string) {
		op.Legs = append(op.Legs, ledger.Leg{From: ledgertest.Address(from), To: ledgertest.Address("bob"), Asset: c.Asset("GOLD"), Amount: ledger.NewAmount(1)})
	}
	leg("alice")
	for i := range n {
		leg(fmt.Sprint("other ", i))
	}
	return ledger.Body{Sender: ledgertest.Address("alice"), ValidUntil: c.Time + 60, Op: op}
}

// noise is n signatures that nobody made.
func noise(n int) []ledger.Signature {
	return make([]ledger.Signature, n)
}

// TestReadsBeforeVerdict: what the number of signatures and the sender's own
// show is not looked for in the accounts of the others.
func TestReadsBeforeVerdict(t *testing.T) {
	c := ledgertest.NewChain(t, ledgertest.Genesis(ledger.PolicyAdmitted, "alice", "bob", "other 0", "other 1"))
	net := c.Net
	sign := func(body ledger.Body, name string) []ledger.Signature {
		return []ledger.Signature{{Scheme: ledger.SchemeBodyHash, Signature: ledgertest.Key(name).Sign(net.BodyHash(&body))}}
	}
	many, three, one := drain(c, 500), drain(c, 3), drain(c, 1)
	for _, tc := range []struct {
		name       string
		body       ledger.Body
		signatures []ledger.Signature
		want       ledger.Code
		reads      int
	}{
		{"no signature", many, nil, ledger.CodeUnauthorized, 1},
		{"no signature of one", one, nil, ledger.CodeUnauthorized, 1},
		{"more than sixteen each", three, noise(50), ledger.CodeTooManySignatures, 1},
		{"sixteen each", three, noise(49), ledger.CodeTooManySignatures, 4},
		{"as many as there are keys", three, noise(4), ledger.CodeTooManySignatures, 4},
		{"as many as there may be", three, noise(3), ledger.CodeInvalidSignature, 4},
		{"a stranger's", many, sign(many, "mallory"), ledger.CodeUnauthorized, 1},
		{"noise", many, noise(1), ledger.CodeInvalidSignature, 1},
		{"another payer's", many, sign(many, "other 0"), ledger.CodeUnauthorized, 1},
		{"the sender's alone", many, sign(many, "alice"), ledger.CodeUnauthorized, 2},
	} {
		tx, code := ledger.Decode(net, ledger.EncodeNative(net, &tc.body, tc.signatures))
		if code != ledger.Applied {
			t.Fatalf("%s: %s", tc.name, code)
		}
		r := &counting{Reader: c.State}
		got, err := ledger.Includable(net, c.Time+1, r, tx)
		if err != nil || got != tc.want || r.accounts != tc.reads {
			t.Errorf("%s: %s after %d accounts, %v; want %s after %d", tc.name, got, r.accounts, err, tc.want, tc.reads)
		}
	}
	joint := ledger.Body{Sender: ledgertest.Address("alice"), ValidUntil: c.Time + 60, Op: one.Op}
	tx, _ := ledger.Sign(net, joint, ledger.SchemeTypedData, ledgertest.Key("alice"), ledgertest.Key("other 0"))
	if got := verdict(t, c, tx.Raw); got != ledger.Applied {
		t.Errorf("signed by both: %s", got)
	}
}

// TestPrecheck: of every transaction that may not stand for what needs no
// signer, Precheck says so with the code of the rule, and recovers nobody.
func TestPrecheck(t *testing.T) {
	c := ledgertest.NewChain(t, ledgertest.Genesis(ledger.PolicyAdmitted, "alice", "bob", "frozen"))
	c.FreezeByNetwork(t, ledgertest.Address("frozen"))
	from := func(name string, change func(*ledger.Body)) ledger.Body {
		a := ledgertest.Address(name)
		b := ledger.Body{Sender: a, Op: &ledger.Transfer{Legs: []ledger.Leg{{From: a, To: a, Asset: c.Net.Settlement}}}}
		change(&b)
		return b
	}
	as := func(*ledger.Body) {}
	for _, tc := range []struct {
		name       string
		body       ledger.Body
		signatures int
		want       ledger.Code
	}{
		{"unknown sender", from("nobody", as), 64, ledger.CodeUnknownSender},
		{"frozen sender", from("frozen", as), 1, ledger.CodeSenderInactive},
		{"nonce", from("alice", func(b *ledger.Body) { b.Nonce = 1024 }), 1, ledger.CodeNonceTooHigh},
		{"expired", from("alice", func(b *ledger.Body) { b.ValidUntil = c.Time }), 1, ledger.CodeExpired},
		{"two signatures", from("alice", as), 2, ledger.CodeTooManySignatures},
		{"no signature", from("alice", as), 0, ledger.CodeUnauthorized},
		{"zero amount", from("alice", func(b *ledger.Body) { b.Op.(*ledger.Transfer).Legs[0].To = ledgertest.Address("bob") }), 1, ledger.CodeZeroAmount},
		{"noise", from("alice", as), 1, ledger.Applied},
		{"the same nonce", from("alice", func(b *ledger.Body) { b.Memo = "again" }), 1, ledger.CodeDuplicateNonce},
		{"another nonce", from("alice", func(b *ledger.Body) { b.Nonce = 1023 }), 1, ledger.Applied},
	} {
		check, err := ledger.NewBlockCheck(c.Net, c.Time+1, c.State)
		if err != nil {
			t.Fatal(err)
		}
		if tc.want == ledger.CodeDuplicateNonce {
			earlier := from("alice", as)
			tx, _ := ledger.Decode(c.Net, ledger.EncodeNative(c.Net, &earlier, noise(1)))
			if code, err := check.Precheck(tx); code != ledger.Applied || err != nil {
				t.Fatal(code, err)
			}
		}
		tx, _ := ledger.Decode(c.Net, ledger.EncodeNative(c.Net, &tc.body, noise(tc.signatures)))
		got, err := check.Precheck(tx)
		if got != tc.want || err != nil || tx.Recovered() {
			t.Errorf("%s: %s %v, recovered %v, want %s", tc.name, got, err, tx.Recovered(), tc.want)
		}
		if tc.want != ledger.Applied && tc.want != ledger.CodeDuplicateNonce {
			if rule, err := ledger.Includable(c.Net, c.Time+1, c.State, tx); rule != got || err != nil || tx.Recovered() {
				t.Errorf("%s: the rule says %s %v", tc.name, rule, err)
			}
		}
	}
	broken, _ := ledger.Decode(c.Net, []byte{1})
	check, err := ledger.NewBlockCheck(c.Net, c.Time+1, c.State)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := check.Precheck(broken); got != ledger.CodeUnsupportedType || err != nil {
		t.Errorf("faulty bytes: %s %v", got, err)
	}
}
