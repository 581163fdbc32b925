package api

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// Patterns of values in parameters and answers.
const (
	addressPattern  = "^0x[0-9a-fA-F]{40}$"
	hashPattern     = "^0x[0-9a-fA-F]{64}$"
	hexPattern      = "^0x([0-9a-f]{2})*$"
	decimalPattern  = "^(0|[1-9][0-9]{0,38})$"
	nodeIDPattern   = "^[0-9a-f]{40}$"
	sampleAddress   = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
	sampleHash      = "0x4f5f5a2c0d5b3e0c8b5f0d1e6a7c9b8d3e2f1a0b9c8d7e6f5a4b3c2d1e0f9a8b"
	sampleConsensus = "0x8b5f0d1e6a7c9b8d3e2f1a0b9c8d7e6f5a4b3c2d"
)

// These stand in the schemas for types that write their own JSON.
type (
	addressText struct{}
	hashText    struct{}
	bytesText   struct{}
	amountText  struct{}
	eventJSON   struct{}
	bodyJSON    struct{}
	actionsJSON struct{}
	nodesJSON   struct{}
)

func text(pattern, doc, example string) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Pattern: pattern, Description: doc, Examples: []any{example}}
}

func (addressText) Schema(huma.Registry) *huma.Schema {
	return text(addressPattern, "An address: 0x and 40 hex digits, with the EIP-55 checksum", sampleAddress)
}

func (hashText) Schema(huma.Registry) *huma.Schema {
	return text(hashPattern, "32 bytes: 0x and 64 hex digits", sampleHash)
}

func (bytesText) Schema(huma.Registry) *huma.Schema {
	return text(hexPattern, "Bytes: 0x and hex digits", "0x54")
}

func (amountText) Schema(huma.Registry) *huma.Schema {
	return text(decimalPattern, "A whole number below 2^128 in the asset's smallest unit", "1234")
}

func object(doc string, properties map[string]*huma.Schema, required ...string) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, Description: doc, Properties: properties, Required: required, AdditionalProperties: true}
}

func (eventJSON) Schema(huma.Registry) *huma.Schema {
	names := []any{}
	for _, t := range ledger.EventTypes() {
		names = append(names, t.Name())
	}
	return object("An event: its type, and that type's fields (docs/FORMATS.md lists them)",
		map[string]*huma.Schema{"type": {Type: huma.TypeString, Enum: names}}, "type")
}

func (bodyJSON) Schema(huma.Registry) *huma.Schema {
	return object("A transaction's content as JSON of the native RPC: sender, nonce, validUntil, memo and the operation under its kind's name", nil)
}

func (actionsJSON) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeArray, Description: "What the proposal does, in order: each an object with one field, named for the kind of action",
		Items: &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}}
}

func (nodesJSON) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeArray, Items: text(nodeIDPattern, "A node's ID: 40 hex digits", "8b5f0d1e6a7c9b8d3e2f1a0b9c8d7e6f5a4b3c2d")}
}

// nameTypes tells the registry of the types that write their own JSON.
func nameTypes(r huma.Registry) {
	for _, pair := range [][2]reflect.Type{
		{reflect.TypeFor[crypto.Address](), reflect.TypeFor[addressText]()},
		{reflect.TypeFor[crypto.Hash](), reflect.TypeFor[hashText]()},
		{reflect.TypeFor[wire.Bytes](), reflect.TypeFor[bytesText]()},
		{reflect.TypeFor[ledger.Amount](), reflect.TypeFor[amountText]()},
		{reflect.TypeFor[wire.Event](), reflect.TypeFor[eventJSON]()},
		{reflect.TypeFor[ledger.Body](), reflect.TypeFor[bodyJSON]()},
		{reflect.TypeFor[ledger.ActionList](), reflect.TypeFor[actionsJSON]()},
		{reflect.TypeFor[ledger.NodeIDs](), reflect.TypeFor[nodesJSON]()},
	} {
		r.RegisterTypeAlias(pair[0], pair[1])
	}
}

// completeSchemas says what the JSON encoder does and huma does not see: a pointer
// may be null, whatever it points to, and the index never answers with a null list.
func completeSchemas(r huma.Registry) {
	for name, schema := range r.Map() {
		t := r.TypeFromRef("#/components/schemas/" + name)
		if t == nil || t.Kind() != reflect.Struct || !strings.HasPrefix(t.PkgPath(), "github.com/tallystick/") {
			continue
		}
		for _, f := range reflect.VisibleFields(t) {
			property := schema.Properties[jsonName(f)]
			if property == nil || f.Anonymous {
				continue
			}
			switch {
			case f.Type.Kind() == reflect.Pointer:
				schema.Properties[jsonName(f)] = &huma.Schema{AnyOf: []*huma.Schema{property, {Type: "null"}}}
			case f.Type.Kind() == reflect.Slice && property.Type == huma.TypeArray:
				property.Nullable = false
			}
		}
	}
}

func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// writeDocument writes the OpenAPI document. It fails for a fault in this package
// alone, which every test finds.
func writeDocument(o *huma.OpenAPI) []byte {
	b, err := json.Marshal(o)
	if err != nil {
		panic(fmt.Sprintf("api: the document does not marshal: %v", err))
	}
	return b
}
