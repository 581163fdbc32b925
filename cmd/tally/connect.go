package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// clientCommands are the commands that talk to a node, or prepare to.
func clientCommands() []*cobra.Command {
	return []*cobra.Command{
		newStatus(), newPeers(), newKey(), newAccount(), newAsset(), newTransfer(), newHold(), newMember(), newProposal(), newTx(), newReceipt(), newBlock(), newConfig(), newAPIKey(), newBench(), newExplorer(),
	}
}

// defaultRPC is where a node on this machine listens.
const defaultRPC = "http://127.0.0.1:8545"

// nodeFlags say which nodes to talk to and for how long.
type nodeFlags struct {
	urls    []string
	timeout time.Duration
	access  accessFlags
}

func (f *nodeFlags) add(c *cobra.Command) {
	c.Flags().StringSliceVar(&f.urls, "rpc", []string{defaultRPC}, "the `URL` of a node's JSON-RPC, http or ws; several, with commas, are tried in turn")
	c.Flags().DurationVar(&f.timeout, "timeout", 30*time.Second, "how long to try")
	f.access.add(c)
}

// addOptional adds the flags to a command that can do without a node: it asks
// none unless --rpc names one.
func (f *nodeFlags) addOptional(c *cobra.Command) {
	f.add(c)
	rpc := c.Flags().Lookup("rpc")
	rpc.Usage, rpc.DefValue = "the `URL` of a node's JSON-RPC, http or ws, or several with commas; left out, no node is asked", "[]"
	f.urls = nil
}

// perhaps does the work with a connection if --rpc names a node, and otherwise
// with none.
func (f *nodeFlags) perhaps(ctx context.Context, work nodeAction) error {
	if len(f.urls) == 0 {
		return work(ctx, nil)
	}
	return f.with(ctx, work)
}

// nodeAction is a command's work with a connection.
type nodeAction func(ctx context.Context, c *client.Client) error

// with connects and does the work, within the timeout.
func (f *nodeFlags) with(ctx context.Context, work nodeAction) error {
	if f.timeout <= 0 {
		return fails(exitUsage, fmt.Errorf("--timeout %s: must be above 0", f.timeout), "")
	}
	options, err := f.access.options()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	c, err := client.DialWith(ctx, options, f.urls...)
	if err != nil {
		return err
	}
	defer c.Close()
	return work(ctx, c)
}

// again does more work with a connection, within the timeout anew: a person may
// have been asked meanwhile.
func (f *nodeFlags) again(ctx context.Context, c *client.Client, work nodeAction) error {
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	return work(ctx, c)
}

// fromClient gives an error of the client its exit code and name.
func fromClient(err error) error {
	var e *client.Error
	var f *failure
	if errors.As(err, &f) || !errors.As(err, &e) {
		return err
	}
	code := exitFailed
	switch {
	case e.Pending:
		code = exitPending
	case e.Name == client.NameAddress:
		code = exitUsage
	case e.Name == "keyMissing" || e.Name == "keyUnknown" || e.Name == "scopeMissing":
		code = exitConfig
	case e.Name == client.NameTimeout || e.Temporary():
		code = exitUnreachable
	case e.Code == wire.CodeRejected:
		code = exitRefused
	case e.Code == wire.CodeNotFound:
		code = exitNotFound
	}
	message := e.Message
	if e.Pending && e.Submitted != nil {
		message += fmt.Sprintf("; transaction %s may still be committed", e.Submitted)
	}
	hint := commandHint(e)
	if code == exitNotFound && hint == "" {
		hint = whereToLook(message)
	}
	return &failure{code: code, err: errors.New(message), hint: hint, name: e.Name}
}

