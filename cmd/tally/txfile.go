package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// txFile is a transaction on its way from one signer to the next, as a file.
// Everything that a signature binds stands in it, so it can be signed on a
// machine that reaches no node.
type txFile struct {
	NetworkID  string           `json:"networkId"`
	ChainID    uint64           `json:"chainId"`
	Tx         ledger.Body      `json:"tx"`
	Signatures []wire.Signature `json:"signatures"`
}

// maxTxFileBytes bounds a file: 4096 legs with references have about 1.2 MiB.
const maxTxFileBytes = 4 << 20

// network is the network as far as signatures are concerned.
func (t *txFile) network() (*ledger.Network, error) {
	return ledger.NewNetwork(t.NetworkID, t.ChainID, crypto.Address{}, 0)
}

// readLimited reads a file, or standard input where the name is -.
func readLimited(c *cobra.Command, name string) ([]byte, error) {
	return readAtMost(c, name, maxTxFileBytes, "a transaction")
}

// readAtMost is readLimited for what can be of another size.
func readAtMost(c *cobra.Command, name string, limit int, what string) ([]byte, error) {
	in := c.InOrStdin()
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, fails(exitConfig, err, "")
		}
		defer file.Close()
		in = file
	}
	data, err := io.ReadAll(io.LimitReader(in, int64(limit)+1))
	if err == nil && len(data) > limit {
		err = fmt.Errorf("longer than %s can be: at most %d bytes", what, limit)
	}
	if err != nil {
		return nil, fails(exitConfig, fmt.Errorf("read %s: %w", name, err), "")
	}
	return data, nil
}

// readTx reads and checks a transaction file.
func readTx(c *cobra.Command, name string) (*txFile, *ledger.Network, error) {
	data, err := readLimited(c, name)
	if err != nil {
		return nil, nil, err
	}
	t, network, err := parseTx(data)
	if err != nil {
		return nil, nil, fails(exitConfig, fmt.Errorf("transaction file %s: %w", name, err), "make one with `tally tx build`")
	}
	return t, network, nil
}

// parseTx reads the content of a transaction file strictly.
func parseTx(data []byte) (*txFile, *ledger.Network, error) {
	var t txFile
	if err := strictly(data, &t); err != nil {
		return nil, nil, err
	}
	network, err := t.network()
	if err != nil {
		return nil, nil, err
	}
	if code := checkUnsettled(network, &t.Tx); code != ledger.Applied {
		return nil, nil, fmt.Errorf("%s: %s", code, code.Info().Meaning)
	}
	if len(t.Signatures) > ledger.MaxSignatures {
		return nil, nil, fmt.Errorf("%d signatures: at most %d", len(t.Signatures), ledger.MaxSignatures)
	}
	for i := range t.Signatures {
		if err := t.recover(network, i); err != nil {
			return nil, nil, err
		}
	}
	return &t, network, nil
}

// checkUnsettled is CheckBody for a network whose settlement asset is not
// known: only a node can tell a cancel from another transfer of nothing.
func checkUnsettled(network *ledger.Network, body *ledger.Body) ledger.Code {
	if t, is := body.Op.(*ledger.Transfer); is && len(t.Legs) == 1 && t.Legs[0].Amount.IsZero() && t.Legs[0].From == t.Legs[0].To {
		return ledger.Applied
	}
	return ledger.CheckBody(network, body)
}

// recover fills in who made signature i, and checks what the file says of it.
func (t *txFile) recover(network *ledger.Network, i int) error {
	s := &t.Signatures[i]
	if s.Scheme > uint8(ledger.SchemeBodyHash) {
		return fmt.Errorf("signature %d: scheme %d is neither 0 nor 1", i, s.Scheme)
	}
	signature, err := crypto.ParseSignature(s.Signature)
	if err != nil {
		return fmt.Errorf("signature %d: %w", i, err)
	}
	signer, err := crypto.Recover(network.Digest(&t.Tx, ledger.Scheme(s.Scheme)), signature)
	if err != nil {
		return fmt.Errorf("signature %d: %w", i, err)
	}
	if s.Signer != nil && *s.Signer != signer {
		return fmt.Errorf("signature %d is said to be of %s, but it is not over this transaction by that key: the transaction was changed after it was signed, or the signature is damaged", i, *s.Signer)
	}
	for _, before := range t.Signatures[:i] {
		if *before.Signer == signer {
			return fmt.Errorf("signature %d: %s has signed already", i, signer)
		}
	}
	s.Signer, s.Signature = &signer, signature[:]
	return nil
}

