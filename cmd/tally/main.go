// Command tally runs a Tallystick node and talks to one.
//
// Commands are a noun and a verb, or one word for the node itself: tally help
// lists them. With --json a command writes exactly one JSON document on
// standard output (one a line where there is a stream), and an error as
// {"error":{code,name,message,hint}} on standard error; without it, an error is
// one line, "tally: what was wrong; what to do". The exit codes stand in exit.go.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal ends ctx, which ends the command in good order. Letting
	// go of signals then makes the second one end the process at once.
	context.AfterFunc(ctx, stop)
	code := execute(ctx, os.Args[1:], os.Stdout, os.Stderr)
	os.Exit(code)
}
