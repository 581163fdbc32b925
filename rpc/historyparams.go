package rpc

import (
	"reflect"
	"strings"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

var subjectType = reflect.TypeFor[wire.Subject]()

// subject takes whose history is asked for. symbol is not empty where it is an
// asset by its symbol.
func (p *params) subject() (q PlaceQuery, symbol string) {
	raw := p.take()
	if raw == nil {
		return q, ""
	}
	if raw[0] == '"' {
		if text, ok := p.textOf(raw); ok {
			q.Account = p.addressPointer(text)
		}
		return q, ""
	}
	var given struct {
		Account   *string `json:"account"`
		Asset     *string `json:"asset"`
		Reference *string `json:"reference"`
	}
	if !p.object(raw, &given, subjectKeys) {
		return q, ""
	}
	count := 0
	for _, part := range []*string{given.Account, given.Asset, given.Reference} {
		if part != nil {
			count++
		}
	}
	switch {
	case count != 1:
		p.fail("names %d subjects and not one", count)
	case given.Account != nil:
		q.Account = p.addressPointer(*given.Account)
	case given.Asset != nil && ledger.ValidSymbol(*given.Asset):
		symbol = *given.Asset
	case given.Asset != nil && strings.HasPrefix(*given.Asset, "0x"):
		q.Asset = p.addressPointer(*given.Asset)
	case given.Asset != nil:
		p.fail("has the asset %s, neither an address nor a symbol", shorten(*given.Asset))
	case len(*given.Reference) == 0 || len(*given.Reference) > ledger.MaxReferenceBytes:
		p.fail("has a reference of %d bytes", len(*given.Reference))
	default:
		q.Reference = *given.Reference
	}
	return q, symbol
}

func (p *params) addressPointer(text string) *crypto.Address {
	a := p.addressOf(text)
	return &a
}

// historyPage takes a page of a history; from is nil where it begins.
func (p *params) historyPage() (limit int, from *historyCursor) {
	limit, text := p.pageText()
	if text == "" {
		return limit, nil
	}
	cursor, ok := parseHistoryCursor(text)
	if !ok {
		p.fail("has a cursor that this method did not give")
	}
	return limit, &cursor
}

// pendingFilter takes {account}; nil for all.
func (p *params) pendingFilter() *crypto.Address {
	raw := p.take()
	if raw == nil {
		return nil
	}
	var given struct {
		Account *string `json:"account"`
	}
	if !p.object(raw, &given, filterKeys) || given.Account == nil {
		return nil
	}
	return p.addressPointer(*given.Account)
}

// addHistory describes the types of histories, of what waits, and of peers.
func addHistory() {
	closed = append(closed, "PendingFilter")
	for name, text := range map[string]string{
		"HistoryPage":   "A part of a history, the newest first; next is the cursor of the following part, null at the end.",
		"HistoryItem":   "A transaction, or, where index, hash and receipt are null, what a block did by itself before its transactions; events are those that concern the subject, and empty for a transaction.",
		"PendingFilter": "Whose transactions: those that this account sent; everybody's where it is left out.",
		"PendingPage":   "A part of what waits on the node, in the order in which it came, and how much waits in all; next is the cursor of the following part, null at the end.",
		"PendingItem":   "A transaction that waits, for how long it has waited on this node, and what for, as far as the node knows.",
		"Peers":         "The nodes that the node nodeId is connected with, ascending by node ID.",
		"Peer":          "A connected node. moniker is the name that it gives itself; member is whose node it is by the members' lists, null for none.",
	} {
		typeTexts[name] = text
	}
	leafSchemas["HistorySubject"] = func(g *schemas) schema {
		one := func(key string, of schema) schema {
			return schema{{"type", "object"}, {"properties", schema{{key, of}}}, {"required", []string{key}}, {"additionalProperties", false}}
		}
		return schema{
			{"description", "Whose history: an account (or a member, or a hold), an asset by address or symbol, or a reference exactly as it was written"},
			{"oneOf", []schema{
				refTo[crypto.Address](g), one("account", refTo[crypto.Address](g)), one("asset", named("AssetSelector")(g)),
				one("reference", textSchema(1, ledger.MaxReferenceBytes)),
			}},
		}
	}
	fieldSchemas["PendingItem.kind"] = fixed(oneOf(ledger.KindNames()...))
	fieldSchemas["Peer.direction"] = fixed(oneOf("in", "out"))
	var reasons []string
	words := "What it waits for:"
	for _, r := range wire.PendingReasons {
		reasons = append(reasons, r.Name)
		words += " " + r.Name + ": " + r.Meaning + ";"
	}
	fieldSchemas["PendingItem.reason"] = fixed(schema{{"type", "string"}, {"description", words[:len(words)-1]}, {"enum", reasons}})
}
