package arch

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"testing"
)

func TestLedgerIsPure(t *testing.T) {
	count := 0
	for _, s := range sources(t, "ledger", parser.SkipObjectResolution) {
		if s.test || path.Dir(s.path) != "ledger" {
			continue
		}
		count++
		for _, problem := range impurities(s.syntax, s.imports) {
			t.Errorf("%s: %s", s.path, problem)
		}
	}
	if count == 0 {
		t.Error("found no file of the ledger")
	}
}

// impurities lists what could make two validators disagree.
func impurities(file *ast.File, imports []string) []string {
	var problems []string
	for _, imported := range imports {
		if _, ok := ledgerMay[imported]; ok {
			continue
		}
		reason := ledgerMayNot[imported]
		if reason == "" {
			reason = "it is not known to give every validator the same answer"
		}
		problems = append(problems, fmt.Sprintf("imports %s: %s. Take the value as an argument, or add the package to "+
			"ledgerMay in rooms_test.go with its reason", imported, reason))
	}
	ast.Inspect(file, func(node ast.Node) bool {
		if what := impureSyntax(node); what != "" {
			problems = append(problems, what+" in the ledger: it must be a pure function of its arguments")
		}
		return true
	})
	return problems
}

// impureSyntax names a construct that the ledger does without.
func impureSyntax(node ast.Node) string {
	switch n := node.(type) {
	case *ast.GoStmt:
		return "a goroutine"
	case *ast.SelectStmt:
		return "a select"
	case *ast.ChanType:
		return "a channel"
	case *ast.Ident:
		switch n.Name {
		case "float32", "float64", "complex64", "complex128":
			return "the type " + n.Name
		}
	case *ast.BasicLit:
		if n.Kind == token.FLOAT || n.Kind == token.IMAG {
			return "the number " + n.Value
		}
	}
	return ""
}

func TestImpurities(t *testing.T) {
	cases := []struct {
		code  string
		count int
	}{
		{`package p; import "bytes"; var _ = bytes.Equal`, 0},
		{`package p; func f() { for i := range 3 { _ = i } }`, 0},
		{`package p; import "time"; var _ = time.Now`, 1},
		{`package p; import "os"; import "math/rand"`, 2},
		{`package p; import "example.com/unheard/of"`, 1},
		{`package p; func f() { go f() }`, 1},
		{`package p; func f() { select {} }`, 1},
		{`package p; var c chan int`, 1},
		{`package p; var f float64`, 1},
		{`package p; const f = 1.5`, 1},
	}
	for _, c := range cases {
		file, err := parser.ParseFile(token.NewFileSet(), "x.go", c.code, 0)
		if err != nil {
			t.Fatal(err)
		}
		var imports []string
		for _, clause := range file.Imports {
			imports = append(imports, clause.Path.Value[1:len(clause.Path.Value)-1])
		}
		if got := impurities(file, imports); len(got) != c.count {
			t.Errorf("%s: got %q, want %d problems", c.code, got, c.count)
		}
	}
}
