//go:build !unix

package bench

import "time"

// processTime is 0: this system does not tell.
func processTime() time.Duration { return 0 }
