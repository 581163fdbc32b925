package rpc

import (
	"reflect"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/tallystick/tallystick/rpc/eth"
)

// ethTypeNames are the schemas of the types that Ethereum's methods answer with.
// Their fields have nothing to do with fields of the same name in the native RPC.
var ethTypeNames = map[reflect.Type]string{
	reflect.TypeFor[hexutil.Uint64]():   "Quantity",
	reflect.TypeFor[hexutil.U256]():     "Quantity",
	reflect.TypeFor[hexutil.Bytes]():    "Bytes",
	reflect.TypeFor[common.Hash]():      "Hash",
	reflect.TypeFor[common.Address]():   "Address",
	reflect.TypeFor[types.Bloom]():      "Bloom",
	reflect.TypeFor[types.BlockNonce](): "BlockNonce",
	reflect.TypeFor[types.AccessList](): "NoAccessList",
	reflect.TypeFor[eth.Shown]():        "EthBlock",
	reflect.TypeFor[eth.Transaction]():  "EthTransaction",
	reflect.TypeFor[eth.Receipt]():      "EthReceipt",
	reflect.TypeFor[eth.Log]():          "EthLog",
	reflect.TypeFor[feeHistory]():       "EthFeeHistory",
	reflect.TypeFor[syncProgress]():     "EthSyncProgress",
}

// listOf is the schema of a list of T.
func listOf[T any](g *schemas) schema {
	return schema{{"type", "array"}, {"items", refTo[T](g)}}
}

// isEth reports whether a field's owner is one of Ethereum's shapes.
func isEth(owner string) bool { return strings.HasPrefix(owner, "Eth") }

const (
	tagPattern    = "^(latest|pending|safe|finalized|earliest)$"
	numberPattern = "^0x(0|[1-9a-f][0-9a-f]{0,15})$"
)

// addEthereum adds the schemas of Ethereum's methods.
func addEthereum() {
	for name, text := range map[string]string{
		"EthBlock":        "A block in Ethereum's shape. hash is CometBFT's and is not that of the fields; stateRoot is the AppHash of the header: the state before the block.",
		"EthTransaction":  "A transaction in Ethereum's shape. Of a native one v, r and s are 0x0. What tells the place is null while it is pending.",
		"EthReceipt":      "A receipt in Ethereum's shape. status is 0x1 for applied, 0x0 for refused; ledger_getReceipt has the reason.",
		"EthLog":          "A movement of an asset as the event Transfer of an ERC-20 at the asset's address. Of what the network began with, transactionHash is the hash of block 0.",
		"EthFeeHistory":   "Fees of blocks, all of them zero.",
		"EthSyncProgress": "How far a node is that catches up.",
	} {
		typeTexts[name] = text
	}
	leafSchemas["Quantity"] = fixed(pattern("A number in hex, without leading zeros", "^0x(0|[1-9a-f][0-9a-f]*)$"))
	leafSchemas["Flag"] = fixed(schema{{"type", "boolean"}})
	leafSchemas["Text"] = fixed(schema{{"type", "string"}})
	leafSchemas["Slot"] = fixed(pattern("A place in storage", "^0x[0-9a-fA-F]{1,64}$"))
	leafSchemas["Bloom"] = fixed(pattern("A filter of 2048 bits, in which addresses and topics of logs can be looked up", "^0x[0-9a-f]{512}$"))
	leafSchemas["BlockNonce"] = fixed(pattern("8 bytes of zeros", "^0x0{16}$"))
	leafSchemas["NoAccessList"] = fixed(schema{{"type", "array"}, {"description", "Always empty"}, {"maxItems", 0}})
	leafSchemas["NoAccounts"] = fixed(schema{{"type", "array"}, {"description", "Always empty"}, {"maxItems", 0}})
	leafSchemas["Percentiles"] = fixed(schema{{"type", "array"}, {"items", schema{{"type", "number"}, {"minimum", 0}, {"maximum", 100}}}, {"maxItems", maxPercentiles}})
	leafSchemas["EthOverrides"] = fixed(schema{{"type", "object"}, {"description", "Always empty"}, {"maxProperties", 0}})
	leafSchemas["Syncing"] = func(g *schemas) schema {
		return schema{{"oneOf", []schema{{{"type", "boolean"}, {"const", false}}, refTo[syncProgress](g)}}}
	}
	leafSchemas["EthTimeout"] = func(g *schemas) schema {
		return schema{{"oneOf", []schema{named("TimeoutMs")(g), named("Quantity")(g)}}}
	}
	leafSchemas["EthBlockNumber"] = fixed(schema{{"oneOf", []schema{pattern("A tag; all but earliest are the newest block", tagPattern), pattern("A height", numberPattern)}}})
	leafSchemas["EthBlockID"] = func(g *schemas) schema {
		byNumber := schema{{"type", "object"}, {"properties", schema{{"blockNumber", named("EthBlockNumber")(g)}}}, {"required", []string{"blockNumber"}}}
		byHash := schema{{"type", "object"}, {"properties", schema{{"blockHash", named("Hash")(g)}, {"requireCanonical", named("Flag")(g)}}}, {"required", []string{"blockHash"}}}
		return schema{{"anyOf", []schema{named("EthBlockNumber")(g), named("Hash")(g), byNumber, byHash}}}
	}
	leafSchemas["EthCall"] = ethCallSchema
	leafSchemas["EthFilter"] = ethFilterSchema
	fieldSchemas["EthBlock.transactions"] = func(g *schemas) schema {
		return schema{{"anyOf", []schema{listOf[common.Hash](g), listOf[eth.Transaction](g)}}}
	}
	fieldSchemas["EthTransaction.type"] = fixed(oneOf("0x0", "0x2"))
	fieldSchemas["EthReceipt.type"] = fixed(oneOf("0x0", "0x2"))
	fieldSchemas["EthReceipt.status"] = fixed(oneOf("0x0", "0x1"))
	fieldSchemas["EthFeeHistory.gasUsedRatio"] = fixed(schema{{"type", "array"}, {"items", schema{{"type", "number"}, {"minimum", 0}, {"maximum", 1}}}})
}

func ethCallSchema(g *schemas) schema {
	quantity, data := named("Quantity")(g), named("Bytes")(g)
	address := refTo[addressType](g)
	return schema{{"type", "object"}, {"description", "A transaction that is tried and not sent. Other fields of Ethereum's are passed over."}, {"properties", schema{
		{"from", address}, {"to", nullable(address)}, {"value", quantity}, {"data", data}, {"input", data},
	}}}
}

func ethFilterSchema(g *schemas) schema {
	hash, block := named("Hash")(g), named("EthBlockNumber")(g)
	some := func(one schema) schema { return schema{{"type", "array"}, {"items", one}, {"maxItems", 1000}} }
	address := refTo[addressType](g)
	return schema{{"type", "object"}, {"description", "Which logs: of one block or of a range, of any of the addresses, with at each position any of the topics."}, {"properties", schema{
		{"fromBlock", block}, {"toBlock", block}, {"blockHash", hash},
		{"address", schema{{"anyOf", []schema{address, some(address)}}}},
		{"topics", schema{{"type", "array"}, {"items", schema{{"anyOf", []schema{{{"type", "null"}}, hash, some(nullable(hash))}}}}, {"maxItems", 4}}},
	}}}
}
