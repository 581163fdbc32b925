package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// sendFlags are those of every command that signs and sends a transaction.
type sendFlags struct {
	node     nodeFlags
	keys     keyFlags
	from     string
	also     []string
	nonce    uint64
	validFor time.Duration
	memo     string
	yes      bool
	out      string
}

func (f *sendFlags) add(c *cobra.Command) {
	f.node.add(c)
	f.keys.add(c)
	c.Flags().StringVar(&f.from, "from", "", "the `key` of the sender, by address or file; left out, the only one there is")
	c.Flags().StringSliceVar(&f.also, "also-sign", nil, "further `keys` that sign, where the transaction needs them")
	c.Flags().Uint64Var(&f.nonce, "nonce", 0, "the nonce; left out, the account's next")
	c.Flags().DurationVar(&f.validFor, "valid-for", 10*time.Minute, "how long it may be included; 0 is for ever")
	c.Flags().StringVar(&f.memo, "memo", "", "up to 256 bytes of text, visible to everybody")
	c.Flags().BoolVar(&f.yes, "yes", false, "do not ask before signing")
	c.Flags().StringVar(&f.out, "build", "", "write the unsigned transaction to this `file` in place of signing and sending it")
}

// maker makes the operation of a command for a sender.
type maker func(ctx context.Context, node *client.Client, sender crypto.Address) (ledger.Operation, error)

// send makes a transaction, shows it in words and has it confirmed, signs it,
// sends it and waits.
func (f *sendFlags) send(c *cobra.Command, make maker) error {
	return f.node.with(c.Context(), func(ctx context.Context, node *client.Client) error {
		from, err := f.sender()
		if err != nil {
			return err
		}
		op, err := make(ctx, node, from.Address)
		if err != nil {
			return err
		}
		body, err := f.body(ctx, c, node, from.Address, op)
		if err != nil {
			return err
		}
		if f.out != "" {
			return writeUnsigned(c, f.out, node.Network(), body)
		}
		keys, question, err := f.signing(from)
		if err != nil {
			return err
		}
		shown, err := present(c, knowing(ctx, node), node.Network(), body, f.yes, question)
		if err != nil {
			return err
		}
		signers, err := f.signers(c, keys)
		if err != nil {
			return err
		}
		tx, err := shown.sign(c.Context(), node, ledger.SchemeTypedData, signers...)
		if err != nil {
			return err
		}
		return f.node.again(c.Context(), node, func(ctx context.Context, node *client.Client) error {
			return submit(ctx, c, node, tx.Raw)
		})
	})
}

// sender finds the key that --from names. To write a transaction for others to
// sign, its address is enough.
func (f *sendFlags) sender() (keyFile, error) {
	if address, err := crypto.ParseAddress(f.from); err == nil && f.out != "" {
		return keyFile{Address: address}, nil
	}
	return f.keys.find(f.from)
}

// body fills in what the flags and the node say.
func (f *sendFlags) body(ctx context.Context, c *cobra.Command, node *client.Client, sender crypto.Address, op ledger.Operation) (ledger.Body, error) {
	o := client.BuildOptions{ValidFor: f.validFor, Memo: f.memo}
	switch {
	case f.validFor < 0:
		return ledger.Body{}, fails(exitUsage, fmt.Errorf("--valid-for %s: must not be negative", f.validFor), "")
	case f.validFor == 0:
		o.ValidFor = -1 // for ever
	}
	if c.Flags().Changed("nonce") {
		nonce := ledger.Nonce(f.nonce)
		o.Nonce = &nonce
	}
	body, err := node.Build(ctx, sender, op, o)
	return body, wrongFields(err, op.Kind())
}

// fieldHints say what is asked of the fields of some operations, where the ledger
// only says that one of them can never be right.
var fieldHints = map[ledger.Kind]string{
	ledger.KindClawback:     "who loses it and who receives it must differ (--to, left out, is the issuer), and --reason is above 0",
	ledger.KindCreateHold:   "payer, payee and arbiter must differ, and none of them be zero",
	ledger.KindChangeIssuer: "the new issuer must be another account",
	ledger.KindPropose: "voting takes from 60s to 90d and the delay is at most 90d; a power is 0 or from 1000000 to 2^50, " +
		"a threshold from 1/2 to below 1, a resolution from 1 to 1024 bytes",
}

// wrongFields says more of the refusal of what its bytes alone show to be wrong.
func wrongFields(err error, kind ledger.Kind) error {
	e, is := errors.AsType[*client.Error](err)
	if !is || e.LedgerCode != ledger.CodeInvalidField || fieldHints[kind] == "" {
		return err
	}
	err = fromClient(err)
	if f, ok := errors.AsType[*failure](err); ok {
		f.hint = fieldHints[kind]
	}
	return err
}

// signing finds the keys of the sender and of --also-sign, and asks about them.
func (f *sendFlags) signing(from keyFile) (keys []keyFile, question string, err error) {
	keys = []keyFile{from}
	for _, name := range f.also {
		k, err := f.keys.find(name)
		if err != nil {
			return nil, "", err
		}
		keys = append(keys, k)
	}
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.Address.String()
	}
	return keys, "Sign as " + strings.Join(names, " and ") + ", and send?", nil
}

// signers decrypts keys.
func (f *sendFlags) signers(c *cobra.Command, keys []keyFile) (signers []client.Signer, err error) {
	for _, k := range keys {
		s, err := f.keys.signer(c, k.File)
		if err != nil {
			return nil, err
		}
		signers = append(signers, s)
	}
	return signers, nil
}

// submit sends signed bytes, waits for the receipt and shows it.
func submit(ctx context.Context, c *cobra.Command, node *client.Client, raw []byte) error {
	receipt, err := node.SubmitAndWait(ctx, raw)
	if err != nil {
		return err
	}
	return showReceipt(c, knowing(ctx, node), receipt)
}

// showReceipt prints a receipt. One of a refusal is also a failure.
func showReceipt(c *cobra.Command, s speech, r *wire.Receipt) error {
	if err := show(c, r, s.receipt(r)); err != nil || r.Code == uint32(ledger.Applied) {
		return err
	}
	info := ledger.Code(r.Code).Info()
	return &failure{code: exitRefused, name: info.Name, err: errors.New("refused: " + info.Meaning), hint: "its nonce is spent: sign again with another"}
}

// receipt says what became of a transaction.
func (s speech) receipt(r *wire.Receipt) string {
	var t strings.Builder
	fmt.Fprintf(&t, "%s  %s\nhash     %s\nblock    %d, place %d, %s\nsender   %s, nonce %d\n",
		r.Status, r.Kind, r.Hash, r.Height, r.Index, utc(r.BlockTime), r.Sender, r.Nonce)
	if r.Message != "" {
		fmt.Fprintf(&t, "reason   %s\n", r.Message)
	}
	for i := range r.Events {
		t.WriteString("event    " + s.event(&r.Events[i].Event) + "\n")
	}
	return t.String()
}
