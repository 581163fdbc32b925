package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// The exit codes. They are stable: scripts depend on them.
const (
	exitOK        = 0
	exitFailed    = 1 // it was tried and failed; of start: the node had to stop
	exitUsage     = 2 // the command line is wrong
	exitConfig    = 3 // a file, setting or key that is needed is missing or wrong
	exitUnhealthy = 4 // health: the node answers and says no, or does not answer

	// Of the commands that talk to a node.
	exitUnreachable = 5 // no node answered, or none could for now
	exitNotFound    = 6 // what was asked for is not on the ledger
	exitRefused     = 7 // the ledger's rules are against the transaction: it changed nothing
	exitPending     = 8 // no answer in time: the transaction may still be committed
	exitDiffers     = 9 // bench: nodes differ from the receipts or each other, or transactions were lost
)

// exitNames are the codes' names in JSON errors.
var exitNames = map[int]string{
	exitFailed:    "failed",
	exitUsage:     "usage",
	exitConfig:    "configuration",
	exitUnhealthy: "unhealthy",

	exitUnreachable: "unreachable",
	exitNotFound:    "notFound",
	exitRefused:     "refused",
	exitPending:     "pending",
	exitDiffers:     "differs",
}

// A failure is an error that knows its exit code, and what to do next.
type failure struct {
	code int
	err  error
	hint string // may be empty
	name string // in place of the code's own name, such as that of a result code; may be empty
}

// label is the failure's name in JSON.
func (f *failure) label() string {
	if f.name != "" {
		return f.name
	}
	return exitNames[f.code]
}

func (f *failure) Error() string { return f.err.Error() }

func (f *failure) Unwrap() error { return f.err }

// fails makes a failure. A nil err is none.
func fails(code int, err error, hint string) error {
	if err == nil {
		return nil
	}
	return &failure{code: code, err: err, hint: hint}
}

// asFailure finds the failure in err; an error without one is cobra's, about
// the command line.
func asFailure(err error) *failure {
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	return &failure{code: exitUsage, err: err}
}

// print writes the failure for a person, or for a program.
func (f *failure) print(w io.Writer, asJSON bool) {
	message := strings.TrimSpace(f.err.Error())
	if !asJSON {
		line := "tally: " + message
		if f.hint != "" {
			line += "; " + f.hint
		}
		fmt.Fprintln(w, visible(line))
		return
	}
	type document struct {
		Code    int    `json:"code"`
		Name    string `json:"name"`
		Message string `json:"message"`
		Hint    string `json:"hint"`
	}
	_ = json.NewEncoder(w).Encode(map[string]document{"error": {f.code, f.label(), message, f.hint}})
}

// wantsJSON looks for --json where the command line could not be parsed.
func wantsJSON(arguments []string) bool {
	return slices.Contains(arguments, "--json") || slices.Contains(arguments, "--json=true")
}
