package eth

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/tallystick/tallystick/crypto"
)

// The most that a filter may name, as go-ethereum has it.
const (
	maxTopics       = 4    // positions; a log here has three
	maxAlternatives = 1000 // addresses, and topics at one position
)

// Filter says which logs are asked for.
type Filter struct {
	Block     *crypto.Hash // the one block; nil for the range From..To
	From, To  BlockID      // the newest where they are left out
	FromGiven bool
	ToGiven   bool
	Addresses []common.Address // any of these, ascending; none: every one
	Topics    [][]common.Hash  // at each position any of these, ascending; none: every one
}

// ParseFilter reads the object that eth_getLogs, eth_newFilter and the
// subscription logs take. An error completes the sentence "the filter …".
func ParseFilter(raw []byte) (*Filter, error) {
	var given struct {
		BlockHash *json.RawMessage   `json:"blockHash"`
		From      *json.RawMessage   `json:"fromBlock"`
		To        *json.RawMessage   `json:"toBlock"`
		Address   *json.RawMessage   `json:"address"`
		Topics    []*json.RawMessage `json:"topics"`
	}
	if len(raw) == 0 || raw[0] != '{' {
		return nil, errors.New("is not an object")
	}
	if err := json.Unmarshal(raw, &given); err != nil {
		return nil, errors.New("has topics that are not a list")
	}
	f := &Filter{From: Latest, To: Latest}
	if given.BlockHash != nil && (given.From != nil || given.To != nil) {
		return nil, errors.New("has blockHash and fromBlock or toBlock, and can have only the one or the others")
	}
	if given.BlockHash != nil {
		id, err := ParseBlockID(*given.BlockHash)
		if err != nil || id.Hash == nil {
			return nil, errors.New("has a blockHash that is not a hash of 0x and 64 hex digits")
		}
		f.Block = id.Hash
	}
	for _, end := range []struct {
		name  string
		raw   *json.RawMessage
		to    *BlockID
		given *bool
	}{{"fromBlock", given.From, &f.From, &f.FromGiven}, {"toBlock", given.To, &f.To, &f.ToGiven}} {
		if end.raw == nil {
			continue
		}
		id, err := ParseBlockID(*end.raw)
		if err != nil || id.Hash != nil {
			return nil, fmt.Errorf("has a %s that is neither a number in hex nor a tag", end.name)
		}
		*end.to, *end.given = id, true
	}
	if err := f.parseAddresses(given.Address); err != nil {
		return nil, err
	}
	if err := f.parseTopics(given.Topics); err != nil {
		return nil, err
	}
	f.sort()
	return f, nil
}

// sort makes a filter of thousands of addresses and topics as quick to ask as one of
// a few: each log of the chain is held against each filter that somebody follows.
func (f *Filter) sort() {
	slices.SortFunc(f.Addresses, common.Address.Cmp)
	f.Addresses = slices.Compact(f.Addresses)
	for at := range f.Topics {
		slices.SortFunc(f.Topics[at], common.Hash.Cmp)
		f.Topics[at] = slices.Compact(f.Topics[at])
	}
}

// Words is how many addresses and topics the filter names: what it costs to keep.
func (f *Filter) Words() int {
	words := len(f.Addresses)
	for _, topics := range f.Topics {
		words += len(topics)
	}
	return words
}

func (f *Filter) parseAddresses(raw *json.RawMessage) error {
	if raw == nil {
		return nil
	}
	list, err := oneOrMany(*raw)
	if err != nil {
		return fmt.Errorf("has an address that %w", err)
	}
	for i, item := range list {
		a, err := ParseAddress(item)
		if err != nil {
			return fmt.Errorf("has at index %d of address what %w", i, err)
		}
		f.Addresses = append(f.Addresses, a)
	}
	return nil
}

func (f *Filter) parseTopics(given []*json.RawMessage) error {
	if len(given) > maxTopics {
		return fmt.Errorf("has %d topics, more than %d", len(given), maxTopics)
	}
	for at, raw := range given {
		var any []common.Hash
		if raw != nil {
			list, err := oneOrMany(*raw)
			if err != nil {
				return fmt.Errorf("has at index %d of topics what %w", at, err)
			}
			for _, item := range list {
				if string(item) == "null" {
					any = nil // every topic will do
					break
				}
				text, err := stringOf(item)
				h, bad := hexutil.Decode(text)
				if err != nil || bad != nil || len(h) != common.HashLength {
					return fmt.Errorf("has at index %d of topics what is not 0x and 64 hex digits", at)
				}
				any = append(any, common.Hash(h))
			}
		}
		f.Topics = append(f.Topics, any)
	}
	return nil
}

// oneOrMany is a list, or a single value as a list of one.
func oneOrMany(raw []byte) (list []json.RawMessage, err error) {
	if raw[0] != '[' {
		return []json.RawMessage{raw}, nil
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, errors.New("cannot be read")
	}
	if len(list) > maxAlternatives {
		return nil, fmt.Errorf("is a list of %d, more than %d", len(list), maxAlternatives)
	}
	return list, nil
}

// ParseAddress reads an address as JSON: 0x and 40 hex digits in any case, since
// Ethereum's nodes do not judge the case. An error completes a sentence.
func ParseAddress(raw []byte) (common.Address, error) {
	text, err := stringOf(raw)
	if err != nil {
		return common.Address{}, err
	}
	b, err := hexutil.Decode(text)
	if err != nil || len(b) != common.AddressLength {
		return common.Address{}, fmt.Errorf("is %s, not 0x and 40 hex digits", clip(text))
	}
	return common.Address(b), nil
}

// Matches reports whether the filter asks for l. Where blocks begin and end is
// not its concern.
func (f *Filter) Matches(l *Log) bool {
	if _, found := slices.BinarySearchFunc(f.Addresses, l.Address, common.Address.Cmp); !found && len(f.Addresses) > 0 {
		return false
	}
	for at, any := range f.Topics {
		if at >= len(l.Topics) {
			return false // a position that no log has, whatever is asked of it
		}
		if _, found := slices.BinarySearchFunc(any, l.Topics[at], common.Hash.Cmp); !found && len(any) > 0 {
			return false
		}
	}
	return true
}

// Never reports whether no log at all can match: each is a Transfer with three
// topics.
func (f *Filter) Never() bool {
	return len(f.Topics) > 3 || len(f.Topics) > 0 && len(f.Topics[0]) > 0 && !slices.Contains(f.Topics[0], TransferTopic)
}

// Parties are the holders at topic 1 or 2, where the filter names some there: every
// log that it asks for concerns one of them. ok is false when it names none. The
// zero address is no holder, so a position that names it does not count.
func (f *Filter) Parties() (parties []crypto.Address, ok bool) {
	for at := 1; at < min(len(f.Topics), 3); at++ {
		n := len(f.Topics[at])
		if n == 0 || ok && n >= len(parties) || slices.Contains(f.Topics[at], common.Hash{}) {
			continue
		}
		parties, ok = nil, true
		for _, topic := range f.Topics[at] {
			var a crypto.Address
			copy(a[:], topic[common.HashLength-len(a):])
			if topicOf(a) == topic {
				parties = append(parties, a)
			}
		}
	}
	return parties, ok
}
