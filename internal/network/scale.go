package network

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

// Rounds says how often a test repeats something: usual, or in a campaign the
// percentage of full that CAMPAIGN_PERCENT says, but at least usual. With
// -short it is at most short.
func Rounds(t testing.TB, short, usual, full int) int {
	t.Helper()
	if testing.Short() {
		return short
	}
	if !InCampaign() {
		return usual
	}
	text := os.Getenv("CAMPAIGN_PERCENT")
	percent, err := strconv.Atoi(text)
	if err != nil || percent < 1 || percent > 1000 {
		t.Fatalf("CAMPAIGN_PERCENT is %q: want a whole number from 1 to 1000", text)
	}
	return max(usual, full*percent/100)
}

// InCampaign reports whether this is a campaign.
func InCampaign() bool { return os.Getenv("CAMPAIGN_PERCENT") != "" }

// Random returns a source of random numbers, and logs the seed that
// CAMPAIGN_SEED has to be set to for the same ones. What processes do with
// each other is never the same twice, so a seed repeats the choices of a test
// and not its whole course.
func Random(t testing.TB) *rand.Rand {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("CAMPAIGN_SEED"); text != "" {
		given, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("CAMPAIGN_SEED is %q: want a whole number", text)
		}
		seed = given
	}
	t.Logf("CAMPAIGN_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}
