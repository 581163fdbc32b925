package rpc

import (
	"reflect"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// operationTypes are the Go types of the operations, in the order of
// ledger.KindNames.
var operationTypes = func() (types []reflect.Type) {
	for _, k := range ledger.Kinds() {
		types = append(types, reflect.TypeOf(ledger.NewOperation(k)).Elem())
	}
	return types
}()

// The keys that the parameters' objects may have, at any depth.
var (
	bodyKeys   = append(append(jsonNames(operationTypes...), "sender", "nonce", "validUntil", "memo"), ledger.KindNames()...)
	signedKeys = append(jsonNames(reflect.TypeFor[sentTransaction](), reflect.TypeFor[sentSignature]()), bodyKeys...)
	pageKeys   = jsonNames(reflect.TypeFor[wire.Page]())
)

// typeTexts describe the structs.
var typeTexts = map[string]string{
	"Status":             "The node and its newest height; blockHash, blockTime and appHash (the state's root after this block) belong to that height.",
	"TypedDataResult":    "What to sign for a transaction: typedData in a wallet (digest is what it signs, scheme 0), or bodyHash in a program (scheme 1).",
	"TypedData":          "EIP-712 typed data, as eth_signTypedData_v4 takes it.",
	"Simulation":         "What a transaction would do. status applied, refused (it would spend its nonce and do nothing else) or notIncludable (it would do nothing and spend nothing).",
	"Receipt":            "What became of a committed transaction: code 0 is applied, any other is refused, and message says why.",
	"Transaction":        "A transaction. height, index and blockHash are null while it is pending; signatures is empty for Ethereum envelopes.",
	"Block":              "A block. appHash and resultsHash are those of its header: of the state and the results of the block before it.",
	"Account":            "An account with its balances, ascending by asset.",
	"Asset":              "An asset. A cap of 0 is no cap but 2^128 - 1.",
	"Member":             "An organisation of the network. power moves to target, by less than a third of the whole a block.",
	"MemberPage":         "A part of the list of members; next is the cursor of the following part, null at the end.",
	"Validators":         "Who votes on the block after height. A commit needs two thirds of the power, so a healthy validator may be missing from many.",
	"Validator":          "A validator, with how many of the last commits have its signature.",
	"Proposal":           "A proposal, with how the members that are active now stand on it.",
	"ProposalPage":       "A part of the list of proposals; next is the cursor of the following part, null at the end.",
	"ProposalVote":       "One member's vote.",
	"Tally":              "The votes of members that are active now. needed yes pass the proposal; once it waits, needed vetoes stop it.",
	"ProposalThreshold":  "More than this part of the active members is needed.",
	"Params":             "What members can change by vote.",
	"Parameter":          "One of the ledger's numbers, and from where to where it may be set.",
	"ParameterThreshold": "More than this part of the active members is needed for this kind of action.",
	"Upgrade":            "A scheduled change of the rules: from this height on.",
	"Authority":          "Whose signatures an account's transactions need: keys whose weights reach the threshold. holds counts those that it pays or is paid by.",
	"OpenHold":           "Funds set aside, and what is left of them. From expiry on (Unix seconds) the rest goes back by itself.",
	"Holder":             "What an asset's issuer has said about an account; what each says counts where the asset has the flag for it.",
	"Metadata":           "Where an asset's terms stand, and the hash of the document by the issuer's choice of function.",
	"AssetPage":          "A part of the list of assets; next is the cursor of the following part, null at the end.",
	"Page":               "Which part of a list: up to limit items (100 where it is left out) after cursor (the start where it is left out).",
	"Signature":          "One signature of a native transaction, and the address recovered from it.",
	"SentSignature":      "One signature: scheme 0 signs the typed data, scheme 1 the body hash.",
	"ErrorData":          "The data of every error: name is stable; code is the ledger's result code; hash is the transaction waited for, or the one that has the nonce.",
	"Leg":                "One movement of a transfer; the account from must authorise it.",
	"Transfer":           "Moves assets, leg by leg, all or nothing.",
	"CreateAsset":        "Creates an asset whose issuer is the sender.",
	"Issue":              "Creates an amount of an asset; the sender must be its issuer.",
	"Redeem":             "Destroys an amount of an asset; the sender must be its issuer, and from must authorise it.",
	"PauseAsset":         "Stops every movement of an asset; the sender must be its issuer.",
	"ResumeAsset":        "Ends a pause; the sender must be the asset's issuer.",
	"Key":                "One key of an authority, and what it counts.",
	"SetKeys":            "Replaces the sender's keys; no keys and a threshold of 0 are the account's own key alone.",
	"AdmitAccount":       "Creates an account for which the sender's member answers, or takes over one of a removed member; the sender must be a registrar.",
	"FreezeAccount":      "Keeps an account of the sender's member from acting and receiving; the sender must be its registrar.",
	"UnfreezeAccount":    "Takes back a registrar's freeze, and not the network's; the sender must be the registrar.",
	"CloseAccount":       "Ends an account of the sender's member that holds nothing, for ever; the sender must be its registrar.",
	"CreateHold":         "Sets an amount of from aside for to until expiry; the account from must authorise it.",
	"CaptureHold":        "Pays a part of a hold to its payee; the sender must be the payee, or the arbiter where the hold has one.",
	"ReleaseHold":        "Ends a hold: what is left goes back to the payer. The sender must be the payee, the arbiter, or the issuer of an asset with clawback.",
	"Settle":             "Captures, then legs, then new holds, 1 to 4096 in all, all or nothing. Lists that are empty may be left out.",
	"Capture":            "A part of a hold to capture; by is its payee, or its arbiter where it has one, and must authorise it.",
	"Hold":               "The terms of a new hold; the account from must authorise it. Without arbiter the payee captures.",
	"RetireAsset":        "Ends an asset for ever, but for redeeming and clawback; the sender must be its issuer.",
	"ChangeIssuer":       "Makes another account the issuer of an asset; the sender must be its issuer, and to must authorise it.",
	"SetMetadata":        "Says where an asset's terms stand and what their hash is; empty and zero end it. The sender must be its issuer.",
	"ApproveHolder":      "Lets an account receive a restricted asset; the sender must be its issuer.",
	"RevokeHolder":       "Takes an approval back; what the account has stays. The sender must be the asset's issuer.",
	"FreezeHolder":       "Keeps an account from spending and receiving a freezable asset; the sender must be its issuer.",
	"UnfreezeHolder":     "Ends what freezeHolder began; the sender must be the asset's issuer.",
	"FreezeBalance":      "Sets how much of a freezable asset an account must keep available, 0 for nothing; the sender must be its issuer.",
	"Clawback":           "Moves an asset with the flag clawback from an account to another, whatever is frozen; the sender must be its issuer.",
}

// leafSchemas are the schemas that do not come from a struct's fields.
var leafSchemas map[string]func(*schemas) schema

// fieldSchemas are the fields that are narrower than their Go type, by owner
// and JSON name; an owner * is every one.
var fieldSchemas map[string]func(*schemas) schema

func init() { // they refer to each other through named
	leafSchemas = map[string]func(*schemas) schema{
		"Hash":           fixed(pattern("32 bytes, 0x hex; written in lower case", "^0x[0-9a-fA-F]{64}$")),
		"Address":        fixed(pattern("20 bytes, 0x hex; written in EIP-55, read in EIP-55 or all in one case", "^0x[0-9a-fA-F]{40}$")),
		"Bytes":          fixed(pattern("Raw bytes, 0x hex; written in lower case", "^0x([0-9a-fA-F]{2})*$")),
		"Amount":         fixed(pattern("A whole number of the asset's smallest unit, decimal, below 2^128", "^(0|[1-9][0-9]{0,38})$")),
		"DecimalUint64":  fixed(pattern("A whole number below 2^64, decimal", "^(0|[1-9][0-9]{0,19})$")),
		"Symbol":         fixed(pattern("An asset's symbol", "^[A-Z0-9]{1,12}$")),
		"Nonce":          fixed(integer(0, ledger.MaxJSONInteger)),
		"Height":         fixed(integer(0, ledger.MaxJSONInteger)),
		"ProposalNumber": fixed(integer(1, ledger.MaxJSONInteger)),
		"TimeoutMs":      fixed(integer(0, ledger.MaxJSONInteger)),
		"OpenRPC":        fixed(schema{{"type", "object"}, {"description", "An OpenRPC document."}, {"required", []string{"openrpc", "info", "methods"}}}),
		"StateHeight": func(g *schemas) schema {
			return schema{{"oneOf", []schema{named("Height")(g), oneOf("latest")}}}
		},
		"BlockSelector": func(g *schemas) schema {
			return schema{{"oneOf", []schema{named("Height")(g), refTo[crypto.Hash](g), oneOf("latest")}}}
		},
		"AssetSelector": func(g *schemas) schema {
			return schema{{"oneOf", []schema{refTo[crypto.Address](g), named("Symbol")(g)}}}
		},
		"UnsignedTransaction": bodySchema,
		"SignedTransaction":   signedSchema,
		"SentSignature":       sentSignatureSchema,
		"Event":               eventSchema,
		"TypedMessage":        messageSchema,
		"ResultCode":          resultCodeSchema,
	}
	bytesOf := func(n int, text string) func(*schemas) schema {
		return fixed(pattern(text, "^0x[0-9a-fA-F]{"+itoa(2*n)+"}$"))
	}
	fieldSchemas = map[string]func(*schemas) schema{
		"Status.nodeId":           fixed(pattern("CometBFT's node ID: 40 hex digits without 0x", "^[0-9a-f]{40}$")),
		"Status.validatorAddress": bytesOf(20, "The address of the node's consensus key, 20 bytes"),
		"Block.proposer":          bytesOf(20, "The address of the proposer's consensus key, 20 bytes"),
		"*.signature":             bytesOf(65, "r ‖ s ‖ v, 65 bytes; v is 0 or 1 (27 and 28 are read too)"),
		"*.scheme":                fixed(schema{{"type", "integer"}, {"enum", []int{0, 1}}}),
		"*.decimals":              fixed(integer(0, ledger.MaxDecimals)),
		"*.symbol":                named("Symbol"),
		"*.memo":                  fixed(textSchema(0, ledger.MaxMemoBytes)),
		"*.reference":             fixed(textSchema(0, ledger.MaxReferenceBytes)),
		"*.nonce":                 named("Nonce"),
		"Receipt.kind":            fixed(oneOf(ledger.KindNames()...)),
		"Receipt.status":          fixed(oneOf("applied", "refused")),
		"Receipt.code":            named("ResultCode"),
		"Simulation.status":       fixed(oneOf("applied", "refused", "notIncludable")),
		"Simulation.code":         named("ResultCode"),
		"Transaction.envelope":    fixed(oneOf("native", "legacy", "dynamicFee")),
		"Account.status": fixed(oneOf(ledger.StatusActive.String(), ledger.StatusFrozen.String(), ledger.StatusFrozenByNetwork.String(),
			ledger.StatusFrozenByBoth.String(), ledger.StatusClosed.String())),
		"Asset.status":          fixed(oneOf(assetStatuses()...)),
		"Asset.name":            fixed(textSchema(1, ledger.MaxNameBytes)),
		"CreateAsset.name":      fixed(textSchema(1, ledger.MaxNameBytes)),
		"Page.limit":            fixed(integer(1, 1000)),
		"ErrorData.name":        fixed(oneOf(errorNames()...)),
		"ErrorData.code":        named("ResultCode"),
		"TypedData.message":     named("TypedMessage"),
		"TypedData.primaryType": fixed(oneOf(typeNamesOf(operationTypes)...)),
		"Key.weight":            fixed(integer(1, 1<<32-1)),
		"SetKeys.threshold":     fixed(integer(0, maxThreshold)),
		"SetKeys.keys": func(g *schemas) schema {
			return schema{{"type", "array"}, {"items", refTo[ledger.Key](g)}, {"maxItems", ledger.MaxAuthorityKeys}}
		},
		"Settle.captures": upTo[ledger.Capture],
		"Settle.legs":     upTo[ledger.Leg],
		"Settle.holds":    upTo[ledger.Hold],
		"*.expiry": fixed(schema{{"type", "integer"}, {"minimum", 0}, {"maximum", ledger.MaxJSONInteger},
			{"description", "The block time (Unix seconds) from which on a hold is due; at most 366 days ahead"}}),
		"Event.cause":     fixed(oneOf(ledger.HoldReleased.String(), ledger.HoldExpired.String())),
		"SetMetadata.uri": fixed(textSchema(0, ledger.MaxURIBytes)),
		"Clawback.reason": fixed(integer(1, 1<<16-1)),
		"Transfer.legs": func(g *schemas) schema {
			return schema{{"type", "array"}, {"items", refTo[ledger.Leg](g)}, {"minItems", 1}, {"maxItems", ledger.MaxLegs}}
		},
	}
	addGovernance()
	addHistory()
	addSubscriptions()
	addEthereum()
}

// maxThreshold is the greatest sum of an account's weights.
const maxThreshold = ledger.MaxAuthorityKeys * (1<<32 - 1)

// upTo is a list of at most as many items as a transaction may have.
func upTo[T any](g *schemas) schema {
	return schema{{"type", "array"}, {"items", refTo[T](g)}, {"maxItems", ledger.MaxLegs}}
}

// assetStatuses are the names of all statuses of an asset.
func assetStatuses() (names []string) {
	for s := ledger.AssetActive; s.String() != "unknown"; s++ {
		names = append(names, s.String())
	}
	return names
}

func textSchema(low, high int) schema {
	s := schema{{"type", "string"}, {"description", "At most " + itoa(high) + " bytes of UTF-8, without control characters"}}
	if low > 0 {
		s = append(s, member{"minLength", low})
	}
	return append(s, member{"maxLength", high})
}

func typeNamesOf(types []reflect.Type) []string {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = t.Name()
	}
	return names
}

