package ledgertest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// RunScenarios runs every story dir/*.txt as a subtest. A story is a list of
// paragraphs, each a command and what came of it:
//
//	# comment
//	block
//	alice 0 transfer alice>bob 10 COIN
//	----
//	alice 0 applied
//	  transfer from=alice to=bob asset=COIN amount=10 reference=""
//
// Commands (the first line) and their further lines:
//
//	genesis [policy=open] [maxNewAccounts=N] [lifetime=N]
//	  account NAME [NAME:WEIGHT… threshold=N] [member=NAME]
//	  member NAME [roles=ROLE,…] [power=N]               (its admin account is made unless it is there)
//	  asset SYMBOL [decimals=N] [issuer=NAME] [cap=N] [flags=N]    (the first is the settlement asset)
//	  holder NAME SYMBOL
//	  balance NAME SYMBOL N
//	block [time=N]                one block; time defaults to one second later
//	propose [time=N]              the same, only judged as a proposal
//	  SENDER NONCE OPERATION [until=N] [memo=TEXT] [by=NAME,…] [as=typed|hash|legacy|dynamic]
//	freeze NAME                   as a vote of the members would
//	suspend NAME                  a member, as a vote would; remove and reinstate are alike
//	show                          balances, supplies and next nonces
//
// Operations: cancel; transfer FROM>TO N SYMBOL [ref=TEXT] [; FROM>TO …];
// create SYMBOL [decimals=N] [cap=N] [flags=N]; issue SYMBOL TO N;
// redeem SYMBOL FROM N; pause SYMBOL; resume SYMBOL; retireAsset SYMBOL;
// changeIssuer SYMBOL NAME; setMetadata SYMBOL [uri=TEXT] [hash=HEX];
// approveHolder, revokeHolder SYMBOL NAME; freezeHolder, unfreezeHolder SYMBOL
// NAME [ref=TEXT]; freezeBalance SYMBOL NAME N [ref=TEXT]; clawback SYMBOL
// FROM>TO N reason=N [ref=TEXT];
// setkeys [NAME:WEIGHT… threshold=N]; admit NAME; freeze NAME [ref=TEXT];
// unfreeze NAME [ref=TEXT]; close NAME;
// hold FROM>TO N SYMBOL expiry=TIME [arbiter=NAME] [ref=TEXT];
// capture HOLD N [ref=TEXT]; release HOLD; settle with items between semicolons:
// FROM>TO N SYMBOL, capture HOLD N BY, and hold as above. A HOLD is
// NAME:NONCE of what made it, or NAME:NONCE:INDEX. Whoever pays or captures, a
// new issuer and the sender sign with their own keys unless by= says who does. A symbol that has
// no asset stands for an address without one. As an account, [GOLD] is the
// address of that asset, and [NAME:NONCE] that of the asset which NAME would
// create under NONCE.
//
// With update the outputs are rewritten instead of compared.
func RunScenarios(t *testing.T, dir string, update bool) {
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories in %s (error %v)", dir, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := runStory(t, string(text))
			if update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(text) {
				t.Errorf("%s: the story goes otherwise; what came of it:\n%s", file, got)
			}
		})
	}
}

// runStory returns the story with the outputs that it has now.
func runStory(t *testing.T, text string) string {
	s := &story{t: t, names: map[crypto.Address]string{}}
	var out []string
	for _, paragraph := range strings.Split(strings.TrimRight(text, "\n"), "\n\n") {
		input, _, isCommand := strings.Cut(paragraph+"\n", "----\n")
		if !isCommand {
			out = append(out, strings.TrimRight(paragraph, "\n")+"\n")
			continue
		}
		out = append(out, input+"----\n"+s.command(input))
	}
	return strings.Join(out, "\n")
}

// story is a scenario on its way.
type story struct {
	t      *testing.T
	chain  *Chain
	names  map[crypto.Address]string
	people []string // in the order of their first mention
}

func (s *story) command(input string) string {
	var lines []string
	for _, line := range strings.Split(input, "\n") {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		s.t.Fatalf("no command in %q", input)
	}
	words := strings.Fields(lines[0])
	options := parseOptions(words[1:])
	switch words[0] {
	case "genesis":
		return s.genesis(options, lines[1:])
	case "block":
		return s.block(options, lines[1:])
	case "propose":
		return s.propose(options, lines[1:])
	case "freeze":
		s.chain.FreezeByNetwork(s.t, s.address(words[1]))
		return "ok\n"
	case "suspend", "remove", "reinstate":
		status := map[string]ledger.MemberStatus{"suspend": ledger.MemberSuspended, "remove": ledger.MemberRemoved, "reinstate": ledger.MemberActive}
		s.chain.SetMemberStatus(s.t, s.address(words[1]), status[words[0]])
		return "ok\n"
	case "show":
		return s.show()
	}
	s.t.Fatalf("unknown command %q", lines[0])
	return ""
}

