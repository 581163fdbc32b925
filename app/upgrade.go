package app

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"

	"github.com/tallystick/tallystick/ledger"
)

// OutdatedError says that the members have agreed on rules that this program
// does not know. What is committed is not touched by it.
type OutdatedError struct {
	Needs     ledger.Upgrade // the name is empty where the state does not have it any more
	Committed ledger.Height  // the last block that is committed
	Known     []uint64       // versions of the rules
	Release   string         // of this program; may be empty
	Starting  bool           // the program begins: what it does not serve yet it will not serve
}

// Error implements error. Who reads it may have been woken by it: it says what is
// wrong, what is not, and what to do.
func (e *OutdatedError) Error() string {
	var t strings.Builder
	follows := fmt.Sprintf("block %d follows", e.Needs.Height)
	if e.Needs.Height <= e.Committed {
		follows = fmt.Sprintf("the blocks stored here, up to %d, follow", e.Committed)
	}
	release := ""
	if e.Release != "" {
		release = " (release " + e.Release + ")"
	}
	fmt.Fprintf(&t, "%s protocol version %d, and this program%s knows only %s: ", follows, e.Needs.Version, release, versions(e.Known))
	fmt.Fprintf(&t, "every block up to %d is committed and nothing is lost; ", e.Committed)
	if e.Starting {
		t.WriteString("the node does not start with this program; ")
	} else {
		t.WriteString("the node goes on answering reads and giving blocks to its peers, and runs no further block; ")
	}
	install := "the release that the other validators run"
	if e.Needs.Name != "" {
		install = fmt.Sprintf("release %q, or a later one", e.Needs.Name)
	}
	fmt.Fprintf(&t, "install %s, and start it on the same directory", install)
	return t.String()
}

// versions lists versions of the rules for a person.
func versions(known []uint64) string {
	names := make([]string, len(known))
	for i, v := range known {
		names[i] = fmt.Sprint(v)
	}
	return "version " + strings.Join(names, ", ")
}

// outdated answers with an error if the block after c follows rules that are not
// known here.
func (a *Application) outdated(c *committed) error {
	if c.upgrade == nil || c.upgrade.Height != c.height+1 || a.knows(c.upgrade.Version) {
		return nil
	}
	return a.outdatedBy(*c.upgrade, c)
}

func (a *Application) outdatedBy(needs ledger.Upgrade, c *committed) *OutdatedError {
	return &OutdatedError{Needs: needs, Committed: c.height, Known: a.options.Protocols, Release: a.options.Version}
}

// warnOfUpgrade warns once of an upgrade that this program will not follow, while there
// is time to replace it.
func (a *Application) warnOfUpgrade(before, now *committed) {
	u := now.upgrade
	if u == nil || a.knows(u.Version) || before.upgrade != nil && *before.upgrade == *u {
		return
	}
	a.log.Warn("the members have agreed on rules that this program does not know: it stops before the first block that follows them; install the release before then",
		"height", u.Height, "protocol", u.Version, "release", u.Name, "known", a.options.Protocols, "committed", now.height)
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
		return starting(a.outdatedBy(ledger.Upgrade{Version: version, Height: c.height}, c))
	}
	if err := a.outdated(c); err != nil {
		return starting(err)
	}
	a.warnOfUpgrade(&committed{}, c)
	return nil
}

// starting is err as a program that does not start says it.
func starting(err error) error {
	if outdated, is := err.(*OutdatedError); is {
		outdated.Starting = true
	}
	return err
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
