package rpc

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// openRPCVersion is the version of the specification that the document follows.
const openRPCVersion = "1.3.2"

// errorComponent is one error of the document: OpenRPC has one for each code.
type errorComponent struct {
	key     string
	code    int
	message string
}

var (
	errorInvalidParams = errorComponent{"InvalidParams", codeInvalidParams, "a parameter is missing, superfluous or not of the expected form"}
	errorInvalidInput  = errorComponent{"InvalidInput", wire.CodeInvalidInput, "what is asked for cannot be done at once, or not with this API key; of eth_* methods also: the ledger's rules are against the transaction"}
	errorNotFound      = errorComponent{"NotFound", wire.CodeNotFound, "the height or the asset is not there, or no longer kept"}
	errorUnavailable   = errorComponent{"Unavailable", wire.CodeUnavailable, "not now: the same call later, or on another node, may succeed"}
	errorRejected      = errorComponent{"Rejected", wire.CodeRejected, "the ledger's rules are against the transaction"}

	// Of Ethereum's methods alone.
	errorReverted    = errorComponent{"Reverted", codeReverted, "execution reverted: the transaction would be refused; data is the ABI's Error(string)"}
	errorSyncTimeout = errorComponent{"SyncTimeout", codeSyncTimeout, "the receipt did not come in time; data is the transaction's hash"}

	errorsOfAll = []errorComponent{errorInvalidParams, errorInvalidInput, errorUnavailable}
)

// openRPCDocument makes the document from the table of methods and the Go
// types of their parameters and results.
func openRPCDocument(version string) ([]byte, error) {
	g := &schemas{defined: map[string]schema{}}
	methods := make([]schema, len(methodTable))
	for i, m := range methodTable {
		methods[i] = m.document(g)
	}
	refTo[wire.Notice](g) // no method returns it
	data := g.of(reflect.TypeFor[wire.ErrorData]())
	errors := schema{}
	for _, e := range append(slices.Clone(errorsOfAll), errorNotFound, errorRejected) {
		errors = append(errors, member{e.key, schema{{"code", e.code}, {"message", e.message},
			{"data", schema{{"schema", data}, {"names", namesOf(e.code)}}}}})
	}
	for _, e := range []errorComponent{errorReverted, errorSyncTimeout} {
		errors = append(errors, member{e.key, schema{{"code", e.code}, {"message", e.message},
			{"data", schema{{"schema", named("Bytes")(g)}, {"names", namesOf(e.code)}}}}})
	}
	components := schema{}
	for _, name := range slices.Sorted(maps.Keys(g.defined)) {
		components = append(components, member{name, g.defined[name]})
	}
	out, err := json.MarshalIndent(schema{
		{"openrpc", openRPCVersion},
		{"info", schema{
			{"title", "Tallystick"}, {"version", version},
			{"description", "The JSON-RPC of a Tallystick node: its native methods, and Ethereum's. Parameters are positional. What follows is about the native methods; Ethereum's have Ethereum's forms. Hashes, addresses and raw bytes are 0x hex; amounts are decimal strings in the asset's smallest unit; heights and times (Unix seconds) are numbers."},
			{"license", schema{{"name", "Apache-2.0"}}},
		}},
		{"methods", methods},
		{"components", schema{{"schemas", components}, {"errors", errors}}},
	}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("rpc: make the OpenRPC document: %w", err)
	}
	return out, nil
}

func (m *method) document(g *schemas) schema {
	params := make([]schema, len(m.params))
	for i, p := range m.params {
		params[i] = schema{{"name", p.name}, {"description", p.description}, {"required", p.required}, {"schema", p.form.schema(g)}}
	}
	of := m.result.schema(g)
	result := schema{{"name", m.result.name}}
	if m.result.nullable != "" {
		of = nullable(of)
		result = append(result, member{"description", "null when " + m.result.nullable})
	}
	result = append(result, member{"schema", of})
	errors := []schema{}
	for _, e := range append(slices.Clone(errorsOfAll), m.errors...) {
		errors = append(errors, schema{{"$ref", "#/components/errors/" + e.key}})
	}
	out := schema{{"name", m.name}, {"summary", m.summary}}
	if m.description != "" {
		out = append(out, member{"description", m.description})
	}
	return append(out, member{"paramStructure", "by-position"}, member{"params", params},
		member{"result", result}, member{"errors", errors}, member{"x-scope", m.needs().String()})
}

// namesOf lists the names that an error with this code may have.
func namesOf(code int) []string {
	var names []string
	for _, k := range errorKinds {
		if k.code == code {
			names = append(names, k.name)
		}
	}
	if code == wire.CodeRejected || code == wire.CodeInvalidInput { // the latter where eth_* words the ledger's reasons
		for _, info := range ledger.Codes() {
			if info.Code != ledger.Applied {
				names = append(names, info.Name)
			}
		}
	}
	return names
}

// errorNames lists every name that an error may have.
func errorNames() []string {
	var names []string
	for _, k := range errorKinds {
		names = append(names, k.name)
	}
	return append(names, namesOf(wire.CodeRejected)...)
}

func itoa(n int) string { return strconv.Itoa(n) }

func jsonKey(f reflect.StructField) string {
	key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return key
}
