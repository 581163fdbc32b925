package client

import (
	"context"
	"encoding/asn1"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/crypto/keystore"
	"github.com/tallystick/tallystick/ledger"
)

// testKey is the key with the secret n.
func testKey(t testing.TB, n byte) *crypto.PrivateKey {
	t.Helper()
	key, err := crypto.PrivateKeyFromBytes(append(make([]byte, 31), n))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// hsm is a hardware module with one key. It answers from a goroutine of its own,
// with (r, s) and s in the upper half, as half of all signatures come.
type hsm struct {
	key   *crypto.PrivateKey
	calls atomic.Int32
}

var curveOrder, _ = new(big.Int).SetString("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16)

// numbers are r and s, which is high.
func (h *hsm) numbers(digest crypto.Hash) (r, s *big.Int) {
	made := h.key.Sign(digest)
	r, s = new(big.Int).SetBytes(made[:32]), new(big.Int).SetBytes(made[32:64])
	return r, s.Sub(curveOrder, s)
}

func (h *hsm) der(ctx context.Context, digest crypto.Hash) ([]byte, error) {
	h.calls.Add(1)
	out := make(chan []byte)
	go func() {
		r, s := h.numbers(digest)
		der, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
		if err != nil {
			panic(err)
		}
		select {
		case out <- der:
		case <-ctx.Done():
		}
	}()
	select {
	case der := <-out:
		return der, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (h *hsm) raw(_ context.Context, digest crypto.Hash) ([]byte, error) {
	r, s := h.numbers(digest)
	out := make([]byte, 64)
	r.FillBytes(out[:32])
	s.FillBytes(out[32:])
	return out, nil
}

// payment is a transfer by the key's account.
func payment(key *crypto.PrivateKey) ledger.Body {
	leg := ledger.Leg{From: key.Address(), To: crypto.Address{19: 9}, Asset: settlement, Amount: ledger.NewAmount(1)}
	return ledger.Body{Sender: key.Address(), Op: &ledger.Transfer{Legs: []ledger.Leg{leg}}}
}

// Every kind of signer makes the very transaction that the key in memory makes.
func TestSignersAgree(t *testing.T) {
	c, key := dial(t, newFake(t, "net-a")), testKey(t, 1)
	module := &hsm{key: key}
	path, err := keystore.Store(t.TempDir(), key, "open sesame", true)
	if err != nil {
		t.Fatal(err)
	}
	file, err := OpenKeystore(path, crypto.Address{}, func(context.Context, crypto.Address) (string, error) { return "open sesame", nil })
	if err != nil {
		t.Fatal(err)
	}
	for _, scheme := range []ledger.Scheme{ledger.SchemeTypedData, ledger.SchemeBodyHash} {
		want, code := ledger.Sign(c.Network(), payment(key), scheme, key)
		if code != ledger.Applied {
			t.Fatal(code)
		}
		for name, s := range map[string]Signer{
			"local": NewLocalSigner(key), "key file": file,
			"module with DER": NewExternalSigner(key.Address(), FormDER, module.der),
			"module with r s": NewExternalSigner(key.Address(), FormRS, module.raw),
		} {
			if s.Address() != key.Address() {
				t.Errorf("%s: address %s", name, s.Address())
			}
			tx, err := c.Sign(t.Context(), payment(key), scheme, s)
			if err != nil || tx.Hash != want.Hash {
				t.Errorf("%s: %v, %v, want %s", name, tx, err, want.Hash)
			}
		}
	}
}

// Several signers may be of different kinds, and come in any order.
func TestSignersOfSeveralKinds(t *testing.T) {
	c, one, two := dial(t, newFake(t, "net-a")), testKey(t, 1), testKey(t, 2)
	body := payment(one)
	transfer := body.Op.(*ledger.Transfer)
	transfer.Legs = append(transfer.Legs, ledger.Leg{From: two.Address(), To: one.Address(), Asset: settlement, Amount: ledger.NewAmount(2)})
	a, b := NewLocalSigner(one), NewExternalSigner(two.Address(), FormDER, (&hsm{key: two}).der)
	first, err := c.Sign(t.Context(), body, ledger.SchemeTypedData, a, b)
	if err != nil {
		t.Fatal(err)
	}
	second, err := c.Sign(t.Context(), body, ledger.SchemeTypedData, b, a)
	if err != nil || first.Hash != second.Hash || len(first.Signers) != 2 {
		t.Errorf("%v, %v, want %s", second, err, first.Hash)
	}
}

// wrongSigner answers with something that is not its own signature.
type wrongSigner struct {
	address crypto.Address
	answer  func(crypto.Hash) crypto.Signature
}

func (s wrongSigner) Address() crypto.Address { return s.address }

func (s wrongSigner) SignDigest(_ context.Context, digest crypto.Hash) (crypto.Signature, error) {
	return s.answer(digest), nil
}

var errModule = errors.New("slot 3: no token")

// Whatever a signer does wrong, nothing is signed, and the error says who.
func TestSignRefusesWrongSigners(t *testing.T) {
	c, key, other := dial(t, newFake(t, "net-a")), testKey(t, 1), testKey(t, 2)
	wrong := func(answer func(crypto.Hash) crypto.Signature) Signer {
		return wrongSigner{key.Address(), answer}
	}
	external := func(form SignatureForm, f func(crypto.Hash) ([]byte, error)) Signer {
		return NewExternalSigner(key.Address(), form, func(_ context.Context, d crypto.Hash) ([]byte, error) { return f(d) })
	}
	for name, c2 := range map[string]struct {
		signer Signer
		want   error // nil: any
		text   string
	}{
		"another key": {wrong(other.Sign), nil, "signature by " + other.Address().String()},
		"another digest": {wrong(func(crypto.Hash) crypto.Signature { return key.Sign(crypto.Hash{1}) }),
			nil, "over something else"},
		"nothing": {wrong(func(crypto.Hash) crypto.Signature { return crypto.Signature{} }), crypto.ErrSignatureR, ""},
		"v as Ethereum's": {wrong(func(d crypto.Hash) crypto.Signature {
			s := key.Sign(d)
			s[64] += 27
			return s
		}), crypto.ErrSignatureV, ""},
		"a high s": {wrong(func(d crypto.Hash) crypto.Signature {
			s := key.Sign(d)
			_, high := (&hsm{key: key}).numbers(d)
			high.FillBytes(s[32:64])
			return s
		}), crypto.ErrSignatureS, ""},
		"a module that fails": {external(FormDER, func(crypto.Hash) ([]byte, error) { return nil, errModule }), errModule, "slot 3"},
		"a module with another key": {NewExternalSigner(key.Address(), FormDER, (&hsm{key: other}).der),
			crypto.ErrSigner, key.Address().String()},
		"a module that hashes again": {external(FormRS, func(d crypto.Hash) ([]byte, error) {
			return (&hsm{key: key}).raw(t.Context(), crypto.Keccak256(d[:]))
		}), crypto.ErrSigner, ""},
		"a module that says nothing": {external(FormDER, func(crypto.Hash) ([]byte, error) { return nil, nil }), crypto.ErrSignatureDER, ""},
		"another form":               {NewExternalSigner(key.Address(), FormDER, (&hsm{key: key}).raw), crypto.ErrSignatureDER, ""},
		"a short form":               {external(FormRS, func(crypto.Hash) ([]byte, error) { return make([]byte, 63), nil }), nil, "63 bytes"},
		"no form":                    {NewExternalSigner(key.Address(), 9, (&hsm{key: key}).raw), nil, "no form"},
	} {
		t.Run(name, func(t *testing.T) {
			tx, err := c.Sign(t.Context(), payment(key), ledger.SchemeTypedData, c2.signer)
			e := wants(t, err, NameSigner)
			if tx != nil || c2.want != nil && !errors.Is(e, c2.want) || !strings.Contains(e.Error(), c2.text) || e.Pending {
				t.Errorf("%v, %v", tx, e)
			}
		})
	}
}

// A module that never answers does not hold up who has a deadline, even where it
// does not listen to the context.
func TestSignEndsWithItsContext(t *testing.T) {
	c, key := dial(t, newFake(t, "net-a")), testKey(t, 1)
	never := make(chan struct{})
	t.Cleanup(func() { close(never) })
	for name, f := range map[string]SignFunc{
		"deaf":    func(context.Context, crypto.Hash) ([]byte, error) { <-never; return nil, errModule },
		"patient": func(ctx context.Context, _ crypto.Hash) ([]byte, error) { <-ctx.Done(); return nil, ctx.Err() },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		_, err := c.Sign(ctx, payment(key), ledger.SchemeTypedData, NewExternalSigner(key.Address(), FormDER, f))
		if e := wants(t, err, NameSigner); !errors.Is(e, context.DeadlineExceeded) || !strings.Contains(e.Error(), "in time") {
			t.Errorf("%s: %v", name, e)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.Sign(ended, payment(key), ledger.SchemeTypedData, NewLocalSigner(key))
	wants(t, err, NameSigner)
}

// Nobody is asked to sign what can never be right.
func TestSignAsksNobodyInVain(t *testing.T) {
	c, key := dial(t, newFake(t, "net-a")), testKey(t, 1)
	module := &hsm{key: key}
	s := NewExternalSigner(key.Address(), FormDER, module.der)
	body := payment(key)
	body.Memo = "\x1b[2K"
	_, err := c.Sign(t.Context(), body, ledger.SchemeTypedData, s)
	wants(t, err, "invalidField")
	many := make([]Signer, ledger.MaxSignatures+1)
	for i := range many {
		many[i] = s
	}
	_, err = c.Sign(t.Context(), payment(key), ledger.SchemeTypedData, many...)
	wants(t, err, ledger.CodeTooManySignatures.String())
	if n := module.calls.Load(); n != 0 {
		t.Errorf("the module was asked %d times", n)
	}
	// The same key twice gives a transaction that is refused here.
	_, err = c.Sign(t.Context(), payment(key), ledger.SchemeTypedData, s, s)
	wants(t, err, ledger.CodeSignatureOrder.String())
}

func TestKeystoreSigner(t *testing.T) {
	key := testKey(t, 1)
	path, err := keystore.Store(t.TempDir(), key, "open sesame", true)
	if err != nil {
		t.Fatal(err)
	}
	asked, say := 0, "wrong"
	s, err := OpenKeystore(path, key.Address(), func(_ context.Context, a crypto.Address) (string, error) {
		asked++
		if a != key.Address() {
			t.Errorf("asked about %s", a)
		}
		if say == "" {
			return "", errModule
		}
		return say, nil
	})
	if err != nil || asked != 0 {
		t.Fatalf("asked %d times, %v", asked, err)
	}
	digest := crypto.Hash{7}
	if _, err := s.SignDigest(t.Context(), digest); !errors.Is(err, keystore.ErrPassphrase) || !strings.Contains(err.Error(), path) {
		t.Errorf("a wrong passphrase: %v", err)
	}
	say = ""
	if _, err := s.SignDigest(t.Context(), digest); !errors.Is(err, errModule) {
		t.Errorf("nobody to ask: %v", err)
	}
	say = "open sesame"
	for range 3 {
		if got, err := s.SignDigest(t.Context(), digest); err != nil || got != key.Sign(digest) {
			t.Errorf("%s, %v", got, err)
		}
	}
	if asked != 3 {
		t.Errorf("asked %d times, want 3: once it is right, no more", asked)
	}
	s.Lock()
	if err := s.Unlock(t.Context()); err != nil || asked != 4 {
		t.Errorf("after Lock asked %d times, %v", asked, err)
	}
}

func TestOpenKeystoreRefuses(t *testing.T) {
	dir, ask := t.TempDir(), func(context.Context, crypto.Address) (string, error) { return "x", nil }
	path, err := keystore.Store(dir, testKey(t, 1), "x", true)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	one, two := testKey(t, 1).Address(), testKey(t, 2).Address()
	digits := func(a crypto.Address) string { return strings.ToLower(a.String()[2:]) }
	nameless := write("nameless", strings.Replace(string(data), digits(one), "", 1))
	for name, c := range map[string]struct {
		path    string
		address crypto.Address
	}{
		"missing": {filepath.Join(dir, "missing"), one}, "no key file": {write("text", "hello"), one},
		"another address": {path, two}, "no address": {nameless, crypto.Address{}},
	} {
		if _, err := OpenKeystore(c.path, c.address, ask); err == nil || !strings.Contains(err.Error(), filepath.Base(c.path)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s, err := OpenKeystore(nameless, one, ask); err != nil || s.Unlock(t.Context()) != nil {
		t.Errorf("a file without an address: %v", err)
	}
	// What the file says of its address, or the caller, is proved by the key.
	for name, file := range map[string]string{"nameless": nameless, "false": write("false", strings.Replace(string(data), digits(one), digits(two), 1))} {
		s, err := OpenKeystore(file, two, ask)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Unlock(t.Context()); !errors.Is(err, keystore.ErrAddress) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
