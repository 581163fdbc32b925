package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// Network is whose blocks the database has; nil where it has none. The decimals of
// the settlement asset are not in it: it names the network, and decodes nothing.
func (s *Store) Network(ctx context.Context) (*ledger.Network, error) {
	var id string
	var chain int64
	var settlement []byte
	err := s.QueryRow(ctx, "SELECT network_id, chain_id, settlement FROM progress WHERE id = 1").Scan(&id, &chain, &settlement)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the network: %w", err)
	}
	var asset crypto.Address
	copy(asset[:], settlement)
	return ledger.NewNetwork(id, uint64(chain), asset, 0)
}
