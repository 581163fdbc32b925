package store

import "sync"

// gate counts who is using the database, so that Close can wait for them. Once
// it is shut nobody gets in, so a reader who is inside and asks again (a Get
// from within a Scan) is refused rather than left waiting for itself.
type gate struct {
	mu    sync.Mutex
	users int
	shut  bool
	idle  chan struct{} // closed when shut and users is 0
}

func newGate() *gate { return &gate{idle: make(chan struct{})} }

// enter lets a user in, unless the gate is shut.
func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut {
		return false
	}
	g.users++
	return true
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.users--
	if g.shut && g.users == 0 {
		close(g.idle)
	}
}

// close shuts the gate and waits until the users have left.
func (g *gate) close() {
	g.mu.Lock()
	g.shut = true
	if g.users == 0 {
		close(g.idle)
	}
	g.mu.Unlock()
	<-g.idle
}