// commandHints say what to do in this program's words, where the node's are
// about its methods.
var commandHints = map[string]string{
	"unknownHeight":                          "`tally status` shows the newest height",
	"keyMissing":                             "ask the node's operator for a key, and give it with --api-key-file or $TALLY_API_KEY",
	ledger.CodeMalformed.String():            "make the transaction with `tally tx build`",
	ledger.CodeWrongNetwork.String():         "`tally status` shows which network this node is of",
	ledger.CodeNonceSpent.String():           "`tally tx get` shows that one; if it is not what you meant, take another nonce (leave --nonce out) and sign again",
	ledger.CodeDuplicateNonce.String():       "wait for that one with `tally tx get --wait`, or take another --nonce",
	ledger.CodeNonceTooLow.String():          "leave --nonce out, or see the account's next one with `tally account show`",
	ledger.CodeNonceTooHigh.String():         "leave --nonce out, or see the account's next one with `tally account show`",
	ledger.CodeExpired.String():              "sign it again with a later time (--valid-for)",
	ledger.CodeUnauthorized.String():         "the sender and every account that pays must sign: see --also-sign, and `tally tx sign`; `tally tx show` with --rpc counts",
	ledger.CodeSuperfluous.String():          "`tally tx show` with --rpc says which; take it out of the file's signatures",
	ledger.CodeInsufficientBalance.String():  "`tally account show` shows what there is",
	ledger.CodeRecipientNotAdmitted.String(): "a member's registrar admits it with `tally account admit`; `tally bench` takes --registrar",
	ledger.CodeUnknownAsset.String():         "`tally asset list` shows the assets",
	ledger.CodeLifetimeTooLong.String():      "sign it again with a nearer time (--valid-for)",
	ledger.CodeLifetimeRequired.String():     "build it again with --valid-for",
	ledger.CodeNotMember.String():            "send it from a member's admin account: `tally member list` shows them",
	ledger.CodeMissingRole.String():          "`tally member show` shows the roles; members give others by `tally proposal create --set-roles`",
	ledger.CodeUnknownHold.String():          "its ID stands in the event holdCreated of the receipt: `tally tx get`",
	ledger.CodeExceedsHold.String():          "`tally hold show` shows what is left",
	ledger.CodeNotHoldParty.String():         "`tally hold show` shows its parties",
	ledger.CodeUnknownProposal.String():      "`tally proposal list` shows them",
	ledger.CodeProposalClosed.String():       "`tally proposal show` shows where it stands",
	ledger.CodeParameterRange.String():       "`tally proposal params` shows each parameter's range",
	ledger.CodeKeyUsed.String():              "make a new one: `tally member rotate-key --help`",
	ledger.CodeInvalidField.String():         "no address may be zero, who pays by a hold or clawback is not who receives, and texts have no control characters",
	ledger.CodeLimitExceeded.String():        fmt.Sprintf("a memo has at most %d bytes, a reference %d, a transaction %d legs", ledger.MaxMemoBytes, ledger.MaxReferenceBytes, ledger.MaxLegs),
}

// notThere says of things that are not on the ledger where to look for others.
var notThere = map[string]string{
	"asset":    "`tally asset list` shows the assets",
	"hold":     "it never was, or it has ended: captured, released or expired",
	"member":   "`tally member list` shows the members, by the addresses of their admin accounts",
	"proposal": "`tally proposal list` shows them",
	"account":  "it begins with what it first receives, or when a member admits it",
}

// whereToLook is the hint of what a message begins with.
func whereToLook(message string) string {
	thing, _, _ := strings.Cut(message, " ")
	return notThere[thing]
}

func commandHint(e *client.Error) string {
	if hint, ok := commandHints[e.Name]; ok {
		return hint
	}
	return e.Hint
}

// heightFlag adds --height.
func heightFlag(c *cobra.Command) *uint64 {
	return c.Flags().Uint64("height", 0, "as it was after this block; left out, as it is now")
}

// atHeight is the height that --height gives, or nil where it was left out.
func atHeight(c *cobra.Command, height uint64) *ledger.Height {
	if !c.Flags().Changed("height") {
		return nil
	}
	h := ledger.Height(height)
	return &h
}

// group makes a noun, whose verbs are beneath it.
func group(use, short string, verbs ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use: use, Short: short,
		RunE: run(func(c *cobra.Command, arguments []string) error {
			if len(arguments) == 0 {
				return c.Help()
			}
			return fails(exitUsage, fmt.Errorf("%s has no %q", c.CommandPath(), arguments[0]), "run `"+c.CommandPath()+" --help`")
		}),
	}
	c.AddCommand(verbs...)
	return c
}

// utc writes a time of the ledger for a person.
func utc(seconds uint64) string {
	return time.Unix(int64(seconds), 0).UTC().Format("2006-01-02 15:04:05 UTC")
}

// showing makes c show what a node says of the one thing that its argument names.
func showing[T any](c *cobra.Command, parse func(string) (T, error), read func(ctx context.Context, node *client.Client, which T) (v any, text string, err error)) *cobra.Command {
	f := nodeFlags{}
	f.add(c)
	c.RunE = run(func(c *cobra.Command, arguments []string) error {
		which, err := parse(arguments[0])
		if err != nil {
			return err
		}
		return f.with(c.Context(), func(ctx context.Context, node *client.Client) error {
			v, text, err := read(ctx, node, which)
			if err != nil {
				return err
			}
			return show(c, v, text)
		})
	})
	return c
}