// bodySchema: the common fields and exactly one operation.
func bodySchema(g *schemas) schema {
	properties := schema{
		{"sender", refTo[crypto.Address](g)}, {"nonce", named("Nonce")(g)},
		{"validUntil", schema{{"type", "integer"}, {"minimum", 0}, {"maximum", ledger.MaxJSONInteger},
			{"description", "The last block time (Unix seconds) at which it may be included; 0 is no limit"}}},
		{"memo", g.field("Body", "memo", nil)},
	}
	var one []schema
	for i, name := range ledger.KindNames() {
		properties = append(properties, member{name, g.of(operationTypes[i])})
		one = append(one, schema{{"required", []string{name}}})
	}
	return schema{
		{"type", "object"}, {"description", "An unsigned transaction: exactly one operation under its name."},
		{"properties", properties}, {"required", []string{"sender", "nonce"}},
		{"oneOf", one}, {"additionalProperties", false},
	}
}

func signedSchema(g *schemas) schema {
	return schema{
		{"type", "object"}, {"description", "A transaction and its signatures, in any order."},
		{"properties", schema{
			{"tx", refTo[ledger.Body](g)},
			{"signatures", schema{{"type", "array"}, {"items", named("SentSignature")(g)}, {"maxItems", ledger.MaxSignatures}}},
		}},
		{"required", []string{"tx", "signatures"}}, {"additionalProperties", false},
	}
}

