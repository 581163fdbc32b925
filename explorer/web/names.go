package web

import (
	"context"
	"sync"
	"time"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer/query"
	"github.com/tallystick/tallystick/explorer/words"
)

const (
	// maxNames bounds how many assets are remembered.
	maxNames = 4096
	// namesLast is how long members are remembered: new ones are rare.
	namesLast = 5 * time.Second
	// askWithin bounds a question of this package's own.
	askWithin = 2 * time.Second
)

// names tells what addresses are called. An asset's symbol and decimals never
// change, so those that are known stay known.
type names struct {
	q query.Queries

	mu      sync.Mutex // guards what follows
	assets  map[crypto.Address]words.AssetName
	members map[crypto.Address]string
	asked   time.Time
}

func newNames(q query.Queries) *names {
	return &names{q: q, assets: map[crypto.Address]words.AssetName{}, members: map[crypto.Address]string{}}
}

// Asset implements words.Names.
func (n *names) Asset(a crypto.Address) (words.AssetName, bool) {
	n.mu.Lock()
	name, ok := n.assets[a]
	n.mu.Unlock()
	if ok {
		return name, true
	}
	ctx, cancel := context.WithTimeout(context.Background(), askWithin)
	defer cancel()
	asset, err := n.q.Asset(ctx, a)
	if err != nil {
		return words.AssetName{}, false // an amount in smallest units will do
	}
	name = words.AssetName{Symbol: asset.Symbol, Decimals: asset.Decimals}
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.assets) >= maxNames {
		clear(n.assets)
	}
	n.assets[a] = name
	return name, true
}

// Account implements words.Names. Where members are asked for again, who comes
// meanwhile takes those that are known: a slow database does not hold up every page.
func (n *names) Account(a crypto.Address) string {
	if n.due() {
		ctx, cancel := context.WithTimeout(context.Background(), askWithin)
		defer cancel()
		if list, err := n.q.Members(ctx); err == nil {
			n.know(list)
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.members[a]
}

// due reports to one caller that members are to be asked for; where nothing comes they
// are not asked for at once again.
func (n *names) due() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	if now.Sub(n.asked) <= namesLast {
		return false
	}
	n.asked = now
	return true
}

func (n *names) know(list []query.Member) {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.members)
	for _, m := range list {
		n.members[m.Member] = m.Name
	}
}
