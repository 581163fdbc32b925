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

func newTx() *cobra.Command {
	return group("tx", "Build, sign, send and show transactions", newTxBuild(), newTxShow(), newTxSign(), newTxJoin(), newTxSend(), newTxGet(), newTxFind(), newTxPending())
}

// buildFlags are what tx build makes a transaction from.
type buildFlags struct {
	node      nodeFlags
	body      string
	sender    string
	legs      []string
	memo      string
	nonce     uint64
	validFor  time.Duration
	networkID string
	chainID   uint64
	out       string
}

func newTxBuild() *cobra.Command {
	c := &cobra.Command{
		Use:   "build",
		Short: "Write a transaction to a file, for its signers",
		Long: "Write an unsigned transaction to a file, which goes from signer to signer (`tally tx sign`) and is\n" +
			"then sent (`tally tx send`). It is made from legs FROM:TO:ASSET:AMOUNT or FROM:TO:ASSET:AMOUNT:REFERENCE,\n" +
			"which are applied together or not at all; or with --body from the JSON form of a transaction. With\n" +
			"--body, --network-id and --chain-id no node is needed.",
		Example: "  tally tx build --leg 0xf39F…:0x7099…:EUR:100:invoice-7 --leg 0x7099…:0xf39F…:GOLD:1.5 --out swap.json\n" +
			"  tally tx build --body body.json --network-id my-network --chain-id 7077 --out tx.json",
		Args: exactly(),
	}
	f := buildFlags{}
	f.node.add(c)
	c.Flags().StringVar(&f.body, "body", "", "the `file` with the transaction in JSON, - for standard input")
	c.Flags().StringVar(&f.sender, "sender", "", "the `address` whose nonce it takes; left out, that of the first leg")
	c.Flags().StringArrayVar(&f.legs, "leg", nil, "a movement `FROM:TO:ASSET:AMOUNT[:REFERENCE]`; may be repeated")
	c.Flags().StringVar(&f.memo, "memo", "", "up to 256 bytes of text, visible to everybody")
	c.Flags().Uint64Var(&f.nonce, "nonce", 0, "the nonce; left out, the sender's next")
	c.Flags().DurationVar(&f.validFor, "valid-for", 24*time.Hour, "how long it may be included; 0 is for ever")
	c.Flags().StringVar(&f.networkID, "network-id", "", "the network's ID, to build without a node")
	c.Flags().Uint64Var(&f.chainID, "chain-id", 0, "the network's chain ID, to build without a node")
	c.Flags().StringVar(&f.out, "out", "-", "the `file` to write, - for standard output")
	c.RunE = run(func(c *cobra.Command, _ []string) error { return f.build(c) })
	return c
}

// build makes and writes the transaction.
func (f *buildFlags) build(c *cobra.Command) error {
	switch {
	case (f.body == "") == (len(f.legs) == 0):
		return fails(exitUsage, errors.New("give either --body or one or more --leg"), "run `tally tx build --help`")
	case (f.networkID == "") != (f.chainID == 0):
		return fails(exitUsage, errors.New("--network-id and --chain-id go together"), "`tally status` shows both")
	case f.networkID != "" && f.body == "":
		return fails(exitUsage, errors.New("legs need a node, which knows the assets"), "leave --network-id out, or give --body")
	}
	if f.networkID != "" {
		network, err := ledger.NewNetwork(f.networkID, f.chainID, crypto.Address{}, 0)
		if err != nil {
			return fails(exitUsage, err, "")
		}
		return f.fromBody(c, network)
	}
	return f.node.with(c.Context(), func(ctx context.Context, node *client.Client) error {
		if f.body != "" {
			return f.fromBody(c, node.Network())
		}
		body, err := f.fromLegs(ctx, c, node)
		if err != nil {
			return err
		}
		return writeUnsigned(c, f.out, node.Network(), body)
	})
}

// fromBody writes the transaction that --body holds.
func (f *buildFlags) fromBody(c *cobra.Command, network *ledger.Network) error {
	data, err := readLimited(c, f.body)
	if err != nil {
		return err
	}
	var body ledger.Body
	if err := strictly(data, &body); err != nil {
		return fails(exitConfig, fmt.Errorf("transaction in %s: %w", f.body, err), "")
	}
	if code := checkUnsettled(network, &body); code != ledger.Applied {
		return client.Rejected(code)
	}
	return writeUnsigned(c, f.out, network, body)
}

