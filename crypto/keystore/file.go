package keystore

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/tallystick/tallystick/crypto"
)

// directoryMode lets nobody but the owner into a directory of key files.
const directoryMode = 0o700

// FileName returns the name that go-ethereum and its kin give the file of a
// key made at the time created: UTC--<time>--<address in lower case>. Names
// sort by time.
func FileName(address crypto.Address, created time.Time) string {
	const layout = "2006-01-02T15-04-05.000000000Z"
	return "UTC--" + created.UTC().Format(layout) + "--" + hex.EncodeToString(address[:])
}

// Store encrypts key into a new file in directory dir, which is made if it is
// missing, and returns the file's path. The file has mode 0600, appears under
// its name only when it is whole and on disk, and has been decrypted once as a
// proof. So the cost is that of Encrypt and Decrypt together. An error leaves no
// part of a file behind.
func Store(dir string, key *crypto.PrivateKey, passphrase string, light bool) (string, error) {
	data, err := Encrypt(key, passphrase, light)
	if err != nil {
		return "", err
	}
	proof, err := Decrypt(data, passphrase)
	if err != nil {
		return "", fmt.Errorf("read back the key file of %s: %w", key.Address(), err)
	}
	if proof.Address() != key.Address() {
		return "", fmt.Errorf("read back the key file of %s: %w", key.Address(), ErrAddress)
	}
	if err := os.MkdirAll(dir, directoryMode); err != nil {
		return "", fmt.Errorf("make key directory: %w", err)
	}
	path := filepath.Join(dir, FileName(key.Address(), time.Now()))
	if err := writeAtomic(path, data); err != nil {
		return "", fmt.Errorf("write key file of %s: %w", key.Address(), err)
	}
	return path, nil
}

// Load decrypts the key file at path. The error wraps what Decrypt or the file
// system says. The cost is that of Decrypt.
func Load(path, passphrase string) (*crypto.PrivateKey, error) {
	data, err := read(path)
	if err != nil {
		return nil, err
	}
	key, err := Decrypt(data, passphrase)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

// read returns the content of a file, of which it reads no more than a little
// over MaxFileSize.
func read(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open key file: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, MaxFileSize+1))
	if err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}
	return data, nil
}

// writeAtomic writes a file that appears under path only when all of it is on
// disk. A temporary file of the same directory takes the bytes first:
// os.CreateTemp gives it mode 0600, and a leading dot hides it from wallets.
func writeAtomic(path string, data []byte) error {
	dir := filepath.Dir(path)
	file, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	if err := fill(file, data); err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return syncDirectory(dir)
}

// fill writes data to file, syncs and closes it.
func fill(file *os.File, data []byte) error {
	if _, err := file.Write(data); err != nil {
		return errors.Join(err, file.Close())
	}
	if err := file.Sync(); err != nil {
		return errors.Join(err, file.Close())
	}
	return file.Close()
}

// syncDirectory makes a rename in dir survive a loss of power. Windows knows
// no such call and needs none.
func syncDirectory(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	handle, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(handle.Sync(), handle.Close())
}
