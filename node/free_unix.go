//go:build linux || darwin || freebsd

package node

import "golang.org/x/sys/unix"

// freeBytes is what is free for this process on the disk of a directory.
func freeBytes(dir string) (free uint64, ok bool) {
	var s unix.Statfs_t
	if unix.Statfs(dir, &s) != nil {
		return 0, false
	}
	return uint64(max(s.Bavail, 0)) * uint64(s.Bsize), true
}
