package door

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// worthwhile is the least size that is compressed.
	worthwhile = 1 << 10
	// level is a compression that costs little.
	level = 4
	// kept is the largest buffer that is used again.
	kept = 1 << 20
)

// buffered takes an answer, which is short, before any of it is sent.
type buffered struct {
	header http.Header
	body   *bytes.Buffer
	status int
}

func (b *buffered) Header() http.Header { return b.header }

func (b *buffered) WriteHeader(status int) {
	if b.status == 0 {
		b.status = status
	}
}

func (b *buffered) Write(p []byte) (int, error) {
	b.WriteHeader(http.StatusOK)
	return b.body.Write(p)
}

var (
	buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}
	zippers = sync.Pool{New: func() any {
		w, err := gzip.NewWriterLevel(nil, level)
		if err != nil {
			panic("door: " + err.Error()) // only for a level that there is not
		}
		return w
	}}
)

func borrow() (*bytes.Buffer, func()) {
	b := buffers.Get().(*bytes.Buffer)
	b.Reset()
	return b, func() {
		if b.Cap() <= kept {
			buffers.Put(b)
		}
	}
}

// respond answers by a handler: with nothing where the client has the answer
// already, and compressed where that helps. The client may take so long for it.
func respond(w http.ResponseWriter, r *http.Request, next http.Handler, within time.Duration) {
	body, done := borrow()
	defer done()
	b := &buffered{header: w.Header(), body: body}
	next.ServeHTTP(b, r)
	if b.status == 0 {
		b.status = http.StatusOK
	}
	head := w.Header()
	if b.status == http.StatusOK && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		sum := sha256.Sum256(body.Bytes())
		tag := `W/"` + hex.EncodeToString(sum[:12]) + `"`
		head.Set("ETag", tag)
		if matches(r.Header.Get("If-None-Match"), tag) {
			head.Del("Content-Type")
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	head.Add("Vary", "Accept-Encoding")
	if body.Len() >= worthwhile && acceptsGzip(r) && head.Get("Content-Encoding") == "" {
		zipped, done := borrow()
		defer done()
		z := zippers.Get().(*gzip.Writer)
		defer zippers.Put(z)
		z.Reset(zipped)
		z.Write(body.Bytes()) // a buffer takes everything
		z.Close()
		head.Set("Content-Encoding", "gzip")
		body = zipped
	}
	http.NewResponseController(w).SetWriteDeadline(time.Now().Add(within)) // not every writer has one
	head.Set("Content-Length", strconv.Itoa(body.Len()))
	w.WriteHeader(b.status)
	w.Write(body.Bytes())
}

// matches reports whether a list of ETags has one, by weak comparison (RFC 9110).
func matches(list, tag string) bool {
	for t := range strings.SplitSeq(list, ",") {
		if t = strings.TrimSpace(t); t == "*" || strings.TrimPrefix(t, "W/") == strings.TrimPrefix(tag, "W/") {
			return true
		}
	}
	return false
}

// acceptsGzip reads Accept-Encoding: gzip, not refused by q=0.
func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		name, parameters, _ := strings.Cut(part, ";")
		if name = strings.TrimSpace(name); !strings.EqualFold(name, "gzip") && name != "*" {
			continue
		}
		quality, given := strings.CutPrefix(strings.ReplaceAll(parameters, " ", ""), "q=")
		v, err := strconv.ParseFloat(quality, 64)
		return !given || err == nil && v > 0
	}
	return false
}
