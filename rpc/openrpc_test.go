package rpc

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/tallystick/tallystick/ledger"
)

var update = flag.Bool("update", false, "rewrite the generated files")

// golden compares got with a file, or rewrites the file.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the code generates: look at the difference, then run go test ./rpc -update", path)
	}
}

func testDocument(t testing.TB) []byte {
	t.Helper()
	document, err := openRPCDocument("dev")
	if err != nil {
		t.Fatal(err)
	}
	return document
}

func TestOpenRPCDocumentIsTheGoldenOne(t *testing.T) {
	golden(t, "testdata/openrpc.json", append(testDocument(t), '\n'))
}

// parse reads JSON as the schema library wants it.
func parse(t testing.TB, raw []byte) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	return v
}

func metaSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft7)
	add := func(path string, urls ...string) {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, url := range urls {
			schema := parse(t, raw).(map[string]any)
			delete(schema, "$schema") // it names itself
			delete(schema, "$id")
			if err := c.AddResource(url, schema); err != nil {
				t.Fatal(err)
			}
		}
	}
	add("testdata/json-schema-meta-schema.json", "https://meta.json-schema.tools", "https://meta.json-schema.tools/")
	add("testdata/openrpc-meta-schema.json", "https://meta.open-rpc.org/")
	s, err := c.Compile("https://meta.open-rpc.org/")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestOpenRPCDocumentFollowsTheSpecification(t *testing.T) {
	meta := metaSchema(t)
	document := testDocument(t)
	if err := meta.Validate(parse(t, document)); err != nil {
		t.Fatalf("%#v", err)
	}
	for _, corruption := range []struct{ name, from, to string }{
		{"no name of a method", `"name": "ledger_status"`, `"title": "ledger_status"`},
		{"a version that is none", `"openrpc": "1.3.2"`, `"openrpc": "9.9"`},
		{"an unknown type", `"type": "integer"`, `"type": "whole"`},
		{"a code that is no number", `"code": -32602`, `"code": "-32602"`},
		{"a strange member", `"paramStructure"`, `"paramOrder"`},
	} {
		bad := bytes.Replace(document, []byte(corruption.from), []byte(corruption.to), 1)
		if bytes.Equal(bad, document) {
			t.Fatalf("%s: nothing to corrupt", corruption.name)
		}
		if meta.Validate(parse(t, bad)) == nil {
			t.Errorf("%s: the schema accepts it, so it proves nothing", corruption.name)
		}
	}
}

// Every Go method is in the table and the table has no other, with as many
// parameters as the Go method takes.
func TestTableIsWhatTheServerServes(t *testing.T) {
	served := map[string]int{}
	for namespace, api := range new(Server).apis() {
		prefix, typ := namespace+"_", reflect.TypeOf(api)
		for i := range typ.NumMethod() {
			m := typ.Method(i)
			served[prefix+strings.ToLower(m.Name[:1])+m.Name[1:]] = m.Type.NumIn() - 2
		}
	}
	delete(served, refuseMethod)
	for _, m := range methodTable {
		count, ok := served[m.name]
		if !ok || count != len(m.params) {
			t.Errorf("%s: %d parameters in the table, %d in the code (served: %v)", m.name, len(m.params), count, ok)
		}
		delete(served, m.name)
	}
	for name := range served {
		t.Errorf("%s is served but not in the table", name)
	}
}

// Optional parameters stand last: positional ones could not be left out else.
func TestOptionalParametersStandLast(t *testing.T) {
	for _, m := range methodTable {
		if !slices.IsSortedFunc(m.params, func(a, b param) int {
			switch {
			case a.required == b.required:
				return 0
			case a.required:
				return -1
			}
			return 1
		}) {
			t.Errorf("%s: %s", m.name, m.signature())
		}
	}
}

func TestOperationTypesFollowTheLedger(t *testing.T) {
	names := ledger.KindNames()
	if len(names) != len(operationTypes) {
		t.Fatalf("%d kinds, %d types", len(names), len(operationTypes))
	}
	for i, typ := range operationTypes {
		op, ok := reflect.New(typ).Interface().(ledger.Operation)
		if !ok || op.Kind().String() != names[i] {
			t.Errorf("%s stands where %s must", typ, names[i])
		}
	}
}

