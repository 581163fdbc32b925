package ledger

import (
	"encoding/json"
	"slices"

	"github.com/tallystick/tallystick/crypto"
)

// SetKeys replaces the sender's authority: whose signatures act for it from the
// next transaction on. The account keeps its address. What the present
// authority must authorise is this transaction, as it does any other.
type SetKeys struct {
	Threshold uint64 `json:"threshold"` // 1 to the sum of the weights; 0 without keys
	Keys      []Key  `json:"keys"`      // strictly ascending by address, at most MaxAuthorityKeys; none: the account's own key
}

const typedKey = "Key(address address,uint32 weight)"

var keyTypeHash = crypto.TypeHash(typedKey)

var setKeysSpec = kindSpec{
	kind: KindSetKeys, name: "setKeys",
	form:   append(all("threshold"), jsonField{name: "keys", form: all("address", "weight")}),
	fields: "uint64 threshold,Key[] keys", nested: []string{typedKey},
	empty: func() Operation { return new(SetKeys) }, decode: decodeSetKeys,
}

// Kind implements Operation.
func (*SetKeys) Kind() Kind { return KindSetKeys }

// MarshalJSON writes no keys as an empty list, not null.
func (o SetKeys) MarshalJSON() ([]byte, error) {
	type plain SetKeys
	o.Keys = append([]Key{}, o.Keys...)
	return json.Marshal(plain(o))
}

// UnmarshalJSON reads what MarshalJSON writes; no keys are nil, as Decode has
// them.
func (o *SetKeys) UnmarshalJSON(data []byte) error {
	type plain SetKeys
	if err := json.Unmarshal(data, (*plain)(o)); err != nil {
		return err
	}
	if len(o.Keys) == 0 {
		o.Keys = nil
	}
	return nil
}

// ---- setKeys: [threshold, [[address, weight]…]]

func (*SetKeys) recipients() []crypto.Address                { return nil }
func (*SetKeys) legs() int                                   { return 1 }
func (*SetKeys) authorisers(crypto.Address) []crypto.Address { return nil }

func (o *SetKeys) authority() Authority { return Authority{o.Keys, o.Threshold} }

func (o *SetKeys) check(sender, _ crypto.Address) Code {
	if len(o.Keys) > MaxAuthorityKeys {
		return CodeLimitExceeded
	}
	authority := o.authority()
	if authority.Check(sender) != nil {
		return CodeInvalidField
	}
	return Applied
}

func (o *SetKeys) encode(w *encoder) {
	list := w.list()
	w.uint(o.Threshold)
	w.keys(o.Keys)
	w.end(list)
}

func decodeSetKeys(d *decoder) Operation {
	return &SetKeys{Threshold: d.uint(), Keys: d.keys()}
}

// keys writes a list of [address, weight].
func (w *encoder) keys(keys []Key) {
	list := w.list()
	for _, k := range keys {
		item := w.list()
		w.address(k.Address)
		w.uint(uint64(k.Weight))
		w.end(item)
	}
	w.end(list)
}

func (d *decoder) keys() (keys []Key) {
	list := d.list()
	for len(list.rest) > 0 && !list.bad {
		item := list.list()
		keys = append(keys, Key{Address: item.address(), Weight: uint32(item.uintUpTo(maxKeyWeight))})
		list.close(item)
	}
	d.close(list)
	return keys
}

func (o *SetKeys) typed(m *message) {
	m.uint64("threshold", o.Threshold)
	m.array("keys", "Key", keyTypeHash, len(o.Keys), func(i int, m *message) {
		m.address("address", o.Keys[i].Address)
		m.small("weight", "uint32", o.Keys[i].Weight)
	})
}

// apply of setKeys checks that something changes.
func (o *SetKeys) apply(s *state, b *Body) (Code, error) {
	c, err := s.account(b.Sender)
	if err != nil {
		return 0, err
	}
	changed := c.value
	if changed.Authority.Threshold == o.Threshold && slices.Equal(changed.Authority.Keys, o.Keys) {
		return CodeAuthorityUnchanged, nil
	}
	changed.Authority = o.authority()
	s.accountTable.set(c, changed)
	s.emit(authorityChanged(b.Sender, &changed.Authority))
	return Applied, nil
}
