package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	abcicli "github.com/cometbft/cometbft/abci/client"
	abci "github.com/cometbft/cometbft/abci/types"

	"github.com/tallystick/tallystick/ledger"
)

// askedApp is an application that remembers its queries.
type askedApp struct {
	abcicli.Client
	paths []string
}

func (a *askedApp) NewABCIClient() (abcicli.Client, error) { return a, nil }

func (a *askedApp) Query(_ context.Context, req *abci.RequestQuery) (*abci.ResponseQuery, error) {
	a.paths = append(a.paths, req.Path)
	return &abci.ResponseQuery{Value: []byte("answer")}, nil
}

// ungoverned is the state of a network without members.
func ungoverned() (map[ledger.NodeID]bool, bool, error) { return nil, false, nil }

func caughtUp() bool { return false }

// On a network with members their lists decide, and the configuration counts
// only for as long as the lists may be old.
func TestGateFollowsMembers(t *testing.T) {
	var member ledger.NodeID
	if err := member.UnmarshalText([]byte(highID)); err != nil {
		t.Fatal(err)
	}
	behind, failing := true, error(nil)
	nodes := func() (map[ledger.NodeID]bool, bool, error) {
		return map[ledger.NodeID]bool{member: true}, true, failing
	}
	gate := newPeerGate(&askedApp{}, []string{lowID + "@a:1"}, nodes, func() bool { return behind }, slog.New(slog.DiscardHandler))
	check := func(when, id string, in bool) {
		t.Helper()
		if why := gate.against(id); (why == "") != in {
			t.Errorf("%s, node %s: %q; let in should be %v", when, id, why, in)
		}
	}
	check("behind", highID, true)
	check("behind", lowID, true)
	check("behind", selfID, false)
	behind = false
	check("caught up", highID, true)
	check("caught up", lowID, false)
	check("caught up", "", false)
	if got := gate.banned([]string{highID, lowID, selfID}); len(got) != 2 || got[lowID] == "" || got[selfID] == "" {
		t.Errorf("to be disconnected: %v", got)
	}
	failing = errors.New("disk on fire")
	check("without a disk", highID, false)
	if got := gate.banned([]string{highID, lowID}); len(got) != 0 {
		t.Errorf("without a disk %v are disconnected", got)
	}
}

func TestGateLetsInConfiguredPeers(t *testing.T) {
	var log strings.Builder
	application := &askedApp{}
	gate := newPeerGate(application, []string{lowID + "@a:1", highID + "@b:2"}, ungoverned, caughtUp, slog.New(slog.NewTextHandler(&log, nil)))
	client, err := gate.NewABCIClient()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path string
		in   bool
	}{
		{filterByID + lowID, true},
		{filterByID + highID, true},
		{filterByAddress + "10.1.2.3:4567", true}, // the ID decides
		{filterByID + selfID, false},
		{filterByID + strings.ToUpper("abcdef") + lowID[6:], false},
		{filterByID, false},
		{filterByID + lowID + "/x", false},
	} {
		answer, err := client.Query(t.Context(), &abci.RequestQuery{Path: c.path})
		if err != nil || answer.IsOK() != c.in {
			t.Errorf("%s: %v, %v; let in should be %v", c.path, answer, err, c.in)
		}
	}
	if len(application.paths) != 0 {
		t.Errorf("the application was asked %q", application.paths)
	}
	if !strings.Contains(log.String(), selfID) {
		t.Error("a stranger that was turned away is not in the log")
	}
	if answer, err := client.Query(t.Context(), &abci.RequestQuery{Path: "/store/x"}); err != nil || string(answer.Value) != "answer" {
		t.Errorf("another query: %v, %v", answer, err)
	}
}

// Strangers cannot fill the log or the memory.
func TestGateTellsSeldom(t *testing.T) {
	var log strings.Builder
	gate := newPeerGate(&askedApp{}, nil, ungoverned, caughtUp, slog.New(slog.NewTextHandler(&log, nil)))
	for range 1000 {
		gate.tell(lowID, "a stranger")
	}
	if n := strings.Count(log.String(), "\n"); n != 1 {
		t.Errorf("one stranger made %d lines", n)
	}
	for i := range 10 * mostTold {
		gate.tell(fmt.Sprint(i), "a stranger")
	}
	if len(gate.told) > mostTold {
		t.Errorf("%d strangers are remembered", len(gate.told))
	}
}
