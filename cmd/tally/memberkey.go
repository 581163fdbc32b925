package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/node"
	"github.com/tallystick/tallystick/rpc/wire"
)

func newMemberRotateKey() *cobra.Command {
	c := &cobra.Command{
		Use:   "rotate-key",
		Short: "Give your member's validator another consensus key",
		Long: "Give the validator of the sender's member another consensus key, which nobody ever had. It votes with\n" +
			"the new key from the second block after the transaction's on, and with the old one until then:\n\n" +
			"  1. Make the key:      tally init --home NEXT\n" +
			"  2. Announce it:       tally member rotate-key --key-file NEXT/keys/priv_validator_key.json\n" +
			"  3. Wait until `tally member validators` lists its address, a moment.\n" +
			"  4. Stop the node, put the new file in the place of its keys/priv_validator_key.json, leave its\n" +
			"     data/priv_validator_state.json as it is, and start it.\n\n" +
			"Never put the new file in place before step 3: the network would wait for votes that nobody gives.",
		Example: "  tally member rotate-key --key-file next/keys/priv_validator_key.json\n" +
			"  tally member rotate-key --key 0x8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c",
		Args: exactly(),
	}
	f := sendFlags{}
	f.add(c)
	text := c.Flags().String("key", "", "the new Ed25519 public `key`: 0x and 64 hex digits, as `tally init` shows it, or its base64")
	file := c.Flags().String("key-file", "", "the `file` of the new key, in place of --key: only its public half is sent")
	c.MarkFlagsMutuallyExclusive("key", "key-file")
	c.MarkFlagsOneRequired("key", "key-file")
	c.RunE = run(func(c *cobra.Command, _ []string) error {
		key, err := newConsensusKey(*text, *file)
		if err != nil {
			return err
		}
		again := ""
		err = f.send(c, func(ctx context.Context, n *client.Client, sender crypto.Address) (ledger.Operation, error) {
			again = rotatesAgain(ctx, n, sender)
			return &ledger.RotateValidatorKey{ConsensusKey: key}, nil
		})
		if err != nil {
			return hintTooSoon(err, again)
		}
		if f.out == "" && !asJSON(c) {
			address := key.Address()
			fmt.Fprintf(c.OutOrStdout(), "\nNext: when `tally member validators` lists 0x%x, stop the node, put\n"+
				"the new key in its place, and start the node. `tally member rotate-key --help` has every step.\n", address[:])
		}
		return nil
	})
	return c
}

// newConsensusKey is the public key of --key, or in the file of --key-file.
func newConsensusKey(text, file string) (key ledger.ConsensusKey, err error) {
	if file != "" {
		key, err = node.ReadConsensusKey(file)
		return key, fails(exitConfig, err, "give keys/priv_validator_key.json of the directory that `tally init` made for the new key")
	}
	if raw, err := base64.StdEncoding.DecodeString(text); err == nil && len(raw) == len(key) {
		return ledger.ConsensusKey(raw), nil
	}
	if err := key.UnmarshalText([]byte(text)); err != nil {
		return key, fails(exitUsage, fmt.Errorf("--key: %w", err), "or give --key-file")
	}
	return key, nil
}

// rotatesAgain says when a member may change its consensus key again, or nothing
// where it may now or that is not known.
func rotatesAgain(ctx context.Context, n *client.Client, member crypto.Address) string {
	m, err := n.Member(ctx, member)
	if err != nil || m.RotatedAt == 0 {
		return ""
	}
	p, err := n.Params(ctx)
	if err != nil {
		return ""
	}
	return cooledDown(m, p)
}

func cooledDown(m *wire.Member, p *wire.Params) string {
	for _, one := range p.Parameters {
		if one.Name == "keyRotationCooldown" {
			return fmt.Sprintf("it did so at %s, and may again from %s on (keyRotationCooldown is %d seconds)",
				utc(m.RotatedAt), utc(m.RotatedAt+one.Value), one.Value)
		}
	}
	return ""
}

// hintTooSoon adds to a refusal for the cooldown when it ends.
func hintTooSoon(err error, again string) error {
	var f *failure
	if again != "" && errors.As(fromClient(err), &f) && f.name == ledger.CodeKeyCooldown.String() {
		f.hint = again
		return f
	}
	return err
}
