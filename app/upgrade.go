package app

import (
	"fmt"
	"runtime"
	"slices"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"

	"github.com/tallystick/tallystick/ledger"
)

// OutdatedError says that the members have agreed on rules that this program
// does not know, from a height on that comes next. What is committed can still
// be read and served.
type OutdatedError struct {
	Needs ledger.Upgrade
	Known []uint64 // versions of the rules
}

// Error implements error.
func (e *OutdatedError) Error() string {
	return fmt.Sprintf("from block %d on the network follows protocol version %d, which release %q knows and this program does not (it knows %v): "+
		"install that release and start it on the same directory", e.Needs.Height, e.Needs.Version, e.Needs.Name, e.Known)
}

// outdated answers with an error if the block after c follows rules that are not
// known here.
func (a *Application) outdated(c *committed) error {
	if c.upgrade == nil || c.upgrade.Height != c.height+1 || a.knows(c.upgrade.Version) {
		return nil
	}
	return &OutdatedError{*c.upgrade, a.options.Protocols}
}

func (a *Application) knows(version uint64) bool {
	return slices.Contains(a.options.Protocols, version)
}

// checkProtocol refuses a state whose rules are not known, or end with it.
func (a *Application) checkProtocol() error {
	c := a.latest.Load()
	if c.net == nil {
		return nil
	}
	version, err := ledger.ReadProtocol(c.reader)
	if err != nil {
		return err
	}
	if !a.knows(version) {
		return &OutdatedError{ledger.Upgrade{Version: version, Height: c.height, Name: "unknown"}, a.options.Protocols}
	}
	return a.outdated(c)
}

// announce tells CometBFT, one block before, which version the headers carry from
// the next block on.
func announce(response *abci.ResponseFinalizeBlock, next *ledger.Upgrade, height ledger.Height) {
	if next != nil && next.Height == height+1 {
		response.ConsensusParamUpdates = &cmtproto.ConsensusParams{Version: &cmtproto.VersionParams{App: next.Version}}
	}
}

// Outdated returns an OutdatedError if this program cannot go on from what is
// committed, or nil.
func (a *Application) Outdated() error {
	if c := a.latest.Load(); c.net != nil {
		return a.outdated(c)
	}
	return nil
}

// follow judges whether the block after what is committed may be run here. In
// consensus an error ends consensus and nothing else. A node that is catching up
// has nobody to take the error: CometBFT would panic, and the process end with it.
// So the caller waits as if the block had not come, and Release ends its
// goroutine, which has nothing locked, in place of an answer.
func (a *Application) follow() error {
	err := a.Outdated()
	if err == nil {
		return nil
	}
	a.outdatedOnce.Do(func() { a.log.Error("this program is too old for the next block", "err", err) })
	if a.options.CatchingUp != nil && a.options.CatchingUp() {
		<-a.released
		runtime.Goexit()
	}
	return err
}

// Release ends what waits in the application. The node calls it when it begins to
// stop.
func (a *Application) Release() { a.releaseOnce.Do(func() { close(a.released) }) }
