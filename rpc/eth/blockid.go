package eth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// BlockID names a block: by a hash, a height, or as the newest. Blocks are final
// once they are committed, so "pending", "safe" and "finalized" are the newest
// too, and the state that is pending is that of the newest block.
type BlockID struct {
	Hash    *crypto.Hash // nil where it is named otherwise
	Latest  bool
	Pending bool // "pending"; Latest is true then
	Height  ledger.Height
}

// Latest is the newest block.
var Latest = BlockID{Latest: true}

// ParseBlockID reads what Ethereum's methods take for a block, as JSON: a tag, a
// number in hex, a hash, or an object with blockNumber or blockHash (EIP-1898).
func ParseBlockID(raw []byte) (BlockID, error) {
	if len(raw) > 0 && raw[0] == '{' {
		return parseBlockObject(raw)
	}
	text, err := stringOf(raw)
	if err != nil {
		return BlockID{}, err
	}
	return blockOfText(text)
}

func blockOfText(text string) (BlockID, error) {
	switch text {
	case "latest", "safe", "finalized":
		return Latest, nil
	case "pending":
		return BlockID{Latest: true, Pending: true}, nil
	case "earliest":
		return BlockID{}, nil
	}
	if len(text) == 2+2*crypto.HashSize {
		b, err := hexutil.Decode(text)
		if err != nil {
			return BlockID{}, errors.New("is as long as a block hash and not one: 0x and 64 hex digits")
		}
		h := crypto.Hash(b)
		return BlockID{Hash: &h}, nil
	}
	n, err := hexutil.DecodeUint64(text)
	switch {
	case errors.Is(err, hexutil.ErrLeadingZero):
		return BlockID{}, errors.New("has a number with leading zeros")
	case err != nil || n > math.MaxInt64:
		return BlockID{}, fmt.Errorf("is %s, which is neither a tag nor a number below 2^63 in hex nor a block hash", clip(text))
	}
	return BlockID{Height: ledger.Height(n)}, nil
}

// parseBlockObject reads {blockNumber} or {blockHash, requireCanonical}. Every
// block is canonical.
func parseBlockObject(raw []byte) (BlockID, error) {
	var given struct {
		Number *string `json:"blockNumber"`
		Hash   *string `json:"blockHash"`
	}
	if err := json.Unmarshal(raw, &given); err != nil {
		return BlockID{}, errors.New("is an object whose blockNumber or blockHash is no string")
	}
	switch {
	case (given.Number == nil) == (given.Hash == nil):
		return BlockID{}, errors.New("is an object without exactly one of blockNumber and blockHash")
	case given.Number != nil:
		id, err := blockOfText(*given.Number)
		if err == nil && id.Hash != nil {
			err = errors.New("has a hash as its blockNumber")
		}
		return id, err
	}
	id, err := blockOfText(*given.Hash)
	if err == nil && id.Hash == nil {
		err = errors.New("has no hash as its blockHash")
	}
	return id, err
}

// stringOf reads a JSON string.
func stringOf(raw []byte) (s string, err error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) < 2 || raw[0] != '"' {
		return "", errors.New("is not a string")
	}
	if bytes.IndexByte(raw, '\\') < 0 && raw[len(raw)-1] == '"' {
		return string(raw[1 : len(raw)-1]), nil
	}
	if json.Unmarshal(raw, &s) != nil {
		return "", errors.New("is not a string")
	}
	return s, nil
}

// clip quotes text from outside for a message.
func clip(s string) string {
	const most = 80
	if len(s) <= most {
		return fmt.Sprintf("%q", s)
	}
	return fmt.Sprintf("%q… (%d bytes)", s[:most], len(s))
}
