package words

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// Kind says what a part of a sentence is.
type Kind string

// The kinds of parts. Of all but Text, ID is what the thing is asked for by.
const (
	Text     Kind = ""         // the sentence's own words
	Account  Kind = "account"  // an address
	Asset    Kind = "asset"    // an address; Text is its symbol
	Money    Kind = "money"    // an amount and its asset's symbol; ID is the asset's address
	Hold     Kind = "hold"     // an address
	Proposal Kind = "proposal" // a number
	Height   Kind = "height"   // a number
	Hash     Kind = "hash"     // 0x hex
	Time     Kind = "time"     // Unix seconds, in ID
	Quote    Kind = "quote"    // what somebody else wrote; show it as theirs
)

// Part is a piece of a sentence.
type Part struct {
	Kind Kind
	Text string
	ID   string
}

// Sentence is what is said, in order.
type Sentence []Part

// String is the sentence without any marks, for text alternatives.
func (s Sentence) String() string {
	var t strings.Builder
	for _, p := range s {
		if p.Kind == Quote {
			t.WriteString("“" + p.Text + "”")
		} else {
			t.WriteString(p.Text)
		}
	}
	return t.String()
}

// AssetName is what an amount needs to be read.
type AssetName struct {
	Symbol   string
	Decimals uint8
}

// Names tells what addresses are called. Both may know nothing.
type Names interface {
	Asset(crypto.Address) (AssetName, bool)
	// Account is the name of the member whose admin account it is, or "".
	Account(crypto.Address) string
}

// Teller makes sentences.
type Teller struct{ Names Names }

// say fills each % of a format with the next part. Formats are this package's own,
// and a test counts their parts.
func say(format string, parts ...Part) Sentence {
	var s Sentence
	pieces := strings.Split(format, "%")
	if len(pieces) != len(parts)+1 {
		panic(fmt.Sprintf("words: %q with %d parts", format, len(parts)))
	}
	for i, piece := range pieces {
		if piece != "" {
			s = append(s, Part{Text: piece})
		}
		if i < len(parts) && parts[i].Text != "" {
			s = append(s, parts[i])
		}
	}
	return s
}

// with adds a reason or reference that somebody gave.
func (s Sentence) with(word, reference string) Sentence {
	if reference == "" {
		return s
	}
	return append(s, Part{Text: ", " + word + " "}, quote(reference))
}

func plain(format string, values ...any) Part {
	return Part{Text: fmt.Sprintf(format, values...)}
}

func quote(text string) Part { return Part{Kind: Quote, Text: text} }

func (t Teller) account(a crypto.Address) Part {
	if name := t.Names.Account(a); name != "" {
		return Part{Kind: Account, Text: name, ID: a.String()}
	}
	return Part{Kind: Account, Text: a.String(), ID: a.String()}
}

func (t Teller) asset(a crypto.Address) Part {
	if name, ok := t.Names.Asset(a); ok {
		return Part{Kind: Asset, Text: name.Symbol, ID: a.String()}
	}
	return Part{Kind: Asset, Text: a.String(), ID: a.String()}
}

func (t Teller) money(amount ledger.Amount, asset crypto.Address) Part {
	name, ok := t.Names.Asset(asset)
	if !ok {
		return Part{Kind: Money, Text: Decimal(amount, 0) + " smallest units of " + asset.String(), ID: asset.String()}
	}
	return Part{Kind: Money, Text: Decimal(amount, name.Decimals) + " " + name.Symbol, ID: asset.String()}
}

func hold(a crypto.Address) Part { return Part{Kind: Hold, Text: a.String(), ID: a.String()} }

func proposal(n uint64) Part {
	return Part{Kind: Proposal, Text: fmt.Sprintf("proposal %d", n), ID: fmt.Sprint(n)}
}

func height(n uint64) Part {
	return Part{Kind: Height, Text: fmt.Sprintf("block %s", Decimal(ledger.NewAmount(n), 0)), ID: fmt.Sprint(n)}
}

func hash(h crypto.Hash) Part { return Part{Kind: Hash, Text: h.String(), ID: h.String()} }

func when(at ledger.UnixTime) Part {
	return Part{Kind: Time, Text: UTC(uint64(at)), ID: fmt.Sprint(uint64(at))}
}

// Spaced writes a lowerCamelCase name in words: holdCreated is hold created.
func Spaced(name string) string {
	var out strings.Builder
	for _, r := range name {
		if unicode.IsUpper(r) {
			out.WriteByte(' ')
		}
		out.WriteRune(unicode.ToLower(r))
	}
	return out.String()
}
