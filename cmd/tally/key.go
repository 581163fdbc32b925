package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/crypto/keystore"
	"github.com/tallystick/tallystick/crypto/mnemonic"
)

func newKey() *cobra.Command {
	return group("key", "Make, keep and show keys", newKeyNew(), newKeyImport(), newKeyExport(), newKeyList(), newKeyShow())
}

// maxSecretBytes bounds what is read as a secret to import.
const maxSecretBytes = keystore.MaxFileSize

func newKeyNew() *cobra.Command {
	c := &cobra.Command{
		Use:   "new",
		Short: "Make a new key and keep it, encrypted",
		Long: "Make a new key from the system's random source and write it to an encrypted key file, the kind\n" +
			"that every Ethereum wallet reads. With --words the key comes from a new mnemonic, which is shown\n" +
			"once: write it down.",
		Example: "  tally key new\n  tally key new --words 24",
		Args:    exactly(),
	}
	f := keyFlags{}
	f.add(c)
	words := c.Flags().Int("words", 0, "make it from a new mnemonic of so many words: 12, 15, 18, 21 or 24")
	light := lightFlag(c)
	c.RunE = run(func(c *cobra.Command, _ []string) error {
		key, phrase, err := newSecret(*words, c.Flags().Changed("words"))
		if err != nil {
			return err
		}
		path, err := f.keep(c, key, *light)
		if err != nil {
			return err
		}
		out := struct {
			keyFile
			Mnemonic string `json:"mnemonic,omitempty"`
		}{keyFile{key.Address(), path}, phrase}
		text := fmt.Sprintf("address  %s\nfile     %s\n", out.Address, out.File)
		if phrase != "" {
			text += fmt.Sprintf("words    %s\n\nWrite the words down and keep them safe: whoever has them has the key (%s).\n", phrase, mnemonic.Path(0))
		}
		return show(c, out, text)
	})
	return c
}

func lightFlag(c *cobra.Command) *bool {
	return c.Flags().Bool("light", false, "encrypt with less work: faster, and easier to guess")
}

// newSecret makes a key, by way of a mnemonic if words are wanted.
func newSecret(words int, wanted bool) (*crypto.PrivateKey, string, error) {
	if !wanted {
		key, err := crypto.GenerateKey()
		return key, "", err
	}
	phrase, err := mnemonic.New(words)
	if err != nil {
		return nil, "", fails(exitUsage, fmt.Errorf("--words %d: %w", words, err), "")
	}
	key, err := mnemonic.Derive(phrase, "", 0)
	return key, phrase, err
}

// keep encrypts a key into the directory, unless it is there already.
func (f *keyFlags) keep(c *cobra.Command, key *crypto.PrivateKey, light bool) (string, error) {
	keys, err := f.list()
	if err != nil {
		return "", err
	}
	for _, k := range keys {
		if k.Address == key.Address() {
			return "", fails(exitFailed, fmt.Errorf("the key of %s is already in %s", k.Address, k.File), "")
		}
	}
	passphrase, err := f.newPassphrase(c, "new passphrase for "+key.Address().String())
	if err != nil {
		return "", err
	}
	path, err := keystore.Store(f.dir, key, passphrase, light)
	return path, fails(exitFailed, err, "")
}

func newKeyImport() *cobra.Command {
	c := &cobra.Command{
		Use:   "import FILE",
		Short: "Bring a key from elsewhere, and keep it encrypted",
		Long: "Read a private key in hex, the words of a mnemonic or another program's key file from FILE, or\n" +
			"from standard input where FILE is -, and keep it in an encrypted key file. A secret is never taken\n" +
			"from the command line, where other users of the machine could see it.",
		Example: "  tally key import secret.txt\n  tally key import --index 2 words.txt\n  tally key import UTC--2026-01-02T03-04-05.000000000Z--7e5f4552091a69125d5dfcb7b8c2659029395bdf",
		Args:    exactly("FILE"),
	}
	f := keyFlags{}
	f.add(c)
	index := c.Flags().Uint32("index", 0, "which key of a mnemonic")
	from := c.Flags().String("from-passphrase-file", "", "the `file` whose first line is the passphrase of a key file that is imported; left out, the same as for the new one")
	light := lightFlag(c)
	c.RunE = run(func(c *cobra.Command, arguments []string) error {
		secret, err := readSecret(c.InOrStdin(), arguments[0])
		if err != nil {
			return err
		}
		key, err := f.parseSecret(c, secret, *index, *from)
		if err != nil {
			return err
		}
		path, err := f.keep(c, key, *light)
		if err != nil {
			return err
		}
		out := keyFile{key.Address(), path}
		return show(c, out, fmt.Sprintf("address  %s\nfile     %s\n", out.Address, out.File))
	})
	return c
}

