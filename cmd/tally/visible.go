package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// blanks are letters and symbols that show as nothing, with which a text can be
// made to look like another: fillers of Hangul, and Braille without a dot.
var blanks = []rune{0x115f, 0x1160, 0x3164, 0xffa0, 0x2800}

// visible is text for a terminal in which every character shows: what would move
// the cursor, colour, hide or turn around what stands beside it is written out,
// as \x1b or \u202e. A line feed ends a line.
func visible(text string) string {
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[0])
		case r != '\n' && (!strconv.IsPrint(r) || slices.Contains(blanks, r)):
			escaped := strconv.QuoteRuneToASCII(r)
			b.WriteString(escaped[1 : len(escaped)-1])
		default:
			b.WriteRune(r)
		}
		text = text[size:]
	}
	return b.String()
}

// quoted is a text of somebody's choice, in quotes and on one line, so that it
// can be told from what this program says.
func quoted(text string) string { return visible(strconv.Quote(text)) }
