//go:build unix

package door

import "golang.org/x/sys/unix"

// openFiles is how many files the process may have open; 0 where that is not known.
func openFiles() int {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil {
		return 0
	}
	return int(min(limit.Cur, 1<<30))
}
