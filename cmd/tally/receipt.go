package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/client/proof"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/rpc/wire"
)

func newReceipt() *cobra.Command {
	return group("receipt", "Prove what became of a transaction, and check such a proof", newReceiptProof(), newReceiptVerify())
}

func newReceiptProof() *cobra.Command {
	c := &cobra.Command{
		Use:   "proof HASH",
		Short: "Write a transaction's receipt with its proof to a file",
		Long: "Write what became of a transaction to a file, with all that somebody needs who wants to check it and\n" +
			"trusts no node: `tally receipt verify` does that. It is the file that the explorer's page of the\n" +
			"transaction offers. The header of the next block commits to the outcome, so this waits for that block.",
		Example: "  tally receipt proof 0x5f3c… --out receipt.json\n  tally receipt proof 0x5f3c… | tally receipt verify - --genesis genesis.json",
		Args:    exactly("HASH"),
	}
	f := nodeFlags{}
	f.add(c)
	out := c.Flags().String("out", "-", "the `file` to write, which must not be there; - for standard output")
	c.RunE = run(func(c *cobra.Command, arguments []string) error {
		hash, err := crypto.ParseHash(arguments[0])
		if err != nil {
			return fails(exitUsage, err, "a transaction's hash is 0x and 64 hex digits")
		}
		return f.with(c.Context(), func(ctx context.Context, node *client.Client) error {
			p, err := awaitProof(ctx, node, hash)
			if err != nil {
				return err
			}
			return writeProof(c, *out, p)
		})
	})
	return c
}

// proofEvery is how often a proof is asked for that the next block makes possible.
const proofEvery = 250 * time.Millisecond

// awaitProof asks until the next block is there.
func awaitProof(ctx context.Context, node *client.Client, hash crypto.Hash) (*wire.ReceiptProof, error) {
	for {
		p, err := node.ReceiptProof(ctx, hash)
		if err == nil && p == nil {
			return nil, fails(exitNotFound, fmt.Errorf("no committed transaction has the hash %s", hash), "`tally tx get` says whether it is pending")
		}
		var early *client.Error
		if !errors.As(err, &early) || early.Name != "notYetProvable" {
			return p, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(proofEvery):
		}
	}
}

func writeProof(c *cobra.Command, name string, p *wire.ReceiptProof) error {
	data, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	data = append(data, '\n')
	if name == "-" {
		_, err := c.OutOrStdout().Write(data)
		return err
	}
	if err := writeNew(name, data); err != nil {
		return fails(exitConfig, err, "choose another --out, or remove that file")
	}
	return show(c, map[string]string{"file": name}, fmt.Sprintf("%s is written. Whoever has the network's genesis document can check it:\n\n"+
		"  tally receipt verify %s --genesis genesis.json\n", name, name))
}

// verifyFlags say what is known of the network from elsewhere.
type verifyFlags struct{ genesis, validators string }

func newReceiptVerify() *cobra.Command {
	c := &cobra.Command{
		Use:   "verify FILE",
		Short: "Check a receipt proof, and say what it shows and by whose signatures",
		Long: "Check the receipt proof in FILE, with no node: that the transaction is in its block, that its outcome is\n" +
			"what the next block commits to, and that more than two thirds of the power of that block's validators\n" +
			"signed it. Then say what is proved, and who signed.\n\n" +
			"That these are the network's validators has to be known from elsewhere. --genesis takes the network's\n" +
			"genesis document: more than a third of its founders' power must have signed, and if the set is another\n" +
			"one by now, that is said. --validators takes the hash of the set, as a person or node whom you trust\n" +
			"names it. With neither, the proof is checked against itself alone.",
		Example: "  tally receipt verify receipt.json --genesis genesis.json\n" +
			"  tally receipt verify receipt.json --validators 0x8e9b… --json",
		Args: exactly("FILE"),
	}
	f := verifyFlags{}
	c.Flags().StringVar(&f.genesis, "genesis", "", "the network's genesis document, a `file`")
	c.Flags().StringVar(&f.validators, "validators", "", "the `hash` of the validators of the block after the transaction's (its header's validatorsHash)")
	c.RunE = run(func(c *cobra.Command, arguments []string) error {
		trust, err := f.trust()
		if err != nil {
			return err
		}
		data, err := readAtMost(c, arguments[0], proof.MaxBytes, "a receipt proof")
		if err != nil {
			return err
		}
		p, err := proof.Read(data)
		if err != nil {
			return fails(exitConfig, fmt.Errorf("%s: %w", arguments[0], err), "")
		}
		proven, err := proof.Verify(p, trust)
		if errors.Is(err, proof.ErrNotTrusted) {
			return fails(exitFailed, fmt.Errorf("%s: %w", arguments[0], err), "the signatures hold, but are those of others: compare the network, or, if all its founders have been replaced, ask whom you trust for the hash of the validators")
		}
		if err != nil {
			return fails(exitFailed, fmt.Errorf("%s proves nothing: %w", arguments[0], err), "do not rely on it; ask for it again, from somebody else")
		}
		return show(c, provenJSON(proven, &trust), provenText(proven, &trust))
	})
	return c
}

// trust reads what is known.
func (f *verifyFlags) trust() (t proof.Trust, err error) {
	if f.genesis != "" {
		document, err := os.ReadFile(f.genesis)
		if err != nil {
			return t, fails(exitConfig, err, "")
		}
		if t, err = proof.Genesis(document); err != nil {
			return t, fails(exitConfig, fmt.Errorf("%s: %w", f.genesis, err), "")
		}
	}
	if f.validators != "" {
		if t.ValidatorsHash, err = crypto.ParseHash(f.validators); err == nil && t.ValidatorsHash == (crypto.Hash{}) {
			err = errors.New("zero is the hash of no set")
		}
		if err != nil {
			return t, fails(exitUsage, fmt.Errorf("--validators: %w", err), "give 0x and 64 hex digits: validatorsHash in the header of the block")
		}
	}
	return t, nil
}
