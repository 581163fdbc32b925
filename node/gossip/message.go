package gossip

import (
	"encoding/binary"
	"fmt"

	"github.com/cosmos/gogoproto/proto"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// The kinds of messages. A message is its kind, one byte, and then:
//
//	txs    each transaction: its length as a minimal uvarint, and its bytes
//	have   the hashes, 32 bytes each, of transactions that the sender holds
//	want   the hashes of transactions that the sender asks for
//	greet  nothing: the sender asks to be told all that waits
//
// Nothing is empty: at least one transaction of at least one byte, at least one
// hash.
const (
	kindTxs   = 1
	kindHave  = 2
	kindWant  = 3
	kindGreet = 4
)

// Bounds of a message. They are part of the form: a message beyond them is none.
const (
	maxTxs    = 4096
	maxHashes = 4096
	// batchBytes is where a sender begins another message. Only a message of
	// one transaction is longer.
	batchBytes = 128 << 10
	// maxMessageBytes is the longest: a transaction of the most bytes that the
	// ledger takes, or a full batch.
	maxMessageBytes = 1 + binary.MaxVarintLen32 + ledger.MaxTxBytes
)

// Message is a message between gossips, in its bytes: CometBFT's connections
// carry what can write and read itself as a protobuf message does.
type Message struct {
	kind   byte
	txs    [][]byte // views of bytes
	hashes []crypto.Hash
	bytes  []byte
}

// newTxs makes a message of transactions, which fit in one.
func newTxs(txs [][]byte) *Message {
	m := &Message{kind: kindTxs, txs: txs}
	size := 1
	for _, tx := range txs {
		size += txSize(tx)
	}
	m.bytes = append(make([]byte, 0, size), kindTxs)
	for _, tx := range txs {
		m.bytes = append(binary.AppendUvarint(m.bytes, uint64(len(tx))), tx...)
	}
	return m
}

// txSize is at least what a transaction takes in a message.
func txSize(tx []byte) int { return binary.MaxVarintLen32 + len(tx) }

// newHashes makes a message of a kind that carries hashes.
func newHashes(kind byte, hashes []crypto.Hash) *Message {
	m := &Message{kind: kind, hashes: hashes, bytes: append(make([]byte, 0, 1+len(hashes)*crypto.HashSize), kind)}
	for i := range hashes {
		m.bytes = append(m.bytes, hashes[i][:]...)
	}
	return m
}

func newGreeting() *Message { return &Message{kind: kindGreet, bytes: []byte{kindGreet}} }

// Marshal returns the message's bytes.
func (m *Message) Marshal() ([]byte, error) { return m.bytes, nil }

// Unmarshal reads a message, and takes nothing but the one form of each. It
// keeps a copy of in.
func (m *Message) Unmarshal(in []byte) error {
	if len(in) == 0 || len(in) > maxMessageBytes {
		return fmt.Errorf("gossip: a message of %d bytes: want 1 to %d", len(in), maxMessageBytes)
	}
	*m = Message{kind: in[0], bytes: append([]byte(nil), in...)}
	body := m.bytes[1:]
	switch m.kind {
	case kindTxs:
		return m.readTxs(body)
	case kindHave, kindWant:
		return m.readHashes(body)
	case kindGreet:
		if len(body) != 0 {
			return fmt.Errorf("gossip: %d bytes behind a greeting", len(body))
		}
		return nil
	}
	return fmt.Errorf("gossip: a message of the unknown kind %d", m.kind)
}

func (m *Message) readTxs(body []byte) error {
	for len(body) > 0 {
		size, n := binary.Uvarint(body)
		switch {
		case n <= 0 || n > 1 && body[n-1] == 0:
			return fmt.Errorf("gossip: the length of transaction %d is not a minimal uvarint", len(m.txs))
		case size == 0 || size > ledger.MaxTxBytes || size > uint64(len(body)-n):
			return fmt.Errorf("gossip: transaction %d has %d bytes: want 1 to %d, and %d are left", len(m.txs), size, ledger.MaxTxBytes, len(body)-n)
		case len(m.txs) == maxTxs:
			return fmt.Errorf("gossip: more than %d transactions in a message", maxTxs)
		}
		m.txs = append(m.txs, body[n:n+int(size)])
		body = body[n+int(size):]
	}
	if len(m.txs) == 0 {
		return fmt.Errorf("gossip: a message without transactions")
	}
	return nil
}

func (m *Message) readHashes(body []byte) error {
	count := len(body) / crypto.HashSize
	if len(body)%crypto.HashSize != 0 || count == 0 || count > maxHashes {
		return fmt.Errorf("gossip: %d bytes of hashes: want 1 to %d hashes of %d", len(body), maxHashes, crypto.HashSize)
	}
	m.hashes = make([]crypto.Hash, count)
	for i := range m.hashes {
		copy(m.hashes[i][:], body[i*crypto.HashSize:])
	}
	return nil
}

// Reset, String, ProtoMessage and Merge make it a message that CometBFT's
// connections can copy and count.
func (m *Message) Reset() { *m = Message{} }

// String implements proto.Message.
func (m *Message) String() string {
	return fmt.Sprintf("gossip of kind %d, %d bytes", m.kind, len(m.bytes))
}

// ProtoMessage implements proto.Message.
func (*Message) ProtoMessage() {}

// Merge implements proto.Merger. Connections copy the empty message alone.
func (m *Message) Merge(from proto.Message) {
	if other, ok := from.(*Message); ok {
		*m = *other
	}
}
