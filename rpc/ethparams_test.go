package rpc

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/crypto"
)

// validEthParams is one valid list of parameters for each of Ethereum's methods.
func validEthParams(t testing.TB, h *harness) map[string][]any {
	_, raw := h.rawTx(t, 0, 1)
	call := map[string]any{"from": alice, "to": h.euro(), "data": "0x06fdde03"}
	calls := []any{call, "latest", map[string]any{}, map[string]any{}}
	hash := crypto.Hash{1}
	return map[string][]any{
		"eth_chainId": {}, "eth_accounts": {}, "eth_syncing": {}, "eth_blockNumber": {}, "eth_gasPrice": {}, "eth_maxPriorityFeePerGas": {},
		"net_version": {}, "net_listening": {}, "net_peerCount": {}, "web3_clientVersion": {}, "web3_sha3": {"0x54"},
		"eth_getBalance": {alice, "0x0"}, "eth_getTransactionCount": {alice, "pending"}, "eth_getCode": {alice, "earliest"},
		"eth_getStorageAt": {alice, "0x0", map[string]any{"blockNumber": "0x0"}}, "eth_call": calls, "eth_estimateGas": calls,
		"eth_feeHistory": {"0x1", "latest", []float64{10, 50}}, "eth_getBlockByNumber": {"0x0", true}, "eth_getBlockByHash": {hash, false},
		"eth_getBlockTransactionCountByNumber": {"0x0"}, "eth_getBlockTransactionCountByHash": {hash}, "eth_getUncleCountByBlockNumber": {"0x0"},
		"eth_getUncleCountByBlockHash": {hash}, "eth_getUncleByBlockNumberAndIndex": {"0x0", "0x0"}, "eth_getUncleByBlockHashAndIndex": {hash, "0x0"},
		"eth_getTransactionByHash": {hash}, "eth_getTransactionByBlockNumberAndIndex": {"0x0", "0x0"}, "eth_getTransactionByBlockHashAndIndex": {hash, "0x0"},
		"eth_getTransactionReceipt": {hash}, "eth_getBlockReceipts": {"safe"}, "eth_getLogs": {map[string]any{"fromBlock": "0x0", "address": h.euro(), "topics": []any{nil, []any{hash}}}},
		"eth_sendRawTransaction": {raw}, "eth_sendRawTransactionSync": {raw, 100}, "ledger_simulate": {h.payment(1, 1), "latest"},
	}
}

// euro is the address of the asset EUR.
func (h *harness) euro() crypto.Address {
	h.node.mu.Lock()
	defer h.node.mu.Unlock()
	asset, err := memoryView(h.node.top()).AssetBySymbol("EUR")
	if err != nil || asset == nil {
		panic(fmt.Sprint("no euro: ", err))
	}
	return asset.Asset
}

func init() {
	hash := `"0x` + strings.Repeat("ab", 32) + `"`
	tags := []string{`1`, `-1`, `true`, `[]`, `""`, `"0x"`, `"0x01"`, `"1"`, `"newest"`, `"LATEST"`, `"0x1g"`, `"0x` + strings.Repeat("1", 17) + `"`}
	objects := []string{`{}`, `{"blockNumber":1}`, `{"blockHash":"0x1"}`, `{"blockNumber":` + hash + `}`, `{"blockHash":"latest"}`}
	for expects, values := range map[string][]string{
		formEthAddress.expects:  {`""`, `"0x12"`, `"f39Fd6e51aad88F6F4ce6aB8827279cffFb92266"`, `"0xg39fd6e51aad88f6f4ce6ab8827279cfffb92266"`, `1`, `true`, `{}`, `[]`, `"EUR"`},
		formEthBlock.expects:    append(append([]string{}, tags...), objects...),
		formEthNumber.expects:   append(append([]string{hash}, tags...), objects...),
		formQuantity.expects:    {`-1`, `1.5`, `1e3`, `"0x"`, `"0x01"`, `"x"`, `""`, `true`, `{}`, `[]`, `"0x1g"`},
		formFlag.expects:        {`"true"`, `1`, `{}`, `[]`},
		formCall.expects:        {`[]`, `7`, `"0x"`, `{"to":"0x1"}`, `{"from":7}`, `{"value":16}`, `{"value":"0x01"}`, `{"data":"01"}`, `{"data":"0x1"}`, `{"input":7}`},
		formOverrides.expects:   {`[]`, `7`, `"latest"`, `{"0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266":{"balance":"0x1"}}`},
		formFilter.expects:      {`[]`, `7`, `"latest"`, `{"topics":{}}`, `{"topics":["0x1"]}`, `{"topics":[7]}`, `{"topics":[null,null,null,null,null]}`, `{"address":7}`, `{"address":["0x1"]}`, `{"fromBlock":1}`, `{"toBlock":"newest"}`, `{"blockHash":"0x1"}`},
		formPercentiles.expects: {`{}`, `7`, `["a"]`, `[101]`, `[-1]`, `[` + strings.Repeat(`1,`, 100) + `1]`},
		formSlot.expects:        {`1`, `""`, `"0x"`, `"12"`, `"0xg"`, `"0x` + strings.Repeat("0", 65) + `"`},
		formEthTimeout.expects:  {`-1`, `0.5`, `1e9`, `"0x"`, `"x"`, `{}`, `true`},
		formEthData.expects:     {`""`, `"54"`, `"0x5"`, `"0x5g"`, `84`, `{}`},
	} {
		badValues[expects] = values
	}
}
