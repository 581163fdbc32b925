package web

import (
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer/words"
	"github.com/tallystick/tallystick/ledger"
)

//go:embed all:templates
var templates embed.FS

// pageSet has a template for each page, with the frame around it.
type pageSet map[string]*template.Template

// parsePages reads the templates. Those whose names begin with _ are parts of others.
func parsePages(functions template.FuncMap) pageSet {
	base := template.New("").Funcs(functions).Option("missingkey=error")
	base = template.Must(base.ParseFS(templates, "templates/_*.html"))
	set := pageSet{}
	entries, err := fs.ReadDir(templates, "templates")
	if err != nil {
		panic("web: " + err.Error())
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "_") {
			continue
		}
		page := template.Must(template.Must(base.Clone()).ParseFS(templates, "templates/"+e.Name()))
		set[strings.TrimSuffix(e.Name(), path.Ext(e.Name()))] = page
	}
	return set
}

// functions are what templates can call.
func (s *site) functions() template.FuncMap {
	return template.FuncMap{
		"file":          s.files.path,
		"visible":       visible,
		"typed":         typed,
		"count":         count,
		"plural":        words.Count,
		"decimal":       func(a ledger.Amount, decimals uint8) string { return words.Decimal(a, decimals) },
		"utc":           words.UTC,
		"machine":       machineTime,
		"lasting":       words.Lasting,
		"short":         short,
		"part":          func(part, whole uint64) string { return share(ledger.NewAmount(part), ledger.NewAmount(whole)) },
		"text":          func(v any) string { return fmt.Sprint(v) },
		"hex":           func(b []byte) string { return fmt.Sprintf("0x%x", b) },
		"name":          func(a crypto.Address) string { return s.names.Account(a) },
		"lower":         strings.ToLower,
		"percent":       func(part float64) string { return strconv.FormatFloat(part*100, 'f', 1, 64) + " %" },
		"seconds":       seconds,
		"bytes":         bytesText,
		"spaced":        words.Spaced,
		"past":          func(at uint64) bool { return int64(at) < time.Now().Unix() },
		"list":          func(items ...any) []any { return items },
		"kinds":         kindNames,
		"join":          func(items []string) string { return strings.Join(items, ", ") },
		"share":         share,
		"add":           func(a, b any) uint64 { return uint64(whole(a) + whole(b)) },
		"wide":          func(n any) uint64 { return uint64(whole(n)) },
		"less":          func(n int) int { return n - 1 },
		"utcOf":         func(text string) string { return words.UTC(uint64(whole(text))) },
		"referencePath": func(reference string) string { return withQuery("/transactions", "reference", reference) },
	}
}

// short is a hash or address as a reader tells it from others: 0x14dC…9955.
func short(text string) string {
	const first, last = 6, 4
	if len(text) <= first+last+1 {
		return text
	}
	return text[:first] + "…" + text[len(text)-last:]
}

// visible writes what somebody else wrote so that every character can be seen:
// those that have no shape of their own, steer a terminal or turn the text around
// are shown by their numbers. Lines stay.
func visible(text string) string {
	var out strings.Builder
	for _, r := range strings.ToValidUTF8(text, "\uFFFD") {
		switch {
		case r == '\n' || unicode.IsPrint(r) && !unicode.Is(unicode.Variation_Selector, r):
			out.WriteRune(r)
		default:
			fmt.Fprintf(&out, "[U+%04X]", r)
		}
	}
	return out.String()
}

// typed is a text for a field of a form, without what cannot be typed into one.
func typed(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(text, ""))
}

// count writes a whole number of any of the types that answers have.
func count(n any) string {
	if p, ok := n.(*uint64); ok {
		n = *p
	}
	return words.Thousands(fmt.Sprint(n))
}

// whole reads a whole number of any of the types that answers have.
func whole(n any) int64 {
	if p, ok := n.(*uint32); ok {
		return int64(*p)
	}
	v, err := strconv.ParseInt(fmt.Sprint(n), 10, 64)
	if err != nil {
		return 0
	}
	return v
}

// machineTime is a time as programs read it.
func machineTime(seconds uint64) string {
	const latest = 253402300799 // the end of year 9999
	return time.Unix(int64(min(seconds, latest)), 0).UTC().Format(time.RFC3339)
}

// seconds writes milliseconds.
func seconds(ms any) string {
	n, err := strconv.ParseFloat(fmt.Sprint(ms), 64)
	if err != nil {
		return ""
	}
	if n < 1000 {
		return strconv.FormatFloat(n, 'f', 0, 64) + " ms"
	}
	return strconv.FormatFloat(n/1000, 'f', 1, 64) + " s"
}

// bytesText writes a number of bytes.
func bytesText(v any) string {
	n, err := strconv.ParseFloat(fmt.Sprint(v), 64)
	units := []string{"B", "KB", "MB", "GB", "TB"}
	i := 0
	for ; n >= 1000 && i+1 < len(units); i++ {
		n /= 1000
	}
	if err != nil {
		return ""
	}
	if i == 0 {
		return strconv.FormatFloat(n, 'f', 0, 64) + " B"
	}
	return strconv.FormatFloat(n, 'f', 1, 64) + " " + units[i]
}

func kindNames() (names []string) {
	for _, k := range ledger.Kinds() {
		names = append(names, k.String())
	}
	return names
}

// share is part of whole, in percent; nothing of nothing is nothing.
func share(part, whole ledger.Amount) string {
	if whole.IsZero() {
		return "0 %"
	}
	return strconv.FormatFloat(part.Uint256().Float64()/whole.Uint256().Float64()*100, 'f', 1, 64) + " %"
}
