package app

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtcrypto "github.com/cometbft/cometbft/proto/tendermint/crypto"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/store"
)

// ProofType is the type of a proof operation that Query answers with: its Data
// is a protobuf ics23.CommitmentProof by ics23.SmtSpec, its Key the state key.
const ProofType = "ics23:smt"

// maxQueryKeyBytes bounds the keys that are looked up; the state's are shorter.
const maxQueryKeyBytes = 256

// queryError is a query's refusal.
type queryError struct {
	code uint32
	text string
}

func (e *queryError) Error() string { return e.text }

func invalidQuery(format string, args ...any) error {
	return &queryError{CodeInvalidQuery, fmt.Sprintf(format, args...)}
}

// Query reads committed state. The paths are
//
//   - /store with Data the raw key, or /store/KEY with KEY the key as text, or
//     in hex after 0x (no key of the state begins with 0x). The value is
//     empty where the key is absent. Height 0 is the latest; with a proof it
//     is the latest whose next header, which carries the root, there is.
//   - /network: the network's identity as JSON.
//
// A proof at height H holds against the AppHash of header H+1. Errors have a
// code of CodespaceApp.
func (a *Application) Query(_ context.Context, req *abci.RequestQuery) (*abci.ResponseQuery, error) {
	res, err := a.query(req)
	if err == nil {
		return res, nil
	}
	var refused *queryError
	if !errors.As(err, &refused) {
		refused = &queryError{CodeInternal, "the node failed; it stops"}
		a.fail(fmt.Errorf("query %q: %w", req.Path, err))
	}
	return &abci.ResponseQuery{Code: refused.code, Codespace: CodespaceApp, Log: refused.text}, nil
}

func (a *Application) query(req *abci.RequestQuery) (*abci.ResponseQuery, error) {
	c := a.latest.Load()
	if c.height == 0 {
		return nil, &queryError{CodeNotReady, "no block is committed on this node yet"}
	}
	path, text, _ := strings.Cut(strings.TrimPrefix(req.Path, "/"), "/")
	switch {
	case path == "network" && text == "" && len(req.Data) == 0 && !req.Prove:
		return queryNetwork(c)
	case path == "store":
		key, err := queryKey(text, req.Data)
		if err != nil {
			return nil, err
		}
		return a.queryStore(c, req, key)
	}
	return nil, invalidQuery("there is no query %q: use /store/<key>, /store with the key as data, or /network (without data or proof)", req.Path)
}

// queryKey takes the key from the path or else from the data.
func queryKey(text string, data []byte) ([]byte, error) {
	key := data
	if text != "" {
		if len(data) > 0 {
			return nil, invalidQuery("the key is given twice, in the path and as data")
		}
		key = []byte(text)
		if digits, isHex := strings.CutPrefix(text, "0x"); isHex {
			var err error
			if key, err = hex.DecodeString(digits); err != nil {
				return nil, invalidQuery("the key in the path begins with 0x and is not hexadecimal")
			}
		}
	}
	if len(key) == 0 || len(key) > maxQueryKeyBytes {
		return nil, invalidQuery("the key has %d bytes: it must have 1 to %d", len(key), maxQueryKeyBytes)
	}
	return key, nil
}

func (a *Application) queryStore(c *committed, req *abci.RequestQuery, key []byte) (*abci.ResponseQuery, error) {
	height := ledger.Height(req.Height)
	switch {
	case req.Height < 0 || height > c.height:
		return nil, unheld(c, req.Height)
	case req.Height == 0 && req.Prove && c.height > 1:
		height = c.height - 1
	case req.Height == 0:
		height = c.height
	}
	res := &abci.ResponseQuery{Key: key, Height: int64(height)}
	if !req.Prove {
		view, err := a.store.At(height)
		if err == nil {
			res.Value, err = view.Get(key)
		}
		return res, heldOr(c, int64(height), err)
	}
	value, proof, err := a.store.Prove(height, key)
	if req.Height == 0 && height < c.height && errors.Is(err, store.ErrNotProvable) {
		// The store was opened at the latest height and proves none before it.
		res.Height = int64(c.height)
		value, proof, err = a.store.Prove(c.height, key)
	}
	if err != nil {
		return nil, heldOr(c, int64(height), err)
	}
	data, err := proof.Marshal()
	if err != nil {
		return nil, fmt.Errorf("encode proof: %w", err)
	}
	res.Value = value
	res.ProofOps = &cmtcrypto.ProofOps{Ops: []cmtcrypto.ProofOp{{Type: ProofType, Key: key, Data: data}}}
	return res, nil
}

// heldOr turns the store's errors about heights into refusals.
func heldOr(c *committed, height int64, err error) error {
	switch {
	case errors.Is(err, store.ErrUnknownHeight):
		return unheld(c, height)
	case errors.Is(err, store.ErrNotProvable):
		return &queryError{CodeUnheld, fmt.Sprintf("height %d is no longer provable: proofs are kept for the last few heights up to %d, and for those of the last seconds", height, c.height)}
	}
	return err
}

func unheld(c *committed, height int64) error {
	first := max(int64(c.height)-store.HistoryHeights+1, 1)
	return &queryError{CodeUnheld, fmt.Sprintf("height %d is not held: this node answers for heights %d to %d, and 0 is the latest", height, first, c.height)}
}

// networkJSON is the answer to /network.
type networkJSON struct {
	NetworkID          string         `json:"networkId"`
	NetworkHash        crypto.Hash    `json:"networkHash"`
	ChainID            uint64         `json:"chainId"`
	Settlement         crypto.Address `json:"settlement"`
	SettlementDecimals uint8          `json:"settlementDecimals"`
	Protocol           uint64         `json:"protocol"`
}

func queryNetwork(c *committed) (*abci.ResponseQuery, error) {
	n := c.net
	protocol, err := ledger.ReadProtocol(c.reader)
	if err != nil {
		return nil, err
	}
	value, err := json.Marshal(networkJSON{n.ID, n.Hash, n.ChainID, n.Settlement, n.SettlementDecimals, protocol})
	if err != nil {
		return nil, fmt.Errorf("encode network: %w", err)
	}
	return &abci.ResponseQuery{Value: value, Height: int64(c.height)}, nil
}