// parseOptions reads words of the form name=value; others stand under their
// place, "0", "1" and so on.
func parseOptions(words []string) map[string]string {
	options, place := map[string]string{}, 0
	for _, w := range words {
		if name, value, ok := strings.Cut(w, "="); ok {
			options[name] = value
		} else {
			options[fmt.Sprint(place)] = w
			place++
		}
	}
	return options
}

func (s *story) number(options map[string]string, name string, otherwise uint64) (n uint64) {
	text, ok := options[name]
	if !ok {
		return otherwise
	}
	if _, err := fmt.Sscanf(text, "%d", &n); err != nil {
		s.t.Fatalf("%s=%s: %v", name, text, err)
	}
	return n
}

func (s *story) address(name string) crypto.Address {
	if inner, ok := strings.CutPrefix(name, "["); ok {
		creator, nonce, future := strings.Cut(strings.TrimSuffix(inner, "]"), ":")
		if future {
			n := s.number(map[string]string{"nonce": nonce}, "nonce", 0)
			return s.chain.Net.AssetAddress(Address(creator), ledger.Nonce(n))
		}
		return s.asset(creator)
	}
	a := Address(name)
	if s.names[a] == "" {
		s.names[a] = name
		s.people = append(s.people, name)
	}
	return a
}

func (s *story) asset(symbol string) crypto.Address {
	if a := s.chain.Asset(symbol); !a.IsZero() {
		return a
	}
	return Address("no asset " + symbol)
}

// named shows an address by its name.
func (s *story) named(a crypto.Address) string {
	if name := s.names[a]; name != "" {
		return name
	}
	for _, e := range s.chain.State.Under("symbol/") {
		if a == crypto.Address(e.Value) {
			return e.Key
		}
	}
	return a.String()
}

func (s *story) genesis(options map[string]string, lines []string) string {
	g := Genesis(ledger.PolicyAdmitted)
	g.Accounts, g.Assets = nil, nil
	if policy := options["policy"]; policy != "" {
		g.Params.AccountPolicy = policy
	}
	g.Params.MaxNewAccounts = s.number(options, "maxNewAccounts", g.Params.MaxNewAccounts)
	g.Params.MaxMultiPartyLifetime = s.number(options, "lifetime", g.Params.MaxMultiPartyLifetime)
	for _, line := range lines {
		words := strings.Fields(line)
		o := parseOptions(words[2:])
		switch words[0] {
		case "account":
			g.Accounts = append(g.Accounts, s.genesisAccount(words[1], words[2:], o))
		case "member":
			s.address(words[1])
			AddMember(g, words[1], s.number(o, "power", 0), strings.FieldsFunc(o["roles"], func(r rune) bool { return r == ',' })...)
		case "asset":
			g.Assets = append(g.Assets, ledger.GenesisAsset{
				Symbol: words[1], Name: words[1], Decimals: uint8(s.number(o, "decimals", 0)),
				Issuer: s.address(o["issuer"]), Cap: s.amount(o["cap"]), Flags: uint32(s.number(o, "flags", 0)),
			})
		case "holder":
			g.Holders = append(g.Holders, ledger.GenesisHolder{Account: s.address(words[1]), Symbol: o["0"]})
		case "balance":
			g.Balances = append(g.Balances, ledger.GenesisBalance{Account: s.address(words[1]), Symbol: o["0"], Amount: s.amount(o["1"])})
		default:
			s.t.Fatalf("unknown line %q", line)
		}
	}
	g.Settlement = g.Assets[0].Symbol
	s.chain = NewChain(s.t, g)
	s.chain.Time = 1000
	return "ok\n"
}

func (s *story) amount(text string) ledger.Amount {
	if text == "" {
		return ledger.Amount{}
	}
	return Amount(text)
}

func (s *story) show() string {
	var b strings.Builder
	for _, name := range s.people {
		account, ok := s.chain.Account(s.t, Address(name))
		if !ok {
			continue
		}
		fmt.Fprintf(&b, "%s next=%d", name, account.Window.Next)
		if account.Status != ledger.StatusActive {
			fmt.Fprintf(&b, " %s", account.Status)
		}
		if !account.Member.IsZero() {
			fmt.Fprintf(&b, " member=%s", s.named(account.Member))
		}
		for _, e := range s.chain.State.Under(string(ledger.KeyBalances(Address(name)))) {
			held, err := ledger.DecodeBalance(e.Value)
			if err != nil {
				s.t.Fatal(err)
			}
			fmt.Fprintf(&b, " %s=%s", s.named(crypto.Address([]byte(e.Key))), held.Available)
			if !held.Held.IsZero() {
				fmt.Fprintf(&b, "+%s held", held.Held)
			}
		}
		b.WriteString("\n")
	}
	for _, e := range s.chain.State.Under("symbol/") {
		value, _ := s.chain.State.Get(ledger.KeyAsset(crypto.Address(e.Value)))
		a, err := ledger.DecodeAsset(value)
		if err != nil {
			s.t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s supply=%s %s\n", a.Symbol, a.Supply, a.Status)
		s.showRegulated(&b, crypto.Address(e.Value))
	}
	s.showHolds(&b)
	return b.String()
}
