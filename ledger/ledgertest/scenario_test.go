package ledgertest

import (
	"flag"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the outputs of the stories in testdata")

func TestScenarios(t *testing.T) { RunScenarios(t, "testdata", *update) }
