package ledgertest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

func (s *story) genesisAccount(name string, words []string, options map[string]string) ledger.GenesisAccount {
	a := ledger.GenesisAccount{Address: s.address(name), Threshold: s.number(options, "threshold", 0), Keys: s.keys(words)}
	if member := options["member"]; member != "" {
		a.Member = s.address(member)
	}
	return a
}

// keys reads the words of the form NAME:WEIGHT.
func (s *story) keys(words []string) (keys []ledger.Key) {
	for _, w := range words {
		key, weight, ok := strings.Cut(w, ":")
		if !ok {
			continue
		}
		n := s.number(map[string]string{"weight": weight}, "weight", 0)
		keys = append(keys, ledger.Key{Address: s.address(key), Weight: uint32(n)})
	}
	slices.SortFunc(keys, func(a, b ledger.Key) int { return a.Address.Compare(b.Address) })
	return keys
}

// storyTx is one transaction of a story.
type storyTx struct {
	title string // sender and nonce
	tx    *ledger.Tx
	code  ledger.Code // of Build
}

func (s *story) transactions(lines []string) (txs []storyTx) {
	for _, line := range lines {
		txs = append(txs, s.transaction(line))
	}
	return txs
}

func (s *story) transaction(line string) storyTx {
	words := strings.Fields(line)
	options := parseOptions(words)
	body := ledger.Body{
		Sender: s.address(words[0]), Nonce: ledger.Nonce(s.number(options, "1", 0)),
		ValidUntil: ledger.UnixTime(s.number(options, "until", 0)), Memo: options["memo"],
	}
	one := storyTx{title: words[0] + " " + words[1]}
	body.Op = s.operation(&body, words[2], strings.Join(words[3:], " "))
	if as := options["as"]; as == "legacy" || as == "dynamic" {
		one.tx, one.code = s.ethereum(as, words[0], &body)
		return one
	}
	scheme := ledger.SchemeTypedData
	if options["as"] == "hash" {
		scheme = ledger.SchemeBodyHash
	}
	one.tx, one.code = ledger.Sign(s.chain.Net, body, scheme, s.signers(words[0], &body, options)...)
	return one
}

