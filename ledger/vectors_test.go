package ledger

import (
	"encoding/hex"
	"testing"

	"github.com/tallystick/tallystick/crypto"
)

// mainnet is a network with the chain ID of the published vectors, which
// NewNetwork refuses.
func mainnet() *Network {
	return &Network{ID: "x", ChainID: 1, SettlementDecimals: 18, Settlement: crypto.Address{1}, scale: pow10(0)}
}

// TestPublishedEnvelopes decodes Ethereum transactions from elsewhere: the
// example of EIP-155, and two EIP-1559 transactions of go-ethereum's evm tool.
// The latter move nothing, so the ledger knows their signer and then refuses.
func TestPublishedEnvelopes(t *testing.T) {
	for _, v := range []struct {
		name, raw, key, hash string
		digest               string
		code                 Code
		leg                  Leg
	}{
		{
			name: "EIP-155",
			raw: "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025" +
				"a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276" +
				"a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83",
			key:    "4646464646464646464646464646464646464646464646464646464646464646",
			digest: "0xdaf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53",
			hash:   "0x33469b22e9f636356c4160a87eb19df52b7412e8eac32a4a55ffe88ea8350788",
			leg:    Leg{Asset: crypto.Address{1}, Amount: NewAmount(1e18)},
		},
		{
			name: "EIP-1559, nonce 1",
			raw: "02f864010180820fa08284d09411111111111111111111111111111111111111118080c001" +
				"a0b7dfab36232379bb3d1497a4f91c1966b1f932eae3ade107bf5d723b9cb474e0" +
				"a06261c359a10f2132f126d250485b90cf20f30340801244a08ef6142ab33d1904",
			key:  "41f6e321b31e72173f8ff2e292359e1862f24fba42fe6f97efaf641980eff298",
			hash: "0xa98a24882ea90916c6a86da650fbc6b14238e46f0af04a131ce92be897507476", code: CodeZeroAmount,
		},
		{
			name: "EIP-1559, nonce 2",
			raw: "02f864010280820fa08284d09411111111111111111111111111111111111111118080c080" +
				"a0d4ec563b6568cd42d998fc4134b36933c6568d01533b5adf08769270243c6c7f" +
				"a072bf7c21eac6bbeae5143371eef26d5e279637f3bd73482b55979d76d935b1e9",
			key:  "41f6e321b31e72173f8ff2e292359e1862f24fba42fe6f97efaf641980eff298",
			hash: "0x36bad80acce7040c45fd32764b5c2b2d2e6f778669fb41791f73f546d56e739a", code: CodeZeroAmount,
		},
	} {
		t.Run(v.name, func(t *testing.T) {
			raw, err := hex.DecodeString(v.raw)
			if err != nil {
				t.Fatal(err)
			}
			key, err := crypto.ParsePrivateKey(v.key)
			if err != nil {
				t.Fatal(err)
			}
			tx, code := Decode(mainnet(), raw)
			if code != Applied {
				t.Fatal(code)
			}
			if code := tx.RecoverSigners(); code != v.code {
				t.Fatalf("%s, want %s", code, v.code)
			}
			if tx.Sender != key.Address() || tx.Hash.String() != v.hash {
				t.Fatalf("sender %s hash %s", tx.Sender, tx.Hash)
			}
			if v.digest != "" && tx.ethDigest.String() != v.digest {
				t.Fatalf("digest %s", tx.ethDigest)
			}
			leg := tx.Op.(*Transfer).Legs[0]
			if v.code == Applied && (leg.Amount != v.leg.Amount || leg.Asset != v.leg.Asset || leg.From != key.Address() || leg.To[0] != 0x35) {
				t.Fatalf("leg %+v", leg)
			}
		})
	}
}
