package node

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/config"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/node/card"
)

// founder is a home with its card.
func founder(t *testing.T, letter byte) (Home, *card.Card) {
	t.Helper()
	home, admin := Home(t.TempDir()), testKeys(t, letter).Admin
	o := Organisation{Name: "Bank " + strings.ToUpper(string(letter)), Admin: admin.Address()}
	if _, err := InitMember(home, config.Default(), o, func(string) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if read, err := ReadOrganisation(home); err != nil || read != o {
		t.Fatalf("%+v, %v", read, err)
	}
	c, err := SignCard(home, card.Card{
		Name: o.Name, Address: "bank-" + string(letter) + ".example:26656", Roles: []string{"validator"}, Power: card.DefaultPower, Time: 1767323045,
	}, admin)
	if err != nil {
		t.Fatal(err)
	}
	return home, c
}

// foundedBy writes the document of a network of these cards.
func foundedBy(t *testing.T, networkID string, cards ...*card.Card) string {
	t.Helper()
	f := testFounding(t)
	f.NetworkID, f.Cards, f.Assets[0].Issuer = networkID, cards, cards[0].Admin
	document, err := f.Document()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "genesis.json")
	if err := os.WriteFile(path, document, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestInstall(t *testing.T) {
	home, a := founder(t, 'a')
	_, b := founder(t, 'b')
	path := foundedBy(t, "two-banks", a, b)
	for range 2 {
		done, err := Install(home, path)
		if err != nil {
			t.Fatal(err)
		}
		if done.Member != "Bank A" || !slices.Equal(done.Peers, []string{b.Peer()}) || len(done.Hash) != 64 {
			t.Errorf("%+v", done)
		}
	}
	settings, err := config.Load(home.ConfigFile())
	if err != nil || !slices.Equal(settings.P2P.Peers, []string{b.Peer()}) {
		t.Errorf("peers %v, %v", settings.P2P.Peers, err)
	}
}

// A home gets no genesis that is not for it, and stays as it was.
func TestInstallRefuses(t *testing.T) {
	home, a := founder(t, 'a')
	_, b := founder(t, 'b')
	stranger, c := founder(t, 'c')
	whole, err := os.ReadFile(foundedBy(t, "two-banks", a, b))
	if err != nil {
		t.Fatal(err)
	}
	good := foundedBy(t, "two-banks", a, b)
	damaged := filepath.Join(t.TempDir(), "damaged.json")
	if err := os.WriteFile(damaged, whole[:len(whole)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	mixed := Home(t.TempDir())
	if err := os.CopyFS(string(mixed), os.DirFS(string(home))); err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(stranger.NodeKeyFile())
	if err != nil {
		t.Fatal(err)
	}
	replace(t, mixed.NodeKeyFile(), key)
	taken, d := founder(t, 'd')
	if err := os.WriteFile(taken.GenesisFile(), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, try := range []struct {
		name string
		home Home
		path string
		want string
	}{
		{"no file", home, filepath.Join(t.TempDir(), "none"), "no such file"},
		{"half a document", home, damaged, "genesis document"},
		{"no founder's home", stranger, good, "no founder's"},
		{"another node key", mixed, good, "another node key"},
		{"no home", Home(t.TempDir()), good, "node_key.json"},
		{"another genesis", taken, foundedBy(t, "other", c, d), "another network"},
	} {
		t.Run(try.name, func(t *testing.T) {
			before, _ := os.ReadFile(try.home.ConfigFile())
			_, err := Install(try.home, try.path)
			if err == nil || !strings.Contains(err.Error(), try.want) {
				t.Errorf("got %v, want something with %q", err, try.want)
			}
			if after, _ := os.ReadFile(try.home.ConfigFile()); string(after) != string(before) {
				t.Error("the configuration was changed")
			}
			if _, err := os.Stat(try.home.GenesisFile()); try.home != taken && !errors.Is(err, fs.ErrNotExist) {
				t.Error("there is a genesis now")
			}
		})
	}
}

// Nothing of an organisation's home is replaced, and what could not be finished
// has no configuration.
func TestInitMemberRefuses(t *testing.T) {
	home, _ := founder(t, 'a')
	if _, err := InitMember(home, config.Default(), Organisation{}, func(string) error {
		t.Error("a key was stored")
		return nil
	}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v", err)
	}
	half := Home(t.TempDir())
	if _, err := InitMember(half, config.Default(), Organisation{}, func(string) error { return errors.New("disk full") }); err == nil {
		t.Error("no error")
	}
	if _, err := os.Stat(half.ConfigFile()); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a home that is not whole has a configuration")
	}
}

// How many must be away to stop the network, by the powers.
func TestStoppedBy(t *testing.T) {
	for _, c := range []struct {
		powers []uint64
		want   int
	}{
		{[]uint64{1}, 1}, {[]uint64{1, 1}, 1}, {[]uint64{1, 1, 1}, 1}, {[]uint64{1, 1, 1, 1}, 2}, {[]uint64{1, 2, 1, 1}, 1},
		{[]uint64{1, 1, 1, 1, 1, 1}, 2}, {[]uint64{1, 1, 1, 1, 1, 1, 1}, 3}, {[]uint64{3, 1, 1, 3, 3, 3}, 2},
		{[]uint64{ledger.MaxPower, ledger.MaxPower, ledger.MaxPower, 1}, 2},
	} {
		if got := stoppedBy(slices.Clone(c.powers)); got != c.want {
			t.Errorf("%v: %d, want %d", c.powers, got, c.want)
		}
	}
}

// Which card is in a document, and which is not.
func TestReportIncludes(t *testing.T) {
	f := testFounding(t)
	path := foundedBy(t, "eu-clearing", f.Cards...)
	report, err := DescribeGenesis(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := report.Includes(f.Cards[2]); err != nil {
		t.Error(err)
	}
	newer := testCard(t, 'a', func(c *card.Card, _ *card.Keys) { c.Power = 2 * card.DefaultPower })
	if err := report.Includes(newer); err == nil || !strings.Contains(err.Error(), "another card") {
		t.Errorf("got %v", err)
	}
	if err := report.Includes(testCard(t, 'z', nil)); err == nil || !strings.Contains(err.Error(), "not in the document") {
		t.Errorf("got %v", err)
	}
}
