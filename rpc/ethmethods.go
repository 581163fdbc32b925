package rpc

import (
	"github.com/tallystick/tallystick/rpc/apikey"
	"github.com/tallystick/tallystick/rpc/eth"
)

var (
	formEthAddress  = form{"an address: 0x and 40 hex digits", refTo[addressType]}
	formEthBlock    = form{`"latest", "pending", "safe", "finalized", "earliest", a number in hex without leading zeros, a block hash, or an object with blockNumber or blockHash`, named("EthBlockID")}
	formEthNumber   = form{`"latest", "pending", "safe", "finalized", "earliest", or a number in hex without leading zeros`, named("EthBlockNumber")}
	formQuantity    = form{"a number in hex without leading zeros", named("Quantity")}
	formFlag        = form{"true or false", named("Flag")}
	formCall        = form{"a transaction {from, to, value, data}", named("EthCall")}
	formOverrides   = form{"nothing, null or {}", named("EthOverrides")}
	formFilter      = form{"a filter {fromBlock, toBlock, address, topics} or {blockHash, address, topics}", named("EthFilter")}
	formPercentiles = form{"a list of at most 100 numbers from 0 to 100, ascending", named("Percentiles")}
	formSlot        = form{"0x and at most 64 hex digits", named("Slot")}
	formEthTimeout  = form{"milliseconds, as a number or in hex", named("EthTimeout")}
	formEthData     = form{"bytes: 0x and an even number of hex digits", named("Bytes")}
)

var (
	paramEthAddress = param{"address", true, formEthAddress, "The account."}
	paramEthBlock   = param{"block", false, formEthBlock, "The state after this block; the newest where it is left out."}
	paramEthNumber  = param{"block", true, formEthNumber, "The block's height, or a tag."}
	paramBlockHash  = param{"hash", true, formHash, "The block's hash."}
	paramFull       = param{"full", false, formFlag, "true for whole transactions; else their hashes."}
	paramIndex      = param{"index", true, formQuantity, "The place in the block, from 0x0."}
	paramsCall      = []param{
		{"call", true, formCall, "What would be sent. Gas and fees mean nothing."},
		paramEthBlock,
		{"state", false, formOverrides, "Changes of the state are not made: anything in it is refused."},
		{"header", false, formOverrides, "Changes of the block are not made: anything in it is refused."},
	}
)

var (
	resultQuantity = result{"quantity", "", named("Quantity")}
	resultCount    = result{"count", "there is no such block", named("Quantity")}
	resultEthBlock = result{"block", "there is no such block", refTo[eth.Shown]}
	resultEthTx    = result{"transaction", "there is no such transaction", refTo[eth.Transaction]}
	resultUncle    = result{"uncle", "always: no block ever competes with another", refTo[eth.Shown]}
	resultHash     = result{"hash", "", refTo[hashType]}
)

// noSuchHeight are the errors of what reads the state after a block.
var noSuchHeight = []errorComponent{errorNotFound}

