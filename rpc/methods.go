package rpc

import (
	"slices"
	"strings"

	"github.com/tallystick/tallystick/rpc/apikey"
	"github.com/tallystick/tallystick/rpc/wire"
)

// method is a row of the table from which the screen, the errors about
// parameters and the OpenRPC document are made. What the method does is the Go
// method of the same name on ledgerAPI or rpcAPI.
type method struct {
	name        string
	summary     string // one line
	description string // what else a caller must know
	params      []param
	result      result
	errors      []errorComponent // beside those of every method
	waits       bool             // for a receipt
	heavy       bool             // may read thousands of blocks or receipts
	scope       apikey.Scopes    // what a key must have to call it; none stands for Read
	single      bool             // never in a batch
}

// param is one positional parameter.
type param struct {
	name        string
	required    bool // the optional ones stand last
	form        form
	description string
}

// form is a form that a parameter may take.
type form struct {
	expects string // in words, for errors
	schema  func(*schemas) schema
}

// result is what a method returns.
type result struct {
	name     string
	nullable string // when it is null; empty for never
	schema   func(*schemas) schema
}

var (
	formAddress = form{"an address: 0x and 40 hex digits, in EIP-55 or all in one case", refTo[addressType]}
	formHash    = form{"a hash: 0x and 64 hex digits", refTo[hashType]}
	formRaw     = form{"the raw bytes: 0x and an even number of hex digits", refTo[wire.Bytes]}
	formNonce   = form{"a nonce: a whole number up to 2^53 - 1", named("Nonce")}
	formTimeout = form{"a whole number of milliseconds", named("TimeoutMs")}
	formHeight  = form{`a height (a whole number) or "latest"`, named("StateHeight")}
	formBlock   = form{`a height (a whole number), a block hash (0x and 64 hex digits) or "latest"`, named("BlockSelector")}
	formAsset   = form{"an asset's address (0x and 40 hex digits) or its symbol (1 to 12 of A-Z and 0-9)", named("AssetSelector")}
	formPage    = form{"an object {limit, cursor}: limit from 1 to 1000, cursor the next of the page before", refTo[wire.Page]}
	formBody    = form{"a transaction {sender, nonce, validUntil, memo} with one operation, such as transfer:{legs:[{from,to,asset,amount,reference}]}", refTo[bodyType]}
	formSigned  = form{"an object {tx, signatures:[{scheme, signature}]}", refTo[wire.SignedTransaction]}
)

var (
	paramHash    = param{"hash", true, formHash, "The transaction hash."}
	paramRaw     = param{"raw", true, formRaw, "The signed transaction: the native envelope, or a legacy or type 2 Ethereum transaction."}
	paramTimeout = param{"timeoutMs", false, formTimeout, "How long to wait; 10000 where it is left out. More than the node's longest wait means that."}
	paramHeight  = param{"height", false, formHeight, "The state after this block; the newest where it is left out. A node keeps the state of at least its last 128 blocks."}
)

// methodTable lists every method, in the order of the documents.
var methodTable = slices.Concat(
	ledgerMethods,
	holdingMethods,
	governMethods,
	historyMethods,
	nodeMethods,
	simulateMethods,
	subscriptionMethods,
	contentsMethods,
	receiptProofMethods,
	ethMethods,
	ethFollowMethods,
	[]*method{discoverRow},
)

