package rpc

import (
	"maps"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/eth"
	"github.com/tallystick/tallystick/rpc/wire"
)

// addSubscriptions adds what the documents say of subscriptions.
func addSubscriptions() {
	maps.Copy(typeTexts, map[string]string{
		"Cursor":           "A place in the stream of all that happens, which is the same on every node. It stands behind what it names.",
		"SentCursor":       "Where to go on. Without index, behind the whole block; {height, index: -2} is just before the block, so {height: 0, index: -2} is the very beginning.",
		"Notice":           "What a notification ledger_subscription has as params.result, and a webhook in its list. With none of the optional fields it says only that up to the cursor nothing else was to be told.",
		"NoticeError":      "Why a subscription has ended.",
		"BlockEvents":      "The events of a block itself that were chosen: of what fell due there; at height 0, of what the network began with.",
		"SubscribeOptions": "Which receipts, and which of the blocks' own events; each condition that is given must hold. And where to begin.",
	})
	closed = append(closed, "SubscribeOptions", "SentCursor")
	index := schema{{"type", "integer"}, {"minimum", wire.IndexBlockBegin}, {"maximum", wire.IndexBlockEnd},
		{"description", "The receipt's index in the block; -1 are the block's own events, which come before its receipts; -2 is before both"}}
	maps.Copy(leafSchemas, map[string]func(*schemas) schema{
		"SubscriptionKind": fixed(oneOf(followBlocks, followReceipts)),
		"SubscriptionID":   fixed(pattern("A subscription's id", "^0x[1-9a-f][0-9a-f]*$")),
		"SentCursor": func(g *schemas) schema {
			return schema{{"type", "object"}, {"description", typeTexts["SentCursor"]},
				{"properties", schema{{"height", named("Height")(g)}, {"index", index}}}, {"required", []string{"height"}}, {"additionalProperties", false}}
		},
		"SubscribeOptions": func(g *schemas) schema {
			text := schema{{"type", "string"}, {"description", "A reference that an event has, 1 to 35 bytes of UTF-8"}, {"minLength", 1}, {"maxLength", ledger.MaxReferenceBytes}}
			address := refTo[crypto.Address](g)
			return schema{{"type", "object"}, {"description", typeTexts["SubscribeOptions"]},
				{"properties", schema{{"account", address}, {"asset", address}, {"member", address}, {"reference", text}, {"cursor", named("SentCursor")(g)}}},
				{"required", []string{}}, {"additionalProperties", false}}
		},
	})
	leafSchemas["EthSubscriptionKind"] = fixed(oneOf(followHeads, followLogs, followPending))
	leafSchemas["EthSubscriptionChoice"] = func(g *schemas) schema {
		return schema{{"oneOf", []schema{named("EthFilter")(g), named("Flag")(g)}}}
	}
	leafSchemas["EthID"] = fixed(schema{{"type", "string"}, {"description", "The id of a subscription or a filter"}})
	leafSchemas["EthChanges"] = func(g *schemas) schema {
		return schema{{"description", "Logs; or hashes of blocks; or hashes of transactions, or these whole"},
			{"anyOf", []schema{listOf[eth.Log](g), listOf[hashType](g), listOf[eth.Transaction](g)}}}
	}
	fieldSchemas["Cursor.index"] = fixed(index)
	fieldSchemas["NoticeError.code"] = fixed(schema{{"type", "integer"}})
}
