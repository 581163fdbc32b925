package ledger

import "testing"

// A reference is what attributes call so, and of no type anything else.
func TestSenderReference(t *testing.T) {
	with := 0
	for _, kind := range EventTypes() {
		e := Event{Type: kind, Reference: "INV-1"}
		want := ""
		for _, a := range e.Attributes() {
			if a.Key == "reference" {
				want = "INV-1"
				with++
			}
		}
		if got := e.SenderReference(); got != want {
			t.Errorf("%s: %q, want %q", kind.Name(), got, want)
		}
	}
	if with < 11 || with == len(EventTypes()) {
		t.Errorf("%d types have a reference", with)
	}
	if e := (Event{Type: EventResolution, Reference: "text"}); e.SenderReference() != "" {
		t.Error("a resolution's text is taken for a reference")
	}
}
