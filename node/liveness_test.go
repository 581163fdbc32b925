package node

import (
	"testing"

	"github.com/cometbft/cometbft/types"
)

// slowStore is a store whose turns nobody should wait for.
type slowStore struct{ t *testing.T }

func (s slowStore) LoadValidators(int64) (*types.ValidatorSet, error) {
	s.t.Error("the proposers' turns were taken again")
	return nil, nil
}

func (slowStore) LoadValidatorsFast(int64) (*types.ValidatorSet, error) {
	return types.NewValidatorSet(nil), nil
}

// TestValidatorsAreReadFast: a call from anybody does not make CometBFT take up
// to 100,000 turns of proposers; its own store can do without.
func TestValidatorsAreReadFast(t *testing.T) {
	if set, err := loadValidators(slowStore{t}, 1); err != nil || set == nil {
		t.Error(set, err)
	}
	net := newTestnet(t, 1)
	net.startAll()
	if _, ok := net.nodes[0].env.StateStore.(interface {
		LoadValidatorsFast(int64) (*types.ValidatorSet, error)
	}); !ok {
		t.Error("CometBFT's store has no fast way any more")
	}
}
