package rpc

import (
	"context"
	"errors"
	"fmt"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// Error codes of JSON-RPC 2.0 itself; the native ones are in wire.
const (
	codeParseError     = -32700
	codeInvalidRequest = -32600
	codeMethodNotFound = -32601
	codeInvalidParams  = -32602
)

// callError is every error that a client sees. go-ethereum's rpc package
// reads the code and the data through its two methods.
type callError struct {
	code    int
	message string
	data    wire.ErrorData

	// plainData, where it is set, is sent as data in place of an object: Ethereum's
	// tools expect hex there. data has the name still, for counting.
	plainData string
}

// Error implements error.
func (e *callError) Error() string { return e.message }

// ErrorCode implements go-ethereum's rpc.Error.
func (e *callError) ErrorCode() int { return e.code }

// ErrorData implements go-ethereum's rpc.DataError.
func (e *callError) ErrorData() any {
	if e.plainData != "" {
		return e.plainData
	}
	return e.data
}

// errorKind is one row of the table of errors: a name stands for one code.
type errorKind struct {
	name    string // wire.ErrorData.Name
	code    int
	meaning string
	hint    string
}

// The errors of the server itself. For wire.CodeRejected the ledger's table
// (ledger.Codes) gives names and meanings.
var (
	kindParse         = errorKind{"parseError", codeParseError, "the message is not JSON, or not UTF-8", "send one JSON-RPC 2.0 request object, or an array of them, in UTF-8"}
	kindRequest       = errorKind{"invalidRequest", codeInvalidRequest, "the message is JSON but not a JSON-RPC 2.0 request, or the HTTP request is not one that carries it", `send {"jsonrpc":"2.0","id":1,"method":"ledger_status","params":[]} by POST with content-type application/json`}
	kindBatchTooLarge = errorKind{"batchTooLarge", codeInvalidRequest, "the batch has more calls than the node takes", "send several smaller batches"}
	kindTooLarge      = errorKind{"requestTooLarge", codeInvalidRequest, "the message is longer than the node takes", "send a shorter message"}
	kindMethod        = errorKind{"methodNotFound", codeMethodNotFound, "there is no such method", "rpc.discover lists the methods"}
	kindParams        = errorKind{"invalidParams", codeInvalidParams, "a parameter is missing, superfluous or not of the expected form; the message names it", ""}
	kindBatchWaits    = errorKind{"tooManyWaitingInBatch", wire.CodeInvalidInput, "the batch has more waiting calls than one batch may, because its calls run one after another", "send waiting calls singly; over one WebSocket many wait at the same time"}
	kindResponse      = errorKind{"responseTooLarge", wire.CodeInvalidInput, "the answers of this batch are longer together than the node sends at once", "ask for this in another request"}
	kindNoKey         = errorKind{"keyMissing", wire.CodeInvalidInput, "this node asks for an API key, and the request has none", "ask the node's operator for a key, and send it as authorization: Bearer KEY, or in the path: /key/KEY"}
	kindUnknownKey    = errorKind{"keyUnknown", wire.CodeInvalidInput, "this node does not know the API key: it is mistyped, of another node, or revoked", "compare it with the key that the node's operator gave you, or ask for a new one"}
	kindScope         = errorKind{"scopeMissing", wire.CodeInvalidInput, "the API key has not the scope that the method needs; the message names it", "ask the node's operator for a key with that scope"}
	kindRate          = errorKind{"rateLimited", wire.CodeUnavailable, "as many calls came lately with this key, or from this address, as may; the call was not looked at", "make the call again after data.retryAfterMs milliseconds, and fewer calls at a time"}
	kindWebSocketOnly = errorKind{"webSocketOnly", wire.CodeInvalidInput, "a subscription needs a WebSocket, where it is a call of its own and in no batch", "open a WebSocket to the same address (ws:// or wss://) and send the call there singly"}
	kindSubscriptions = errorKind{"tooManySubscriptions", wire.CodeUnavailable, "the connection, or the node, has as many subscriptions as it may", "end some, or follow more with one of them; or ask another node"}
	kindLagging       = errorKind{"lagging", wire.CodeUnavailable, "the subscription fell too far behind and was ended", "subscribe again from the cursor"}
	kindNotKept       = errorKind{"notKept", wire.CodeNotFound, "the node no longer keeps the blocks behind this cursor", "ask a node that keeps them, or begin later"}
	kindUnknownHeight = errorKind{"unknownHeight", wire.CodeNotFound, "the height is above the chain's, or its state or block is no longer kept", `ledger_status has the newest height; leave the height out for the newest state`}
	kindNoSuchAsset   = errorKind{"noSuchAsset", wire.CodeNotFound, "no asset has this symbol", "ledger_listAssets has the assets and their symbols"}
	kindTimeout       = errorKind{"timeout", wire.CodeUnavailable, "the receipt did not come in time; data.hash is the transaction", "ledger_waitReceipt waits on; sending the same bytes again does no harm"}
	kindBusy          = errorKind{"busy", wire.CodeUnavailable, "the node is serving as many calls as it may", "try again shortly, or ask another node"}
	kindPoolFull      = errorKind{"poolFull", wire.CodeUnavailable, "the pool of pending transactions is full", "send the same bytes again shortly, or to another node"}
	kindAccountQuota  = errorKind{"accountQuota", wire.CodeUnavailable, "as many transactions of the sender are pending as one account may have", "send the same bytes again when some of the account's pending transactions have their receipts, or to another node"}
	kindMemberQuota   = errorKind{"memberQuota", wire.CodeUnavailable, "as many transactions of the accounts of the sender's member, or of accounts of no member, are pending as these may have together", "send the same bytes again shortly, or to another node"}
	kindCatchingUp    = errorKind{"catchingUp", wire.CodeUnavailable, "the node is catching up with the network", "try again when ledger_status says catchingUp false, or ask another node"}
	kindBodyTimeout   = errorKind{"requestTimeout", wire.CodeUnavailable, "the rest of the request did not arrive in time", "send the request again"}
	kindShuttingDown  = errorKind{"shuttingDown", wire.CodeUnavailable, "the node is shutting down", "ask another node, or this one after its restart"}
	kindCancelled     = errorKind{"cancelled", wire.CodeUnavailable, "the caller went away before the answer", "send the request again"}
	kindInternal      = errorKind{"internal", wire.CodeUnavailable, "the node failed to answer; the reason is in its log", "try again, or ask another node; tell the operator if it stays"}
)

// errorKinds is the table in the order in which documents list it.
var errorKinds = []errorKind{
	kindParse, kindRequest, kindBatchTooLarge, kindTooLarge, kindMethod, kindParams,
	kindReverted, kindSyncTimeout, kindAlreadyKnown, kindManyLogs, kindNoSubscription, kindNoFilter, kindFilters,
	kindBatchWaits, kindResponse, kindWebSocketOnly, kindNoKey, kindUnknownKey, kindScope, kindUnknownHeight, kindNoSuchAsset, kindNotKept, kindBlockPruned,
	kindSubscriptions, kindLagging, kindTimeout, kindBusy, kindRate, kindPoolFull,
	kindAccountQuota, kindMemberQuota, kindCatchingUp, kindNotProvable, kindBodyTimeout, kindShuttingDown, kindCancelled, kindInternal,
}

// with makes an error of this kind with its own message.
func (k errorKind) with(format string, args ...any) *callError {
	return &callError{code: k.code, message: fmt.Sprintf(format, args...), data: wire.ErrorData{Name: k.name, Hint: k.hint}}
}

// plain makes an error of this kind whose message is the kind's meaning.
func (k errorKind) plain() *callError { return k.with("%s", k.meaning) }

// about adds the hash of the transaction that the error is about.
func (e *callError) about(hash crypto.Hash) *callError {
	e.data.Hash = &hash
	return e
}

// codeHints say what to do about a ledger's code, where its meaning does not.
var codeHints = map[ledger.Code]string{
	ledger.CodeMalformed:           "encode the transaction as docs/FORMATS.md says, or use ledger_sendTransaction",
	ledger.CodeWrongNetwork:        "ledger_status has this network's chainId",
	ledger.CodeUnknownSender:       "the account comes to be when it first receives, or by admission; check the sender's address",
	ledger.CodeNonceSpent:          "data.hash is the transaction that spent it: if that is not the one you meant, take the account's nextNonce and sign again",
	ledger.CodeDuplicateNonce:      "data.hash is the pending transaction with this nonce: wait for its receipt, or take another nonce and sign again",
	ledger.CodeNonceTooLow:         "take the account's nextNonce and sign again",
	ledger.CodeNonceTooHigh:        "take the account's nextNonce and sign again",
	ledger.CodeExpired:             "set validUntil to a later time (Unix seconds) and sign again; the nonce is not spent",
	ledger.CodeInvalidSignature:    "a signature is 65 bytes, r ‖ s ‖ v, with low s",
	ledger.CodeUnauthorized:        "sign what ledger_typedData returns for exactly this transaction, with the keys of the sender and of every account that pays",
	ledger.CodeInsufficientBalance: "ledger_getBalance has what is available",
	ledger.CodeUnknownAsset:        "ledger_listAssets has the assets and their addresses",
}

// rejected is the ledger's refusal, before or at admission.
func rejected(code ledger.Code) *callError {
	info := code.Info()
	return &callError{code: wire.CodeRejected, message: info.Meaning, data: wire.ErrorData{
		Name: info.Name, Code: uint32(code), Hint: codeHints[code],
	}}
}

// rejectedBy is rejected with the transaction that has the nonce, where known.
func rejectedBy(v Verdict) *callError {
	e := rejected(v.Code)
	if v.HolderHash != nil {
		e.message += fmt.Sprintf(" (transaction %s)", *v.HolderHash)
		e.data.Hash, e.data.BodyHash = v.HolderHash, v.HolderBodyHash
	}
	return e
}

// known turns the backend's named conditions into errors for the client; ok
// is false for a failure of the node.
func known(err error) (e *callError, ok bool) {
	switch {
	case errors.As(err, &e):
		return e, true
	case errors.Is(err, ErrPoolFull):
		return kindPoolFull.plain(), true
	case errors.Is(err, ErrAccountQuota):
		return kindAccountQuota.plain(), true
	case errors.Is(err, ErrMemberQuota):
		return kindMemberQuota.plain(), true
	case errors.Is(err, ErrCatchingUp):
		return kindCatchingUp.plain(), true
	case errors.Is(err, ErrUnknownHeight):
		return kindUnknownHeight.plain(), true
	case errors.Is(err, context.Canceled):
		return kindCancelled.plain(), true
	}
	return nil, false
}