func sentSignatureSchema(g *schemas) schema {
	return schema{
		{"type", "object"}, {"description", typeTexts["SentSignature"]},
		{"properties", schema{{"scheme", g.field("", "scheme", nil)}, {"signature", g.field("", "signature", nil)}}},
		{"required", []string{"scheme", "signature"}}, {"additionalProperties", false},
	}
}

// eventSchema: one schema for each type of event, with the fields that the
// ledger gives it.
func eventSchema(g *schemas) schema {
	var one []schema
	for _, t := range ledger.EventTypes() {
		event := ledger.Event{Type: t}
		properties := schema{{"type", schema{{"type", "string"}, {"const", t.Name()}}}}
		required := []string{"type"}
		for _, a := range event.Attributes() {
			properties = append(properties, member{a.Key, eventField(g, a.Key)})
			required = append(required, a.Key)
		}
		one = append(one, g.ref("Event_"+t.Name(), fixed(schema{
			{"type", "object"}, {"properties", properties}, {"required", required}, {"additionalProperties", false},
		})))
	}
	return schema{{"description", "One effect of a transaction. Every balance can be rebuilt from events alone."}, {"oneOf", one}}
}

func eventField(g *schemas, key string) schema {
	if s := governEventField(g, key); s != nil {
		return s
	}
	switch key {
	case "account", "issuer", "from", "to", "asset", "member", "hold", "arbiter":
		return refTo[crypto.Address](g)
	case "threshold":
		return integer(0, maxThreshold)
	case "keys":
		return pattern("The new keys, ascending: address=weight, joined by commas; empty for the account's own key", "^(0x[0-9a-f]{40}=[1-9][0-9]{0,9}(,|$))*$")
	case "amount", "cap":
		return refTo[ledger.Amount](g)
	case "flags":
		return integer(0, 1<<32-1)
	case "reason":
		return integer(1, 1<<16-1)
	case "hash":
		return refTo[crypto.Hash](g)
	case "uri":
		return textSchema(0, ledger.MaxURIBytes)
	case "name":
		return textSchema(1, ledger.MaxNameBytes) // of an asset, member or release, or a parameter's
	}
	return g.field("Event", key, reflect.TypeFor[string]())
}

