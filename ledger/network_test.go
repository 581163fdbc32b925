package ledger

import (
	"strings"
	"testing"
)

// TestPublicChains: a number that a public network uses is refused, and the
// error says whose it is.
func TestPublicChains(t *testing.T) {
	for id, name := range map[uint64]string{
		1: "Ethereum", 137: "Polygon", 8453: "Base", 11155111: "Sepolia", 728126428: "Tron", 88888: "Chiliz",
		747: "Flow EVM", 1776: "Injective", 361: "Theta", 109: "Shibarium", 42262: "Oasis Emerald", 23294: "Oasis Sapphire",
	} {
		if err := CheckChainID(id); err == nil || !strings.Contains(err.Error(), "belongs to "+name) {
			t.Errorf("%d of %s: %v", id, name, err)
		}
	}
	for _, id := range []uint64{0, MaxChainID + 1, ^uint64(0)} {
		if err := CheckChainID(id); err == nil || !strings.Contains(err.Error(), "from 1 to") {
			t.Errorf("%d: %v", id, err)
		}
	}
	for _, id := range []uint64{1337, 31337, MaxChainID} {
		if err := CheckChainID(id); err != nil {
			t.Error(err)
		}
	}
}
