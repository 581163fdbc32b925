// Package hostile is for tests: texts such as an enemy would bring into blocks.
package hostile

// Texts that must never be taken for markup, and never steer a terminal or the
// order of a line. A ledger applies the name and the reference; the memo stands in
// blocks in what is at fault.
const (
	Name      = `<script>alert(1)</script>"'&`
	Memo      = "\u202Egnp.exe\u2066 \x1b[31mred\x1b[0m </pre><img src=x onerror=alert(1)> {{.}} ' OR 1=1; --"
	Reference = `=HYPERLINK("http://x")<b>&'"`
)