// readSecret reads a file, or in where the name is -.
func readSecret(in io.Reader, name string) (string, error) {
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return "", fails(exitConfig, err, "")
		}
		defer file.Close()
		in = file
	}
	data, err := io.ReadAll(io.LimitReader(in, maxSecretBytes+1))
	if err != nil {
		return "", fails(exitConfig, fmt.Errorf("read %s: %w", name, err), "")
	}
	if len(data) > maxSecretBytes {
		return "", fails(exitConfig, fmt.Errorf("%s is longer than any key: at most %d bytes", name, maxSecretBytes), "")
	}
	return strings.TrimSpace(string(data)), nil
}

// parseSecret tells the three kinds of secret apart: a key file is JSON, a
// mnemonic has several words.
func (f *keyFlags) parseSecret(c *cobra.Command, secret string, index uint32, passphraseFile string) (*crypto.PrivateKey, error) {
	var key *crypto.PrivateKey
	var err error
	switch {
	case secret == "":
		err = errors.New("there is nothing to import")
	case strings.HasPrefix(secret, "{"):
		old := *f
		if passphraseFile != "" {
			old.passphraseFile = passphraseFile
		}
		passphrase, asked := old.passphrase(c, "passphrase of the file that is imported", false)
		if asked != nil {
			return nil, asked
		}
		key, err = keystore.Decrypt([]byte(secret), passphrase)
	case len(strings.Fields(secret)) > 1:
		key, err = mnemonic.Derive(secret, "", index)
	default:
		key, err = crypto.ParsePrivateKey(secret)
	}
	return key, fails(exitConfig, err, "give 64 hex digits, the words of a mnemonic, or a key file")
}

func newKeyExport() *cobra.Command {
	c := &cobra.Command{
		Use:   "export KEY",
		Short: "Print a key file, or with --private-key the bare key",
		Long: "Print the encrypted key file of KEY (an address or a file), for another wallet to import. With\n" +
			"--private-key print the private key itself in hex, which gives whoever sees it the account.",
		Example: "  tally key export 0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf > key.json\n  tally key export --private-key 0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf",
		Args:    exactly("KEY"),
	}
	f := keyFlags{}
	f.add(c)
	plain := c.Flags().Bool("private-key", false, "print the private key itself, unprotected")
	c.RunE = run(func(c *cobra.Command, arguments []string) error {
		k, err := f.find(arguments[0])
		if err != nil {
			return err
		}
		if *plain {
			key, err := f.unlock(c, arguments[0])
			if err != nil {
				return err
			}
			secret := fmt.Sprintf("0x%x", key.Bytes())
			return show(c, map[string]any{"address": key.Address(), "privateKey": secret}, secret+"\n")
		}
		data, err := readKeyFile(k.File)
		if err != nil {
			return fails(exitConfig, err, "")
		}
		_, err = c.OutOrStdout().Write(append(data, '\n'))
		return err
	})
	return c
}

func newKeyList() *cobra.Command {
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the keys that are kept",
		Example: "  tally key list\n  tally key list --keys /srv/keys --json",
		Args:    exactly(),
	}
	f := keyFlags{}
	f.add(c)
	c.RunE = run(func(c *cobra.Command, _ []string) error {
		keys, err := f.list()
		if err != nil {
			return err
		}
		var b strings.Builder
		for _, k := range keys {
			fmt.Fprintf(&b, "%s  %s\n", k.Address, k.File)
		}
		if len(keys) == 0 {
			fmt.Fprintf(&b, "no keys in %s: make one with `tally key new`\n", f.dir)
		}
		return show(c, keys, b.String())
	})
	return c
}

func newKeyShow() *cobra.Command {
	c := &cobra.Command{
		Use:   "show [KEY]",
		Short: "Show a key's address and file",
		Long: "Show the address and the file of KEY (an address or a file), or of the only key. With --check the\n" +
			"file is decrypted too, which proves that the passphrase is known.",
		Example: "  tally key show\n  tally key show --check 0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf",
		Args:    atMost("KEY"),
	}
	f := keyFlags{}
	f.add(c)
	check := c.Flags().Bool("check", false, "decrypt it, to prove that the passphrase is right")
	c.RunE = run(func(c *cobra.Command, arguments []string) error {
		k, err := f.find(strings.Join(arguments, ""))
		if many, ok := errors.AsType[*failure](err); ok && len(arguments) == 0 && many.code == exitUsage {
			many.hint = "say which; `tally key list` shows them"
		}
		if err != nil {
			return err
		}
		text := ""
		if *check {
			key, err := f.unlock(c, k.File)
			if err != nil {
				return err
			}
			k.Address, text = key.Address(), "opened   the passphrase is right\n"
		}
		return show(c, k, fmt.Sprintf("address  %s\nfile     %s\n", k.Address, k.File)+text)
	})
	return c
}
