package rpc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// schema is a JSON object with its members in order: documents read better,
// and come out the same every time.
type schema []member

type member struct {
	key   string
	value any
}

// MarshalJSON writes the members in their order.
func (s schema) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, m := range s {
		if i > 0 {
			out = append(out, ',')
		}
		value, err := plainJSON(m.value)
		if err != nil {
			return nil, err
		}
		out = append(fmt.Appendf(out, "%q:", m.key), value...)
	}
	return append(out, '}'), nil
}

// plainJSON does not escape < and >.
func plainJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), err
}

type (
	addressType = crypto.Address
	hashType    = crypto.Hash
	bodyType    = ledger.Body
)

// schemas collects the components that a document refers to.
type schemas struct {
	defined map[string]schema
}

const componentPath = "#/components/schemas/"

// refTo refers to the schema of a Go type.
func refTo[T any](g *schemas) schema { return g.of(reflect.TypeFor[T]()) }

// named refers to a schema that has no Go type of its own.
func named(name string) func(*schemas) schema {
	return func(g *schemas) schema { return g.ref(name, leafSchemas[name]) }
}

// ref defines name if need be, and refers to it.
func (g *schemas) ref(name string, define func(*schemas) schema) schema {
	if _, done := g.defined[name]; !done {
		g.defined[name] = nil // a type may refer to itself
		g.defined[name] = define(g)
	}
	return schema{{"$ref", componentPath + name}}
}

// typeNames are the types whose Go name is not the schema's.
var typeNames = map[reflect.Type]string{
	reflect.TypeFor[ledger.Body]():      "UnsignedTransaction",
	reflect.TypeFor[wire.TypedData]():   "TypedDataResult",
	reflect.TypeFor[ledger.TypedData](): "TypedData",
}

// closed are the types that the server reads: it refuses unknown fields.
var closed = []string{"Page", "SignedTransaction", "SentSignature", "UnsignedTransaction",
	"Transfer", "Leg", "CreateAsset", "Issue", "Redeem", "PauseAsset", "ResumeAsset",
	"SetKeys", "Key", "AdmitAccount", "FreezeAccount", "UnfreezeAccount", "CloseAccount",

	"CreateHold", "CaptureHold", "ReleaseHold", "Settle", "Capture", "Hold",
	"RetireAsset", "ChangeIssuer", "SetMetadata", "ApproveHolder", "RevokeHolder",
	"FreezeHolder", "UnfreezeHolder", "FreezeBalance", "Clawback"}

// of is the schema of a Go type as encoding/json writes it.
func (g *schemas) of(t reflect.Type) schema {
	if name, ok := ethTypeNames[t]; ok {
		if leaf, ok := leafSchemas[name]; ok {
			return g.ref(name, leaf)
		}
		return g.ref(name, func(g *schemas) schema { return g.structure(name, t, false) })
	}
	switch t.Kind() {
	case reflect.Pointer:
		return nullable(g.of(t.Elem()))
	case reflect.Slice:
		if t.Name() == "" && t.Elem().Kind() == reflect.Pointer {
			return schema{{"type", "array"}, {"items", g.of(t.Elem().Elem())}}
		}
		if t.Name() == "" {
			return schema{{"type", "array"}, {"items", g.of(t.Elem())}}
		}
	case reflect.Map:
		return schema{{"type", "object"}, {"additionalProperties", g.of(t.Elem())}}
	case reflect.String:
		return schema{{"type", "string"}}
	case reflect.Bool:
		return schema{{"type", "boolean"}}
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return integer(0, 1<<t.Bits()-1)
	case reflect.Int, reflect.Uint64:
		return integer(0, ledger.MaxJSONInteger)
	}
	name := t.Name()
	if other, ok := typeNames[t]; ok {
		name = other
	}
	if leaf, ok := leafSchemas[name]; ok {
		return g.ref(name, leaf)
	}
	return g.ref(name, func(g *schemas) schema { return g.structure(name, t, false) })
}

// structure is the schema of a struct. In typed data every field is required.
func (g *schemas) structure(name string, t reflect.Type, all bool) schema {
	if t.Kind() != reflect.Struct {
		panic("rpc: no schema for the type " + t.String())
	}
	var properties schema
	required := []string{}
	for _, f := range ownFields(t) {
		key, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if key == "" {
			panic("rpc: no JSON name for " + t.String() + "." + f.Name)
		}
		optional := options == "omitempty" || options == "omitzero"
		typ := f.Type
		if optional && typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		value := g.field
		if all {
			value = g.typedField
		}
		owner := t.Name()
		if isEth(name) {
			owner = name
		}
		properties = append(properties, member{key, value(owner, key, typ)})
		if all || !optional {
			required = append(required, key)
		}
	}
	s := schema{{"type", "object"}}
	if text := typeTexts[name]; text != "" {
		s = append(s, member{"description", text})
	}
	s = append(s, member{"properties", properties}, member{"required", required})
	if all || slices.Contains(closed, name) {
		s = append(s, member{"additionalProperties", false})
	}
	return s
}

// field is the schema of a struct's field: its own, or its type's.
func (g *schemas) field(owner, key string, t reflect.Type) schema {
	if special, ok := fieldSchemas[owner+"."+key]; ok {
		return special(g)
	}
	if special, ok := fieldSchemas["*."+key]; ok && !isEth(owner) {
		return special(g)
	}
	return g.of(t)
}

// typedField is field in typed data, where numbers of more than 32 bits are text.
func (g *schemas) typedField(owner, key string, t reflect.Type) schema {
	if t.Kind() == reflect.Uint64 {
		return named("DecimalUint64")(g)
	}
	return g.field(owner, key, t)
}

func nullable(s schema) schema {
	return schema{{"oneOf", []schema{s, {{"type", "null"}}}}}
}

func integer(low, high uint64) schema {
	return schema{{"type", "integer"}, {"minimum", low}, {"maximum", high}}
}

func pattern(description, expression string) schema {
	return schema{{"type", "string"}, {"description", description}, {"pattern", expression}}
}

func oneOf(values ...string) schema {
	return schema{{"type", "string"}, {"enum", values}}
}

func fixed(s schema) func(*schemas) schema {
	return func(*schemas) schema { return s }
}

// jsonNames collects the JSON names of the fields of a type and of all types
// inside it.
func jsonNames(types ...reflect.Type) []string {
	var names []string
	for _, t := range types {
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct {
			continue
		}
		for _, f := range ownFields(t) {
			if key, _, _ := strings.Cut(f.Tag.Get("json"), ","); key != "" {
				names = append(append(names, key), jsonNames(f.Type)...)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// ownFields are the fields of a struct that JSON has: all but embedded ones.
func ownFields(t reflect.Type) []reflect.StructField {
	return slices.DeleteFunc(reflect.VisibleFields(t), func(f reflect.StructField) bool { return f.Anonymous })
}
