package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
	"github.com/tallystick/tallystick/rpc/wire"
)

// signedFile is a transaction file with a signature.
func signedFile(t testing.TB) ([]byte, *txFile) {
	t.Helper()
	key := ledgertest.Key("alice")
	network, err := ledger.NewNetwork("test-net", 7077, crypto.Address{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	file := &txFile{NetworkID: network.ID, ChainID: network.ChainID, Tx: ledger.Body{
		Sender: key.Address(), Nonce: 3, Op: &ledger.PauseAsset{Asset: crypto.Address{19: 7}},
	}}
	signer, signature := key.Address(), key.Sign(network.TypedDataDigest(&file.Tx))
	file.Signatures = []wire.Signature{{Signature: signature[:], Signer: &signer}}
	data, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	return data, file
}

func TestParseTxRefuses(t *testing.T) {
	good, file := signedFile(t)
	if _, _, err := parseTx(good); err != nil {
		t.Fatal(err)
	}
	one, err := json.Marshal(file.Signatures[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ old, new, want string }{
		"signed twice":        {string(one), string(one) + "," + string(one), "has signed already"},
		"another nonce":       {`"nonce":3`, `"nonce":4`, "changed after it was signed"},
		"another operation":   {`"pauseAsset"`, `"resumeAsset"`, "changed after it was signed"},
		"another network":     {`"test-net"`, `"test-net2"`, "changed after it was signed"},
		"another chain":       {`7077`, `7078`, "changed after it was signed"},
		"another scheme":      {`"scheme":0`, `"scheme":1`, "changed after it was signed"},
		"another signer":      {file.Signatures[0].Signer.String(), ledgertest.Address("bob").String(), "changed after it was signed"},
		"a digest of its own": {`"networkId"`, `"digest":"0x00","networkId"`, "unknown field"},
		"a short signature":   {`"signature":"0x`, `"signature":"0x00`, "65 bytes"},
		"a public chain":      {`7077`, `1`, "Ethereum"},
	} {
		bad := strings.Replace(string(good), c.old, c.new, 1)
		if bad == string(good) {
			t.Fatalf("%s: nothing was changed", name)
		}
		if _, _, err := parseTx([]byte(bad)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// Whatever a file holds, it is refused or can be shown, counted and written again.
func FuzzParseTx(f *testing.F) {
	good, _ := signedFile(f)
	f.Add(good)
	f.Add([]byte(`{"networkId":"a","chainId":7077,"tx":{"sender":"0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf","nonce":3,"transfer":{"legs":[]}},"signatures":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, network, err := parseTx(data)
		if err != nil {
			return
		}
		if text := file.text(plain, network) + file.signers(); text == "" {
			t.Error("it shows as nothing")
		}
		again, err := json.Marshal(file)
		if err != nil {
			t.Fatal(err)
		}
		second, _, err := parseTx(again)
		if err != nil || network.BodyHash(&second.Tx) != network.BodyHash(&file.Tx) || len(second.Signatures) != len(file.Signatures) {
			t.Errorf("%s is written as %s: %v", data, again, err)
		}
	})
}
