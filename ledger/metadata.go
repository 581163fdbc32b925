package ledger

import (
	"fmt"

	"github.com/tallystick/tallystick/crypto"
)

// MaxURIBytes bounds the URI of an asset's metadata.
const MaxURIBytes = 256

// Metadata says where an asset's terms stand, and proves what they are. The
// ledger fetches nothing and judges neither.
type Metadata struct {
	URI  string      // at most MaxURIBytes of text; empty for none
	Hash crypto.Hash // of the document, by the issuer's choice of function; zero for none
}

// IsZero reports whether there is none: such metadata is not kept.
func (m Metadata) IsZero() bool { return m == Metadata{} }

// writeMetadata writes rlp([uri, hash]). No hash is the empty string.
func writeMetadata(w *encoder, m *Metadata) {
	l := w.list()
	w.string(m.URI)
	w.optional(m.Hash[:])
	w.end(l)
}

// DecodeMetadata reads an asset's metadata as the state keeps it; nothing (an
// absent key) is no metadata.
func DecodeMetadata(value []byte) (m Metadata, err error) {
	if len(value) == 0 {
		return Metadata{}, nil
	}
	d := decoder{rest: value}
	l := d.list()
	m.URI = string(l.bytes())
	l.optional(m.Hash[:])
	d.close(l)
	if !d.done() || m.IsZero() || len(m.URI) > MaxURIBytes || !validText(m.URI) {
		return Metadata{}, fmt.Errorf("metadata record %x is not well formed", value)
	}
	return m, nil
}

func (s *state) metadata(asset crypto.Address) (*cell[crypto.Address, Metadata], error) {
	return s.metadataTable.get(s.reader, asset)
}

// SetMetadata replaces an asset's metadata; an empty URI and a zero hash end
// it. Only the issuer may send it.
type SetMetadata struct {
	Asset crypto.Address `json:"asset"`
	URI   string         `json:"uri"`  // at most MaxURIBytes of text
	Hash  crypto.Hash    `json:"hash"` // of the document; zero for none
}

var setMetadataSpec = kindSpec{
	kind: KindSetMetadata, name: "setMetadata", form: all("asset", "uri", "hash"),
	fields: "address asset,string uri,bytes32 hash",
	empty:  func() Operation { return new(SetMetadata) }, decode: decodeSetMetadata,
}

// Kind implements Operation.
func (*SetMetadata) Kind() Kind { return KindSetMetadata }

// ---- setMetadata: [asset, uri, hash]

func (*SetMetadata) recipients() []crypto.Address                { return nil }
func (*SetMetadata) legs() int                                   { return 1 }
func (*SetMetadata) authorisers(crypto.Address) []crypto.Address { return nil }

func (o *SetMetadata) check(_, _ crypto.Address) Code {
	if len(o.URI) > MaxURIBytes {
		return CodeLimitExceeded
	}
	if !validText(o.URI) {
		return CodeInvalidField
	}
	return checkAsset(o.Asset)
}

func (o *SetMetadata) encode(w *encoder) {
	l := w.list()
	w.address(o.Asset)
	w.string(o.URI)
	w.bytes(o.Hash[:])
	w.end(l)
}

func decodeSetMetadata(d *decoder) Operation {
	o := &SetMetadata{Asset: d.address(), URI: string(d.bytes())}
	d.fixed(o.Hash[:])
	return o
}

func (o *SetMetadata) typed(m *message) {
	m.address("asset", o.Asset)
	m.string("uri", o.URI)
	m.bytes32("hash", o.Hash)
}

// apply of setMetadata checks asset, issuer, retirement and whether anything
// changes, in this order.
func (o *SetMetadata) apply(s *state, b *Body) (Code, error) {
	if _, code, err := s.administered(o.Asset, b.Sender, 0, 0); code != Applied || err != nil {
		return code, err
	}
	c, err := s.metadata(o.Asset)
	if err != nil {
		return 0, err
	}
	set := Metadata{o.URI, o.Hash}
	switch {
	case c.value == set:
		return CodeMetadataUnchanged, nil
	case set.IsZero():
		s.metadataTable.remove(c)
	default:
		s.metadataTable.set(c, set)
	}
	s.emit(Event{Type: EventMetadataChanged, Asset: o.Asset, Name: o.URI, Hash: o.Hash})
	return Applied, nil
}
