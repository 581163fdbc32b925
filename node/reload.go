package node

import (
	"context"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"sync"

	"github.com/tallystick/tallystick/config"
	"github.com/tallystick/tallystick/rpc"
	"github.com/tallystick/tallystick/rpc/apikey"
)

// Reload says when a node is to read its configuration again, and how.
type Reload struct {
	// When has a value each time that it is to; such as SIGHUP.
	When <-chan os.Signal
	// Read reads the configuration.
	Read func() (config.Config, error)
	// Level is that of the log; nil if it cannot change.
	Level *slog.LevelVar
}

// reloading is what of a node's configuration can change while it runs.
type reloading struct {
	mu     sync.Mutex    // one at a time; guards the rest
	now    config.Config // in force, but for what needs a restart
	access rpc.Access    // in force
	failed bool          // the last one
}

// trustedProxies are those in force.
func (r *reloading) trustedProxies() []netip.Prefix {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.access.TrustedProxies
}

// reloadOn reads the configuration again whenever it is asked for, until ctx ends.
func (n *Node) reloadOn(ctx context.Context, when Reload) {
	if when.Read == nil {
		return
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-when.When:
			c, err := when.Read()
			if err == nil {
				err = n.Reload(c)
			}
			n.reload.mu.Lock()
			n.reload.failed = err != nil
			n.reload.mu.Unlock()
			if err != nil {
				n.log.Error("the configuration was not taken, and all stays as it was: correct it and send SIGHUP again", "err", err)
			}
		}
	}
}

// Reload takes what a running node can take of a configuration, its file of keys
// and its certificate, which are read anew: whole, or, where there is an error,
// not at all. The log says what has changed and what needs a restart.
func (n *Node) Reload(c config.Config) error {
	n.reload.mu.Lock()
	defer n.reload.mu.Unlock()
	if err := c.Validate(); err != nil {
		return err
	}
	access, err := readAccess(c.RPC, n.home, n.log)
	if err != nil {
		return err
	}
	pair, err := readCertificate(c.RPC, n.home, n.log)
	if err != nil {
		return err
	}
	// Nothing below can fail.
	serves := n.certificate.current.Load()
	if pair != nil && serves != nil {
		n.certificate.current.Store(pair)
	}
	if level := n.options.Reload.Level; level != nil {
		level.Set(levelOf(c.Log))
	}
	n.rpc.SetAccess(access)
	warnOfAccess(c, n.log)
	n.sayReload(c, access, (pair != nil) != (serves != nil))
	n.reload.now, n.reload.access = c, access
	return nil
}

// sayReload logs what is different.
func (n *Node) sayReload(c config.Config, access rpc.Access, tlsNeedsRestart bool) {
	var restart []string
	for _, change := range config.Changes(n.config, c) {
		if !change.Live || change.Key == "log.level" && n.options.Reload.Level == nil {
			restart = append(restart, change.Key)
		}
	}
	if tlsNeedsRestart {
		restart = append(restart, "rpc.tls_cert")
	}
	for _, change := range config.Changes(n.reload.now, c) {
		if change.Live && !slices.Contains(restart, change.Key) {
			n.log.Info("setting changed", "key", change.Key, "was", change.Was, "is", change.Is)
		}
	}
	added, removed, changed := compareKeys(n.reload.access.Keys, access.Keys)
	n.log.Info("configuration read again", "apiKeysAsked", access.KeysRequired, "apiKeys", len(access.Keys),
		"added", added, "removed", removed, "changed", changed)
	if len(restart) > 0 {
		n.log.Warn("these settings are not taken before a restart", "keys", restart)
	}
}

// mostNamed bounds the names in one line of the log.
const mostNamed = 20

// compareKeys lists the names of the keys that differ.
func compareKeys(before, after []apikey.Key) (added, removed, changed []string) {
	was := map[apikey.Hash]apikey.Key{}
	for _, k := range before {
		was[k.Hash] = k
	}
	for _, k := range after {
		old, known := was[k.Hash]
		switch {
		case !known:
			added = append(added, k.Name)
		case old != k:
			changed = append(changed, k.Name)
		}
		delete(was, k.Hash)
	}
	for _, k := range before {
		if _, gone := was[k.Hash]; gone {
			removed = append(removed, k.Name)
		}
	}
	return some(added), some(removed), some(changed)
}

func some(names []string) []string {
	if len(names) <= mostNamed {
		return names
	}
	return append(slices.Clone(names[:mostNamed]), "…")
}

// reloadFailed reports whether the last reload was refused.
func (n *Node) reloadFailed() bool {
	n.reload.mu.Lock()
	defer n.reload.mu.Unlock()
	return n.reload.failed
}
