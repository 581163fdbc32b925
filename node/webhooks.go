package node

import (
	"context"
	"path/filepath"

	"github.com/tallystick/tallystick/node/webhook"
)

// openWebhooks reads who is to be told what happens, and up to where each was.
func (n *Node) openWebhooks() error {
	path := n.config.Webhooks.File
	if path == "" {
		return nil
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(string(n.home), path)
	}
	hooks, err := webhook.Load(path)
	if err != nil || len(hooks) == 0 {
		return err
	}
	n.webhooks, err = webhook.New(hooks, webhook.Options{
		Dir: n.home.WebhooksDir(), NetworkID: n.Network().ID, ChainID: n.Network().ChainID,
		Feed: n.rpc.Feed(), Logger: n.log.With("module", "webhook"), Metrics: n.registry,
	})
	return err
}

// sendWebhooks tells them, until ctx ends.
func (n *Node) sendWebhooks(ctx context.Context) {
	if n.webhooks == nil {
		return
	}
	n.routine.Go(func() {
		if err := n.webhooks.Run(ctx); err != nil {
			n.fail(err)
		}
	})
}
