package web

import (
	"context"
	"testing"
	"time"

	"github.com/tallystick/tallystick/explorer/query"
	"github.com/tallystick/tallystick/explorer/worldtest"
)

// stuck is an index that does not answer for members.
type stuck struct {
	query.Queries
	asked, answer chan struct{}
}

func (s *stuck) Members(context.Context) ([]query.Member, error) {
	s.asked <- struct{}{}
	<-s.answer
	return nil, nil
}

// While one page waits for the members' names, others are made with those that are known.
func TestNamesDoNotHoldUpPages(t *testing.T) {
	world := worldtest.New(5)
	member := worldtest.Address('m', 2)
	n := newNames(world)
	name := n.Account(member)
	if name == "" {
		t.Fatal("the member has no name")
	}
	s := &stuck{world, make(chan struct{}), make(chan struct{})}
	n.q, n.asked = s, time.Time{}
	done := make(chan struct{})
	go func() { n.Account(member); close(done) }()
	<-s.asked
	other := make(chan string, 1)
	go func() { other <- n.Account(member) }()
	select {
	case got := <-other:
		if got != name {
			t.Errorf("it is called %q, not %q", got, name)
		}
	case <-time.After(5 * time.Second):
		t.Error("one page holds up another")
	}
	close(s.answer)
	<-done
}
