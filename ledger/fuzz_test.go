package ledger

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// goldenBytes returns the binary values of a golden file.
func goldenBytes(f *testing.F, name string) (values [][]byte) {
	text, err := os.ReadFile(filepath.Join("testdata", name+".txt"))
	if err != nil {
		f.Fatal(err)
	}
	for _, line := range strings.Split(string(text), "\n") {
		if _, value, ok := strings.Cut(line, " = 0x"); ok {
			if b, err := hex.DecodeString(value); err == nil {
				values = append(values, b)
			}
		}
	}
	if len(values) == 0 {
		f.Fatalf("no bytes in golden file %s", name)
	}
	return values
}

func fuzzNet(t testing.TB) *Network {
	t.Helper()
	const id = "ledgertest"
	n, err := NewNetwork(id, DeriveChainID(id), assetAddress(keccak(id), zeroAddress, 0), 18)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// FuzzDecode: no bytes panic, and what is accepted is the one form of its
// content.
func FuzzDecode(f *testing.F) {
	for _, file := range []string{"bodies", "ethereum"} {
		for _, raw := range goldenBytes(f, file) {
			f.Add(raw)
		}
	}
	net := fuzzNet(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		tx, code := Decode(net, raw)
		if tx == nil || tx.Legs() < 0 || tx.SignatureCount() < 0 || !bytes.Equal(tx.Raw, raw) {
			t.Fatalf("%+v", tx)
		}
		if code != Applied {
			if tx.RecoverSigners() != code {
				t.Fatal("RecoverSigners does not keep the fault")
			}
			return
		}
		if tx.Envelope == EnvelopeNative {
			if !bytes.Equal(EncodeNative(net, &tx.Body, tx.Signatures), raw) || tx.BodyHash != net.BodyHash(&tx.Body) {
				t.Fatalf("not the one form: %x", raw)
			}
		}
		if tx.RecoverSigners() == Applied && tx.BodyHash != net.BodyHash(&tx.Body) {
			t.Fatalf("body hash of %x", raw)
		}
		if code := CheckBody(net, &tx.Body); tx.sigFault == Applied && code != Applied {
			t.Fatalf("accepted with the fault %s: %x", code, raw)
		}
	})
}

// fuzzRecord: what a record decoder accepts, the encoder writes again.
func fuzzRecord[V any](f *testing.F, file string, decode func([]byte) (V, error), write func(*encoder, *V)) {
	for _, value := range goldenBytes(f, file) {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		v, err := decode(value)
		if err != nil || len(value) == 0 {
			return
		}
		var w encoder
		write(&w, &v)
		if !bytes.Equal(w.out, value) {
			t.Fatalf("%x was accepted and is written as %x", value, w.out)
		}
	})
}

func FuzzDecodeAccount(f *testing.F) { fuzzRecord(f, "state", DecodeAccount, writeAccount) }
func FuzzDecodeAsset(f *testing.F)   { fuzzRecord(f, "state", DecodeAsset, writeAsset) }
func FuzzDecodeBalance(f *testing.F) { fuzzRecord(f, "state", DecodeBalance, writeBalance) }

func FuzzDecodeHold(f *testing.F)     { fuzzRecord(f, "holds", DecodeHold, writeHold) }
func FuzzDecodeHolder(f *testing.F)   { fuzzRecord(f, "state", DecodeHolder, writeHolder) }
func FuzzDecodeMetadata(f *testing.F) { fuzzRecord(f, "state", DecodeMetadata, writeMetadata) }

func FuzzDecodeParams(f *testing.F) {
	fuzzRecord(f, "state", DecodeParams, func(w *encoder, p *Params) { w.out = encodeParams(*p) })
}

func FuzzReadNetwork(f *testing.F) {
	read := func(value []byte) (*Network, error) { return ReadNetwork(oneValue(value)) }
	fuzzRecord(f, "state", read, func(w *encoder, n **Network) { w.out = encodeNetwork(*n) })
}

// oneValue is a state with the same value under every key.
type oneValue []byte

func (v oneValue) Get([]byte) ([]byte, error) { return v, nil }

