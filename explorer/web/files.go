package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:embed static
var static embed.FS

// files are what pages load, under names that have a hash of the content, so that a
// browser may keep them for ever and never has an old one.
type files struct {
	named   map[string]string // by their names here: their paths on the site
	content map[string][]byte // by the last part of those paths
}

var fileTypes = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

func loadFiles() *files {
	f := &files{map[string]string{}, map[string][]byte{}}
	entries, err := fs.ReadDir(static, "static")
	if err != nil {
		panic("web: " + err.Error()) // they are part of the program
	}
	for _, e := range entries {
		b, err := static.ReadFile("static/" + e.Name())
		if err != nil {
			panic("web: " + err.Error())
		}
		sum := sha256.Sum256(b)
		extension := path.Ext(e.Name())
		name := strings.TrimSuffix(e.Name(), extension) + "." + hex.EncodeToString(sum[:6]) + extension
		f.named[e.Name()], f.content[name] = "/static/"+name, b
	}
	return f
}

// path is where a file is on the site.
func (f *files) path(name string) string {
	p, ok := f.named[name]
	if !ok {
		panic("web: there is no file " + name)
	}
	return p
}

func (f *files) serve(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	b, ok := f.content[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", fileTypes[path.Ext(name)])
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	w.Write(b)
}
