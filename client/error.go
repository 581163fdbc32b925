package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	neturl "net/url"
	"syscall"
	"time"

	"github.com/ethereum/go-ethereum/rpc"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// Names of the client's own errors; the others are the node's.
const (
	NameUnreachable = "unreachable" // no node answered
	NameTimeout     = "timeout"     // the context, or the node's own limit, ended the wait
	NameNetwork     = "network"     // the nodes are not of one network, or not of this kind
	NameNotFound    = "notFound"    // what was asked for is not on the ledger
	NameAnswer      = "answer"      // the node's answer is not what the method returns
	NameSigner      = "signer"      // a signer failed, or signed something else
	NameAddress     = "address"     // the address of a node is no URL that can be called
)

// Error says why a call failed.
type Error struct {
	// Code is the JSON-RPC code, one of wire.Code…, or 0 where no node answered.
	Code int
	// Name is stable and for programs: the node's name for the error, the
	// ledger's name for a code, or one of Name….
	Name    string
	Message string // what was wrong
	Hint    string // what to do next; may be empty
	// LedgerCode is the verdict, where Code is wire.CodeRejected.
	LedgerCode ledger.Code
	// Hash is of the transaction that the error is about. For nonceSpent and
	// duplicateNonce it is the one that has the nonce, and so is BodyHash.
	Hash, BodyHash *crypto.Hash
	// Submitted is the hash of the bytes that were submitted, where there were any.
	Submitted *crypto.Hash
	// Pending says that what was submitted may be committed all the same: an
	// attempt to send it reached a node, or may have, and was not answered.
	Pending bool
	// RetryAfter is when the node will take another call; 0 where it did not say.
	RetryAfter time.Duration
	// Node is the address of the node that answered, or did not.
	Node string

	cause  error
	unsent bool // the request did not reach the node
}

// Error returns the message, then what to do.
func (e *Error) Error() string {
	text := e.Message
	if e.Pending && e.Submitted != nil {
		text += fmt.Sprintf("; transaction %s may still be committed", e.Submitted)
	}
	if e.Hint != "" {
		text += ": " + e.Hint
	}
	return text
}

// Unwrap returns the cause, such as a context's error, where there is one.
func (e *Error) Unwrap() error { return e.cause }

// Temporary reports whether the same call may succeed later or on another
// node: no node answered, or one said that it cannot for now.
func (e *Error) Temporary() bool { return e.Code == wire.CodeUnavailable || e.Name == NameUnreachable }

// final reports whether no other node need be asked: one has judged the
// transaction, or understood the call and refused it, or there is no time left.
// What a web page or a node of another network says is not final, nor is what a
// node says that does not serve this client's key.
func (e *Error) final() bool {
	switch e.Name {
	case NameAnswer, NameNetwork, "keyMissing", "keyUnknown", "scopeMissing":
		return false
	}
	return !e.Temporary()
}

// doubtful reports whether a transaction sent with this outcome may have
// entered the node's pool.
func (e *Error) doubtful() bool {
	if e.unsent {
		return false
	}
	switch e.Name {
	case "busy", "poolFull", "accountQuota", "memberQuota", "catchingUp", "rateLimited":
		return false
	case NameTimeout, NameAnswer:
		return true
	}
	return e.Temporary()
}

// Rejected returns the error for a verdict about a transaction, as a node
// would give it. code must not be ledger.Applied.
func Rejected(code ledger.Code) *Error {
	info := code.Info()
	return &Error{Code: wire.CodeRejected, Name: info.Name, Message: info.Meaning, LedgerCode: code}
}

// asError turns what go-ethereum's client returns into an Error.
func asError(ctx context.Context, url string, err error) *Error {
	var ours *Error
	if errors.As(err, &ours) {
		return ours
	}
	if cause := ctx.Err(); cause != nil {
		return &Error{Name: NameTimeout, Message: fmt.Sprintf("node %s: no answer in time", url), Node: url, cause: cause}
	}
	var called rpc.Error
	if errors.As(err, &called) {
		return fromNode(url, called)
	}
	var status rpc.HTTPError
	if errors.As(err, &status) && status.StatusCode < 500 && status.StatusCode != 429 {
		return &Error{Name: NameAnswer, Message: fmt.Sprintf("node %s: HTTP status %s", url, status.Status), Node: url,
			Hint: "check the address: it should be that of the node's JSON-RPC", cause: err}
	}
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	if errors.As(err, &syntax) || errors.As(err, &kind) {
		return badAnswer(url, err)
	}
	e := &Error{Name: NameUnreachable, Message: fmt.Sprintf("node %s: %s", url, reason(err)), Node: url,
		Hint: "check that the node runs and that the address is right", cause: err}
	var dial *net.OpError
	e.unsent = errors.As(err, &dial) && dial.Op == "dial"
	return e
}

// reason is an error without the address that it happened at, which is named
// already.
func reason(err error) string {
	if number, ok := errors.AsType[syscall.Errno](err); ok {
		return number.Error()
	}
	if e, ok := errors.AsType[*neturl.Error](err); ok {
		return e.Err.Error()
	}
	return err.Error()
}

func badAnswer(url string, err error) *Error {
	return &Error{Name: NameAnswer, Message: fmt.Sprintf("node %s: answer not understood: %v", url, err), Node: url,
		Hint: "check that the address is that of a Tallystick node, and that its version fits", cause: err}
}

// fromNode reads an error that the node gave.
func fromNode(url string, called rpc.Error) *Error {
	e := &Error{Code: called.ErrorCode(), Name: "error", Message: called.Error(), Node: url}
	with, ok := called.(rpc.DataError)
	if !ok || with.ErrorData() == nil {
		return e
	}
	text, err := json.Marshal(with.ErrorData())
	var data wire.ErrorData
	if err != nil || json.Unmarshal(text, &data) != nil {
		return e
	}
	if data.Name != "" {
		e.Name = data.Name
	}
	e.RetryAfter = time.Duration(min(data.RetryAfterMs, 1<<31)) * time.Millisecond
	e.Hint, e.LedgerCode, e.Hash, e.BodyHash = data.Hint, ledger.Code(data.Code), data.Hash, data.BodyHash
	return e
}
