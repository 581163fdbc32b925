package web

import (
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/explorer/api"
)

type referenceData struct {
	Title, Version, Description, Document string
	// Shared are the parameters that many operations have, described once.
	Shared  []*huma.Param
	Groups  []group
	Schemas []namedSchema
}

// group is the operations of a tag.
type group struct {
	Name, Description string
	Operations        []*operation
}

// operation is what the page says of an operation.
type operation struct {
	*huma.Operation
	Own     []*huma.Param // its parameters without the shared ones
	Shared  []string      // the names of those
	Answer  string        // the name of its schema, or what it is
	Known   bool          // Answer is a type of the page
	Example string        // a path to try; empty where it needs something that there may not be
}

// namedSchema is a type of answers.
type namedSchema struct {
	Name   string
	Fields []field
}

type field struct {
	Name, Type, Doc string
	Maybe           bool // it may be null
	Link            string
}

// reference is the API's reference, made from the same document that programs read.
func (s *site) reference(*http.Request) (*view, error) {
	d := &referenceData{Document: api.DocumentPath}
	if s.openAPI == nil {
		return &view{name: "reference", Title: "API", Nav: "api", Data: d}, nil
	}
	d.Title, d.Version, d.Description = s.openAPI.Info.Title, s.openAPI.Info.Version, s.openAPI.Info.Description
	var operations []*huma.Operation
	for _, item := range s.openAPI.Paths {
		if item.Get != nil {
			operations = append(operations, item.Get)
		}
	}
	slices.SortFunc(operations, func(a, b *huma.Operation) int { return strings.Compare(a.Path, b.Path) })
	d.Shared = sharedParams(operations)
	for _, tag := range s.openAPI.Tags {
		g := group{Name: tag.Name, Description: tag.Description}
		for _, op := range operations {
			if slices.Contains(op.Tags, tag.Name) {
				o := &operation{Operation: op, Answer: answerOf(op), Example: exampleOf(op)}
				_, o.Known = s.openAPI.Components.Schemas.Map()[o.Answer]
				o.Own, o.Shared = splitParams(op, d.Shared)
				g.Operations = append(g.Operations, o)
			}
		}
		d.Groups = append(d.Groups, g)
	}
	for name, schema := range s.openAPI.Components.Schemas.Map() {
		d.Schemas = append(d.Schemas, namedSchema{name, fieldsOf(schema)})
	}
	slices.SortFunc(d.Schemas, func(a, b namedSchema) int { return strings.Compare(a.Name, b.Name) })
	return &view{name: "reference", Title: "API", Nav: "api", Data: d}, nil
}

// sharedParams are the parameters that at least sharedBy operations have, and describe
// in the same words, by name.
func sharedParams(operations []*huma.Operation) (shared []*huma.Param) {
	const sharedBy = 5
	type meaning struct{ name, in, description string }
	count := map[meaning]int{}
	for _, op := range operations {
		for _, p := range op.Parameters {
			if m := (meaning{p.Name, p.In, p.Description}); p.In == "query" {
				if count[m]++; count[m] == sharedBy {
					shared = append(shared, p)
				}
			}
		}
	}
	slices.SortFunc(shared, func(a, b *huma.Param) int { return strings.Compare(a.Name, b.Name) })
	return shared
}

// splitParams parts an operation's own parameters from those that are described once.
func splitParams(op *huma.Operation, shared []*huma.Param) (own []*huma.Param, names []string) {
	for _, p := range op.Parameters {
		if slices.ContainsFunc(shared, func(s *huma.Param) bool {
			return s.Name == p.Name && s.In == p.In && s.Description == p.Description && !p.Required
		}) {
			names = append(names, p.Name)
		} else {
			own = append(own, p)
		}
	}
	return own, names
}

// answerOf names what an operation answers with.
func answerOf(op *huma.Operation) string {
	response := op.Responses["200"]
	if response == nil {
		return ""
	}
	for kind, media := range response.Content {
		if media.Schema == nil || !strings.HasSuffix(kind, "json") {
			return kind
		}
		return typeName(media.Schema)
	}
	return ""
}

// exampleOf is a path that answers on every network, or "".
func exampleOf(op *huma.Operation) string {
	path := op.Path
	for _, p := range op.Parameters {
		switch {
		case p.In == "path" && p.Name == "block":
			path = strings.ReplaceAll(path, "{block}", "latest")
		case p.In == "path" && p.Name == "height":
			path = strings.ReplaceAll(path, "{height}", "1")
		case p.In == "query" && p.Required && p.Name == "q":
			path += "?q=1"
		case p.In == "path" || p.Required:
			return ""
		}
	}
	if op.OperationID == "followEvents" {
		return ""
	}
	return path
}

// typeName is a schema's type in a word or two.
func typeName(s *huma.Schema) string {
	switch {
	case s == nil:
		return ""
	case s.Ref != "":
		return refName(s.Ref)
	case len(s.AnyOf) > 0:
		return typeName(s.AnyOf[0])
	case s.Type == huma.TypeArray:
		return "list of " + typeName(s.Items)
	}
	return s.Type
}

func refName(ref string) string { return ref[strings.LastIndexByte(ref, '/')+1:] }

// fieldsOf are the fields of a type, in their order of names.
func fieldsOf(s *huma.Schema) (fields []field) {
	for name, p := range s.Properties {
		f := field{Name: name, Type: typeName(p), Doc: p.Description, Maybe: len(p.AnyOf) > 0}
		inner := p
		if f.Maybe {
			inner = p.AnyOf[0]
			f.Doc = inner.Description
		}
		if inner.Items != nil {
			inner = inner.Items
		}
		if inner.Ref != "" {
			f.Link = refName(inner.Ref)
		}
		fields = append(fields, f)
	}
	slices.SortFunc(fields, func(a, b field) int { return strings.Compare(a.Name, b.Name) })
	return fields
}
