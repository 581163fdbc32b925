package node

import (
	"fmt"
	"path/filepath"
	"strconv"
	"testing"
)

// The board's firm can pay for ever: it has as much after its payments as before.
func TestDemoBoardIsPaid(t *testing.T) {
	d := startDemo(t, filepath.Join(t.TempDir(), "devnet"))
	board := d.until("transactions?kind=setKeys&status=applied", 1)[0]["sender"]
	d.until(fmt.Sprintf("movements?type=transfer&account=%s", board), 12)
	var in, out, capital int
	for _, m := range d.until(fmt.Sprintf("movements?type=transfer&limit=1000&account=%s", board), 12) {
		if m["symbol"] != "USD" {
			continue
		}
		amount, err := strconv.Atoi(fmt.Sprint(m["amount"]))
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case m["reference"] == "CAPITAL":
			capital = amount
		case m["from"] == board:
			out += amount
		default:
			in += amount
		}
	}
	if out == 0 || in < out || capital == 0 {
		t.Errorf("the firm with the capital %d was paid %d, and paid %d", capital, in, out)
	}
	if err := d.stop(); err != nil {
		t.Fatal(err)
	}
}