// ethMethods are the rows of Ethereum's methods. What is exact, adapted or refused
// docs/ETHEREUM.md says.
var ethMethods = []*method{
	{name: "eth_chainId", summary: "The number of the chain (EIP-155).", result: resultQuantity},
	{name: "eth_accounts", summary: "No accounts: a node keeps nobody's keys.", result: result{"accounts", "", named("NoAccounts")}},
	{name: "eth_syncing", summary: "Whether the node is catching up with the network, and how far it is.", result: result{"syncing", "", named("Syncing")}},
	{name: "eth_blockNumber", summary: "The newest height.", result: resultQuantity},
	{
		name: "eth_getBalance", summary: "What an account has of the settlement asset, available and held together, scaled to 18 decimals.",
		params: []param{paramEthAddress, paramEthBlock}, result: resultQuantity, errors: noSuchHeight,
	}, {
		name: "eth_getTransactionCount", summary: "The nonce to take next.",
		description: "One above the highest spent; nonces may be spent in any order. With \"pending\" the first from there on with which nothing waits on this node.",
		params:      []param{paramEthAddress, paramEthBlock}, result: resultQuantity, errors: noSuchHeight,
	}, {
		name: "eth_getCode", summary: "The code at an address: 0x, and for an asset a few bytes that only revert.",
		params: []param{paramEthAddress, paramEthBlock}, result: result{"code", "", named("Bytes")}, errors: noSuchHeight,
	}, {
		name: "eth_getStorageAt", summary: "Always a word of zeros.",
		params: []param{paramEthAddress, {"slot", true, formSlot, "The place of the word."}, paramEthBlock}, result: result{"word", "", refTo[hashType]}, errors: noSuchHeight,
	}, {
		name: "eth_call", summary: "Call an asset's functions, or try a movement.",
		description: "An asset has those of ERC-20 and supportsInterface. What would be refused reverts with the reason, code 3.",
		params:      paramsCall, result: result{"answer", "", named("Bytes")}, errors: []errorComponent{errorNotFound, errorReverted},
	}, {
		name: "eth_estimateGas", summary: "A fixed figure, if the transaction would be applied.",
		description: "0x5208 without data, else 0xfde8. Gas costs nothing.",
		params:      paramsCall, result: resultQuantity, errors: []errorComponent{errorNotFound, errorReverted},
	},
	{name: "eth_gasPrice", summary: "Always 0x0.", result: resultQuantity},
	{name: "eth_maxPriorityFeePerGas", summary: "Always 0x0.", result: resultQuantity},
	{
		name: "eth_feeHistory", summary: "Fees of the last blocks, all of them zero.",
		params: []param{
			{"count", true, formQuantity, "How many blocks, at most 1024; a decimal number is taken too."},
			{"newest", true, formEthNumber, "The last of them."},
			{"percentiles", false, formPercentiles, "For which percentiles to tell rewards."},
		},
		result: result{"history", "", refTo[feeHistory]}, errors: noSuchHeight,
	}, {
		name: "eth_getBlockByNumber", summary: "A block by height or tag.",
		params: []param{paramEthNumber, paramFull}, result: resultEthBlock,
	}, {
		name: "eth_getBlockByHash", summary: "A block by hash.",
		params: []param{paramBlockHash, paramFull}, result: resultEthBlock,
	}, {
		name: "eth_getBlockTransactionCountByNumber", summary: "How many transactions a block has.",
		params: []param{paramEthNumber}, result: resultCount,
	}, {
		name: "eth_getBlockTransactionCountByHash", summary: "How many transactions a block has.",
		params: []param{paramBlockHash}, result: resultCount,
	}, {
		name: "eth_getUncleCountByBlockNumber", summary: "Always 0x0.",
		params: []param{paramEthNumber}, result: resultCount,
	}, {
		name: "eth_getUncleCountByBlockHash", summary: "Always 0x0.",
		params: []param{paramBlockHash}, result: resultCount,
	}, {
		name: "eth_getUncleByBlockNumberAndIndex", summary: "Always null.",
		params: []param{paramEthNumber, paramIndex}, result: resultUncle,
	}, {
		name: "eth_getUncleByBlockHashAndIndex", summary: "Always null.",
		params: []param{paramBlockHash, paramIndex}, result: resultUncle,
	}, {
		name: "eth_getTransactionByHash", summary: "A transaction, committed or pending.",
		params: []param{paramHash}, result: resultEthTx,
	}, {
		name: "eth_getTransactionByBlockNumberAndIndex", summary: "A transaction by its place.",
		params: []param{paramEthNumber, paramIndex}, result: resultEthTx,
	}, {
		name: "eth_getTransactionByBlockHashAndIndex", summary: "A transaction by its place.",
		params: []param{paramBlockHash, paramIndex}, result: resultEthTx,
	}, {
		name: "eth_getTransactionReceipt", summary: "What became of a transaction.",
		description: "Of a transaction that is pending on this node when it is asked the answer comes after 250 ms, with the receipt or null: libraries that look once, and again at the next block, need not wait for that, and have forgotten the nonce that they read before.",
		params:      []param{paramHash}, result: result{"receipt", "no committed transaction has this hash", refTo[eth.Receipt]},
	}, {
		name: "eth_getBlockReceipts", summary: "The receipts of a block.",
		params: []param{{"block", true, formEthBlock, "The block."}}, result: result{"receipts", "there is no such block", listOf[eth.Receipt]}, heavy: true,
	}, {
		name: "eth_getLogs", summary: "Movements of assets as logs of ERC-20 tokens.",
		description: "At most 10,000 at once.",
		params:      []param{{"filter", true, formFilter, "Which logs."}}, result: result{"logs", "", listOf[eth.Log]}, errors: noSuchHeight, heavy: true,
	}, {
		name: "eth_sendRawTransaction", summary: "Submit a signed transaction, an Ethereum or a native envelope.",
		description: "Refusals are worded as go-ethereum words them.",
		params:      []param{paramRaw}, result: resultHash, scope: apikey.Submit,
	}, {
		name: "eth_sendRawTransactionSync", summary: "Submit a signed transaction and wait for its receipt (EIP-7966).",
		description: "The same bytes again are waited for. At most 4 calls of a batch may wait.",
		params:      []param{paramRaw, {"timeoutMs", false, formEthTimeout, "How long to wait; 10000 where it is left out or 0. More than the node's longest wait means that."}},
		result:      result{"receipt", "", refTo[eth.Receipt]}, errors: []errorComponent{errorSyncTimeout}, waits: true, scope: apikey.Submit,
	},
	{name: "net_version", summary: "The number of the chain, decimal.", result: result{"version", "", named("DecimalUint64")}},
	{name: "net_listening", summary: "Always true.", result: result{"listening", "", named("Flag")}},
	{name: "net_peerCount", summary: "How many nodes this one is connected with.", result: resultQuantity},
	{name: "web3_clientVersion", summary: "The program and its version.", result: result{"version", "", named("Text")}},
	{
		name: "web3_sha3", summary: "Keccak-256 of bytes.",
		params: []param{{"data", true, formEthData, "The bytes."}}, result: resultHash,
	},
}