// A name stands for one code, everywhere.
func TestErrorNamesAreUnique(t *testing.T) {
	names := errorNames()
	slices.Sort(names)
	if len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("a name twice in %q", names)
	}
	for _, k := range errorKinds {
		if bad := []int{-1, -32603, -32005, -32007}; slices.Contains(bad, k.code) {
			t.Errorf("%s has the code %d, which clients retry", k.name, k.code)
		}
	}
}

// contract checks answers against the document, stricter than it is for
// clients: no field that it does not name.
type contract struct {
	results map[string]*jsonschema.Schema
	params  map[string][]*jsonschema.Schema
	data    *jsonschema.Schema
	// ethereum are the results of Ethereum's methods as Ethereum's own
	// specification has them.
	ethereum map[string]*jsonschema.Schema
	bytes    *jsonschema.Schema // the data of some errors of Ethereum's methods
	codes    map[string][]int
	names    map[int][]string
}

// close adds additionalProperties false to every object with properties.
func closeObjects(v any) {
	switch v := v.(type) {
	case map[string]any:
		if v["type"] == "object" && v["properties"] != nil {
			v["additionalProperties"] = false
		}
		for _, inner := range v {
			closeObjects(inner)
		}
	case []any:
		for _, inner := range v {
			closeObjects(inner)
		}
	}
}

func newContract(t testing.TB) *contract {
	t.Helper()
	raw := testDocument(t)
	var shape struct {
		Methods []struct {
			Name   string
			Params []struct{ Name string }
			Errors []map[string]string
		}
		Components struct {
			Errors map[string]struct {
				Code int
				Data struct{ Names []string }
			}
		}
	}
	if err := json.Unmarshal(raw, &shape); err != nil {
		t.Fatal(err)
	}
	document := parse(t, raw)
	closeObjects(document)
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft7)
	if err := c.AddResource("doc.json", document); err != nil {
		t.Fatal(err)
	}
	compile := func(path string) *jsonschema.Schema {
		s, err := c.Compile("doc.json#" + path)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	out := &contract{
		results: map[string]*jsonschema.Schema{}, params: map[string][]*jsonschema.Schema{},
		data: compile("/components/schemas/ErrorData"), bytes: compile("/components/schemas/Bytes"), codes: map[string][]int{}, names: map[int][]string{},
	}
	out.ethereum = ethereumResults(t)
	for _, e := range shape.Components.Errors {
		out.names[e.Code] = e.Data.Names
	}
	for i, m := range shape.Methods {
		at := "/methods/" + itoa(i)
		out.results[m.Name] = compile(at + "/result/schema")
		for j := range m.Params {
			out.params[m.Name] = append(out.params[m.Name], compile(at+"/params/"+itoa(j)+"/schema"))
		}
		for _, e := range m.Errors {
			out.codes[m.Name] = append(out.codes[m.Name], shape.Components.Errors[strings.TrimPrefix(e["$ref"], "#/components/errors/")].Code)
		}
	}
	return out
}

// check judges one answer of a method.
func (c *contract) check(t testing.TB, method string, a answer) {
	t.Helper()
	if a.Error == nil {
		if s := c.ethereum[method]; s != nil {
			if err := s.Validate(parse(t, a.Result)); err != nil {
				t.Errorf("%s: the result is not what execution-apis says: %v\n%s", method, err, a.Result)
			}
		}
		if err := c.results[method].Validate(parse(t, a.Result)); err != nil {
			t.Errorf("%s: the result is not what the document says: %v\n%s", method, err, a.Result)
		}
		return
	}
	c.checkError(t, method, a)
}

func (c *contract) checkError(t testing.TB, method string, a answer) {
	t.Helper()
	e := a.Error
	schema := c.data
	if e.Code == codeReverted || e.Code == codeSyncTimeout {
		schema = c.bytes
	}
	if err := schema.Validate(parse(t, e.RawData)); err != nil {
		t.Errorf("%s: the error's data is not what the document says: %v\n%s", method, err, e.RawData)
	}
	if c.results[method] == nil { // no method was reached
		return
	}
	if !slices.Contains(c.codes[method], e.Code) {
		t.Errorf("%s: the document does not have the code %d (%s)", method, e.Code, e.Message)
	}
	if !slices.Contains(c.names[e.Code], e.Data.Name) {
		t.Errorf("%s: the document does not have the name %q for %d", method, e.Data.Name, e.Code)
	}
}
