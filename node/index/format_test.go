package index

import (
	"bytes"
	"encoding/hex"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	dbm "github.com/cosmos/cosmos-db"
	"github.com/ethereum/go-ethereum/rlp"
)

// written makes an index of what a golden file has.
func written(t *testing.T, golden string) (dir string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", golden))
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	edit(t, dir, func(db dbm.DB) error {
		batch := db.NewBatch()
		defer batch.Close()
		for line := range strings.Lines(string(text)) {
			k, v, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
			keyBytes, err := hex.DecodeString(k)
			value, bad := hex.DecodeString(v)
			if err := errors.Join(err, bad, batch.Set(keyBytes, value)); err != nil || !ok {
				t.Fatalf("line %q: %v", line, err)
			}
		}
		return batch.WriteSync()
	})
	return dir
}

// An index as the version before wrote it is made anew from the blocks, and says
// so; where the blocks are not kept it is refused and left alone.
func TestAnOlderFormatIsRebuilt(t *testing.T) {
	c := newChain(t, 20)
	_, all := closedIndex(t, c, 4)
	dir := written(t, "format1.golden")
	for name, o := range map[string]struct {
		options Options
		want    string
	}{
		"blocks are not kept": {Options{Network: c.genesis.Network, Genesis: c.genesis.Events, Base: 2}, "the format 1 of an earlier version, and this one reads and writes format 2; it cannot be rebuilt because the oldest block kept is 2"},
		"another network":     {newChain(t, 21).options(), "another network"},
	} {
		if _, err := Open(dir, o.options); err == nil || !strings.Contains(err.Error(), o.want) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v", name, err)
		}
	}
	o, log := c.options(), new(bytes.Buffer)
	o.Logger = slog.New(slog.NewTextHandler(log, nil))
	x, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "level=INFO") || !strings.Contains(text, "earlier version; it is rebuilt from the blocks") {
		t.Errorf("the log does not say what happens: %s", text)
	}
	if err := x.catchUp(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if !sameTable(dump(t, x.db), all) {
		t.Error("the index made anew differs from one of this version")
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	mustNotWarn(t, dir, c)
}

// The golden file of this format is an index that opens as it is.
func TestTheGoldenIndexOpens(t *testing.T) {
	c := newChain(t, 20)
	mustNotWarn(t, written(t, "format.golden"), c)
}

func FuzzDecodeMeta(f *testing.F) {
	for _, m := range []any{
		metaRecord{Format: formatVersion, Counts: make([]uint64, len(spaces))},
		metaRecord{Format: formatVersion, Counts: []uint64{1}},
		metaRecord{Format: 1}, metaRecord{Format: 9}, metaRecord{},
		struct{ Format uint64 }{formatVersion},
	} {
		raw, err := rlp.EncodeToBytes(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := decodeMeta(raw)
		if err == nil && (m.Format != formatVersion || len(m.Counts) != len(spaces)) {
			t.Errorf("%x is taken for %+v", raw, m)
		}
	})
}
