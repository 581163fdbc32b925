package rpc

import (
	"reflect"
	"slices"
	"strings"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// actionTypes are the Go types of the actions, in the order of ActionKinds.
var actionTypes = func() (types []reflect.Type) {
	for _, k := range ledger.ActionKinds() {
		types = append(types, reflect.TypeOf(ledger.NewAction(k)).Elem())
	}
	return types
}()

func actionNames() (names []string) {
	for _, k := range ledger.ActionKinds() {
		names = append(names, k.String())
	}
	return names
}

// governTexts describe the operations and actions of governance.
var governTexts = map[string]string{
	"Propose":               "Puts actions before the members, applied together or not at all; the sender is a member's admin account and votes yes by proposing.",
	"CastVote":              "A member's vote: 1 yes, 2 no, on an open proposal; 3 veto, on one that has passed and waits. It cannot be changed.",
	"WithdrawProposal":      "Ends the sender's own proposal while it is open.",
	"RotateValidatorKey":    "Gives the sender's validator another consensus key, which nobody ever had.",
	"SetNodes":              "Says which nodes of the sender may connect, in place of those it had.",
	"AdmitMemberAction":     "Makes an organisation a member.",
	"SuspendMemberAction":   "Takes a member's vote, power and accounts' rights until it is reinstated.",
	"ReinstateMemberAction": "Ends a suspension.",
	"RemoveMemberAction":    "Ends a membership for ever.",
	"SetRolesAction":        "Gives a member these roles and no others.",
	"SetPowerAction":        "Sets where the power of a member's validator moves to.",
	"SetParameterAction":    "Sets a parameter of the ledger; accountPolicy is 1 admitted or 2 open.",
	"SetThresholdAction":    "Sets how many of the active members a kind of action needs: more than numerator/denominator of them.",
	"FreezeAccountAction":   "Freezes an account whatever its member says.",
	"UnfreezeAccountAction": "Ends a freeze by the members.",
	"PauseAssetAction":      "Stops every movement of an asset whatever its issuer says.",
	"ResumeAssetAction":     "Ends a pause by the members.",
	"ScheduleUpgradeAction": "Switches to other rules at a height.",
	"CancelUpgradeAction":   "Takes back the scheduled upgrade to this version.",
	"ResolutionAction":      "Records what the members agree upon; the hash may be that of a document, or zero.",
}

// addGovernance adds what governance has to the tables of schemas.
func addGovernance() {
	for name, text := range governTexts {
		typeTexts[name] = text
		closed = append(closed, name)
	}
	bodyKeys = slices.Concat(bodyKeys, jsonNames(actionTypes...), actionNames())
	signedKeys = slices.Concat(signedKeys, jsonNames(actionTypes...), actionNames())
	leafSchemas["ActionList"] = actionListSchema
	leafSchemas["ConsensusKey"] = fixed(pattern("An Ed25519 public key, 32 bytes, 0x hex; empty for none", "^(0x[0-9a-fA-F]{64})?$"))
	leafSchemas["NodeIDs"] = fixed(schema{{"type", "array"}, {"maxItems", ledger.MaxNodes},
		{"items", pattern("A node ID: 40 hex digits without 0x; they ascend", "^[0-9a-f]{40}$")}})
	period := func(low, high uint64) func(*schemas) schema { return fixed(integer(low, high)) }
	power := fixed(integer(0, ledger.MaxPower))
	for name, field := range map[string]func(*schemas) schema{
		"Propose.votingPeriod":            period(ledger.MinVotingPeriod, ledger.MaxVotingPeriod),
		"Propose.delay":                   period(0, ledger.MaxProposalDelay),
		"CastVote.choice":                 period(1, uint64(ledger.ChoiceVeto)),
		"RotateValidatorKey.consensusKey": fixed(pattern("An Ed25519 public key, 32 bytes, 0x hex", "^0x[0-9a-fA-F]{64}$")),
		"AdmitMemberAction.name":          fixed(textSchema(1, ledger.MaxNameBytes)),
		"AdmitMemberAction.roles":         rolesSchema,
		"AdmitMemberAction.power":         power,
		"SetRolesAction.roles":            rolesSchema,
		"SetPowerAction.power":            power,
		"SetParameterAction.name":         fixed(oneOf(ledger.ParameterNames()...)),
		"SetThresholdAction.action":       fixed(oneOf(actionNames()...)),
		"ScheduleUpgradeAction.name":      fixed(textSchema(1, ledger.MaxNameBytes)),
		"ResolutionAction.text":           fixed(textSchema(1, ledger.MaxResolutionBytes)),
	} {
		fieldSchemas[name] = field
	}
}

func rolesSchema(*schemas) schema {
	all := ledger.RoleValidator | ledger.RoleIssuer | ledger.RoleRegistrar | ledger.RoleAuditor
	return schema{{"type", "array"}, {"items", oneOf(all.Names()...)}, {"uniqueItems", true}}
}

// actionListSchema: each action is an object with the action under its name.
func actionListSchema(g *schemas) schema {
	var one []schema
	for i, name := range actionNames() {
		one = append(one, schema{
			{"type", "object"}, {"properties", schema{{name, g.of(actionTypes[i])}}}, {"required", []string{name}}, {"additionalProperties", false},
		})
	}
	return schema{{"type", "array"}, {"minItems", 1}, {"maxItems", ledger.MaxActions}, {"items", schema{{"oneOf", one}}}}
}

// typedPropose: one array for each kind of action, and the kinds in the order of
// the list.
func typedPropose(g *schemas) schema {
	properties := schema{
		{"sender", refTo[crypto.Address](g)}, {"nonce", named("DecimalUint64")(g)},
		{"validUntil", named("DecimalUint64")(g)}, {"memo", g.field("Body", "memo", nil)},
	}
	for i, name := range actionNames() {
		t := actionTypes[i]
		item := g.ref("Typed"+t.Name(), func(g *schemas) schema { return typedAction(g, t) })
		properties = append(properties, member{name, schema{{"type", "array"}, {"items", item}, {"maxItems", ledger.MaxActions}}})
	}
	properties = append(properties,
		member{"order", schema{{"type", "array"}, {"items", integer(1, uint64(len(actionTypes)))}, {"maxItems", ledger.MaxActions}}},
		member{"votingPeriod", named("DecimalUint64")(g)}, member{"delay", named("DecimalUint64")(g)})
	return closedObject(properties)
}

func typedAction(g *schemas, t reflect.Type) schema {
	var properties schema
	for _, f := range ownFields(t) {
		properties = append(properties, member{jsonKey(f), typedGovern(g, t.Name(), f)})
	}
	return closedObject(properties)
}

// closedObject has these properties and no others.
func closedObject(properties schema) schema {
	required := make([]string, len(properties))
	for i, p := range properties {
		required[i] = p.key
	}
	return schema{{"type", "object"}, {"properties", properties}, {"required", required}, {"additionalProperties", false}}
}

// typedGovern is a field in typed data: numbers of more than 32 bits are text,
// roles are their bits, and no key is zeros.
func typedGovern(g *schemas, owner string, f reflect.StructField) schema {
	switch f.Type {
	case reflect.TypeFor[ledger.ConsensusKey]():
		return pattern("32 bytes; zeros for none", "^0x[0-9a-fA-F]{64}$")
	case reflect.TypeFor[ledger.NodeIDs]():
		return schema{{"type", "array"}, {"items", pattern("A node ID, 20 bytes", "^0x[0-9a-fA-F]{40}$")}, {"maxItems", ledger.MaxNodes}}
	case reflect.TypeFor[ledger.RoleNames]():
		return integer(0, uint64(ledger.RoleValidator|ledger.RoleIssuer|ledger.RoleRegistrar|ledger.RoleAuditor))
	case reflect.TypeFor[uint64]():
		return named("DecimalUint64")(g)
	}
	return g.field(owner, jsonKey(f), f.Type)
}

// governEventField is a field of governance's events, or nothing.
func governEventField(g *schemas, key string) schema {
	most := uint64(ledger.MaxJSONInteger)
	switch key {
	case "member":
		return refTo[crypto.Address](g)
	case "roles":
		return integer(0, uint64(ledger.RoleValidator|ledger.RoleIssuer|ledger.RoleRegistrar|ledger.RoleAuditor))
	case "key":
		return pattern("The Ed25519 key of the member's validator; empty for none", "^(0x[0-9a-f]{64})?$")
	case "validator":
		return pattern("CometBFT's address of the consensus key that signed twice", "^[0-9A-F]{40}$")
	case "nodes":
		return pattern("The IDs of the member's nodes, ascending, joined by commas", "^([0-9a-f]{40}(,|$))*$")
	case "actions":
		return pattern("What the proposal does: the actions as the transaction's payload has them", "^0x([0-9a-f]{2})+$")
	case "hash":
		return refTo[crypto.Hash](g)
	case "text":
		return textSchema(1, ledger.MaxResolutionBytes)
	case "status":
		return oneOf("executed", "failed", "rejected", "expired", "vetoed", "withdrawn")
	case "choice":
		return integer(1, uint64(ledger.ChoiceVeto))
	}
	if slices.Contains(strings.Fields("power proposal expiry effect delay code failedAction version height numerator denominator value"), key) {
		return integer(0, most)
	}
	return nil
}
