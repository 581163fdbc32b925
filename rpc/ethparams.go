package rpc

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/eth"
)

// The parameters of eth_* methods are in Ethereum's forms, and are read as
// leniently as go-ethereum reads them.

// ethAddress takes an address in any letter case.
func (p *params) ethAddress() crypto.Address {
	raw := p.take()
	if raw == nil {
		return crypto.Address{}
	}
	a, err := eth.ParseAddress(raw)
	if err != nil {
		p.fail("%v", err)
	}
	return crypto.Address(a)
}

// blockID takes a block; the newest where it is left out.
func (p *params) blockID() eth.BlockID {
	raw := p.take()
	if raw == nil {
		return eth.Latest
	}
	id, err := eth.ParseBlockID(raw)
	if err != nil {
		p.fail("%v", err)
	}
	return id
}

// numberedBlock takes a block by height or tag.
func (p *params) numberedBlock() eth.BlockID {
	id := p.blockID()
	if id.Hash != nil {
		p.fail("is a block hash")
	}
	return id
}

// quantity takes a number below 2^63 in hex, or, as some clients send them, in
// decimal.
func (p *params) quantity() uint64 {
	raw := p.take()
	if raw == nil {
		return 0
	}
	text := strings.Trim(string(raw), `"`)
	n, err := hexutil.DecodeUint64(text)
	if err != nil {
		n, err = strconv.ParseUint(text, 10, 63)
	}
	if err != nil || n > math.MaxInt64 {
		p.fail("is %s", clip(raw))
	}
	return n
}

// flag takes true or false; false where it is left out.
func (p *params) flag() (set bool) {
	raw := p.take()
	if raw != nil && json.Unmarshal(raw, &set) != nil {
		p.fail("is %s", jsonType(raw))
	}
	return set
}

// call takes a transaction object.
func (p *params) call(net *ledger.Network) *eth.Call {
	raw := p.take()
	if raw == nil {
		return nil
	}
	c, err := eth.ParseCall(raw, net.ChainID)
	if err != nil {
		p.fail("%v", err)
	}
	return c
}

// noOverrides takes an object by which go-ethereum changes the state or the block
// that a call sees. One that changes anything is refused: the answer would be
// another than was asked for.
func (p *params) noOverrides() {
	raw := p.take()
	if raw == nil {
		return
	}
	var given map[string]json.RawMessage
	if json.Unmarshal(raw, &given) != nil {
		p.fail("is %s", jsonType(raw))
	} else if len(given) > 0 {
		p.fail("changes what the call sees, which this node does not do")
	}
}

// filter takes a filter of logs.
func (p *params) filter() *eth.Filter {
	raw := p.take()
	if raw == nil {
		return nil
	}
	f, err := eth.ParseFilter(raw)
	if err != nil {
		p.fail("%v", err)
	}
	return f
}

// ethTimeout takes milliseconds, as a number or in hex (EIP-7966): the node's own
// where it is left out or 0.
func (p *params) ethTimeout(most time.Duration) time.Duration {
	ms := p.quantity()
	if ms == 0 {
		return min(defaultWait, most)
	}
	return time.Duration(min(ms, uint64(most.Milliseconds()))) * time.Millisecond
}

// slot takes the place of a word in a contract's storage: at most 32 bytes in hex.
func (p *params) slot() {
	text, ok := p.text()
	digits, hex := strings.CutPrefix(text, "0x")
	if !ok {
		return
	}
	if strings.Trim(digits, "0123456789abcdefABCDEF") != "" || !hex || len(digits) == 0 || len(digits) > 2*common.HashLength {
		p.fail("is %s", shorten(text))
	}
}

// percentiles takes a list of numbers from 0 to 100, ascending.
func (p *params) percentiles() (list []float64) {
	raw := p.take()
	if raw == nil {
		return nil
	}
	if json.Unmarshal(raw, &list) != nil {
		p.fail("is not a list of numbers")
	}
	if len(list) > maxPercentiles {
		p.fail("has %d percentiles, more than %d", len(list), maxPercentiles)
	}
	for i, v := range list {
		if v < 0 || v > 100 || i > 0 && v <= list[i-1] {
			p.fail("has the percentile %g out of order or out of range", v)
		}
	}
	return list
}

const maxPercentiles = 100
