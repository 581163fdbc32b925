package ledger_test

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/ledger"
)

// TestFormatsOrderOfChecks: the table of refusals in docs/FORMATS.md has a row
// for every operation and action, in the order of their numbers, with the codes
// in the order in which its code can return them.
func TestFormatsOrderOfChecks(t *testing.T) {
	rows := tableOf(t, "| operation | order |")
	checks := map[string]string{}
	var documented []string
	for _, row := range rows {
		name, _, _ := strings.Cut(row[0], ",")
		if _, twice := checks[strings.Trim(name, "*")]; twice {
			t.Errorf("%s has two rows", name)
		}
		checks[strings.Trim(name, "*")] = row[1]
		if !strings.HasPrefix(name, "*") {
			documented = append(documented, name)
		}
	}
	var wanted []string
	source := readLadders(t)
	compare := func(name string, of any, method string) {
		wanted = append(wanted, name)
		is := expandChecks(t, checks, checks[name])
		want := source.of(t, reflect.TypeOf(of).Elem().Name(), method)
		want = slices.DeleteFunc(want, func(code string) bool { return slices.Contains(cannotCome[name], code) })
		if !slices.Equal(is, want) {
			t.Errorf("%s\n  is written as %s\n  and checks    %s", name, strings.Join(is, ", "), strings.Join(want, ", "))
		}
	}
	for _, k := range ledger.Kinds() {
		compare(k.String(), ledger.NewOperation(k), "apply")
	}
	for _, k := range ledger.ActionKinds() {
		compare("action "+k.String(), ledger.NewAction(k), "perform")
	}
	if !slices.Equal(documented, wanted) {
		t.Errorf("the rows are\n%s\nand not\n%s", documented, wanted)
	}
}

// cannotCome lists codes that the code of an operation shares with others, and
// that this one never returns.
var cannotCome = map[string][]string{
	"action suspendMember":   {"203"},        // who is not active needs no node
	"action reinstateMember": {"189", "190"}, // it adds to those that remain
	"action removeMember":    {"203"},
	"action setRoles":        {"189"}, // no status changes
	"action setPower":        {"189"},
}

var checkOrRow = regexp.MustCompile(`\*(\w+)\*|\b\d{3}\b`)

// expandChecks lists the codes of a row, those of the rows that it names among
// them, each where it comes first.
func expandChecks(t *testing.T, rows map[string]string, row string) (codes []string) {
	t.Helper()
	for _, m := range checkOrRow.FindAllStringSubmatch(row, -1) {
		if m[1] == "" {
			codes = append(codes, m[0])
			continue
		}
		named, ok := rows[m[1]]
		if !ok {
			t.Fatalf("there is no row %s", m[0])
		}
		codes = append(codes, expandChecks(t, rows, named)...)
	}
	return firstOfEach(codes)
}

func firstOfEach(list []string) (out []string) {
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// ladders is the source of the ledger, in which one can read which codes a
// function can return, in the order of the text. What it reads is a ladder of
// checks: it follows calls to where codes are returned, and takes a code that
// is handed to a function, or a check that is, for what they are there.
type ladders struct {
	scope *types.Scope
	info  *types.Info
	funcs map[types.Object]*ast.FuncDecl
}

func readLadders(t *testing.T) *ladders {
	t.Helper()
	files := token.NewFileSet()
	l := &ladders{
		info:  &types.Info{Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}},
		funcs: map[types.Object]*ast.FuncDecl{},
	}
	names, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var parsed []*ast.File
	for _, n := range names {
		if !strings.HasSuffix(n.Name(), ".go") || strings.HasSuffix(n.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(files, n.Name(), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, f)
	}
	// Other packages are not read, and what is of their types stays unknown.
	config := types.Config{Error: func(error) {}}
	pkg, _ := config.Check("ledger", files, parsed, l.info)
	l.scope = pkg.Scope()
	for _, f := range parsed {
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				l.funcs[l.info.Defs[fn.Name]] = fn
			}
		}
	}
	return l
}

