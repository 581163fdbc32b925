package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// root is the repository, seen from this directory, where tests run.
const root = "../.."

// A source is one Go file.
type source struct {
	path    string // slash-separated, from the repository's root
	test    bool
	imports []string
	syntax  *ast.File // its declarations too only where parsed with bodies
}

// sources parses every Go file below dir: import clauses only, or all of it.
func sources(t *testing.T, dir string, mode parser.Mode) []source {
	t.Helper()
	var found []source
	walk(t, dir, func(name string) {
		if !strings.HasSuffix(name, ".go") {
			return
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, name), nil, mode)
		if err != nil {
			t.Errorf("parse %s: %v", name, err)
			return
		}
		s := source{path: name, test: strings.HasSuffix(name, "_test.go"), syntax: file}
		for _, clause := range file.Imports {
			imported, err := strconv.Unquote(clause.Path.Value)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			s.imports = append(s.imports, imported)
		}
		found = append(found, s)
	})
	return found
}

// walk visits every file below dir, but for what the go command passes over.
func walk(t *testing.T, dir string, visit func(name string)) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(root, dir), func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		relative = filepath.ToSlash(relative)
		base := path.Base(relative)
		if entry.IsDir() && relative != "." && (strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") ||
			base == "testdata" || base == "node_modules" || ignored(t)[relative]) {
			return filepath.SkipDir
		}
		if !entry.IsDir() {
			visit(relative)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// roomOf returns the innermost room that holds the package directory dir.
func roomOf(dir string) (room, bool) {
	var best room
	for _, r := range rooms {
		if within(dir, r.path) && len(r.path) > len(best.path) {
			best = r
		}
	}
	return best, best.path != ""
}

// within reports whether name is place or below it.
func within(name, place string) bool {
	return name == place || strings.HasPrefix(name, place+"/")
}

// forTests reports whether a package of ours is there for tests only.
func forTests(dir string) bool {
	return strings.HasSuffix(path.Base(dir), "test")
}
