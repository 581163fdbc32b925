package app

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	ics23 "github.com/cosmos/ics23/go"

	"github.com/tallystick/tallystick/crypto/smt"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/store"
)

func (c *chain) ask(req *abci.RequestQuery) *abci.ResponseQuery {
	c.t.Helper()
	res, err := c.Query(ctx, req)
	if err != nil {
		c.t.Fatal(err)
	}
	return res
}

// A proof at height H holds against the root that FinalizeBlock of H answered,
// which is the AppHash of header H+1; by our verifier and by ics23's alone.
func TestQueryProofs(t *testing.T) {
	c := newChain(t, Options{}, nil)
	roots := map[int64][]byte{}
	for h := range int64(5) {
		roots[h+1] = c.block(c.pay("alice", uint64(h), "bob", 10)).AppHash
	}
	bob := ledger.KeyBalance(address("bob"), c.Network().Settlement)
	absent := ledger.KeyAccount(address("nobody"))
	for h := int64(2); h <= 5; h++ {
		for _, k := range [][]byte{bob, absent, []byte(ledger.KeyParams)} {
			res := c.ask(&abci.RequestQuery{Path: "/store", Data: k, Height: h, Prove: true})
			if res.Code != 0 || res.Height != h || !bytes.Equal(res.Key, k) || len(res.ProofOps.GetOps()) != 1 {
				t.Fatalf("height %d: %+v", h, res)
			}
			op := res.ProofOps.Ops[0]
			var proof ics23.CommitmentProof
			if op.Type != ProofType || !bytes.Equal(op.Key, k) {
				t.Fatalf("proof operation %+v", op)
			}
			if err := proof.Unmarshal(op.Data); err != nil {
				t.Fatal(err)
			}
			if err := smt.Verify([32]byte(roots[h]), k, res.Value, &proof); err != nil {
				t.Errorf("height %d key %q: %v", h, k, err)
			}
			if ok := verifyICS23(roots[h], k, res.Value, &proof); !ok {
				t.Errorf("height %d key %q: ics23 refuses the proof", h, k)
			}
			if verifyICS23(roots[1], k, res.Value, &proof) {
				t.Errorf("height %d key %q: the proof holds for another root", h, k)
			}
		}
		raw := c.ask(&abci.RequestQuery{Path: "/store", Data: bob, Height: h}).Value
		if b, err := ledger.DecodeBalance(raw); err != nil || b.Available != ledger.NewAmount(funds+10*uint64(h)) {
			t.Errorf("height %d: bob has %v, %v", h, b, err)
		}
	}
}

func verifyICS23(root, key, value []byte, proof *ics23.CommitmentProof) bool {
	if value == nil {
		return ics23.VerifyNonMembership(ics23.SmtSpec, root, proof, key)
	}
	return ics23.VerifyMembership(ics23.SmtSpec, root, proof, key, value)
}

// The three ways to name a key, and which height 0 is.
func TestQueryPathsAndHeights(t *testing.T) {
	c := newChain(t, Options{}, nil)
	c.block()
	if res := c.ask(&abci.RequestQuery{Path: "/store/params", Prove: true}); res.Code != 0 || res.Height != 1 {
		t.Errorf("at height 1: %+v", res)
	}
	c.block()
	c.block()
	key := ledger.KeyAccount(address("alice"))
	want := c.ask(&abci.RequestQuery{Path: "/store", Data: key}).Value
	if len(want) == 0 {
		t.Fatal("no account")
	}
	for _, req := range []*abci.RequestQuery{
		{Path: "/store/0x" + hex.EncodeToString(key)},
		{Path: "store/0x" + hex.EncodeToString(key), Height: 3},
		{Path: "/store/", Data: key, Height: 1},
		{Path: "/store", Data: key, Prove: true},
		{Path: "/store/" + string(key)},
	} {
		if res := c.ask(req); res.Code != 0 || !bytes.Equal(res.Value, want) || !bytes.Equal(res.Key, key) {
			t.Errorf("%+v: %+v", req, res)
		}
	}
	if res := c.ask(&abci.RequestQuery{Path: "/store/symbol/EUR"}); len(res.Value) != 20 || res.Height != 3 {
		t.Errorf("a key with a slash, latest: %+v", res)
	}
	if res := c.ask(&abci.RequestQuery{Path: "/store/symbol/EUR", Prove: true}); res.Height != 2 {
		t.Errorf("latest with a proof is height %d: header %d does not exist yet", res.Height, res.Height+1)
	}
	c = c.reopen() // now only the latest height is provable
	if res := c.ask(&abci.RequestQuery{Path: "/store/symbol/EUR", Prove: true}); res.Code != 0 || res.Height != 3 || res.ProofOps == nil {
		t.Errorf("after a restart: %+v", res)
	}
}

