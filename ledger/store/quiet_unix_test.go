//go:build unix

package store

import (
	"syscall"
	"testing"
	"time"
)

// quiet waits until the process does nothing: the database has compacted what
// was written.
func quiet(tb testing.TB) {
	const look, idle = 10 * time.Millisecond, time.Millisecond
	for {
		before := processTime(tb)
		time.Sleep(look)
		if processTime(tb)-before < idle {
			return
		}
	}
}

// processTime is the processor time that the process has used.
func processTime(tb testing.TB) time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
