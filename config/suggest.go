package config

// Nearest returns the one of known that takes the fewest edits (a character
// added, removed or replaced, or two neighbours swapped) to become unknown, the
// first of equals. It returns "" if none is within 1 and half of unknown's length.
// Its cost is the product of the lengths, for each of known.
func Nearest(unknown string, known []string) string {
	const longest = 200 // a longer one is no slip of the keyboard
	if len(unknown) > longest {
		return ""
	}
	best, bestEdits := "", len(unknown)/2+2
	for _, candidate := range known {
		if n := edits(unknown, candidate); n < bestEdits {
			best, bestEdits = candidate, n
		}
	}
	return best
}

// edits is the optimal string alignment distance of a and b in bytes.
func edits(a, b string) int {
	var before []int // the row of a[:i-1]
	above := make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			replace := above[j]
			if a[i] != b[j] {
				replace++
			}
			row[j+1] = min(replace, row[j]+1, above[j+1]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, above = above, row
	}
	return above[len(b)]
}
