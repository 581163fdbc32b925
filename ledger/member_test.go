package ledger_test

import (
	"strings"
	"testing"

	"github.com/tallystick/tallystick/ledger"
)

func TestNodeIDText(t *testing.T) {
	good := strings.Repeat("0f", 20)
	var id ledger.NodeID
	if err := id.UnmarshalText([]byte(good)); err != nil || id.String() != good {
		t.Errorf("%s is %s, %v", good, id, err)
	}
	for _, text := range []string{"", good[2:], good[1:], good + "0", good + "0f", good + good, strings.ToUpper(good), "0x" + good, strings.Repeat("0g", 20)} {
		if err := id.UnmarshalText([]byte(text)); err == nil || !strings.Contains(err.Error(), "40 hex digits") {
			t.Errorf("%q: %v", text, err)
		}
		if id.String() != good {
			t.Errorf("%q changed the ID to %s", text, id)
		}
	}
}
