package rpc

import (
	"fmt"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/eth"
	"github.com/tallystick/tallystick/rpc/wire"
)

// Codes that Ethereum's tools know.
const (
	codeReverted    = 3 // with data: what the call reverted with
	codeSyncTimeout = 4 // of eth_sendRawTransactionSync (EIP-7966), with data: the hash
)

var (
	kindReverted       = errorKind{"executionReverted", codeReverted, "eth_call, eth_estimateGas: the transaction would be refused; the message says why, and data is the ABI's Error(string) with the reason", "what the message says; ledger_simulate tells the ledger's code"}
	kindSyncTimeout    = errorKind{"transactionTimeout", codeSyncTimeout, "eth_sendRawTransactionSync: the receipt did not come in time; data is the transaction's hash", "ask eth_getTransactionReceipt; the transaction may still be committed"}
	kindAlreadyKnown   = errorKind{"alreadyKnown", wire.CodeInvalidInput, "eth_sendRawTransaction: these very bytes are waiting on the node; data.hash is the transaction", "ask eth_getTransactionReceipt"}
	kindNoSubscription = errorKind{"subscriptionNotFound", wire.CodeInvalidInput, "subscription not found", "subscriptions end with their WebSocket"}
	kindNoFilter       = errorKind{"filterNotFound", wire.CodeInvalidInput, "filter not found", "make a filter: one that nobody asks for five minutes ends, and all end with the node"}
	kindFilters        = errorKind{"tooManyFilters", wire.CodeUnavailable, "the node has as many filters as it may", "end those that you do not need, or follow with eth_subscribe"}
	kindManyLogs       = errorKind{"tooManyLogs", wire.CodeInvalidInput, "eth_getLogs: more logs, or more blocks to look through, than one answer covers; the message has a range that it does", "ask for the range that the message has, and go on from there"}
)

// reverted is a refusal as a contract's revert with a reason, which every wallet
// and library shows.
func reverted(reason string) *callError {
	e := kindReverted.with("execution reverted: %s", reason)
	e.plainData = hexutil.Encode(eth.Revert(reason))
	return e
}

// ethRefusal is the ledger's refusal under go-ethereum's code, in words that its
// clients know.
func ethRefusal(code ledger.Code, format string, args ...any) *callError {
	return &callError{code: wire.CodeInvalidInput, message: fmt.Sprintf(format, args...), data: wire.ErrorData{
		Name: code.Info().Name, Code: uint32(code), Hint: codeHints[code],
	}}
}

// sendRefusal is why a transaction was not taken, as go-ethereum would word it. next
// is its sender's next nonce, where the code is about nonces.
func sendRefusal(v Verdict, tx *ledger.Tx, net *ledger.Network, next uint64) *callError {
	meaning := v.Code.Info().Meaning
	e := ethRefusal(v.Code, "%s", meaning)
	switch v.Code {
	case ledger.CodeNonceSpent, ledger.CodeNonceTooLow:
		e.message = fmt.Sprintf("nonce too low: next nonce %d, tx nonce %d: %s", next, tx.Nonce, meaning)
	case ledger.CodeNonceTooHigh:
		e.message = fmt.Sprintf("nonce too high: next nonce %d, tx nonce %d: %s", next, tx.Nonce, meaning)
	case ledger.CodeDuplicateNonce:
		e.message = "replacement transaction underpriced: another transaction with this nonce is waiting, and none replaces it, whatever it pays"
	case ledger.CodeInsufficientBalance, ledger.CodeUnknownSender, ledger.CodeAmountOutOfRange:
		if movesValue(tx, net) {
			e.message = "insufficient funds for gas * price + value: " + meaning
		}
	case ledger.CodeWrongNetwork:
		e.message = wrongNetwork(tx.Raw, net, meaning)
	case ledger.CodeUnsupportedType:
		e.message = "transaction type not supported: transaction type not valid here: " + meaning
	case ledger.CodeTooLarge:
		e.message = "oversized data: " + meaning
	case ledger.CodeInvalidSignature:
		e.message = "invalid sender: " + meaning
	}
	e.data.Hash = &v.Hash
	if v.HolderHash != nil {
		e.message += fmt.Sprintf(" (transaction %s)", *v.HolderHash)
		e.data.Hash, e.data.BodyHash = v.HolderHash, v.HolderBodyHash
	}
	return e
}

// movesValue reports whether a transaction moves the settlement asset, were it as
// much as nobody can have.
func movesValue(tx *ledger.Tx, net *ledger.Network) bool {
	if t, ok := tx.Op.(*ledger.Transfer); ok {
		return len(t.Legs) > 0 && t.Legs[0].Asset == net.Settlement
	}
	var envelope types.Transaction
	return envelope.UnmarshalBinary(tx.Raw) == nil && len(envelope.Data()) == 0
}

// alreadyKnown answers for bytes that wait on the node.
func alreadyKnown(hash crypto.Hash) *callError {
	return kindAlreadyKnown.with("already known").about(hash)
}
