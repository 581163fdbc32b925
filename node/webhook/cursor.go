package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tallystick/tallystick/rpc/wire"
)

// cursorFile is where a hook's cursor stands.
type cursorFile struct {
	path    string
	network string // the network's ID: a cursor of another says nothing
}

// cursorRecord is the file's content, in JSON.
type cursorRecord struct {
	NetworkID string      `json:"networkId"`
	Cursor    wire.Cursor `json:"cursor"`
}

// read returns the cursor; ok is false where there is none yet.
func (f cursorFile) read() (c wire.Cursor, ok bool, err error) {
	text, err := readFile(f.path, maxFileBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return c, false, nil
	}
	if err != nil {
		return c, false, fmt.Errorf("webhook cursor: %w", err)
	}
	var r cursorRecord
	if err := json.Unmarshal(text, &r); err != nil || r.NetworkID == "" || r.Cursor.Index < wire.IndexBlockBegin {
		return c, false, fmt.Errorf("webhook cursor %s is damaged: write into it where to go on, {\"networkId\":%q,\"cursor\":{\"height\":…,\"index\":…}}, "+
			"as the receiver knows it; or delete it, and the webhook begins anew", f.path, f.network)
	}
	if r.NetworkID != f.network {
		return c, false, fmt.Errorf("webhook cursor %s is of the network %q, and this is %q: delete it, and the webhook begins anew", f.path, r.NetworkID, f.network)
	}
	return r.Cursor, true, nil
}

// write puts the cursor on the disk. When it returns, the cursor is there, and not
// before: a file that is half written has another name.
func (f cursorFile) write(c wire.Cursor) error {
	text, err := json.Marshal(cursorRecord{f.network, c})
	if err != nil {
		return err
	}
	if err := f.replace(append(text, '\n')); err != nil {
		return fmt.Errorf("webhook cursor %s: %w", f.path, err)
	}
	return nil
}

func (f cursorFile) replace(text []byte) error {
	next := f.path + ".new"
	file, err := os.OpenFile(next, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err := os.Rename(next, f.path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(f.path))
}

// syncDir puts on the disk which files a directory has.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
