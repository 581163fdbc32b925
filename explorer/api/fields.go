package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// fieldsParam is the parameter that chooses fields.
const fieldsParam = "fields"

// choosable gives an operation that answers with JSON of type O the parameter fields:
// the answer, or each item of a list, then has only those. It is not a field of the
// operation's input, since it is about the answer alone, and so huma is not shown it.
func choosable[O any](a huma.API, op *huma.Operation) {
	known := fieldNames(reflect.TypeFor[O]())
	if known == nil {
		return
	}
	longest := len(strings.Join(known, ","))
	op.Parameters = append(op.Parameters, &huma.Param{
		Name: fieldsParam, In: "query",
		Description: "Only these fields of the answer, or of each item of a list, with commas between",
		Schema:      &huma.Schema{Type: huma.TypeString, MaxLength: &longest},
	})
	op.Middlewares = append(op.Middlewares, func(c huma.Context, next func(huma.Context)) {
		u := c.URL()
		query := u.Query()
		if !query.Has(fieldsParam) {
			next(c)
			return
		}
		chosen, err := chooseFields(query[fieldsParam], known)
		if err != nil {
			huma.WriteErr(a, c, http.StatusUnprocessableEntity, "validation failed",
				&huma.ErrorDetail{Location: "query." + fieldsParam, Message: err.Error()})
			return
		}
		query.Del(fieldsParam)
		u.RawQuery = query.Encode()
		next(&choosing{request: c, url: u, fields: chosen})
	})
}

// request lets choosing embed a huma.Context, which has a method of that name.
type request = huma.Context

// choosing is a request whose answer has only some of its fields.
type choosing struct {
	request
	url    url.URL
	fields []string
}

// URL is the request's, without the parameter.
func (c *choosing) URL() url.URL { return c.url }

// chooseFields reads the parameter's values.
func chooseFields(values, known []string) ([]string, error) {
	var chosen []string
	for _, value := range values {
		for name := range strings.SplitSeq(value, ",") {
			if !slices.Contains(known, name) {
				return nil, fmt.Errorf("the answer has no field %.60q; it has %s", name, strings.Join(known, ", "))
			}
			if slices.Contains(chosen, name) {
				return nil, fmt.Errorf("%s is named twice", name)
			}
			chosen = append(chosen, name)
		}
	}
	return chosen, nil
}

// itemsField is where a list has its items.
const itemsField = "items"

// fieldNames lists the fields of JSON that can be chosen of an answer: of its body,
// or of the items of its body. It is nil for what does not answer with an object.
func fieldNames(answer reflect.Type) []string {
	body, ok := answer.FieldByName("Body")
	if !ok || body.Type.Kind() != reflect.Struct {
		return nil
	}
	for _, f := range reflect.VisibleFields(body.Type) {
		if nameOf(f) == itemsField && f.Type.Kind() == reflect.Slice && f.Type.Elem().Kind() == reflect.Struct {
			return namesOf(f.Type.Elem())
		}
	}
	return namesOf(body.Type)
}

// namesOf lists the fields that a struct has in JSON.
func namesOf(t reflect.Type) (names []string) {
	for _, f := range reflect.VisibleFields(t) {
		if name := nameOf(f); name != "" && f.IsExported() && (!f.Anonymous || f.Tag.Get("json") != "") {
			names = append(names, name)
		}
	}
	return names
}

// nameOf is a field's name in JSON, empty where it has none.
func nameOf(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if name == "-" {
		return ""
	}
	return name
}

// onlyChosen leaves the fields of an answer that were asked for. Problems stay whole.
func onlyChosen(c huma.Context, status string, v any) (any, error) {
	chosen, ok := c.(*choosing)
	if !ok || status != "200" {
		return v, nil
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // as huma writes answers
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(text.Bytes(), &object); err != nil {
		return nil, err
	}
	items, ok := object[itemsField]
	if !ok {
		keep(object, chosen.fields)
		return object, nil
	}
	var list []map[string]json.RawMessage
	if err := json.Unmarshal(items, &list); err != nil {
		return nil, err
	}
	for _, item := range list {
		keep(item, chosen.fields)
	}
	whole := map[string]any{}
	for name, value := range object {
		whole[name] = value
	}
	whole[itemsField] = list
	return whole, nil
}

func keep(object map[string]json.RawMessage, fields []string) {
	for name := range object {
		if !slices.Contains(fields, name) {
			delete(object, name)
		}
	}
}
