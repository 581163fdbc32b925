package store

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tallystick/tallystick/explorer/words"
	"github.com/tallystick/tallystick/ledger"
)

// Limits of what is looked for and found by words.
const (
	maxWordBytes = 64
	maxWords     = 64 // a memo has at most 256 bytes
)

// Tokens takes a text apart into its words: runs of letters, marks and digits, in
// lower case. Both databases are given words and not texts, so that both find the
// same. Words are cut at 64 bytes, and there are at most 64.
func Tokens(text string) []string { return tokens(text, maxWords) }

func tokens(text string, most int) []string {
	fields := strings.FieldsFunc(strings.ToValidUTF8(text, " "), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r)
	})
	out := make([]string, 0, min(len(fields), most))
	for _, f := range fields[:min(len(fields), most)] {
		out = append(out, cut(strings.ToLower(f)))
	}
	return out
}

// cut keeps the first maxWordBytes bytes of a word, in whole characters.
func cut(word string) string {
	if len(word) <= maxWordBytes {
		return word
	}
	end := maxWordBytes
	for !utf8.RuneStart(word[end]) {
		end--
	}
	return word[:end]
}

// Trigrams are the threes of characters of a name, with two spaces before it and
// one behind each of its words, in lower case: what two names have in common of
// them says how alike they are. Each stands once; there are at most 200.
func Trigrams(name string) []string {
	const most = 200
	seen := map[string]bool{}
	var out []string
	for _, word := range Tokens(name) {
		runes := []rune("  " + word + " ")
		for i := 0; i+3 <= len(runes) && len(out) < most; i++ {
			if t := string(runes[i : i+3]); !seen[t] {
				seen[t] = true
				out = append(out, t)
			}
		}
	}
	return out
}

// What a trigram is of.
const (
	TrigramAsset  = 1
	TrigramMember = 2
)

// ProposalWords are the words by which a proposal is found: those of what its actions
// are called and of the texts in them. Each stands once.
func ProposalWords(actions ledger.ActionList) []string {
	seen := map[string]bool{}
	var out []string
	for _, a := range actions {
		for _, word := range tokens(words.Spaced(a.ActionKind().String())+" "+actionText(a), ledger.MaxResolutionBytes) {
			if !seen[word] {
				seen[word] = true
				out = append(out, word)
			}
		}
	}
	return out
}

// actionText is what somebody wrote in an action.
func actionText(action ledger.Action) string {
	switch a := action.(type) {
	case *ledger.AdmitMemberAction:
		return a.Name
	case *ledger.SetParameterAction:
		return a.Name + " " + words.Spaced(a.Name)
	case *ledger.SetThresholdAction:
		return a.Action + " " + words.Spaced(a.Action)
	case *ledger.FreezeAccountAction:
		return a.Reference
	case *ledger.UnfreezeAccountAction:
		return a.Reference
	case *ledger.ScheduleUpgradeAction:
		return a.Name
	case *ledger.ResolutionAction:
		return a.Text
	}
	return ""
}

// ReferenceKey is a reference as it is looked for: in lower case.
func ReferenceKey(reference string) []byte {
	if reference == "" {
		return nil
	}
	return []byte(strings.ToLower(reference))
}