// signers are those of by=, or else the sender and whoever pays.
func (s *story) signers(sender string, body *ledger.Body, options map[string]string) (keys []*crypto.PrivateKey) {
	names := []string{sender}
	if by, ok := options["by"]; ok {
		names = strings.Split(by, ",")
	} else {
		for _, a := range paying(body.Op) {
			if name := s.named(a); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	for _, name := range names {
		if name != "nobody" {
			keys = append(keys, Key(name))
		}
	}
	return keys
}

// paying lists the accounts besides the sender that must sign: those whose
// balances op takes from, those that capture, and a new issuer.
func paying(op ledger.Operation) (from []crypto.Address) {
	switch op := op.(type) {
	case *ledger.Transfer:
		for _, l := range op.Legs {
			from = append(from, l.From)
		}
	case *ledger.Redeem:
		from = append(from, op.From)
	case *ledger.CreateHold:
		from = append(from, op.From)
	case *ledger.Settle:
		for _, c := range op.Captures {
			from = append(from, c.By)
		}
		for _, l := range op.Legs {
			from = append(from, l.From)
		}
		for _, h := range op.Holds {
			from = append(from, h.From)
		}
	case *ledger.ChangeIssuer:
		from = append(from, op.To)
	}
	return from
}

func (s *story) ethereum(as, sender string, body *ledger.Body) (*ledger.Tx, ledger.Code) {
	leg := body.Op.(*ledger.Transfer).Legs[0]
	envelope := ledger.EnvelopeLegacy
	if as == "dynamic" {
		envelope = ledger.EnvelopeDynamicFee
	}
	inner := EthereumInner(s.chain.Net, envelope, body.Nonce, leg.To, leg.Asset, leg.Amount)
	return ledger.Decode(s.chain.Net, EthereumRaw(s.chain.Net, Key(sender), inner))
}

func (s *story) operation(body *ledger.Body, name, rest string) ledger.Operation {
	o := parseOptions(strings.Fields(rest))
	switch name {
	case "cancel":
		return &ledger.Transfer{Legs: []ledger.Leg{{From: body.Sender, To: body.Sender, Asset: s.chain.Net.Settlement}}}
	case "transfer":
		return s.transfer(rest)
	case "create":
		return &ledger.CreateAsset{Symbol: o["0"], Name: o["0"], Decimals: uint8(s.number(o, "decimals", 0)), Cap: s.amount(o["cap"]), Flags: uint32(s.number(o, "flags", 0))}
	case "issue":
		return &ledger.Issue{Asset: s.asset(o["0"]), To: s.address(o["1"]), Amount: s.amount(o["2"]), Reference: o["ref"]}
	case "redeem":
		return &ledger.Redeem{Asset: s.asset(o["0"]), From: s.address(o["1"]), Amount: s.amount(o["2"]), Reference: o["ref"]}
	case "pause":
		return &ledger.PauseAsset{Asset: s.asset(o["0"])}
	case "resume":
		return &ledger.ResumeAsset{Asset: s.asset(o["0"])}
	case "setkeys":
		return &ledger.SetKeys{Threshold: s.number(o, "threshold", 0), Keys: s.keys(strings.Fields(rest))}
	case "admit":
		return &ledger.AdmitAccount{Account: s.address(o["0"])}
	case "freeze":
		return &ledger.FreezeAccount{Account: s.address(o["0"]), Reference: o["ref"]}
	case "unfreeze":
		return &ledger.UnfreezeAccount{Account: s.address(o["0"]), Reference: o["ref"]}
	case "close":
		return &ledger.CloseAccount{Account: s.address(o["0"])}
	case "hold":
		terms := s.hold(body, 0, rest)
		return (*ledger.CreateHold)(&terms)
	case "capture":
		return &ledger.CaptureHold{Hold: s.holdID(o["0"]), Amount: s.amount(o["1"]), Reference: o["ref"]}
	case "release":
		return &ledger.ReleaseHold{Hold: s.holdID(o["0"])}
	case "settle":
		return s.settle(body, rest)
	}
	if op := s.regulated(name, o); op != nil {
		return op
	}
	s.t.Fatalf("unknown operation %q", name)
	return nil
}

func (s *story) transfer(rest string) ledger.Operation {
	op := &ledger.Transfer{}
	for _, leg := range strings.Split(rest, ";") {
		op.Legs = append(op.Legs, s.leg(leg))
	}
	return op
}

func (s *story) leg(text string) ledger.Leg {
	o := parseOptions(strings.Fields(text))
	from, to, ok := strings.Cut(o["0"], ">")
	if !ok {
		s.t.Fatalf("leg %q has no FROM>TO", text)
	}
	return ledger.Leg{From: s.address(from), To: s.address(to), Amount: s.amount(o["1"]), Asset: s.asset(o["2"]), Reference: o["ref"]}
}

func (s *story) block(options map[string]string, lines []string) string {
	time := ledger.UnixTime(s.number(options, "time", uint64(s.chain.Time)+1))
	var b strings.Builder
	var txs []*ledger.Tx
	list := s.transactions(lines)
	for _, one := range list {
		if one.tx == nil {
			s.t.Fatalf("%s cannot be built: %s", one.title, one.code)
		}
		txs = append(txs, one.tx)
	}
	result := s.chain.ApplyAt(s.t, time, txs...)
	if len(result.Events) > 0 {
		b.WriteString("the block itself\n")
		for i := range result.Events {
			s.event(&b, &result.Events[i])
		}
	}
	for i, r := range result.Results {
		fmt.Fprintf(&b, "%s %s\n", list[i].title, r.Code)
		for j := range r.Events {
			s.event(&b, &r.Events[j])
		}
	}
	if b.Len() == 0 {
		fmt.Fprintf(&b, "empty, %d changes\n", len(result.Changes))
	}
	return b.String()
}

func (s *story) event(b *strings.Builder, e *ledger.Event) {
	fmt.Fprintf(b, "  %s", e.Type.Name())
	for _, a := range e.Attributes() {
		value := a.Value
		if address, err := crypto.ParseAddress(value); err == nil {
			value = s.named(address)
			if address.IsZero() {
				value = "nobody"
			}
		} else if e.Type == ledger.EventAuthorityChanged && a.Key == "keys" {
			value = s.namedKeys(value)
		}
		if value == "" {
			value = `""`
		}
		fmt.Fprintf(b, " %s=%s", a.Key, value)
	}
	b.WriteString("\n")
}

// namedKeys shows the keys of an event in alphabetical order: NAME:WEIGHT,…
func (s *story) namedKeys(text string) string {
	keys, _ := ledger.ParseKeys(text)
	var parts []string
	for _, k := range keys {
		parts = append(parts, fmt.Sprintf("%s:%d", s.named(k.Address), k.Weight))
	}
	slices.Sort(parts)
	return strings.Join(parts, ",")
}

func (s *story) propose(options map[string]string, lines []string) string {
	time := ledger.UnixTime(s.number(options, "time", uint64(s.chain.Time)+1))
	var txs []*ledger.Tx
	list := s.transactions(lines)
	for _, one := range list {
		txs = append(txs, one.tx)
	}
	verdict, err := ledger.CheckBlock(s.chain.Net, ledger.Block{Height: s.chain.Height + 1, Time: time, Txs: txs}, s.chain.State)
	if err != nil {
		s.t.Fatal(err)
	}
	if verdict.Code == ledger.Applied {
		return "accepted\n"
	}
	return fmt.Sprintf("rejected: %s %s\n", list[verdict.Index].title, verdict.Code)
}