func (oneValue) Scan(_, _ []byte, _ func(_, _ []byte) bool) error { return nil }

// FuzzGenesis: a genesis that builds can be written and read again, and builds
// the same.
func FuzzGenesis(f *testing.F) {
	text, err := os.ReadFile(filepath.Join("testdata", "genesis.json"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		g, err := ParseGenesis(text)
		if err != nil {
			return
		}
		built, err := g.Build()
		again, marshalErr := json.Marshal(g)
		if marshalErr != nil {
			t.Fatal(marshalErr)
		}
		h, parseErr := ParseGenesis(again)
		if parseErr != nil {
			t.Fatalf("%v: %s", parseErr, again)
		}
		second, secondErr := h.Build()
		if (err == nil) != (secondErr == nil) || !reflect.DeepEqual(built, second) {
			t.Fatalf("%v %v: %s", err, secondErr, again)
		}
	})
}

// FuzzParseEvent: what is accepted is what Attributes makes.
func FuzzParseEvent(f *testing.F) {
	for i := range eventSpecs {
		e := Event{Type: eventSpecs[i].kind, Amount: NewAmount(uint64(i)), Reference: "r", Symbol: "S", Name: "N"}
		switch e.Type {
		case EventAuthorityChanged:
			e.Keys = keysText([]Key{{bankAddress, 1}, {deskAddress, 2}})
		case EventMemberAdmitted:
			e.Keys, e.Nodes = ConsensusKey{1}.String(), nodesText([]NodeID{{1}, {2}})
		}
		var parts []string
		for _, a := range e.Attributes() {
			parts = append(parts, a.Key, a.Value)
		}
		f.Add(e.Type.Name(), strings.Join(parts, "|"))
	}
	f.Fuzz(func(t *testing.T, name, joined string) {
		parts := strings.Split(joined, "|")
		var attributes []Attribute
		for i := 0; i+1 < len(parts); i += 2 {
			attributes = append(attributes, Attribute{parts[i], parts[i+1]})
		}
		e, ok := ParseEvent(name, attributes)
		if ok && (e.Type.Name() != name || !reflect.DeepEqual(e.Attributes(), attributes)) {
			t.Fatalf("%s %q became %+v", name, attributes, e)
		}
	})
}

// FuzzBodyJSON: a body that is read is written in a form that reads the same,
// and its typed data too.
func FuzzBodyJSON(f *testing.F) {
	text, err := os.ReadFile(filepath.Join("testdata", "bodies.txt"))
	if err != nil {
		f.Fatal(err)
	}
	for _, line := range strings.Split(string(text), "\n") {
		if _, value, ok := strings.Cut(line, ": body = "); ok {
			f.Add([]byte(value))
		}
	}
	net := fuzzNet(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		var b, again Body
		if json.Unmarshal(text, &b) != nil {
			return
		}
		written, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(written, &again); err != nil {
			t.Fatalf("%v: %s", err, written)
		}
		if net.BodyHash(&b) != net.BodyHash(&again) || net.TypedDataDigest(&b) != net.TypedDataDigest(&again) {
			t.Fatalf("%s became %s", text, written)
		}
		if CheckBody(net, &b) != CheckBody(net, &again) {
			t.Fatalf("%s and %s are judged differently", text, written)
		}
	})
}

func FuzzDecodeMember(f *testing.F) { fuzzRecord(f, "governance", DecodeMember, writeMember) }

func FuzzDecodeProposal(f *testing.F) { fuzzRecord(f, "governance", DecodeProposal, writeProposal) }

func FuzzDecodeMemberList(f *testing.F) {
	fuzzRecord(f, "governance", decodeMemberList, writeMemberList)
}

func FuzzDecodeProposalList(f *testing.F) {
	fuzzRecord(f, "governance", decodeProposalList, writeProposalList)
}

func FuzzDecodeUpgrade(f *testing.F) { fuzzRecord(f, "governance", decodeUpgrade, writeUpgrade) }

func FuzzDecodeProtocol(f *testing.F) { fuzzRecord(f, "governance", decodeProtocol, writeProtocol) }