// messageSchema: the EIP-712 message of each operation. Every field is there,
// and numbers of more than 32 bits are decimal strings.
func messageSchema(g *schemas) schema {
	var one []schema
	for _, t := range operationTypes {
		one = append(one, g.ref("Typed"+t.Name(), func(g *schemas) schema { return typedMessage(g, t) }))
	}
	return schema{{"description", "The message of the operation that primaryType names."}, {"anyOf", one}}
}

func typedMessage(g *schemas, t reflect.Type) schema {
	if t == reflect.TypeFor[ledger.Propose]() {
		return typedPropose(g)
	}
	properties := schema{
		{"sender", refTo[crypto.Address](g)}, {"nonce", named("DecimalUint64")(g)},
		{"validUntil", named("DecimalUint64")(g)}, {"memo", g.field("Body", "memo", nil)},
	}
	required := []string{"sender", "nonce", "validUntil", "memo"}
	for _, f := range ownFields(t) {
		key := jsonKey(f)
		own := member{key, nil}
		if f.Type.Kind() == reflect.Slice && f.Type.Elem().Kind() == reflect.Struct {
			name := "Typed" + f.Type.Elem().Name()
			item := g.ref(name, func(g *schemas) schema { return g.structure(name, f.Type.Elem(), true) })
			own.value = schema{{"type", "array"}, {"items", item}}
		} else if f.Type.Kind() == reflect.Uint64 {
			own.value = named("DecimalUint64")(g)
		} else {
			own.value = typedGovern(g, t.Name(), f)
		}
		properties, required = append(properties, own), append(required, key)
	}
	return schema{{"type", "object"}, {"properties", properties}, {"required", required}, {"additionalProperties", false}}
}

// resultCodeSchema lists the ledger's codes with their names.
func resultCodeSchema(*schemas) schema {
	var codes []uint32
	text := "The ledger's result code:"
	for _, info := range ledger.Codes() {
		codes = append(codes, uint32(info.Code))
		text += " " + itoa(int(info.Code)) + " " + info.Name + ","
	}
	return schema{{"type", "integer"}, {"description", text[:len(text)-1]}, {"enum", codes}}
}
