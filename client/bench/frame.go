package bench

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// The generator shares its machine with the nodes that it measures, so it
// writes its one kind of request and reads the usual answer by hand.

// appendRequest appends the JSON-RPC call that submits raw and waits for its
// receipt.
func appendRequest(dst []byte, id uint64, raw []byte, waitMs int64) []byte {
	dst = append(dst, `{"jsonrpc":"2.0","id":`...)
	dst = strconv.AppendUint(dst, id, 10)
	dst = append(dst, `,"method":"ledger_sendRawTransactionSync","params":["0x`...)
	dst = hex.AppendEncode(dst, raw)
	dst = append(dst, `",`...)
	dst = strconv.AppendInt(dst, waitMs, 10)
	return append(dst, "]}"...)
}

// answer is what the run needs of a response.
type answer struct {
	id     uint64
	height ledger.Height // of the receipt
	code   ledger.Code   // of the receipt
	failed bool          // the answer is an error, and the fields below say which
	rpc    int
	name   string
	text   string
}

// temporary reports whether the same bytes may succeed later.
func (a *answer) temporary() bool { return a.failed && a.rpc == wire.CodeUnavailable }

// parseAnswer reads one response.
func parseAnswer(message []byte) (answer, error) {
	if a, ok := scanReceipt(message); ok {
		return a, nil
	}
	var r struct {
		ID     *uint64
		Result *struct {
			Height uint64
			Code   *uint32
		}
		Error *struct {
			Code    int
			Message string
			Data    json.RawMessage
		}
	}
	if err := json.Unmarshal(message, &r); err != nil {
		return answer{}, fmt.Errorf("answer not understood: %w", err)
	}
	switch {
	case r.ID == nil:
		return answer{}, fmt.Errorf("answer without id: %.200s", message)
	case r.Error != nil:
		a := answer{id: *r.ID, failed: true, rpc: r.Error.Code, text: r.Error.Message}
		var data wire.ErrorData
		if json.Unmarshal(r.Error.Data, &data) == nil {
			a.name, a.code = data.Name, ledger.Code(data.Code)
		}
		return a, nil
	case r.Result == nil || r.Result.Code == nil:
		return answer{}, fmt.Errorf("answer without a receipt: %.200s", message)
	}
	return answer{id: *r.ID, height: ledger.Height(r.Result.Height), code: ledger.Code(*r.Result.Code)}, nil
}

var (
	answerHead   = []byte(`{"jsonrpc":"2.0","id":`)
	receiptHead  = []byte(`,"result":{"hash":"0x`)
	heightMember = []byte(`,"height":`)
	codeMember   = []byte(`,"code":`)
	eventsMember = []byte(`,"events":`)
)

// scanReceipt reads a receipt in the order of members in which nodes write it.
// Before the events no member holds text that a user chose, so the first
// match of a member's name is that member. Anything else is not ok.
func scanReceipt(message []byte) (a answer, ok bool) {
	rest, ok := bytes.CutPrefix(message, answerHead)
	if !ok {
		return answer{}, false
	}
	if a.id, rest, ok = scanNumber(rest); !ok {
		return answer{}, false
	}
	if rest, ok = bytes.CutPrefix(rest, receiptHead); !ok {
		return answer{}, false
	}
	if rest, _, ok = bytes.Cut(rest, eventsMember); !ok {
		return answer{}, false
	}
	height, _, ok := scanMember(rest, heightMember)
	if !ok {
		return answer{}, false
	}
	code, _, ok := scanMember(rest, codeMember)
	if !ok || code > 1<<32-1 {
		return answer{}, false
	}
	a.height, a.code = ledger.Height(height), ledger.Code(code)
	return a, true
}

func scanMember(from, name []byte) (v uint64, rest []byte, ok bool) {
	_, rest, ok = bytes.Cut(from, name)
	if !ok {
		return 0, nil, false
	}
	return scanNumber(rest)
}

// maxDigits keeps a scanned number below 2^64.
const maxDigits = 18

// scanNumber reads decimal digits and stops at what follows them.
func scanNumber(from []byte) (v uint64, rest []byte, ok bool) {
	n := 0
	for n < len(from) && from[n] >= '0' && from[n] <= '9' {
		v = v*10 + uint64(from[n]-'0')
		n++
	}
	return v, from[n:], n > 0 && n <= maxDigits && n < len(from)
}