// strictly reads one JSON value without unknown fields or anything after it.
func strictly(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is something after the JSON value")
	}
	return nil
}

// write puts the file in place in one step. - is standard output.
func (t *txFile) write(c *cobra.Command, name string) error {
	if t.Signatures == nil {
		t.Signatures = []wire.Signature{}
	}
	data, err := json.MarshalIndent(t, "", "  ")
	if err != nil {
		return err
	}
	data = append(data, '\n')
	if name == "-" {
		_, err := c.OutOrStdout().Write(data)
		return err
	}
	return fails(exitFailed, replaceFile(name, data), "")
}

// replaceFile writes data beside the file called name and renames it.
func replaceFile(name string, data []byte) error {
	temporary, err := os.CreateTemp(filepath.Dir(name), ".tally-tx-*")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.Write(data)
	if err == nil {
		err = temporary.Sync()
	}
	if err = errors.Join(err, temporary.Close()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return os.Rename(temporary.Name(), name)
}

// mayReplace keeps a new transaction from taking the place of what somebody has
// signed, or of a file of another kind.
func mayReplace(name string) error {
	data, err := os.ReadFile(name)
	if name == "-" || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var old txFile
	if err == nil && strictly(data, &old) == nil && len(old.Signatures) == 0 {
		return nil
	}
	return fails(exitConfig, fmt.Errorf("%s already exists, and is no transaction without signatures", name), "choose another file, or remove that one")
}

// writeUnsigned writes a transaction for others to sign.
func writeUnsigned(c *cobra.Command, name string, network *ledger.Network, body ledger.Body) error {
	t := txFile{NetworkID: network.ID, ChainID: network.ChainID, Tx: body}
	if err := mayReplace(name); err != nil {
		return err
	}
	if err := t.write(c, name); err != nil || name == "-" {
		return err
	}
	return show(c, map[string]any{"file": name, "bodyHash": network.BodyHash(&body)},
		fmt.Sprintf("wrote %s (body hash %s)\nsign it with `tally tx sign %s`, then send it with `tally tx send %s`\n",
			name, network.BodyHash(&body), name, name))
}

// text shows a transaction file, but for who has signed it.
func (t *txFile) text(s speech, network *ledger.Network) string {
	return s.statement(network, &t.Tx, time.Now()) +
		fmt.Sprintf("body hash   %s\ndigest      %s (typed data)\n", network.BodyHash(&t.Tx), network.TypedDataDigest(&t.Tx))
}

// signers says who has signed, as far as that is known without a node.
func (t *txFile) signers() string {
	var b strings.Builder
	for _, account := range t.Tx.Authorisers() {
		state := "not signed with its own key"
		if t.has(account) {
			state = "signed"
		}
		fmt.Fprintf(&b, "%s  %s\n", account, state)
	}
	for _, s := range t.Signatures {
		if !slices.Contains(t.Tx.Authorisers(), *s.Signer) {
			fmt.Fprintf(&b, "%s  signed, as a key of another account\n", *s.Signer)
		}
	}
	return b.String()
}

// raw encodes the transaction with its signatures.
func (t *txFile) raw(network *ledger.Network) ([]byte, error) {
	signatures := make([]ledger.Signature, len(t.Signatures))
	for i, s := range t.Signatures {
		signatures[i] = ledger.Signature{Scheme: ledger.Scheme(s.Scheme), Signature: crypto.Signature(s.Signature)}
	}
	tx, code := ledger.Build(network, t.Tx, signatures)
	if code != ledger.Applied {
		return nil, client.Rejected(code)
	}
	return tx.Raw, nil
}