// fromLegs makes a transfer from --leg.
func (f *buildFlags) fromLegs(ctx context.Context, c *cobra.Command, node *client.Client) (ledger.Body, error) {
	var body ledger.Body
	transfer := &ledger.Transfer{}
	for _, text := range f.legs {
		leg, err := parseLeg(ctx, node, text)
		if err != nil {
			return body, err
		}
		transfer.Legs = append(transfer.Legs, leg)
	}
	sender := transfer.Legs[0].From
	if f.sender != "" {
		var err error
		if sender, err = parseAddress(f.sender); err != nil {
			return body, err
		}
	}
	fill := sendFlags{nonce: f.nonce, validFor: f.validFor, memo: f.memo}
	return fill.body(ctx, c, node, sender, transfer)
}

// parseLeg reads FROM:TO:ASSET:AMOUNT[:REFERENCE].
func parseLeg(ctx context.Context, node *client.Client, text string) (leg ledger.Leg, err error) {
	parts := strings.SplitN(text, ":", 5)
	if len(parts) < 4 {
		return leg, fails(exitUsage, fmt.Errorf("--leg %q: want FROM:TO:ASSET:AMOUNT[:REFERENCE]", text), "")
	}
	if leg.From, err = parseAddress(parts[0]); err != nil {
		return leg, err
	}
	if leg.To, err = parseAddress(parts[1]); err != nil {
		return leg, err
	}
	m := moneyFlags{asset: parts[2], amount: parts[3]}
	asset, amount, err := m.read(ctx, node)
	if err != nil {
		return leg, err
	}
	leg.Asset, leg.Amount = asset, amount
	if len(parts) == 5 {
		leg.Reference = parts[4]
	}
	return leg, nil
}

func newTxSend() *cobra.Command {
	c := &cobra.Command{
		Use:   "send FILE",
		Short: "Send a signed transaction file, and wait for the receipt",
		Long:  "Send the transaction in FILE and wait for its receipt. Sending it again does no harm: it is committed once.",
		Example: "  tally tx send swap.json\n" +
			"  tally tx send swap.json --rpc http://node1:8545,http://node2:8545 --json",
		Args: exactly("FILE"),
	}
	f := nodeFlags{}
	f.add(c)
	c.RunE = run(func(c *cobra.Command, arguments []string) error {
		t, _, err := readTx(c, arguments[0])
		if err != nil {
			return err
		}
		return f.with(c.Context(), func(ctx context.Context, node *client.Client) error {
			if err := t.ofNetwork(arguments[0], node.Network()); err != nil {
				return err
			}
			raw, err := t.raw(node.Network())
			if err != nil {
				return err
			}
			return submit(ctx, c, node, raw)
		})
	})
	return c
}

func newTxGet() *cobra.Command {
	c := &cobra.Command{
		Use:   "get HASH",
		Short: "Show a transaction on the ledger and its receipt",
		Long: "Show a transaction and, once it is committed, its receipt; with --wait, wait for that. With\n" +
			"--json the document is {\"transaction\", \"receipt\"}, where the receipt is null while it is pending.",
		Example: "  tally tx get 0x5f3c…\n  tally tx get 0x5f3c… --wait",
		Args:    exactly("HASH"),
	}
	f := nodeFlags{}
	f.add(c)
	wait := c.Flags().Bool("wait", false, "wait until it is committed")
	c.RunE = run(func(c *cobra.Command, arguments []string) error {
		hash, err := crypto.ParseHash(arguments[0])
		if err != nil {
			return fails(exitUsage, err, "a transaction's hash is 0x and 64 hex digits")
		}
		return f.with(c.Context(), func(ctx context.Context, node *client.Client) error {
			return getTx(ctx, c, node, hash, *wait)
		})
	})
	return c
}

// getTx shows a transaction and its receipt.
func getTx(ctx context.Context, c *cobra.Command, node *client.Client, hash crypto.Hash, wait bool) error {
	var receipt *wire.Receipt
	var err error
	if wait {
		receipt, err = node.WaitReceipt(ctx, hash)
	} else {
		receipt, err = node.Receipt(ctx, hash)
	}
	if err != nil {
		return err
	}
	tx, err := node.Transaction(ctx, hash)
	if err != nil {
		return err
	}
	if tx == nil {
		return fails(exitNotFound, fmt.Errorf("transaction %s is not on the ledger, nor pending on this node", hash), "")
	}
	s, text := knowing(ctx, node), "pending\n"
	if receipt != nil {
		text = s.receipt(receipt)
	}
	if tx.Tx.Memo != "" {
		text += fmt.Sprintf("memo     %s\n", quoted(tx.Tx.Memo))
	}
	return show(c, map[string]any{"transaction": tx, "receipt": receipt}, text+s.operation(tx.Tx.Op))
}
