package index

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	dbm "github.com/cosmos/cosmos-db"

	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/store/pebbledb"
)

// databaseName is that of the database in the index's directory.
const databaseName = "index"

// aside is where a damaged database goes before it is removed, so that half a
// removal is never taken for a database.
func aside(dir string) string { return filepath.Join(dir, "damaged") }

func openDatabase(dir string) (dbm.DB, error) {
	if err := os.RemoveAll(aside(dir)); err != nil {
		return nil, fmt.Errorf("remove what was damaged: %w", err)
	}
	db, err := pebbledb.Open(databaseName, dir)
	if err != nil {
		return nil, fmt.Errorf("open database: %w; if its files are damaged, delete the directory and the index is rebuilt from the blocks", err)
	}
	return db, nil
}

// damageError says what of the index is not as it was written.
type damageError struct{ what string }

func (e *damageError) Error() string { return e.what }

// open opens the database and takes up what it holds. After an error it is
// closed again.
func (x *Index) open(dir string, genesis []ledger.Event) error {
	db, err := openDatabase(dir)
	if err != nil {
		return err
	}
	x.db, x.current = db, newCurrentState(db)
	x.counts, x.unspent = keyCounts{}, 0
	if err := x.begin(genesis); err != nil {
		return errors.Join(err, db.Close())
	}
	return nil
}

// begin reads the cursor and holds the keys against it, or writes the genesis.
// A database forgets tables without a word when a bit of its manifest is wrong;
// the tables that it remembers have checksums.
func (x *Index) begin(genesis []ledger.Event) error {
	raw, err := x.db.Get(keyMeta)
	if err != nil {
		return &damageError{fmt.Sprintf("the cursor cannot be read: %v", err)}
	}
	m, err := x.cursor(raw)
	if err != nil {
		return err
	}
	found, err := x.count(m.Counts)
	if err != nil {
		return &damageError{fmt.Sprintf("it cannot be read: %v", err)}
	}
	if differences := compare(&found, m.Counts); differences != "" {
		return &damageError{differences}
	}
	if raw == nil {
		return x.write(&Block{Results: []ledger.TxResult{{Events: genesis}}})
	}
	x.counts, x.unspent = found, m.Unspent
	x.height.Store(m.Height)
	return nil
}

// cursor reads the cursor, which must be of this format and network; without one it
// is zero.
func (x *Index) cursor(raw []byte) (m metaRecord, err error) {
	if raw == nil {
		return m, nil
	}
	m, err = decodeMeta(raw)
	network := m.Network
	older, isOlder := errors.AsType[*olderError](err)
	switch {
	case isOlder:
		network = older.network
	case errors.Is(err, errNewer):
		return m, err
	case err != nil:
		return m, &damageError{fmt.Sprintf("the cursor is damaged: %v", err)}
	}
	if network != x.net.Hash {
		return m, errors.New("it belongs to another network: give each network a directory of its own")
	}
	return m, err
}

// progressEvery is how often a long count is logged.
const progressEvery = time.Second

// count reads all keys, the spaces side by side; of is what the cursor says of
// them.
func (x *Index) count(of []uint64) (found keyCounts, err error) {
	var n atomic.Uint64
	counts, problems := make([]uint64, len(spaces)), make([]error, len(spaces))
	var group sync.WaitGroup
	for i, s := range spaces {
		group.Go(func() { counts[i], problems[i] = countSpace(x.db, s.letter, &n) })
	}
	counted := make(chan struct{})
	go func() {
		group.Wait()
		close(counted)
	}()
	var all uint64
	for _, c := range of {
		all += c
	}
	progress := time.NewTicker(progressEvery)
	defer progress.Stop()
	for {
		select {
		case <-progress.C:
			x.log.Info("checking the receipt index", "keys", n.Load(), "of", all)
		case <-counted:
			for i, s := range spaces {
				found[s.letter] = counts[i]
			}
			return found, errors.Join(problems...)
		}
	}
}

// countSpace counts the keys that begin with letter, and adds them to n now and
// then.
func countSpace(db dbm.DB, letter byte, n *atomic.Uint64) (keys uint64, err error) {
	it, err := db.Iterator([]byte{letter}, []byte{letter + 1})
	if err != nil {
		return 0, err
	}
	defer it.Close()
	const step = 4096
	for ; it.Valid(); it.Next() {
		if keys++; keys%step == 0 {
			n.Add(step)
		}
	}
	return keys, it.Error()
}

// compare names the spaces where the keys found are not those counted. Without
// a cursor none are.
func compare(found *keyCounts, counted []uint64) string {
	var differences []string
	for i, s := range spaces {
		want := uint64(0)
		if counted != nil {
			want = counted[i]
		}
		if got := found[s.letter]; got != want {
			differences = append(differences, fmt.Sprintf("%s: %d of %d", s.name, got, want))
		}
	}
	return strings.Join(differences, ", ")
}

// rebuild empties the index, for the reason why: everything in it can be derived
// again. The reason is returned where it is none of those for that.
func (x *Index) rebuild(dir string, o Options, why error) error {
	damage, damaged := errors.AsType[*damageError](why)
	older, outdated := errors.AsType[*olderError](why)
	switch {
	case !damaged && !outdated:
		return why
	case damaged && o.Base > 1:
		return fmt.Errorf("it is damaged (%w), and cannot be rebuilt because the oldest block kept is %d: "+
			"restore the data directory from a backup, or let the node fetch the chain anew", damage, o.Base)
	case o.Base > 1:
		return fmt.Errorf("%w; it cannot be rebuilt because the oldest block kept is %d: "+
			"go on with the version that wrote it, or let the node fetch the chain anew", older, o.Base)
	case damaged:
		x.log.Warn("the receipt index is damaged; it is rebuilt from the blocks", "directory", dir, "found", damage.what)
	default:
		x.log.Info("the receipt index was written by an earlier version; it is rebuilt from the blocks, and the node answers for each block once it is in it",
			"directory", dir, "format", older.format, "newFormat", formatVersion)
	}
	if err := os.Rename(filepath.Join(dir, databaseName+dbm.DBFileSuffix), aside(dir)); err != nil {
		return fmt.Errorf("put the old database aside: %w", err)
	}
	return x.open(dir, o.Genesis)
}