// of lists the codes that a method can return, each where it comes first.
func (l *ladders) of(t *testing.T, typeName, method string) []string {
	t.Helper()
	pointer := types.NewPointer(l.scope.Lookup(typeName).Type())
	fn, _, _ := types.LookupFieldOrMethod(pointer, false, l.scope.Lookup("Kind").Pkg(), method)
	decl := l.funcs[fn]
	if decl == nil {
		t.Fatalf("there is no method %s of %s", method, typeName)
	}
	r := ladderReader{ladders: l}
	r.read(decl.Body, nil)
	return firstOfEach(r.codes)
}

// given is what a parameter stands for where its function is called.
type given struct {
	value ast.Expr
	names map[types.Object]given // of the caller
}

type ladderReader struct {
	*ladders
	codes []string
}

// read adds the codes that the statements below node return.
func (r *ladderReader) read(node ast.Node, names map[types.Object]given) {
	ast.Inspect(node, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.IfStmt:
			if r.answersItself(n) {
				r.read(n.Body, names)
				return false
			}
		case *ast.CallExpr:
			return r.call(n, names)
		case *ast.ReturnStmt:
			for _, result := range n.Results {
				r.result(result, names)
			}
		case *ast.FuncLit:
			return false // it is read where it is called
		}
		return true
	})
}

// answersItself: a check whose own code is replaced: if …; … { return CodeX }.
func (r *ladderReader) answersItself(s *ast.IfStmt) bool {
	if s.Init == nil || s.Else != nil || len(s.Body.List) == 0 {
		return false
	}
	last, ok := s.Body.List[len(s.Body.List)-1].(*ast.ReturnStmt)
	return ok && slices.ContainsFunc(last.Results, func(e ast.Expr) bool { return r.code(e) != "" })
}

// call reads a function of the ledger that returns a code. It answers whether
// there is more to see in the call.
func (r *ladderReader) call(c *ast.CallExpr, names map[types.Object]given) bool {
	called := r.object(c.Fun)
	if g, ok := names[called]; ok {
		if lit, ok := g.value.(*ast.FuncLit); ok {
			r.read(lit.Body, g.names)
		}
		return false
	}
	decl := r.funcs[called]
	if decl == nil {
		return true
	}
	if !r.returnsCode(decl) {
		return false
	}
	inner := map[types.Object]given{}
	i := 0
	for _, field := range decl.Type.Params.List {
		for _, name := range field.Names {
			if i < len(c.Args) {
				inner[r.info.Defs[name]] = given{c.Args[i], names}
			}
			i++
		}
	}
	r.read(decl.Body, inner)
	return false
}

func (r *ladderReader) returnsCode(fn *ast.FuncDecl) bool {
	return fn.Type.Results != nil && slices.ContainsFunc(fn.Type.Results.List, func(f *ast.Field) bool {
		name, ok := f.Type.(*ast.Ident)
		return ok && name.Name == "Code"
	})
}

// result adds what is returned, if it is a code or stands for one.
func (r *ladderReader) result(e ast.Expr, names map[types.Object]given) {
	for {
		g, ok := names[r.object(e)]
		if !ok {
			break
		}
		e, names = g.value, g.names
	}
	if code := r.code(e); code != "" {
		r.codes = append(r.codes, code)
	}
}

// code is the number of a constant that is a refusal, or nothing.
func (r *ladderReader) code(e ast.Expr) string {
	c, ok := r.object(e).(*types.Const)
	if !ok || c.Type() != r.scope.Lookup("Code").Type() || constant.Sign(c.Val()) == 0 {
		return ""
	}
	return fmt.Sprint(c.Val())
}

func (r *ladderReader) object(e ast.Expr) types.Object {
	switch e := e.(type) {
	case *ast.Ident:
		return r.info.Uses[e]
	case *ast.SelectorExpr:
		if used := r.info.Uses[e.Sel]; used != nil {
			return used
		}
		return r.named(e.Sel.Name)
	}
	return nil
}

// named finds the one method with a name that returns a code: of a value whose
// type is built of other packages' the type is not known.
func (r *ladderReader) named(name string) (found types.Object) {
	for object, fn := range r.funcs {
		if fn.Recv == nil || fn.Name.Name != name || !r.returnsCode(fn) {
			continue
		}
		if found != nil {
			panic("ledger: which method " + name + " is called cannot be told")
		}
		found = object
	}
	return found
}
