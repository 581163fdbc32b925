package explorer

import (
	"os"
	"runtime/debug"
)

// memoryLimit is how much the Go side of an explorer keeps to. The caches of SQLite
// are beside it: with them the process stays below 200 MB.
const memoryLimit = 84 << 20

// KeepMemory makes the garbage collector keep to what an explorer promises. It is for
// a process that is nothing else, and leaves the choice to GOMEMLIMIT where that is
// set.
func KeepMemory() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
}
