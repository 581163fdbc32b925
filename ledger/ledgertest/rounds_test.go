package ledgertest

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// maxRounds bounds how often checkUntilSeen plays anew. What a short round misses two
// times in five, all of them miss once in a hundred million runs.
const maxRounds = 20

// checkUntilSeen is rapid.Check for a play that counts in seen what it came to,
// and that proves little where it never came to some of wanted. What a round of
// draws comes to is chance, so it plays further rounds until nothing is missing; under
// -short it plays one, and wants nothing.
func checkUntilSeen[K comparable](t *testing.T, seen map[K]int, wanted []K, play func(*rapid.T)) {
	t.Helper()
	var missing []K
	for range maxRounds {
		rapid.Check(t, play)
		if t.Failed() || testing.Short() {
			return
		}
		missing = slices.DeleteFunc(slices.Clone(wanted), func(k K) bool { return seen[k] > 0 })
		if len(missing) == 0 {
			return
		}
		t.Logf("another round: the play has not come to %v yet", missing)
	}
	t.Errorf("the play never came to %v: %v", missing, seen)
}
