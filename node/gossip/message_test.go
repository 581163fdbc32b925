package gossip

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/cosmos/gogoproto/proto"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// read takes bytes as a connection does.
func read(in []byte) (*Message, error) {
	m, _ := proto.Clone(&Message{}).(*Message)
	return m, proto.Unmarshal(in, m)
}

func TestMessageRoundTrip(t *testing.T) {
	for name, m := range map[string]*Message{
		"transactions": newTxs([][]byte{{1}, bytes.Repeat([]byte{2}, 300), bytes.Repeat([]byte{3}, 70_000)}),
		"the largest":  newTxs([][]byte{make([]byte, ledger.MaxTxBytes)}),
		"hashes":       newHashes(kindHave, []crypto.Hash{{1}, {2}}),
		"many hashes":  newHashes(kindWant, make([]crypto.Hash, maxHashes)),
		"greeting":     newGreeting(),
	} {
		sent, err := proto.Marshal(m)
		if err != nil || len(sent) > maxMessageBytes {
			t.Fatalf("%s: %d bytes, %v", name, len(sent), err)
		}
		got, err := read(sent)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		clear(sent) // a connection uses its memory again
		if got.kind != m.kind || !slices.Equal(got.hashes, m.hashes) || !slices.EqualFunc(got.txs, m.txs, bytes.Equal) {
			t.Errorf("%s: came back as another", name)
		}
	}
}

// The bytes of the messages, which every version of the program must read.
func TestMessageBytes(t *testing.T) {
	for name, test := range map[string]struct {
		m    *Message
		want []byte
	}{
		"transactions": {newTxs([][]byte{{0x54, 0xc0}, {7}}), []byte{1, 2, 0x54, 0xc0, 1, 7}},
		"have":         {newHashes(kindHave, []crypto.Hash{{9}}), append([]byte{2, 9}, make([]byte, 31)...)},
		"want":         {newHashes(kindWant, []crypto.Hash{{9}}), append([]byte{3, 9}, make([]byte, 31)...)},
		"greeting":     {newGreeting(), []byte{4}},
	} {
		if !bytes.Equal(test.m.bytes, test.want) {
			t.Errorf("%s: %x, want %x", name, test.m.bytes, test.want)
		}
	}
}

func TestMalformedMessages(t *testing.T) {
	many := []byte{kindTxs}
	for range maxTxs + 1 {
		many = append(many, 1, 0)
	}
	for name, test := range map[string]struct {
		in   []byte
		want string
	}{
		"nothing":             {nil, "0 bytes"},
		"too long":            {make([]byte, maxMessageBytes+1), "bytes: want 1"},
		"unknown kind":        {[]byte{5}, "unknown kind"},
		"kind zero":           {[]byte{0, 1, 1}, "unknown kind"},
		"no transaction":      {[]byte{kindTxs}, "without transactions"},
		"empty transaction":   {[]byte{kindTxs, 1, 1, 0}, "has 0 bytes"},
		"cut off":             {[]byte{kindTxs, 3, 1, 1}, "and 2 are left"},
		"length cut off":      {[]byte{kindTxs, 0x80}, "minimal uvarint"},
		"length not minimal":  {[]byte{kindTxs, 0x81, 0x00, 7}, "minimal uvarint"},
		"length overflows":    {append(append([]byte{kindTxs}, bytes.Repeat([]byte{0xff}, 10)...), 1), "minimal uvarint"},
		"transaction too big": {append(binary.AppendUvarint([]byte{kindTxs}, ledger.MaxTxBytes+1), make([]byte, 100)...), "want 1 to"},
		"too many":            {many, "more than"},
		"no hash":             {[]byte{kindHave}, "0 bytes of hashes"},
		"half a hash more":    {append([]byte{kindWant}, make([]byte, 48)...), "48 bytes of hashes"},
		"too many hashes":     {append([]byte{kindWant}, make([]byte, 32*(maxHashes+1))...), "bytes of hashes"},
		"long greeting":       {[]byte{kindGreet, 0}, "behind a greeting"},
	} {
		if _, err := read(test.in); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want something about %q", name, err, test.want)
		}
	}
}

// FuzzMessage: no bytes make reading panic, and what is read has the one form.
func FuzzMessage(f *testing.F) {
	f.Add([]byte{1, 2, 0x54, 0xc0, 1, 7})
	f.Add([]byte{4})
	f.Add(append([]byte{2}, make([]byte, 64)...))
	f.Fuzz(func(t *testing.T, in []byte) {
		m, err := read(in)
		if err != nil {
			return
		}
		again := newGreeting()
		switch m.kind {
		case kindTxs:
			again = newTxs(m.txs)
		case kindHave, kindWant:
			again = newHashes(m.kind, m.hashes)
		}
		if !bytes.Equal(again.bytes, in) {
			t.Fatalf("%x was read as %x", in, again.bytes)
		}
	})
}
