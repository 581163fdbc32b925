package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

func newTxShow() *cobra.Command {
	c := &cobra.Command{
		Use:   "show FILE",
		Short: "Show a transaction file: what it does and who has signed",
		Long: "Show what the transaction in FILE does and who has signed it. With --rpc a node says which assets\n" +
			"those are, and how much weight the signatures have of what each account needs.",
		Example: "  tally tx show swap.json\n  tally tx show swap.json --rpc http://127.0.0.1:8545",
		Args:    exactly("FILE"),
	}
	f := nodeFlags{}
	f.addOptional(c)
	c.RunE = run(func(c *cobra.Command, arguments []string) error {
		t, network, err := readTx(c, arguments[0])
		if err != nil {
			return err
		}
		return f.perhaps(c.Context(), func(ctx context.Context, node *client.Client) error {
			known, err := t.ask(ctx, node, arguments[0])
			if err != nil {
				return err
			}
			v := map[string]any{
				"networkId": t.NetworkID, "chainId": t.ChainID, "tx": t.Tx, "signatures": t.Signatures,
				"bodyHash": network.BodyHash(&t.Tx), "digest": network.TypedDataDigest(&t.Tx), "needed": t.Tx.Authorisers(),
			}
			if known.progress == nil {
				return show(c, v, t.text(plain, network)+t.signers())
			}
			v["progress"] = known.progress
			return show(c, v, t.text(known.speech, network)+known.progress.text(arguments[0]))
		})
	})
	return c
}

// known is what a node knows of a transaction file; without one, nothing.
type known struct {
	speech   speech
	progress *progress // nil without a node
}

// ask asks a node, which must be of the file's network. It may be nil.
func (t *txFile) ask(ctx context.Context, node *client.Client, name string) (known, error) {
	if node == nil {
		return known{speech: plain}, nil
	}
	if err := t.ofNetwork(name, node.Network()); err != nil {
		return known{}, err
	}
	p, err := t.count(ctx, node)
	return known{knowing(ctx, node), p}, err
}

// signFlags are those of tx sign.
type signFlags struct {
	node   nodeFlags
	keys   keyFlags
	from   string
	scheme uint8
	yes    bool
}

func newTxSign() *cobra.Command {
	c := &cobra.Command{
		Use:   "sign FILE",
		Short: "Add a signature to a transaction file",
		Long: "Show what the transaction in FILE does, sign it, and write the signature into the file. No node is\n" +
			"needed. With --rpc a node says which assets those are, and a signature that nobody needs is refused.",
		Example: "  tally tx sign swap.json --from 0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf\n" +
			"  tally tx sign swap.json --rpc http://127.0.0.1:8545",
		Args: exactly("FILE"),
	}
	f := signFlags{}
	f.node.addOptional(c)
	f.keys.add(c)
	c.Flags().StringVar(&f.from, "from", "", "the `key` that signs, by address or file; left out, the only one there is")
	c.Flags().Uint8Var(&f.scheme, "scheme", 0, "0 over typed data, as wallets sign; 1 over the body hash")
	c.Flags().BoolVar(&f.yes, "yes", false, "do not ask before signing")
	c.RunE = run(func(c *cobra.Command, arguments []string) error {
		t, network, err := readTx(c, arguments[0])
		if err != nil {
			return err
		}
		if f.scheme > uint8(ledger.SchemeBodyHash) {
			return fails(exitUsage, fmt.Errorf("--scheme %d: want 0 or 1", f.scheme), "")
		}
		return f.node.perhaps(c.Context(), func(ctx context.Context, node *client.Client) error {
			return f.sign(ctx, c, node, arguments[0], t, network)
		})
	})
	return c
}

// sign adds a signature to the file called name. node is nil without --rpc.
func (f *signFlags) sign(ctx context.Context, c *cobra.Command, node *client.Client, name string, t *txFile, network *ledger.Network) error {
	k, err := f.keys.find(f.from)
	if err != nil {
		return err
	}
	if t.has(k.Address) {
		return fails(exitFailed, fmt.Errorf("%s has already signed %s", k.Address, name), "")
	}
	if len(t.Signatures) >= ledger.MaxSignatures {
		return fails(exitFailed, fmt.Errorf("%s has as many signatures as a transaction may have, %d", name, ledger.MaxSignatures), "")
	}
	known, err := t.ask(ctx, node, name)
	if err != nil {
		return err
	}
	if known.progress != nil {
		if err := known.progress.check(k.Address); err != nil {
			return err
		}
	}
	shown, err := present(c, known.speech, network, t.Tx, f.yes, "Sign as "+k.Address.String()+"?")
	if err != nil {
		return err
	}
	s, err := f.keys.signer(c, k.File)
	if err != nil {
		return err
	}
	signer := s.Address()
	signature, err := shown.signature(c.Context(), ledger.Scheme(f.scheme), s)
	if err != nil {
		return err
	}
	t.Signatures = append(t.Signatures, wire.Signature{Scheme: f.scheme, Signature: signature[:], Signer: &signer})
	if err := t.write(c, name); err != nil || name == "-" {
		return err
	}
	return f.showSigned(c, node, name, t)
}

// showSigned says what was done, and how far the file has come.
func (f *signFlags) showSigned(c *cobra.Command, node *client.Client, name string, t *txFile) error {
	signer := t.Signatures[len(t.Signatures)-1].Signer
	v := map[string]any{"file": name, "signer": signer, "signatures": len(t.Signatures)}
	text := fmt.Sprintf("%s signed %s\n", signer, name)
	if node == nil {
		return show(c, v, text)
	}
	return f.node.again(c.Context(), node, func(ctx context.Context, node *client.Client) error {
		p, err := t.count(ctx, node)
		if err != nil {
			return err
		}
		v["progress"] = p
		return show(c, v, text+p.text(name))
	})
}