func TestQueryNetwork(t *testing.T) {
	c := newChain(t, Options{}, nil)
	c.block()
	n := c.Network()
	want := fmt.Sprintf(`{"networkId":%q,"networkHash":%q,"chainId":%d,"settlement":%q,"settlementDecimals":18,"protocol":1}`,
		n.ID, n.Hash, n.ChainID, n.Settlement)
	if res := c.ask(&abci.RequestQuery{Path: "/network"}); string(res.Value) != want || res.Height != 1 {
		t.Errorf("%s, want %s", res.Value, want)
	}
}

func TestQueryRefuses(t *testing.T) {
	c := newChain(t, Options{}, nil)
	for range store.HistoryHeights + 10 {
		c.block()
	}
	latest := int64(c.store.Height())
	oldest := latest - store.HistoryHeights + 1
	rangeText := fmt.Sprintf("%d to %d", oldest, latest)
	if res := c.ask(&abci.RequestQuery{Path: "/store/params", Height: oldest}); res.Code != 0 || res.Value == nil {
		t.Errorf("the oldest height: %+v", res)
	}
	cases := []struct {
		name string
		req  abci.RequestQuery
		code uint32
		text string
	}{
		{"no path", abci.RequestQuery{}, CodeInvalidQuery, "/store/<key>"},
		{"another path", abci.RequestQuery{Path: "/app/version"}, CodeInvalidQuery, "/store/<key>"},
		{"no key", abci.RequestQuery{Path: "/store"}, CodeInvalidQuery, "0 bytes"},
		{"empty hex", abci.RequestQuery{Path: "/store/0x"}, CodeInvalidQuery, "0 bytes"},
		{"half a byte", abci.RequestQuery{Path: "/store/0xabc"}, CodeInvalidQuery, "hexadecimal"},
		{"not hex", abci.RequestQuery{Path: "/store/0xzz"}, CodeInvalidQuery, "hexadecimal"},
		{"key twice", abci.RequestQuery{Path: "/store/params", Data: []byte("params")}, CodeInvalidQuery, "twice"},
		{"long key", abci.RequestQuery{Path: "/store", Data: make([]byte, 300)}, CodeInvalidQuery, "300 bytes"},
		{"negative height", abci.RequestQuery{Path: "/store/params", Height: -1}, CodeUnheld, rangeText},
		{"future height", abci.RequestQuery{Path: "/store/params", Height: latest + 1}, CodeUnheld, rangeText},
		{"future proof", abci.RequestQuery{Path: "/store/params", Height: latest + 1, Prove: true}, CodeUnheld, rangeText},
		{"forgotten height", abci.RequestQuery{Path: "/store/params", Height: oldest - 1}, CodeUnheld, rangeText},
		{"forgotten proof", abci.RequestQuery{Path: "/store/params", Height: 1, Prove: true}, CodeUnheld, rangeText},
		{"network with data", abci.RequestQuery{Path: "/network", Data: []byte{1}}, CodeInvalidQuery, "/network"},
		{"network with proof", abci.RequestQuery{Path: "/network", Prove: true}, CodeInvalidQuery, "/network"},
		{"below network", abci.RequestQuery{Path: "/network/x"}, CodeInvalidQuery, "/network"},
	}
	for _, tc := range cases {
		res := c.ask(&tc.req)
		if res.Code != tc.code || res.Codespace != CodespaceApp || !strings.Contains(res.Log, tc.text) || res.Value != nil {
			t.Errorf("%s: %+v", tc.name, res)
		}
	}
	if c.Err() != nil {
		t.Errorf("a query stopped the application: %v", c.Err())
	}
}

// A height whose proofs are gone can still be read.
func TestQueryNoLongerProvable(t *testing.T) {
	c := newChain(t, Options{}, nil)
	c.block()
	c.block()
	c = c.reopen()
	if res := c.ask(&abci.RequestQuery{Path: "/store/params", Height: 1, Prove: true}); res.Code != CodeUnheld || !strings.Contains(res.Log, "provable") {
		t.Errorf("%+v", res)
	}
	if res := c.ask(&abci.RequestQuery{Path: "/store/params", Height: 1}); res.Code != 0 {
		t.Errorf("%+v", res)
	}
}
