package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/crypto"
)

// A person gets a receipt proof of a real node, and another checks it with the genesis
// document, or with the validators' hash, or with nothing; a changed file, another
// network's document and another set are refused, each with what to do.
func TestReceipt(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	t.Setenv("TALLY_PASSPHRASE", "x")
	dir := t.TempDir()
	url := startDevnetIn(t, filepath.Join(dir, "devnet"))
	tally := func(want int, arguments ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		if code := execute(t.Context(), arguments, &out, &errs); code != want {
			t.Fatalf("tally %v: exit code %d, want %d\n%s%s", arguments, code, want, &out, &errs)
		}
		return out.String() + errs.String()
	}
	file := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	says := func(text string, wants ...string) {
		t.Helper()
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not said in:\n%s", want, text)
			}
		}
	}
	tally(exitOK, "key", "import", "--light", file("words", []byte("test test test test test test test test test test test junk")))
	var receipt struct{ Hash crypto.Hash }
	sent := tally(exitOK, "transfer", "--to", "0x0000000000000000000000000000000000009876", "--asset", "USD", "--amount", "1.25", "--memo", "to be proved", "--yes", "--json", "--rpc", url)
	if err := json.Unmarshal([]byte(sent), &receipt); err != nil {
		t.Fatal(err, sent)
	}

	path := filepath.Join(dir, "receipt.json")
	tally(exitNotFound, "receipt", "proof", crypto.Hash{1}.String(), "--rpc", url)
	tally(exitUsage, "receipt", "proof", "0x12", "--rpc", url)
	says(tally(exitOK, "receipt", "proof", receipt.Hash.String(), "--out", path, "--rpc", url), "tally receipt verify "+path)
	proof, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	genesis := filepath.Join(dir, "devnet", "node0", "genesis.json")
	says(tally(exitOK, "receipt", "verify", path, "--genesis", genesis), receipt.Hash.String(), "and was applied, with 2 effects", `memo     "to be proved"`,
		"amount=125", "(100.0%) of the power", "These are the validators of the genesis document")
	var proven provenDocument
	if err := json.Unmarshal([]byte(tally(exitOK, "receipt", "verify", path, "--genesis", genesis, "--json")), &proven); err != nil {
		t.Fatal(err)
	}
	if proven.Hash != receipt.Hash || proven.Status != "applied" || proven.Trust.By != "founders" || proven.Tx == nil || len(proven.Validators) != 1 || proven.Trust.FoundersSignedPower != proven.Power {
		t.Errorf("proved is %+v", proven)
	}
	says(tally(exitOK, "receipt", "verify", path), "Whether these are the network's validators is not shown")
	says(tally(exitOK, "receipt", "verify", path, "--validators", proven.ValidatorsHash.String()), "the set that you named")
	says(tally(exitFailed, "receipt", "verify", path, "--validators", crypto.Hash{1}.String()), "not signed by whom you trust", "those of others")
	tally(exitUsage, "receipt", "verify", path, "--validators", "0x12")
	tally(exitUsage, "receipt", "verify", path, "--validators", crypto.Hash{}.String())

	source := sourceOf(t, url)
	far, err := source.ReceiptProof(t.Context(), receipt.Hash)
	if err != nil || far == nil || far.Hash != receipt.Hash {
		t.Errorf("an explorer apart from the node has %+v, %v", far, err)
	}
	if far, err := source.ReceiptProof(t.Context(), crypto.Hash{1}); far != nil || err != nil {
		t.Errorf("of what is not there an explorer has %+v, %v", far, err)
	}

	changed := file("changed.json", bytes.Replace(proof, []byte(`"code": 0`), []byte(`"code": 100`), 1))
	says(tally(exitFailed, "receipt", "verify", changed, "--genesis", genesis), "proves nothing", "do not rely on it")
	says(tally(exitConfig, "receipt", "verify", file("bad.json", append(proof, '1'))), "something after its end")
	tally(exitConfig, "receipt", "verify", filepath.Join(dir, "nothing"))
	tally(exitConfig, "receipt", "verify", path, "--genesis", path)
	document, err := os.ReadFile(genesis)
	if err != nil {
		t.Fatal(err)
	}
	network := []byte(proven.NetworkID)
	other := file("other.json", bytes.ReplaceAll(document, network, append([]byte("x"), network...)))
	says(tally(exitFailed, "receipt", "verify", path, "--genesis", other), "the proof is of the network")
}
