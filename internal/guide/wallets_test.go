//go:build unix

package guide

import (
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestWallets runs every command of docs/WALLETS.md, in its order, in one shell.
// Only the ports are others.
func TestWallets(t *testing.T) {
	var script strings.Builder
	fmt.Fprintln(&script, "set -eu")
	for i, block := range commands(t, "../../docs/WALLETS.md") {
		fmt.Fprintf(&script, "echo '== %d'\n%s", i, block)
	}
	out := run(t, otherBase(t, script.String(), "8545"))
	for _, want := range []struct {
		text  string
		times int
	}{
		{"network     devnet-", 5}, // status, and what is said before signing
		{"0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", 5},
		{"words    ", 1},
		{"pays 12.34 USD to 0x70997970C51812dc3A010C7d01b50e0d17dc79C8, reference \"invoice-17\"", 1},
		{"memo        \"rent for March\", which everybody sees", 1},
		{"asset       USD is 0x", 1},
		{"unknown     asset 0x", 1},
		{"in all      0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266 pays 100 USD and receives 1.5 TALLY", 1},
		{"applied  transfer", 4},
		{"applied  setKeys", 1},
		{"2 of 2 weights, complete", 1},
		{"shared.json has 2 signatures", 1},
	} {
		if got := strings.Count(out, want.text); got < want.times {
			t.Errorf("%q is shown %d times, want %d", want.text, got, want.times)
		}
	}
	if t.Failed() {
		t.Log(out)
	}
}

// The settings of MetaMask that the guide names are those that it shows, and the
// guide has a command for each.
func TestWalletsNamesWhatStatusShows(t *testing.T) {
	blocks := strings.Join(commands(t, "../../docs/WALLETS.md"), "")
	for _, want := range []string{"tally status", "tally asset show", "tally asset list", "tally key export", "tally key import"} {
		if !regexp.MustCompile(`(?m)^` + want + " ").MatchString(blocks) {
			t.Errorf("the guide has no command %q", want)
		}
	}
}

// otherBase puts a base port, above which a devnet has room, in the place of the
// guide's.
func otherBase(t *testing.T, script, guides string) string {
	t.Helper()
	for base := 30_800; base < 31_200; base += 10 { // docs/decisions/0005
		if roomAbove(base) {
			return regexp.MustCompile(`\b`+guides+`\b`).ReplaceAllString(script, strconv.Itoa(base))
		}
	}
	t.Fatal("no free ports")
	return ""
}

// roomAbove reports whether the ports of a devnet of four are free.
func roomAbove(base int) bool {
	for _, above := range []int{0, 100, 200, 300} {
		for i := range 4 {
			l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(base+above+i)))
			if err != nil {
				return false
			}
			l.Close()
		}
	}
	return true
}
