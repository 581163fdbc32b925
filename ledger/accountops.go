package ledger

import "github.com/tallystick/tallystick/crypto"

// AdmitAccount creates an account for which the sender's member answers, or
// takes over one whose member was removed. Only the admin account of a member
// with the role registrar may send it.
type AdmitAccount struct {
	Account crypto.Address `json:"account"`
}

// FreezeAccount keeps an account of the sender's member from acting and
// receiving. Only the admin account of a member with the role registrar may
// send it.
type FreezeAccount struct {
	Account   crypto.Address `json:"account"`
	Reference string         `json:"reference,omitempty"` // at most MaxReferenceBytes of text: why
}

// UnfreezeAccount takes back FreezeAccount, and not what the network froze.
// Only the admin account of a member with the role registrar may send it.
type UnfreezeAccount struct {
	Account   crypto.Address `json:"account"`
	Reference string         `json:"reference,omitempty"` // at most MaxReferenceBytes of text: why
}

// CloseAccount ends an account of the sender's member that holds nothing, for
// ever. Only the admin account of a member with the role registrar may send it.
type CloseAccount struct {
	Account crypto.Address `json:"account"`
}

var admitAccountSpec = kindSpec{
	kind: KindAdmitAccount, name: "admitAccount", form: all("account"),
	fields: "address account",
	empty:  func() Operation { return new(AdmitAccount) }, decode: decodeAdmitAccount,
}

var freezeAccountSpec = kindSpec{
	kind: KindFreezeAccount, name: "freezeAccount", form: all("account").with("reference"),
	fields: "address account,string reference",
	empty:  func() Operation { return new(FreezeAccount) }, decode: decodeFreezeAccount,
}

var unfreezeAccountSpec = kindSpec{
	kind: KindUnfreezeAccount, name: "unfreezeAccount", form: all("account").with("reference"),
	fields: "address account,string reference",
	empty:  func() Operation { return new(UnfreezeAccount) }, decode: decodeUnfreezeAccount,
}

var closeAccountSpec = kindSpec{
	kind: KindCloseAccount, name: "closeAccount", form: all("account"),
	fields: "address account",
	empty:  func() Operation { return new(CloseAccount) }, decode: decodeCloseAccount,
}

// Kind implements Operation.
func (*AdmitAccount) Kind() Kind { return KindAdmitAccount }

// Kind implements Operation.
func (*FreezeAccount) Kind() Kind { return KindFreezeAccount }

// Kind implements Operation.
func (*UnfreezeAccount) Kind() Kind { return KindUnfreezeAccount }

// Kind implements Operation.
func (*CloseAccount) Kind() Kind { return KindCloseAccount }

func (o *AdmitAccount) recipients() []crypto.Address                 { return []crypto.Address{o.Account} }
func (*AdmitAccount) legs() int                                      { return 1 }
func (*AdmitAccount) authorisers(crypto.Address) []crypto.Address    { return nil }
func (*FreezeAccount) recipients() []crypto.Address                  { return nil }
func (*FreezeAccount) legs() int                                     { return 1 }
func (*FreezeAccount) authorisers(crypto.Address) []crypto.Address   { return nil }
func (*UnfreezeAccount) recipients() []crypto.Address                { return nil }
func (*UnfreezeAccount) legs() int                                   { return 1 }
func (*UnfreezeAccount) authorisers(crypto.Address) []crypto.Address { return nil }
func (*CloseAccount) recipients() []crypto.Address                   { return nil }
func (*CloseAccount) legs() int                                      { return 1 }
func (*CloseAccount) authorisers(crypto.Address) []crypto.Address    { return nil }

// ---- admitAccount, closeAccount: [account]

func (o *AdmitAccount) check(_, _ crypto.Address) Code { return checkAccount(o.Account, "") }
func (o *CloseAccount) check(_, _ crypto.Address) Code { return checkAccount(o.Account, "") }

// checkAccount judges an account's address and a reference.
func checkAccount(account crypto.Address, reference string) Code {
	switch {
	case len(reference) > MaxReferenceBytes:
		return CodeLimitExceeded
	case account.IsZero() || !validText(reference):
		return CodeInvalidField
	}
	return Applied
}

func (o *AdmitAccount) encode(w *encoder) { encodeAccount(w, o.Account) }
func (o *CloseAccount) encode(w *encoder) { encodeAccount(w, o.Account) }

func encodeAccount(w *encoder, account crypto.Address) {
	list := w.list()
	w.address(account)
	w.end(list)
}

func decodeAdmitAccount(d *decoder) Operation { return &AdmitAccount{Account: d.address()} }
func decodeCloseAccount(d *decoder) Operation { return &CloseAccount{Account: d.address()} }

func (o *AdmitAccount) typed(m *message) { m.address("account", o.Account) }
func (o *CloseAccount) typed(m *message) { m.address("account", o.Account) }

// ---- freezeAccount, unfreezeAccount: [account, reference]

func (o *FreezeAccount) check(_, _ crypto.Address) Code { return checkAccount(o.Account, o.Reference) }
func (o *UnfreezeAccount) check(_, _ crypto.Address) Code {
	return checkAccount(o.Account, o.Reference)
}

func (o *FreezeAccount) encode(w *encoder)   { encodeReason(w, o.Account, o.Reference) }
func (o *UnfreezeAccount) encode(w *encoder) { encodeReason(w, o.Account, o.Reference) }

func encodeReason(w *encoder, account crypto.Address, reference string) {
	list := w.list()
	w.address(account)
	w.string(reference)
	w.end(list)
}

func decodeFreezeAccount(d *decoder) Operation {
	return &FreezeAccount{Account: d.address(), Reference: string(d.bytes())}
}

func decodeUnfreezeAccount(d *decoder) Operation {
	return &UnfreezeAccount{Account: d.address(), Reference: string(d.bytes())}
}

func (o *FreezeAccount) typed(m *message) {
	m.address("account", o.Account)
	m.string("reference", o.Reference)
}

func (o *UnfreezeAccount) typed(m *message) {
	m.address("account", o.Account)
	m.string("reference", o.Reference)
}
