package ledger_test

import (
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

var update = flag.Bool("update", false, "rewrite the golden files and the examples in docs/FORMATS.md")

// golden is one file of testdata: lines of the form name = value.
type golden struct {
	name  string
	lines []string
}

func (g *golden) add(name, format string, args ...any) {
	g.lines = append(g.lines, name+" = "+fmt.Sprintf(format, args...))
}

func (g *golden) hex(name string, b []byte) { g.add(name, "0x%s", hex.EncodeToString(b)) }

func (g *golden) check(t *testing.T) {
	t.Helper()
	path := filepath.Join("testdata", g.name+".txt")
	text := strings.Join(g.lines, "\n") + "\n"
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	wanted := strings.Split(strings.TrimSuffix(string(want), "\n"), "\n")
	for i := range max(len(wanted), len(g.lines)) {
		var a, b string
		if i < len(wanted) {
			a = wanted[i]
		}
		if i < len(g.lines) {
			b = g.lines[i]
		}
		if a != b {
			t.Errorf("%s line %d\n  is   %s\n  want %s", path, i+1, b, a)
		}
	}
}

// goldenNet is the network of the golden files: that of ledgertest.Genesis.
func goldenNet(t testing.TB) *ledger.Network {
	t.Helper()
	built, err := ledgertest.Genesis(ledger.PolicyAdmitted).Build()
	if err != nil {
		t.Fatal(err)
	}
	return built.Network
}

func TestGoldenNetwork(t *testing.T) {
	net := goldenNet(t)
	g := golden{name: "network"}
	g.add("networkId", "%s", net.ID)
	g.add("networkHash", "%s", net.Hash)
	g.add("chainId", "%d", net.ChainID)
	g.add("verifyingContract", "%s", net.VerifyingContract())
	g.add("domainSeparator", "%s", crypto.DomainSeparator("Tallystick", "1", net.ChainID, net.VerifyingContract()))
	g.add("settlement", "%s", net.Settlement)
	g.add("asset of genesis 1", "%s", net.AssetAddress(crypto.Address{}, 1))
	alice := ledgertest.Address("alice")
	g.add("alice", "%s", alice)
	g.add("asset of alice 7", "%s", net.AssetAddress(alice, 7))
	g.add("asset of alice 2^53-1", "%s", net.AssetAddress(alice, ledger.Nonce(ledger.MaxJSONInteger)))
	for _, id := range []string{"a", "tallystick-1", "settlement.example-2026_x7", strings.Repeat("z", 50)} {
		g.add("chainId of "+id, "%d", ledger.DeriveChainID(id))
	}
	g.check(t)
}

// goldenBody is a body by the name of what it shows.
type goldenBody struct {
	name    string
	body    ledger.Body
	signers []string
}

// goldenBodies holds every kind, plain, and with every field at its limit.
func goldenBodies(net *ledger.Network) []goldenBody {
	alice, bob, gold := ledgertest.Address("alice"), ledgertest.Address("bob"), net.AssetAddress(crypto.Address{}, 1)
	plain := func(nonce ledger.Nonce, op ledger.Operation) ledger.Body {
		return ledger.Body{Sender: alice, Nonce: nonce, Op: op}
	}
	shared := func(nonce ledger.Nonce, op ledger.Operation) ledger.Body {
		return ledger.Body{Sender: alice, Nonce: nonce, ValidUntil: 1_800_000_060, Op: op}
	}
	leg := ledger.Leg{From: alice, To: bob, Asset: gold, Amount: ledger.NewAmount(1250), Reference: "INV-2026-0042"}
	back := ledger.Leg{From: bob, To: alice, Asset: net.Settlement, Amount: ledgertest.Amount("1000000000000000000")}
	full := ledger.Leg{From: alice, To: bob, Asset: gold, Amount: ledger.MaxAmount, Reference: strings.Repeat("ü", 17) + "!"}
	top := ledger.Body{Sender: alice, Nonce: ledger.Nonce(ledger.MaxJSONInteger), ValidUntil: ledger.UnixTime(ledger.MaxJSONInteger), Memo: strings.Repeat("€", 85) + "!"}
	top.Op = &ledger.Transfer{Legs: []ledger.Leg{full}}
	paid := ledger.Body{Sender: alice, Nonce: 1, ValidUntil: 1_800_000_060, Memo: "delivery versus payment", Op: &ledger.Transfer{Legs: []ledger.Leg{leg, back}}}
	bodies := []goldenBody{
		{"transfer", plain(0, &ledger.Transfer{Legs: []ledger.Leg{leg}}), []string{"alice"}},
		{"transfer of two parties", paid, []string{"alice", "bob"}},
		{"transfer at the limits", top, []string{"alice"}},
		{"cancel", plain(2, &ledger.Transfer{Legs: []ledger.Leg{{From: alice, To: alice, Asset: net.Settlement}}}), []string{"alice"}},
		{"createAsset", plain(3, &ledger.CreateAsset{Symbol: "TIN", Name: "Tin, refined", Decimals: 3, Cap: ledger.NewAmount(1_000_000)}), []string{"alice"}},
		{"createAsset at the limits", plain(4, &ledger.CreateAsset{Symbol: "ABCDEFGHIJ09", Name: strings.Repeat("N", 64), Decimals: 18, Cap: ledger.MaxAmount, Flags: 1<<32 - 1}), []string{"alice"}},
		{"issue", plain(5, &ledger.Issue{Asset: gold, To: bob, Amount: ledger.NewAmount(500), Reference: "mint 7"}), []string{"alice"}},
		{"redeem", plain(6, &ledger.Redeem{Asset: gold, From: alice, Amount: ledger.NewAmount(128), Reference: "burn 7"}), []string{"alice"}},
		{"pauseAsset", plain(7, &ledger.PauseAsset{Asset: gold}), []string{"alice"}},
		{"resumeAsset", plain(8, &ledger.ResumeAsset{Asset: gold}), []string{"alice"}},
		{"setKeys", plain(9, &ledger.SetKeys{Threshold: 3, Keys: goldenKeys()}), []string{"alice"}},
		{"setKeys to the own key", plain(10, &ledger.SetKeys{}), []string{"alice"}},
		{"admitAccount", plain(11, &ledger.AdmitAccount{Account: bob}), []string{"alice"}},
		{"freezeAccount", plain(12, &ledger.FreezeAccount{Account: bob, Reference: "case 17"}), []string{"alice"}},
		{"unfreezeAccount", plain(13, &ledger.UnfreezeAccount{Account: bob, Reference: "case 17"}), []string{"alice"}},
		{"closeAccount", plain(14, &ledger.CloseAccount{Account: bob}), []string{"alice"}},
		{"retireAsset", plain(12, &ledger.RetireAsset{Asset: gold}), []string{"alice"}},
		{"changeIssuer", shared(13, &ledger.ChangeIssuer{Asset: gold, To: bob}), []string{"alice", "bob"}},
		{"setMetadata", plain(14, &ledger.SetMetadata{Asset: gold, URI: "https://example.org/gold.pdf", Hash: crypto.Keccak256([]byte("terms"))}), []string{"alice"}},
		{"setMetadata to nothing", plain(14, &ledger.SetMetadata{Asset: gold}), []string{"alice"}},
		{"approveHolder", plain(15, &ledger.ApproveHolder{Asset: gold, Account: bob}), []string{"alice"}},
		{"revokeHolder", plain(16, &ledger.RevokeHolder{Asset: gold, Account: bob}), []string{"alice"}},
		{"freezeHolder", plain(17, &ledger.FreezeHolder{Asset: gold, Account: bob, Reference: "case 7"}), []string{"alice"}},
		{"unfreezeHolder", plain(18, &ledger.UnfreezeHolder{Asset: gold, Account: bob, Reference: "case 7"}), []string{"alice"}},
		{"freezeBalance", plain(19, &ledger.FreezeBalance{Asset: gold, Account: bob, Amount: ledger.NewAmount(300), Reference: "case 8"}), []string{"alice"}},
		{"freezeBalance to nothing", plain(19, &ledger.FreezeBalance{Asset: gold, Account: bob}), []string{"alice"}},
		{"clawback", plain(20, &ledger.Clawback{Asset: gold, From: bob, To: alice, Amount: ledger.NewAmount(300), Reason: 3, Reference: "order 17"}), []string{"alice"}},
		{"clawback at the limits", plain(20, &ledger.Clawback{Asset: gold, From: bob, To: alice, Amount: ledger.MaxAmount, Reason: 1<<16 - 1, Reference: strings.Repeat("r", 35)}), []string{"alice"}},
	}
	return slices.Concat(bodies, goldenHoldBodies(net), goldenGovernance(net))
}

// goldenKeys are those of an authority in which bob counts twice.
func goldenKeys() []ledger.Key {
	keys := []ledger.Key{{Address: ledgertest.Address("alice"), Weight: 1}, {Address: ledgertest.Address("bob"), Weight: 2}}
	sortKeys(keys)
	return keys
}

// goldenKeysText is goldenKeys as an event carries them.
func goldenKeysText() string {
	var parts []string
	for _, k := range goldenKeys() {
		parts = append(parts, fmt.Sprintf("0x%x=%d", k.Address[:], k.Weight))
	}
	return strings.Join(parts, ",")
}

func TestGoldenBodies(t *testing.T) {
	net := goldenNet(t)
	g := golden{name: "bodies"}
	for _, b := range goldenBodies(net) {
		g.addBody(t, net, b)
	}
	g.check(t)
}

func (g *golden) addBody(t *testing.T, net *ledger.Network, b goldenBody) {
	t.Helper()
	text, err := json.Marshal(b.body)
	if err != nil {
		t.Fatal(err)
	}
	typed, err := json.Marshal(net.TypedData(&b.body))
	if err != nil {
		t.Fatal(err)
	}
	g.add(b.name+": body", "%s", text)
	g.add(b.name+": bodyHash", "%s", net.BodyHash(&b.body))
	g.add(b.name+": typedData", "%s", typed)
	g.add(b.name+": typedDataDigest", "%s", net.TypedDataDigest(&b.body))
	var keys []*crypto.PrivateKey
	for _, name := range b.signers {
		keys = append(keys, ledgertest.Key(name))
	}
	for scheme, title := range []string{"typed data", "body hash"} {
		tx, code := ledger.Sign(net, b.body, ledger.Scheme(scheme), keys...)
		if code != ledger.Applied {
			t.Fatalf("%s: %s", b.name, code)
		}
		g.hex(b.name+": raw, signed by "+title, tx.Raw)
		g.add(b.name+": hash, signed by "+title, "%s", tx.Hash)
	}
}

func TestGoldenEthereum(t *testing.T) {
	net := goldenNet(t)
	bob, gold := ledgertest.Address("bob"), net.AssetAddress(crypto.Address{}, 1)
	g := golden{name: "ethereum"}
	for _, one := range []struct {
		name     string
		envelope ledger.Envelope
		asset    crypto.Address
		to       crypto.Address
		amount   string
	}{
		{"legacy value", ledger.EnvelopeLegacy, net.Settlement, bob, "1000000000000000000"},
		{"legacy call", ledger.EnvelopeLegacy, gold, bob, "1250"},
		{"legacy cancel", ledger.EnvelopeLegacy, net.Settlement, ledgertest.Address("alice"), "0"},
		{"dynamicFee value", ledger.EnvelopeDynamicFee, net.Settlement, bob, "1000000000000000000"},
		{"dynamicFee call", ledger.EnvelopeDynamicFee, gold, bob, "340282366920938463463374607431768211455"},
	} {
		inner := ledgertest.EthereumInner(net, one.envelope, 9, one.to, one.asset, ledgertest.Amount(one.amount))
		raw := ledgertest.EthereumRaw(net, ledgertest.Key("alice"), inner)
		tx, _ := ledger.Decode(net, raw)
		if code := tx.RecoverSigners(); code != ledger.Applied {
			t.Fatalf("%s: %s", one.name, code)
		}
		body, err := json.Marshal(tx.Body)
		if err != nil {
			t.Fatal(err)
		}
		g.hex(one.name+": raw", raw)
		g.add(one.name+": hash", "%s", tx.Hash)
		g.add(one.name+": body", "%s", body)
		g.add(one.name+": bodyHash", "%s", tx.BodyHash)
	}
	g.check(t)
}

func TestGoldenOutcomes(t *testing.T) {
	net := goldenNet(t)
	bodies := goldenBodies(net)
	alice, bob, gold := ledgertest.Address("alice"), ledgertest.Address("bob"), net.AssetAddress(crypto.Address{}, 1)
	events := []ledger.Event{
		{Type: ledger.EventTransfer, From: alice, To: bob, Asset: gold, Amount: ledger.NewAmount(1250), Reference: "INV-2026-0042"},
		{Type: ledger.EventIssue, Asset: gold, To: bob, Amount: ledger.NewAmount(500), Reference: "mint 7"},
		{Type: ledger.EventRedeem, Asset: gold, From: alice, Amount: ledger.NewAmount(128), Reference: "burn 7"},
		{Type: ledger.EventAssetCreated, Asset: net.AssetAddress(alice, 3), Symbol: "TIN", Name: "Tin, refined", Decimals: 3, Account: alice, Amount: ledger.NewAmount(1_000_000), Flags: 0},
		{Type: ledger.EventAssetPaused, Asset: gold},
		{Type: ledger.EventAssetResumed, Asset: gold},
		{Type: ledger.EventAccountCreated, Account: bob},
		{Type: ledger.EventAccountAdmitted, Account: bob, Other: alice},
		{Type: ledger.EventAccountFrozen, Account: bob, Other: alice, Reference: "case 17"},
		{Type: ledger.EventAccountUnfrozen, Account: bob, Reference: "resolution 3"},
		{Type: ledger.EventAccountClosed, Account: bob, Other: alice},
		{Type: ledger.EventAuthorityChanged, Account: alice, Number: 3, Keys: goldenKeysText()},
		{Type: ledger.EventMemberAdmitted, Other: alice, Name: "Alice & Co.", Flags: 5, Number: 1_000_000,
			Keys: ledgertest.ConsensusKey("alice").String(), Nodes: ledgertest.NodeID("alice").String()},
		{Type: ledger.EventAssetRetired, Asset: gold},
		{Type: ledger.EventIssuerChanged, Asset: gold, Account: bob},
		{Type: ledger.EventMetadataChanged, Asset: gold, Name: "https://example.org/gold.pdf", Hash: crypto.Keccak256([]byte("terms"))},
		{Type: ledger.EventHolderApproved, Asset: gold, Account: bob},
		{Type: ledger.EventHolderRevoked, Asset: gold, Account: bob},
		{Type: ledger.EventHolderFrozen, Asset: gold, Account: bob, Reference: "case 7"},
		{Type: ledger.EventHolderUnfrozen, Asset: gold, Account: bob, Reference: "case 7"},
		{Type: ledger.EventBalanceFrozen, Asset: gold, Account: bob, Amount: ledger.NewAmount(300), Reference: "case 8"},
		{Type: ledger.EventClawback, Asset: gold, From: bob, To: alice, Amount: ledger.NewAmount(300), Number: 3, Reference: "order 17"},
		{Type: ledger.EventAssetPausedByNetwork, Asset: gold},
		{Type: ledger.EventAssetResumedByNetwork, Asset: gold},
	}
	events = append(events, goldenGovernanceEvents(t)...)
	events = append(events, goldenHoldEvents(net)...)
	g := golden{name: "outcomes"}
	add := func(name string, r ledger.TxResult) {
		g.hex(name+": outcome", r.Outcome())
		digest := r.Digest()
		g.hex(name+": digest", digest[:])
	}
	hash := net.BodyHash(&bodies[0].body)
	add("malformed", ledger.TxResult{Code: ledger.CodeMalformed})
	add("refused", ledger.TxResult{Code: ledger.CodeInsufficientBalance, BodyHash: hash})
	add("cancel", ledger.TxResult{BodyHash: net.BodyHash(&bodies[3].body)})
	for i := range events {
		var attributes []string
		for _, a := range events[i].Attributes() {
			attributes = append(attributes, fmt.Sprintf("%s=%q", a.Key, a.Value))
		}
		g.add(events[i].Type.Name()+": attributes", "%s", strings.Join(attributes, " "))
		add(events[i].Type.Name(), ledger.TxResult{BodyHash: hash, Events: events[i : i+1]})
	}
	add("all events", ledger.TxResult{BodyHash: hash, Events: events})
	g.check(t)
}

func TestGoldenCodes(t *testing.T) {
	g := golden{name: "codes"}
	for _, c := range ledger.Codes() {
		g.add(fmt.Sprint(uint32(c.Code)), "%s, %v: %s", c.Name, c.Code.SpendsNonce(), c.Meaning)
	}
	g.check(t)
}
