package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/crypto/keystore"
)

const (
	passphraseVariable = "TALLY_PASSPHRASE"
	maxPassphraseBytes = 4096
)

// keyFlags say where keys are kept and where their passphrase comes from.
type keyFlags struct {
	dir            string
	passphraseFile string
}

func (f *keyFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.dir, "keys", defaultKeys(), "the `directory` of key files")
	c.Flags().StringVar(&f.passphraseFile, "passphrase-file", "", "the `file` whose first line is the passphrase; also $"+passphraseVariable+"; otherwise it is asked for")
}

// defaultKeys is keys in the node's directory if $TALLY_HOME names it, and
// otherwise in .tallystick in the user's directory.
func defaultKeys() string {
	if home := os.Getenv(homeVariable); home != "" {
		return filepath.Join(home, "keys")
	}
	return underUser("keys")
}

// keyFile is one key of the directory.
type keyFile struct {
	Address crypto.Address `json:"address"`
	File    string         `json:"file"`
}

// list reads the directory. Files that are no key files are passed over. A
// directory that is not there has no keys.
func (f *keyFlags) list() ([]keyFile, error) {
	entries, err := os.ReadDir(f.dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fails(exitConfig, err, "check --keys")
	}
	found := []keyFile{}
	for _, entry := range entries {
		path := filepath.Join(f.dir, entry.Name())
		if !entry.Type().IsRegular() {
			continue
		}
		data, err := readKeyFile(path)
		if err != nil {
			continue
		}
		if address, err := keystore.Address(data); err == nil && !address.IsZero() {
			found = append(found, keyFile{address, path})
		}
	}
	sort.SliceStable(found, func(i, j int) bool { return found[i].File < found[j].File })
	return found, nil
}

// readKeyFile reads a file that may be a key file, and no more of it than one
// may have.
func readKeyFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, keystore.MaxFileSize+1))
}

// find returns the key file for an address, or the file at a path. Nothing
// means the only key of the directory.
func (f *keyFlags) find(name string) (keyFile, error) {
	address, notAddress := crypto.ParseAddress(name)
	if name != "" && notAddress != nil {
		if strings.HasPrefix(name, "0x") {
			return keyFile{}, fails(exitUsage, notAddress, "give the address as `tally key list` shows it, or a key file")
		}
		data, err := readKeyFile(name)
		if err == nil {
			address, err = keystore.Address(data)
		}
		return keyFile{address, name}, fails(exitConfig, err, "give an address of `tally key list`, or a key file")
	}
	keys, err := f.list()
	if err != nil {
		return keyFile{}, err
	}
	switch {
	case name == "" && len(keys) == 1:
		return keys[0], nil
	case name == "" && len(keys) == 0:
		return keyFile{}, fails(exitConfig, fmt.Errorf("there is no key in %s", f.dir), "make one with `tally key new`, or bring one with `tally key import`")
	case name == "":
		return keyFile{}, fails(exitUsage, fmt.Errorf("there are %d keys in %s", len(keys), f.dir), "say which with --from")
	}
	for _, k := range keys {
		if k.Address == address {
			return k, nil
		}
	}
	return keyFile{}, fails(exitConfig, fmt.Errorf("there is no key for %s in %s", address, f.dir), "see `tally key list`")
}

// unlock finds a key and decrypts it.
func (f *keyFlags) unlock(c *cobra.Command, name string) (*crypto.PrivateKey, error) {
	k, err := f.find(name)
	if err != nil {
		return nil, err
	}
	passphrase, err := f.passphrase(c, "passphrase for "+k.Address.String(), false)
	if err != nil {
		return nil, err
	}
	key, err := keystore.Load(k.File, passphrase)
	return key, fails(exitConfig, err, "")
}

// signer finds a key and makes a signer of it, whose file is decrypted already.
func (f *keyFlags) signer(c *cobra.Command, name string) (client.Signer, error) {
	k, err := f.find(name)
	if err != nil {
		return nil, err
	}
	s, err := client.OpenKeystore(k.File, k.Address, func(_ context.Context, address crypto.Address) (string, error) {
		return f.passphrase(c, "passphrase for "+address.String(), false)
	})
	if err != nil {
		return nil, fails(exitConfig, err, "")
	}
	if err := s.Unlock(c.Context()); err != nil {
		if _, is := errors.AsType[*failure](err); is {
			return nil, err
		}
		return nil, fails(exitConfig, err, "")
	}
	return s, nil
}

