package eth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/holiman/uint256"
)

// Call is the transaction that eth_call and eth_estimateGas are asked about. Gas
// and fees are not kept: they change nothing here.
type Call struct {
	From  common.Address
	To    *common.Address // nil: it would create a contract
	Value *uint256.Int
	Data  []byte
}

// ParseCall reads a transaction object. Fields that it does not know are passed
// over, as go-ethereum does; those that would make it another transaction than
// the ledger can carry are refused. An error completes the sentence "the call …".
func ParseCall(raw []byte, chainID uint64) (*Call, error) {
	var given struct {
		From     *json.RawMessage  `json:"from"`
		To       *json.RawMessage  `json:"to"`
		Value    *json.RawMessage  `json:"value"`
		Data     *hexutil.Bytes    `json:"data"`
		Input    *hexutil.Bytes    `json:"input"`
		ChainID  *hexutil.Big      `json:"chainId"`
		Blobs    []json.RawMessage `json:"blobVersionedHashes"`
		SetCode  []json.RawMessage `json:"authorizationList"`
		GasPrice *hexutil.Big      `json:"gasPrice"`
		FeeCap   *hexutil.Big      `json:"maxFeePerGas"`
		Tip      *hexutil.Big      `json:"maxPriorityFeePerGas"`
	}
	if len(raw) == 0 || raw[0] != '{' {
		return nil, errors.New("is not an object")
	}
	if err := json.Unmarshal(raw, &given); err != nil {
		return nil, fmt.Errorf("cannot be read: %s", fieldOf(err))
	}
	switch {
	case given.Data != nil && given.Input != nil && !bytes.Equal(*given.Data, *given.Input):
		return nil, errors.New("has data and input that are not the same")
	case given.ChainID != nil && (!given.ChainID.ToInt().IsUint64() || given.ChainID.ToInt().Uint64() != chainID):
		return nil, fmt.Errorf("is for chain %s, and this is chain %d", given.ChainID.ToInt(), chainID)
	case len(given.Blobs) > 0 || len(given.SetCode) > 0:
		return nil, errors.New("has blobs or authorizations, which no transaction here can have")
	case given.GasPrice != nil && (given.FeeCap != nil || given.Tip != nil):
		return nil, errors.New("has gasPrice beside maxFeePerGas or maxPriorityFeePerGas")
	}
	c := &Call{Value: new(uint256.Int)}
	if given.Input != nil {
		c.Data = *given.Input
	} else if given.Data != nil {
		c.Data = *given.Data
	}
	return c, c.parse(given.From, given.To, given.Value)
}

func (c *Call) parse(from, to, value *json.RawMessage) (err error) {
	if from != nil {
		if c.From, err = ParseAddress(*from); err != nil {
			return fmt.Errorf("has a sender that %w", err)
		}
	}
	if to != nil {
		a, err := ParseAddress(*to)
		if err != nil {
			return fmt.Errorf("has a recipient that %w", err)
		}
		c.To = &a
	}
	if value == nil {
		return nil
	}
	var v hexutil.U256
	if err := json.Unmarshal(*value, &v); err != nil {
		return errors.New("has a value that is not a number below 2^256 in hex without leading zeros")
	}
	*c.Value = uint256.Int(v)
	return nil
}

// fieldOf names the field that encoding/json could not read.
func fieldOf(err error) string {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && wrong.Field != "" {
		return fmt.Sprintf("field %q is not hex with 0x", wrong.Field)
	}
	return "a field is not hex with 0x, or not of the form that Ethereum gives it"
}
