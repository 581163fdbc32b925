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
			"once: write it down. Key files do not hold it, so it cannot be shown again.",
		Example: "  tally key new\n  tally key new --words 24",
		Args:    exactly(),
	}
	f := keyFlags{}
	f.add(c)
	words := c.Flags().Int("words", 0, "make it from a new mnemonic of so many words: 12, 15, 18, 21 or 24")
	extra := mnemonicPassphraseFlag(c)
	light := lightFlag(c)
	c.RunE = run(func(c *cobra.Command, _ []string) error {
		if *extra != "" && !c.Flags().Changed("words") {
			return fails(exitUsage, errors.New("--mnemonic-passphrase-file: only a mnemonic has one"), "give --words too")
		}
		key, phrase, err := newSecret(*words, c.Flags().Changed("words"), *extra)
		if err != nil {
			return err
		}
		kept, err := f.keep(c, []*crypto.PrivateKey{key}, *light)
		if err != nil {
			return err
		}
		out := struct {
			keyFile
			Mnemonic string `json:"mnemonic,omitempty"`
		}{kept[0], phrase}
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

func mnemonicPassphraseFlag(c *cobra.Command) *string {
	return c.Flags().String("mnemonic-passphrase-file", "", "the `file` whose first line is the passphrase of a mnemonic (BIP-39), where it has one: other\npassphrases give other keys, and none is wrong")
}

// newSecret makes a key, by way of a mnemonic if words are wanted.
func newSecret(words int, wanted bool, passphraseFile string) (*crypto.PrivateKey, string, error) {
	if !wanted {
		key, err := crypto.GenerateKey()
		return key, "", err
	}
	phrase, err := mnemonic.New(words)
	if err != nil {
		return nil, "", fails(exitUsage, fmt.Errorf("--words %d: %w", words, err), "")
	}
	keys, err := deriveKeys(phrase, passphraseFile, 0, 1)
	if err != nil {
		return nil, "", err
	}
	return keys[0], phrase, nil
}

// maxImported bounds how many keys of a mnemonic are imported at once.
const maxImported = 100

// deriveKeys makes count keys of a mnemonic, from the one with the index on.
func deriveKeys(phrase, passphraseFile string, index, count uint32) ([]*crypto.PrivateKey, error) {
	passphrase := ""
	if passphraseFile != "" {
		var err error
		if passphrase, err = passphraseIn("--mnemonic-passphrase-file", passphraseFile); err != nil {
			return nil, err
		}
	}
	keys := make([]*crypto.PrivateKey, count)
	for i := range count {
		var err error
		if keys[i], err = mnemonic.Derive(phrase, passphrase, index+i); err != nil {
			return nil, fails(exitConfig, err, secretForms)
		}
	}
	return keys, nil
}

// keep encrypts keys into the directory under one passphrase, unless any of them
// is there already.
func (f *keyFlags) keep(c *cobra.Command, keys []*crypto.PrivateKey, light bool) ([]keyFile, error) {
	there, err := f.list()
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		for _, k := range there {
			if k.Address == key.Address() {
				return nil, fails(exitFailed, fmt.Errorf("the key of %s is already in %s", k.Address, k.File), "")
			}
		}
	}
	whose := keys[0].Address().String()
	if len(keys) > 1 {
		whose += fmt.Sprintf(" and %d more", len(keys)-1)
	}
	passphrase, err := f.newPassphrase(c, "new passphrase for "+whose)
	if err != nil {
		return nil, err
	}
	var kept []keyFile
	for _, key := range keys {
		path, err := keystore.Store(f.dir, key, passphrase, light)
		if err != nil {
			return nil, fails(exitFailed, err, "")
		}
		kept = append(kept, keyFile{key.Address(), path})
	}
	return kept, nil
}

func newKeyImport() *cobra.Command {
	c := &cobra.Command{
		Use:   "import FILE",
		Short: "Bring a key from elsewhere, and keep it encrypted",
		Long: "Read a private key in hex, the words of a mnemonic or another program's key file from FILE, or\n" +
			"from standard input where FILE is -, and keep it in an encrypted key file. A secret is never taken\n" +
			"from the command line, where other users of the machine could see it.",
		Example: "  tally key import secret.txt\n  tally key import --index 2 words.txt\n  tally key import --count 5 words.txt\n  tally key import UTC--2026-01-02T03-04-05.000000000Z--7e5f4552091a69125d5dfcb7b8c2659029395bdf",
		Args:    exactly("FILE"),
	}
	f := keyFlags{}
	f.add(c)
	index := c.Flags().Uint32("index", 0, "which key of a mnemonic: the last number of its path m/44'/60'/0'/0/i")
	count := c.Flags().Uint32("count", 1, "how many keys of a mnemonic, from that one on")
	extra := mnemonicPassphraseFlag(c)
	from := c.Flags().String("from-passphrase-file", "", "the `file` whose first line is the passphrase of a key file that is imported; left out, the same as for the new one")
	light := lightFlag(c)
	c.RunE = run(func(c *cobra.Command, arguments []string) error {
		if *count < 1 || *count > maxImported {
			return fails(exitUsage, fmt.Errorf("--count %d: want 1 to %d", *count, maxImported), "")
		}
		secret, err := readSecret(c.InOrStdin(), arguments[0])
		if err != nil {
			return err
		}
		keys, err := f.parseSecret(c, secret, *index, *count, *extra, *from)
		if err != nil {
			return err
		}
		kept, err := f.keep(c, keys, *light)
		if err != nil {
			return err
		}
		text := ""
		for _, k := range kept {
			text += fmt.Sprintf("address  %s\nfile     %s\n", k.Address, k.File)
		}
		if c.Flags().Changed("count") {
			return show(c, kept, text)
		}
		return show(c, kept[0], text)
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

const secretForms = "give 64 hex digits, the words of a mnemonic, or a key file"

// parseSecret tells the three kinds of secret apart: a key file is JSON, a
// mnemonic has several words. Only a mnemonic has several keys.
func (f *keyFlags) parseSecret(c *cobra.Command, secret string, index, count uint32, extra, passphraseFile string) ([]*crypto.PrivateKey, error) {
	var key *crypto.PrivateKey
	var err error
	switch {
	case secret == "":
		err = errors.New("there is nothing to import")
	case !strings.HasPrefix(secret, "{") && len(strings.Fields(secret)) > 1:
		return deriveKeys(secret, extra, index, count)
	case count > 1 || index > 0 || extra != "":
		return nil, fails(exitUsage, errors.New("--index, --count, --mnemonic-passphrase-file: what is imported is no mnemonic"), "leave them out")
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
	default:
		key, err = crypto.ParsePrivateKey(secret)
	}
	return []*crypto.PrivateKey{key}, fails(exitConfig, err, secretForms)
}

func newKeyExport() *cobra.Command {
	c := &cobra.Command{
		Use:   "export KEY",
		Short: "Print a key file, or with --private-key the bare key",
		Long: "Print the encrypted key file of KEY (an address or a file), for another wallet to import: MetaMask\n" +
			"(JSON file), geth, ethers. A mnemonic cannot be exported: key files hold one key and no words. With\n" +
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