// passphrase gets the passphrase, from the file, the environment or the
// terminal. A new one is asked for twice.
func (f *keyFlags) passphrase(c *cobra.Command, prompt string, isNew bool) (string, error) {
	if f.passphraseFile != "" {
		return passphraseIn("--passphrase-file", f.passphraseFile)
	}
	if p, set := os.LookupEnv(passphraseVariable); set {
		return p, nil
	}
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return "", fails(exitConfig, errors.New("a passphrase is needed, and standard input is no terminal to ask on"),
			"set "+passphraseVariable+" or --passphrase-file")
	}
	first, err := askHidden(c, prompt)
	if err != nil || !isNew {
		return first, err
	}
	again, err := askHidden(c, "the same again")
	if err == nil && again != first {
		err = fails(exitUsage, errors.New("the two passphrases differ"), "nothing was written; try again")
	}
	return first, err
}

// newPassphrase gets a passphrase for a new file, which must not be empty.
func (f *keyFlags) newPassphrase(c *cobra.Command, prompt string) (string, error) {
	passphrase, err := f.passphrase(c, prompt, true)
	if err == nil && passphrase == "" {
		err = fails(exitUsage, errors.New("the passphrase is empty: it would protect nothing"), "choose one")
	}
	return passphrase, err
}

// passphraseIn reads the first line of the file that a flag names.
func passphraseIn(flag, path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fails(exitConfig, fmt.Errorf("%s: %w", flag, err), "")
	}
	defer file.Close()
	line, err := bufio.NewReader(io.LimitReader(file, maxPassphraseBytes)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fails(exitConfig, fmt.Errorf("%s: %w", flag, err), "")
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// askHidden asks on the terminal without echo.
func askHidden(c *cobra.Command, prompt string) (string, error) {
	fmt.Fprintf(c.ErrOrStderr(), "%s: ", prompt)
	secret, err := typed(c.Context(), func() (string, error) {
		secret, err := term.ReadPassword(int(os.Stdin.Fd()))
		return string(secret), err
	})
	fmt.Fprintln(c.ErrOrStderr())
	if err != nil {
		return "", fails(exitFailed, fmt.Errorf("read the passphrase: %w", err), "")
	}
	return secret, nil
}

var errInterrupted = errors.New("interrupted: nothing was done")

// typed waits for what read gets from the terminal, or for the end of ctx, such
// as by Ctrl-C. Then the terminal is as it was, and read goes on until the
// process ends.
func typed(ctx context.Context, read func() (string, error)) (string, error) {
	terminal := int(os.Stdin.Fd())
	before, unknown := term.GetState(terminal)
	var text string
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		text, err = read()
	}()
	select {
	case <-done:
		return text, err
	case <-ctx.Done():
	}
	if unknown == nil {
		_ = term.Restore(terminal, before) // as it was is the best there is
	}
	return "", errInterrupted
}

// confirm asks a yes-or-no question. Where nobody can be asked, only --yes is
// a yes: where standard input is no terminal to answer on, or standard error
// none to read on.
func confirm(c *cobra.Command, yes bool, question string) error {
	switch {
	case yes:
		return nil
	case !term.IsTerminal(int(os.Stdin.Fd())):
		return fails(exitUsage, errors.New("this must be confirmed, and standard input is no terminal to ask on"), "add --yes if you mean it")
	case !isTerminal(c.ErrOrStderr()):
		return fails(exitUsage, errors.New("this must be confirmed, and standard error is no terminal to ask on"), "add --yes if you mean it")
	}
	fmt.Fprintf(c.ErrOrStderr(), "%s [y/N] ", question)
	line, err := typed(c.Context(), func() (string, error) { return bufio.NewReader(os.Stdin).ReadString('\n') })
	if errors.Is(err, errInterrupted) {
		fmt.Fprintln(c.ErrOrStderr())
		return fails(exitFailed, err, "")
	}
	if answer := strings.ToLower(strings.TrimSpace(line)); err == nil && (answer == "y" || answer == "yes") {
		return nil
	}
	return fails(exitFailed, errors.New("not confirmed: nothing was done"), "")
}
