//go:build !unix

package store

import (
	"testing"
	"time"
)

// quiet gives the database some time to compact what was written.
func quiet(testing.TB) { time.Sleep(100 * time.Millisecond) }
