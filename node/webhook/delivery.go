package webhook

import (
	"encoding/json"
	"fmt"

	"github.com/tallystick/tallystick/rpc/wire"
)

// Delivery is the body of what is sent, as JSON.
type Delivery struct {
	// ID names what the delivery tells: from behind one cursor up to another. The
	// same ID is the same notices.
	ID        string        `json:"deliveryId"`
	Webhook   string        `json:"webhook"` // its name
	NetworkID string        `json:"networkId"`
	ChainID   uint64        `json:"chainId"`
	Cursor    wire.Cursor   `json:"cursor"`  // behind everything that fits up to here
	Notices   []wire.Notice `json:"notices"` // at least one; ascending by cursor
}

// delivery is a Delivery being made.
type delivery struct {
	after, upTo wire.Cursor
	notices     []json.RawMessage
	bytes       int
}

// fits reports whether there may be room for more.
func (d *delivery) fits() bool { return len(d.notices) < maxNotices && d.bytes < maxBytes }

// add takes a notice in; false where it does not fit any more.
func (d *delivery) add(notice []byte) bool {
	if len(d.notices) > 0 && d.bytes+len(notice) > maxBytes {
		return false
	}
	d.notices = append(d.notices, notice)
	d.bytes += len(notice)
	return true
}

func (d *delivery) id() string {
	return fmt.Sprintf("%d.%d-%d.%d", d.after.Height, d.after.Index, d.upTo.Height, d.upTo.Index)
}

// body is a Delivery to w.
func (d *delivery) body(w *sending) ([]byte, error) {
	return json.Marshal(struct {
		ID        string            `json:"deliveryId"`
		Webhook   string            `json:"webhook"`
		NetworkID string            `json:"networkId"`
		ChainID   uint64            `json:"chainId"`
		Cursor    wire.Cursor       `json:"cursor"`
		Notices   []json.RawMessage `json:"notices"`
	}{d.id(), w.Name, w.options.NetworkID, w.options.ChainID, d.upTo, d.notices})
}
