package eth

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	gethrpc "github.com/ethereum/go-ethereum/rpc"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

func TestParseBlockID(t *testing.T) {
	hash := crypto.Keccak256([]byte("block"))
	for text, want := range map[string]BlockID{
		`"latest"`: Latest, `"safe"`: Latest, `"finalized"`: Latest, `"pending"`: {Latest: true, Pending: true},
		`"earliest"`: {}, `"0x0"`: {}, `"0x1f"`: {Height: 31}, `{"blockNumber":"0x1f"}`: {Height: 31}, `{"blockNumber":"latest"}`: Latest,
		`"0x7fffffffffffffff"`: {Height: 1<<63 - 1},
	} {
		if got, err := ParseBlockID([]byte(text)); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{`"` + hash.String() + `"`, `{"blockHash":"` + hash.String() + `"}`, `{"blockHash":"` + hash.String() + `","requireCanonical":true}`} {
		if got, err := ParseBlockID([]byte(text)); err != nil || got.Hash == nil || *got.Hash != hash {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{
		``, `1`, `null`, `true`, `[]`, `""`, `"0x"`, `"0x01"`, `"1"`, `"newest"`, `"Latest"`, `"0x8000000000000000"`, `"0x1g"`, `{}`,
		`{"blockNumber":1}`, `{"blockNumber":"0x1","blockHash":"` + hash.String() + `"}`, `{"blockHash":"0x1"}`, `{"blockHash":"latest"}`,
		`{"blockNumber":"` + hash.String() + `"}`, `"0x` + strings.Repeat("g", 64) + `"`,
	} {
		if got, err := ParseBlockID([]byte(text)); err == nil {
			t.Errorf("%s is read as %+v", text, got)
		}
	}
}

// What go-ethereum reads is read here, and what it refuses is refused.
func FuzzBlockID(f *testing.F) {
	for _, seed := range []string{`"latest"`, `"0x1"`, `{"blockHash":"0x00"}`, `"0x` + strings.Repeat("ab", 32) + `"`, `"\u006catest"`, `"0X` + strings.Repeat("ab", 32) + `"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if !json.Valid(raw) || bytes.ContainsAny(raw, " \t\r\n{") || len(raw) > 200 {
			return
		}
		id, err := ParseBlockID(raw)
		var geth gethrpc.BlockNumberOrHash
		bad := json.Unmarshal(raw, &geth)
		if (err == nil) != (bad == nil) {
			t.Fatalf("%s: %v here, %v there", raw, err, bad)
		}
		if err != nil {
			return
		}
		if hash, ok := geth.Hash(); ok != (id.Hash != nil) || ok && common.Hash(*id.Hash) != hash {
			t.Fatalf("%s: %+v", raw, id)
		}
		if n, ok := geth.Number(); ok && n >= 0 && (id.Latest || ledger.Height(n) != id.Height) {
			t.Fatalf("%s: %+v", raw, id)
		}
	})
}

func TestParseFilter(t *testing.T) {
	a, b := common.Address(alice), common.Address(bob)
	one := &Log{Address: common.Address{1}, Topics: []common.Hash{TransferTopic, topicOf(alice), topicOf(bob)}}
	topic := func(h common.Hash) string { return `"` + h.Hex() + `"` }
	from, to := topic(topicOf(alice)), topic(topicOf(bob))
	for text, matches := range map[string]bool{
		`{}`: true, `{"topics":[]}`: true, `{"topics":null}`: true, `{"address":null}`: true, `{"address":[]}`: true,
		`{"address":"0x0100000000000000000000000000000000000000"}`:     true,
		`{"address":["` + a.Hex() + `"]}`:                              false,
		`{"topics":[` + topic(TransferTopic) + `]}`:                    true,
		`{"topics":[null,` + from + `]}`:                               true,
		`{"topics":[null,` + to + `]}`:                                 false,
		`{"topics":[null,[` + to + `,` + from + `],` + to + `]}`:       true,
		`{"topics":[[],[],[` + from + `]]}`:                            false,
		`{"topics":[null,null,null,null]}`:                             false,
		`{"topics":[null,[null,` + to + `]]}`:                          true,
		`{"topics":[` + topic(common.Hash{1}) + `]}`:                   false,
		`{"fromBlock":"0x1","toBlock":"latest","topics":[],"extra":1}`: true,
	} {
		f, err := ParseFilter([]byte(text))
		if err != nil || f.Matches(one) != matches {
			t.Errorf("%s: %+v, %v", text, f, err)
		}
		if err == nil && f.Never() && matches {
			t.Errorf("%s never matches, and does", text)
		}
	}
	long := `{"address":[` + strings.Repeat(`"`+b.Hex()+`",`, maxAlternatives) + `"` + b.Hex() + `"]}`
	for _, text := range []string{
		``, `[]`, `"x"`, `{"topics":{}}`, `{"topics":["0x1"]}`, `{"topics":[7]}`, `{"topics":[null,null,null,null,null]}`, `{"address":7}`,
		`{"address":"0x1"}`, `{"address":[7]}`, `{"fromBlock":1}`, `{"toBlock":"x"}`, `{"blockHash":"0x1"}`, `{"topics":[["0x1"]]}`,
		`{"blockHash":"` + common.Hash{1}.Hex() + `","toBlock":"0x1"}`, `{"fromBlock":"` + common.Hash{1}.Hex() + `"}`, long,
	} {
		if f, err := ParseFilter([]byte(text)); err == nil {
			t.Errorf("%.80s is read as %+v", text, f)
		}
	}
}

// The holders that a filter names are those that each of its logs concerns.
func TestFilterParties(t *testing.T) {
	for _, c := range []struct {
		topics [][]common.Hash
		want   []crypto.Address
		ok     bool
	}{
		{nil, nil, false},
		{[][]common.Hash{{TransferTopic}, nil, nil}, nil, false},
		{[][]common.Hash{nil, {topicOf(alice)}}, []crypto.Address{alice}, true},
		{[][]common.Hash{nil, {topicOf(alice), topicOf(bob)}, {topicOf(carol)}}, []crypto.Address{carol}, true},
		{[][]common.Hash{nil, {{}}}, nil, false},
		{[][]common.Hash{nil, {{}}, {topicOf(bob)}}, []crypto.Address{bob}, true},
		{[][]common.Hash{nil, {{1}}}, nil, true}, // no address: nothing can match
	} {
		f := &Filter{Topics: c.topics}
		got, ok := f.Parties()
		if ok != c.ok || len(got) != len(c.want) || len(got) > 0 && got[0] != c.want[0] {
			t.Errorf("%v: %v, %v", c.topics, got, ok)
		}
	}
}

func FuzzFilter(f *testing.F) {
	f.Add([]byte(`{"fromBlock":"0x1","toBlock":"latest","address":["0x0100000000000000000000000000000000000000"],"topics":[null,["0x01"]]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if !json.Valid(raw) {
			return
		}
		filter, err := ParseFilter(raw)
		if err != nil {
			return
		}
		filter.Matches(&Log{Topics: []common.Hash{TransferTopic, {}, {}}})
		filter.Parties()
	})
}

func TestParseCall(t *testing.T) {
	const chain = 777
	to := common.Address(bob).Hex()
	c, err := ParseCall([]byte(`{"from":"`+to+`","to":"`+strings.ToLower(to)+`","value":"0x10","data":"0x01","input":"0x01","gas":"0x1","nonce":"0x7","chainId":"0x309","accessList":[],"type":"0x2"}`), chain)
	if err != nil || c.From != common.Address(bob) || *c.To != c.From || c.Value.Uint64() != 16 || !bytes.Equal(c.Data, []byte{1}) {
		t.Fatalf("%+v, %v", c, err)
	}
	c, err = ParseCall([]byte(`{"to":null,"value":null,"data":null}`), chain)
	if err != nil || c.To != nil || !c.Value.IsZero() || c.Data != nil {
		t.Fatalf("%+v, %v", c, err)
	}
	for _, text := range []string{
		``, `[]`, `7`, `{"to":"0x1"}`, `{"to":7}`, `{"from":"bob"}`, `{"value":"16"}`, `{"value":16}`, `{"value":"0x010"}`, `{"value":"0x1` + strings.Repeat("0", 64) + `"}`,
		`{"data":"01"}`, `{"data":"0x1"}`, `{"data":"0x01","input":"0x02"}`, `{"chainId":"0x1"}`, `{"authorizationList":[{}]}`, `{"blobVersionedHashes":["0x01"]}`,
		`{"gasPrice":"0x1","maxFeePerGas":"0x1"}`,
	} {
		if c, err := ParseCall([]byte(text), chain); err == nil {
			t.Errorf("%s is read as %+v", text, c)
		}
	}
}

func FuzzCall(f *testing.F) {
	f.Add([]byte(`{"from":"0x0100000000000000000000000000000000000000","value":"0x1","data":"0x"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if !json.Valid(raw) {
			return
		}
		if c, err := ParseCall(raw, 1); err == nil {
			Read(token{}, c.Data)
			Refusal(c.Data)
		}
	})
}

// token is an asset of the test.
type token struct{}

var errDisk = errors.New("disk")

func (token) Name() string          { return "Euro, über" }
func (token) Symbol() string        { return "EUR" }
func (token) Decimals() uint8       { return 2 }
func (token) Supply() ledger.Amount { return ledger.MaxAmount }
func (token) Balance(holder crypto.Address) (ledger.Amount, error) {
	if holder == carol {
		return ledger.Amount{}, errDisk
	}
	return ledger.NewAmount(uint64(holder[0])), nil
}

const tokenABI = `[
 {"type":"function","name":"name","outputs":[{"type":"string"}]},{"type":"function","name":"symbol","outputs":[{"type":"string"}]},
 {"type":"function","name":"decimals","outputs":[{"type":"uint8"}]},{"type":"function","name":"totalSupply","outputs":[{"type":"uint256"}]},
 {"type":"function","name":"balanceOf","inputs":[{"type":"address"}],"outputs":[{"type":"uint256"}]},
 {"type":"function","name":"allowance","inputs":[{"type":"address"},{"type":"address"}],"outputs":[{"type":"uint256"}]},
 {"type":"function","name":"supportsInterface","inputs":[{"type":"bytes4"}],"outputs":[{"type":"bool"}]},
 {"type":"function","name":"transfer","inputs":[{"type":"address"},{"type":"uint256"}],"outputs":[{"type":"bool"}]},
 {"type":"function","name":"approve","inputs":[{"type":"address"},{"type":"uint256"}]},
 {"type":"function","name":"transferFrom","inputs":[{"type":"address"},{"type":"address"},{"type":"uint256"}]},
 {"type":"function","name":"mint","inputs":[{"type":"uint256"}]}]`

// go-ethereum's ABI asks and understands the answers.
func TestTokenFunctions(t *testing.T) {
	contract, err := abi.JSON(strings.NewReader(tokenABI))
	if err != nil {
		t.Fatal(err)
	}
	supply, _ := contract.Methods["totalSupply"].Outputs.Pack(ledger.MaxAmount.Uint256().ToBig())
	for _, c := range []struct {
		name string
		args []any
		want any
	}{
		{"name", nil, "Euro, über"}, {"symbol", nil, "EUR"}, {"decimals", nil, uint8(2)},
		{"balanceOf", []any{common.Address{7}}, "7"}, {"allowance", []any{common.Address{7}, common.Address{8}}, "0"},
		{"supportsInterface", []any{[4]byte{0x01, 0xff, 0xc9, 0xa7}}, true}, {"supportsInterface", []any{[4]byte{0x36, 0x37, 0x2b, 0x07}}, true},
		{"supportsInterface", []any{[4]byte{0xff, 0xff, 0xff, 0xff}}, false}, {"supportsInterface", []any{[4]byte{0x80, 0xac, 0x58, 0xcd}}, false},
	} {
		data, err := contract.Pack(c.name, c.args...)
		if err != nil {
			t.Fatal(err)
		}
		answer, reason, ok, err := Read(token{}, data)
		if err != nil || !ok || reason != "" || Refusal(data) != "" {
			t.Fatalf("%s: %q, %v, %v", c.name, reason, ok, err)
		}
		values, err := contract.Unpack(c.name, answer)
		if err != nil || len(values) != 1 {
			t.Fatalf("%s: %v", c.name, err)
		}
		if text, isText := c.want.(string); isText && c.name != "name" && c.name != "symbol" {
			if got := values[0].(interface{ String() string }).String(); got != text {
				t.Errorf("%s: %s", c.name, got)
			}
		} else if values[0] != c.want {
			t.Errorf("%s: %v", c.name, values[0])
		}
	}
	data, _ := contract.Pack("totalSupply")
	if answer, _, _, _ := Read(token{}, data); !bytes.Equal(answer, supply) {
		t.Errorf("%x", answer)
	}
	data, _ = contract.Pack("transfer", common.Address{7}, common.Big1)
	if _, _, ok, _ := Read(token{}, data); ok || !IsTransfer(data) || Refusal(data) != "" {
		t.Error("transfer only reads")
	}
	if !bytes.Equal(data, transferCall(crypto.Address{7}, ledger.NewAmount(1))) {
		t.Error("another call of transfer")
	}
	for _, name := range []string{"approve", "transferFrom", "mint"} {
		args := map[string][]any{"approve": {common.Address{}, common.Big1}, "transferFrom": {common.Address{}, common.Address{}, common.Big1}, "mint": {common.Big1}}
		data, err := contract.Pack(name, args[name]...)
		if _, _, ok, _ := Read(token{}, data); err != nil || ok || Refusal(data) == "" || !strings.Contains(Refusal(data), "asset") {
			t.Errorf("%s: %q", name, Refusal(data))
		}
	}
}

// A call that its function cannot take reverts with a reason; a failure of the node
// is none.
func TestTokenCallsThatAreWrong(t *testing.T) {
	balanceOf := selectorOf("balanceOf(address)")
	short := append(balanceOf[:], make([]byte, 31)...)
	dirty := append(balanceOf[:], bytes.Repeat([]byte{1}, 32)...)
	for _, data := range [][]byte{short, dirty} {
		if answer, reason, ok, err := Read(token{}, data); answer != nil || reason == "" || !ok || err != nil {
			t.Errorf("%x: %x %q", data, answer, reason)
		}
	}
	for _, data := range [][]byte{nil, {1, 2, 3}, {1, 2, 3, 4}} {
		if _, _, ok, _ := Read(token{}, data); ok || Refusal(data) == "" {
			t.Errorf("%x is a function", data)
		}
	}
	failing := append(balanceOf[:], append(make([]byte, 12), carol[:]...)...)
	if _, _, _, err := Read(token{}, failing); !errors.Is(err, errDisk) {
		t.Error(err)
	}
}

// go-ethereum reads the reason out of what a call reverts with.
func TestRevert(t *testing.T) {
	for _, reason := range []string{"", "no", strings.Repeat("é", 40), strings.Repeat("x", 32)} {
		got, err := abi.UnpackRevert(Revert(reason))
		if err != nil || got != reason {
			t.Errorf("%q: %q, %v", reason, got, err)
		}
	}
}