var ledgerMethods = []*method{
	{
		name: "ledger_status", summary: "The node and its newest height.",
		description: "Every other method answers for this height.",
		result:      result{"status", "", refTo[wire.Status]},
	}, {
		name: "ledger_typedData", summary: "What to sign for an unsigned transaction.",
		description: "typedData is what eth_signTypedData_v4 takes (scheme 0); bodyHash is what scheme 1 signs. A transaction that could never be included is refused.",
		params:      []param{{"tx", true, formBody, "The unsigned transaction."}},
		result:      result{"typedData", "", refTo[wire.TypedData]}, errors: []errorComponent{errorRejected},
	}, {
		name: "ledger_sendTransaction", summary: "Submit a transaction in JSON with its signatures.",
		description: "Returns once the transaction is admitted. The signatures may stand in any order. The same transaction again returns the same hash.",
		params:      []param{{"signed", true, formSigned, "The transaction and its signatures."}},
		result:      result{"hash", "", refTo[hashType]}, errors: []errorComponent{errorRejected}, scope: apikey.Submit,
	}, {
		name: "ledger_sendRawTransaction", summary: "Submit a signed transaction.",
		description: "Returns once the transaction is admitted. The same bytes again return the same hash, never an error.",
		params:      []param{paramRaw},
		result:      result{"hash", "", refTo[hashType]}, errors: []errorComponent{errorRejected}, scope: apikey.Submit,
	}, {
		name: "ledger_sendRawTransactionSync", summary: "Submit a signed transaction and wait for its receipt.",
		description: "On a timeout the error's data.hash is the transaction hash: the transaction may still be committed. At most 4 calls of a batch may wait.",
		params:      []param{paramRaw, paramTimeout},
		result:      result{"receipt", "", refTo[wire.Receipt]}, errors: []errorComponent{errorRejected}, waits: true, scope: apikey.Submit,
	}, {
		name: "ledger_waitReceipt", summary: "Wait for the receipt of a transaction.",
		description: "Also for a transaction that the node does not know yet. On a timeout the error's data.hash is the transaction hash. At most 4 calls of a batch may wait.",
		params:      []param{paramHash, paramTimeout},
		result:      result{"receipt", "", refTo[wire.Receipt]}, waits: true,
	}, {
		name: "ledger_getReceipt", summary: "What became of a transaction.",
		description: "Once a node has returned a receipt, every later read from it sees the transaction's effects.",
		params:      []param{paramHash},
		result:      result{"receipt", "no committed transaction has this hash", refTo[wire.Receipt]},
	}, {
		name: "ledger_getReceiptByNonce", summary: "What became of the transaction that spent a nonce.",
		description: "Sender and nonce together are an idempotency key: the answer never changes once it is not null.",
		params: []param{
			{"sender", true, formAddress, "The transaction's sender."}, {"nonce", true, formNonce, "The transaction's nonce."},
		},
		result: result{"receipt", "the sender has not spent this nonce", refTo[wire.Receipt]},
	}, {
		name: "ledger_getTransaction", summary: "A transaction, committed or pending.",
		description: "height, index and blockHash are null while it is pending. Of an Ethereum transaction, tx is the native equivalent.",
		params:      []param{paramHash},
		result:      result{"transaction", "this node knows no transaction with this hash", refTo[wire.Transaction]},
	}, {
		name: "ledger_getBlock", summary: "A block by height or hash, or the newest.",
		params: []param{{"block", true, formBlock, "The height, the block hash, or \"latest\"."}},
		result: result{"block", "no block has this hash (an unknown height is an error)", refTo[wire.Block]}, errors: []errorComponent{errorNotFound},
	}, {
		name: "ledger_getAccount", summary: "An account with all its balances.",
		params: []param{{"address", true, formAddress, "The account."}, paramHeight},
		result: result{"account", "there is no account at this address", refTo[wire.Account]}, errors: []errorComponent{errorNotFound},
	}, {
		name: "ledger_getBalance", summary: "An account's balance of one asset.",
		description: "Zero for an account or asset that does not exist.",
		params: []param{
			{"address", true, formAddress, "The account."}, {"asset", true, formAddress, "The asset's address."}, paramHeight,
		},
		result: result{"balance", "", refTo[wire.Balance]}, errors: []errorComponent{errorNotFound},
	}, {
		name: "ledger_getAsset", summary: "An asset by address or symbol.",
		params: []param{{"asset", true, formAsset, "The asset's address, or its symbol."}},
		result: result{"asset", "there is no such asset", refTo[wire.Asset]},
	}, {
		name: "ledger_listAssets", summary: "All assets, page by page, ascending by address.",
		params: []param{paramPage},
		result: result{"page", "", refTo[wire.AssetPage]},
	},
}

var discoverRow = &method{
	name: discoverMethod, summary: "This document.",
	description: "Also by the name rpc.discover.",
	result:      result{"openrpc", "", named("OpenRPC")},
}

var methodIndex = func() map[string]*method {
	index := make(map[string]*method, len(methodTable))
	for _, m := range methodTable {
		index[m.name] = m
	}
	return index
}()

// methodNamed finds a method; nil when there is none.
func methodNamed(name string) *method { return methodIndex[name] }

// needs is the scope that a key must have to call the method.
func (m *method) needs() apikey.Scopes {
	if m.scope == 0 {
		return apikey.Read
	}
	return m.scope
}

// signature lists the parameters as a person would write them.
func (m *method) signature() string {
	if len(m.params) == 0 {
		return "[]"
	}
	names := make([]string, len(m.params))
	for i, p := range m.params {
		names[i] = p.name
		if !p.required {
			names[i] += "?"
		}
	}
	return "[" + strings.Join(names, ", ") + "]"
}
