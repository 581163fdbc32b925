package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/ledger"
)

func newTxJoin() *cobra.Command {
	c := &cobra.Command{
		Use:   "join FILE OTHER...",
		Short: "Bring the signatures of several copies into one file",
		Long: "Add to FILE the signatures that OTHER files have. All must hold the very same transaction: so\n" +
			"several signers can sign copies of one file at the same time.",
		Example: "  tally tx join deal.json deal-alice.json deal-bob.json",
		Args: func(_ *cobra.Command, given []string) error {
			if len(given) < 2 {
				return errors.New("give FILE and at least one OTHER")
			}
			return nil
		},
	}
	c.RunE = run(func(c *cobra.Command, arguments []string) error {
		t, network, err := readTx(c, arguments[0])
		if err != nil {
			return err
		}
		for _, name := range arguments[1:] {
			other, itsNetwork, err := readTx(c, name)
			if err != nil {
				return err
			}
			if itsNetwork.BodyHash(&other.Tx) != network.BodyHash(&t.Tx) {
				return fails(exitFailed, fmt.Errorf("%s holds another transaction than %s", name, arguments[0]),
					"nothing was written; compare both with `tally tx show`")
			}
			t.take(other)
		}
		if len(t.Signatures) > ledger.MaxSignatures {
			return fails(exitFailed, fmt.Errorf("%d signatures together: at most %d", len(t.Signatures), ledger.MaxSignatures), "nothing was written")
		}
		if err := t.write(c, arguments[0]); err != nil || arguments[0] == "-" {
			return err
		}
		return show(c, map[string]any{"file": arguments[0], "signatures": len(t.Signatures)},
			fmt.Sprintf("%s has %d signatures\n", arguments[0], len(t.Signatures)))
	})
	return c
}

// take adds the signatures of signers who have not signed here.
func (t *txFile) take(other *txFile) {
	for _, s := range other.Signatures {
		if !t.has(*s.Signer) {
			t.Signatures = append(t.Signatures, s)
		}
	}
}
