package node

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// demoTest is a devnet with the demo's load, as who opens the explorer sees it.
type demoTest struct {
	t        *testing.T
	explorer string
	stop     func() error
}

func startDemo(t *testing.T, dir string) *demoTest {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	o := DevnetOptions{Dir: dir, Validators: 4, Demo: true, Configure: quick, Log: testLog(), demoPause: 20 * time.Millisecond}
	o.BasePort = freePorts(t, o)
	ready, ended := make(chan Devnet, 1), make(chan error, 1)
	o.Ready = func(d Devnet) { ready <- d }
	go func() { ended <- RunDevnet(ctx, o) }()
	stop := func() error { cancel(); return <-ended }
	select {
	case d := <-ready:
		return &demoTest{t, d.Explorer, stop}
	case err := <-ended:
		cancel()
		t.Fatal(err)
	case <-time.After(patience):
		cancel()
		t.Fatal("the devnet is not ready")
	}
	return nil
}

func (d *demoTest) get(path string, into any) error {
	res, err := http.Get(d.explorer + "/api/v1/" + path)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("HTTP %d: %s", res.StatusCode, body)
	}
	return json.Unmarshal(body, into)
}

// until waits until a list has at least so many items, and returns them.
func (d *demoTest) until(path string, least int) (items []map[string]any) {
	d.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		var list struct{ Items []map[string]any }
		err := d.get(path, &list)
		if err == nil && len(list.Items) >= least {
			return list.Items
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("%s has %d items, want %d (%v)", path, len(list.Items), least, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// The demo makes what there is to see: payments of several accounts in both assets,
// holds that are paid, given back and left open, proposals that every member votes
// on, accounts that members answer for, one of which a board acts for, and something
// that is refused. It ends with the devnet, and goes on with it.
func TestDevnetDemo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "devnet")
	d := startDemo(t, dir)
	senders, assets := map[any]bool{}, map[any]bool{}
	for _, m := range d.until("movements?limit=100&type=transfer", 60) {
		senders[fmt.Sprint(m["from"])] = true
		assets[fmt.Sprint(m["asset"])] = true
	}
	if len(senders) < 5 || len(assets) != 2 {
		t.Errorf("%d accounts pay, in %d assets", len(senders), len(assets))
	}
	for _, status := range []string{"captured", "released", "open"} {
		d.until("holds?status="+status, 1)
	}
	d.until("transactions?status=refused&kind=captureHold", 1)
	d.until("proposals?status=executed", 1)
	votes := d.until("transactions?kind=castVote", 2)
	if yes := slices.ContainsFunc(votes, func(v map[string]any) bool { return v["status"] == "applied" }); !yes {
		t.Errorf("no vote was applied: %v", votes)
	}
	answered := 0
	for _, a := range d.until("accounts?limit=100", 18) {
		if a["member"] != nil && a["member"] != a["address"] {
			answered++
		}
	}
	if answered != 4 {
		t.Errorf("members answer for %d accounts", answered)
	}
	board := d.until("transactions?kind=setKeys&status=applied", 1)[0]["sender"]
	d.until(fmt.Sprintf("transactions?kind=transfer&status=applied&account=%s", board), 1)
	var before, after struct{ Height uint64 }
	if err := d.get("status", &before); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := d.stop(); err != nil || time.Since(began) > stopWithin {
		t.Fatalf("it ended after %s: %v", time.Since(began), err)
	}
	d = startDemo(t, dir)
	if err := d.get("status", &after); err != nil || after.Height < before.Height {
		t.Errorf("it went on at block %d, and was at %d (%v)", after.Height, before.Height, err)
	}
	newest := func() any { return d.until("transactions?kind=transfer&limit=1", 1)[0]["hash"] }
	first := newest()
	for deadline := time.Now().Add(patience); newest() == first; {
		if time.Now().After(deadline) {
			t.Fatal("no payment came after the restart")
		}
	}
	if again := d.until("transactions?kind=setKeys", 1); len(again) != 1 {
		t.Errorf("the board was seated %d times", len(again))
	}
	if err := d.stop(); err != nil {
		t.Fatal(err)
	}
}
