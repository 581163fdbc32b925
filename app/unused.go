package app

import (
	"context"

	abci "github.com/cometbft/cometbft/abci/types"
)

// What this application does not take part in. Vote extensions are off, and
// the embedded BaseApplication answers for them.

// ListSnapshots offers none.
func (*Application) ListSnapshots(context.Context, *abci.RequestListSnapshots) (*abci.ResponseListSnapshots, error) {
	return &abci.ResponseListSnapshots{}, nil
}

// OfferSnapshot refuses every snapshot.
func (*Application) OfferSnapshot(context.Context, *abci.RequestOfferSnapshot) (*abci.ResponseOfferSnapshot, error) {
	return &abci.ResponseOfferSnapshot{Result: abci.ResponseOfferSnapshot_ABORT}, nil
}

// LoadSnapshotChunk has none to give.
func (*Application) LoadSnapshotChunk(context.Context, *abci.RequestLoadSnapshotChunk) (*abci.ResponseLoadSnapshotChunk, error) {
	return &abci.ResponseLoadSnapshotChunk{}, nil
}

// ApplySnapshotChunk refuses every chunk.
func (*Application) ApplySnapshotChunk(context.Context, *abci.RequestApplySnapshotChunk) (*abci.ResponseApplySnapshotChunk, error) {
	return &abci.ResponseApplySnapshotChunk{Result: abci.ResponseApplySnapshotChunk_ABORT}, nil
}

// InsertTx belongs to a mempool inside the application. There is none: a
// transaction that came this way would be lost, so it is refused.
func (*Application) InsertTx(context.Context, *abci.RequestInsertTx) (*abci.ResponseInsertTx, error) {
	return &abci.ResponseInsertTx{Code: CodeUnsupported}, nil
}

// ReapTxs has none to give, as InsertTx takes none.
func (*Application) ReapTxs(context.Context, *abci.RequestReapTxs) (*abci.ResponseReapTxs, error) {
	return &abci.ResponseReapTxs{}, nil
}
