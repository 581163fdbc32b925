package webhook

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"

	"github.com/tallystick/tallystick/config/tomlfile"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/feed"
	"github.com/tallystick/tallystick/rpc/wire"
)

// Limits of the file.
const (
	maxFileBytes   = 64 << 10
	maxHooks       = 32
	minSecretBytes = 16
	maxSecretBytes = 4096
)

// Hook is one webhook as the operator has set it.
type Hook struct {
	// Name is unique in the file: 1 to 32 of a-z, 0-9 and -. The cursor is kept under it.
	Name string
	// URL is where to post: http or https.
	URL string
	// Secret signs what is sent.
	Secret []byte
	// Blocks is set where every block is told; else receipts are, those that Filter
	// chooses, with the blocks' own events.
	Blocks bool
	Filter feed.Filter
	// From is the block to begin with, where there is no cursor yet; nil: with the
	// block after the newest.
	From *ledger.Height
}

// hookTable is a [[webhook]] table of the file.
type hookTable struct {
	Name       string  `toml:"name"`
	URL        string  `toml:"url"`
	SecretFile string  `toml:"secret_file"`
	Kind       string  `toml:"kind"`
	Account    *string `toml:"account"`
	Asset      *string `toml:"asset"`
	Member     *string `toml:"member"`
	Reference  *string `toml:"reference"`
	From       *int64  `toml:"from"`
}

var goodName = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)

// Load reads a file of [[webhook]] tables and the secrets that they name, whose
// paths begin at the file's directory. Like the node's configuration it is read
// strictly. The error names every problem, one a line.
func Load(path string) ([]Hook, error) {
	text, err := readFile(path, maxFileBytes)
	if err != nil {
		return nil, fmt.Errorf("webhooks: %w", err)
	}
	hooks, err := parse(text, filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("webhooks file %s:\n%w", path, err)
	}
	return hooks, nil
}

// parse reads the tables; dir is where secrets are looked for.
func parse(text []byte, dir string) ([]Hook, error) {
	var tables struct {
		Webhook []hookTable `toml:"webhook"`
	}
	if err := tomlfile.ReadStrictly(text, &tables, "[[webhook]] with name, url, secret_file, kind, account, asset, member, reference and from"); err != nil {
		return nil, err
	}
	if len(tables.Webhook) > maxHooks {
		return nil, fmt.Errorf("%d webhooks: at most %d are served", len(tables.Webhook), maxHooks)
	}
	var hooks []Hook
	var problems []error
	seen := map[string]bool{}
	for i, t := range tables.Webhook {
		h, err := t.hook(dir)
		if err == nil && seen[t.Name] {
			err = errors.New("the name is taken by another webhook")
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("webhook %d (%q): %w", i+1, t.Name, err))
		}
		seen[t.Name] = true
		hooks = append(hooks, h)
	}
	return hooks, errors.Join(problems...)
}

// hook judges a table and reads its secret.
func (t *hookTable) hook(dir string) (h Hook, err error) {
	h.Name, h.URL = t.Name, t.URL
	if !goodName.MatchString(t.Name) {
		return h, errors.New("name: want 1 to 32 of a-z, 0-9 and -")
	}
	if u, err := url.Parse(t.URL); err != nil {
		return h, errors.New("url: it cannot be read: want http:// or https:// with a host") // it may have a secret in it
	} else if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "" {
		return h, fmt.Errorf("url = %q: want http:// or https:// with a host, and no password or # in it", u.Redacted())
	}
	if t.SecretFile == "" {
		return h, errors.New("secret_file: want the path of a file with the secret that signs what is sent")
	}
	path := t.SecretFile
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	if h.Secret, err = readFile(path, maxSecretBytes); err != nil {
		return h, fmt.Errorf("secret_file: %w", err)
	}
	h.Secret = bytes.TrimRight(h.Secret, "\r\n")
	if len(h.Secret) < minSecretBytes {
		return h, fmt.Errorf("secret_file %s: %d bytes: want at least %d, such as `openssl rand -hex 32` makes", path, len(h.Secret), minSecretBytes)
	}
	return h, t.choose(&h)
}

// choose reads what is to be told, and from where on.
func (t *hookTable) choose(h *Hook) error {
	for _, c := range []struct {
		name string
		text *string
		to   **crypto.Address
	}{{"account", t.Account, &h.Filter.Account}, {"asset", t.Asset, &h.Filter.Asset}, {"member", t.Member, &h.Filter.Member}} {
		if c.text == nil {
			continue
		}
		a, err := crypto.ParseAddress(*c.text)
		if err != nil {
			return fmt.Errorf("%s = %q: %w", c.name, *c.text, err)
		}
		*c.to = &a
	}
	if r := t.Reference; r != nil && (*r == "" || len(*r) > ledger.MaxReferenceBytes) {
		return fmt.Errorf("reference of %d bytes: want 1 to %d", len(*r), ledger.MaxReferenceBytes)
	}
	h.Filter.Reference = t.Reference
	switch t.Kind {
	case "", "receipts":
	case "newBlocks":
		if h.Filter != (feed.Filter{}) {
			return errors.New("kind = \"newBlocks\" takes no account, asset, member or reference")
		}
		h.Blocks = true
	default:
		return fmt.Errorf("kind = %q: want \"receipts\" or \"newBlocks\"", t.Kind)
	}
	if t.From != nil {
		if *t.From < 0 || uint64(*t.From) > ledger.MaxJSONInteger {
			return fmt.Errorf("from = %d: want a height", *t.From)
		}
		from := ledger.Height(*t.From)
		h.From = &from
	}
	return nil
}

// begin is the cursor that a hook without one begins behind.
func (h *Hook) begin(newest ledger.Height) wire.Cursor {
	if h.From != nil {
		return wire.Cursor{Height: uint64(*h.From), Index: wire.IndexBlockBegin}
	}
	return wire.Cursor{Height: uint64(newest), Index: wire.IndexBlockEnd}
}

// readFile reads a file of at most so many bytes.
func readFile(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(text)) > most {
		err = fmt.Errorf("%s: larger than %d bytes", path, most)
	}
	return text, err
}
