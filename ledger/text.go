package ledger

import "unicode/utf8"

// Texts are shown to people who decide by them, and written to files and
// terminals. So they hold nothing that does not show, or that changes how the
// rest shows. The ranges stand here and not in a table of Unicode's, because
// those tables grow with Go's versions, and the rules must not.

// hidden reports a character that no text may hold: the control characters C0,
// DEL and C1, the line and paragraph separators, and the controls of writing
// direction.
func hidden(r rune) bool {
	switch {
	case r < 0x20, r >= 0x7f && r <= 0x9f:
		return true
	case r >= 0x2028 && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
		return true
	}
	return false
}

// blank reports white space, as far as texts may hold it.
func blank(r rune) bool {
	switch r {
	case ' ', 0xa0, 0x1680, 0x202f, 0x205f, 0x3000:
		return true
	}
	return r >= 0x2000 && r <= 0x200a
}

// validText accepts UTF-8 without hidden characters.
func validText(s string) bool { return validLines(s, false) }

// validMemo is validText, and takes the line feed too.
func validMemo(s string) bool { return validLines(s, true) }

func validLines(s string, many bool) bool {
	for _, r := range s {
		if hidden(r) && (r != '\n' || !many) {
			return false
		}
	}
	return utf8.ValidString(s)
}

// validName is validText, and wants a character that is not white space.
func validName(s string) bool {
	for _, r := range s {
		if !blank(r) {
			return validText(s)
		}
	}
	return false
}
