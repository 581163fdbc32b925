package ledger

import "fmt"

// AccountPolicy says who may hold an account.
type AccountPolicy uint8

// The policies.
const (
	PolicyAdmitted AccountPolicy = 1 // accounts must be admitted before they act or receive
	PolicyOpen     AccountPolicy = 2 // receiving creates the account
)

// String returns the policy's name in JSON.
func (p AccountPolicy) String() string {
	switch p {
	case PolicyAdmitted:
		return "admitted"
	case PolicyOpen:
		return "open"
	}
	return "unknown"
}

// Params are the rules' numbers that belong to the state.
type Params struct {
	AccountPolicy         AccountPolicy
	MaxNewAccounts        uint64 // accounts that one block may create
	MaxMultiPartyLifetime uint64 // seconds that validUntil may lie ahead when others sign too
	MaxBlockSignatures    uint64 // signatures that one block may carry
	MaxBlockLegs          uint64 // legs that one block may carry; operations without legs count one
	MaxBlockBytes         uint64 // raw bytes of all transactions that one block may carry
}

// DefaultParams are what a genesis that says nothing gets.
func DefaultParams() Params {
	return Params{
		AccountPolicy:         PolicyAdmitted,
		MaxNewAccounts:        10_000,
		MaxMultiPartyLifetime: 7 * 24 * 3600,
		MaxBlockSignatures:    16_384,
		MaxBlockLegs:          65_536,
		MaxBlockBytes:         4 << 20,
	}
}

// Check reports a parameter that would make the network unusable.
func (p Params) Check() error {
	if p.AccountPolicy.String() == "unknown" {
		return fmt.Errorf("accountPolicy: must be \"admitted\" or \"open\"")
	}
	for _, n := range []struct {
		name            string
		value, low, top uint64
	}{
		{"maxNewAccounts", p.MaxNewAccounts, 1, 1_000_000},
		{"maxMultiPartyLifetime", p.MaxMultiPartyLifetime, 60, 366 * 24 * 3600},
		{"maxBlockSignatures", p.MaxBlockSignatures, MaxSignatures, 1_000_000},
		{"maxBlockLegs", p.MaxBlockLegs, MaxLegs, 1_000_000},
		{"maxBlockBytes", p.MaxBlockBytes, MaxTxBytes, 64 << 20},
	} {
		if n.value < n.low || n.value > n.top {
			return fmt.Errorf("%s: %d is not from %d to %d", n.name, n.value, n.low, n.top)
		}
	}
	return nil
}

// encodeParams writes rlp([accountPolicy, maxNewAccounts,
// maxMultiPartyLifetime, maxBlockSignatures, maxBlockLegs, maxBlockBytes]).
func encodeParams(p Params) []byte {
	return encode(64, nil, func(w *encoder) {
		l := w.list()
		w.uint(uint64(p.AccountPolicy))
		w.uint(p.MaxNewAccounts)
		w.uint(p.MaxMultiPartyLifetime)
		w.uint(p.MaxBlockSignatures)
		w.uint(p.MaxBlockLegs)
		w.uint(p.MaxBlockBytes)
		w.end(l)
	})
}

// DecodeParams reads the record at KeyParams.
func DecodeParams(value []byte) (Params, error) {
	d := decoder{rest: value}
	l := d.list()
	p := Params{
		AccountPolicy: AccountPolicy(l.uintUpTo(255)), MaxNewAccounts: l.uint(),
		MaxMultiPartyLifetime: l.uint(), MaxBlockSignatures: l.uint(), MaxBlockLegs: l.uint(), MaxBlockBytes: l.uint(),
	}
	d.close(l)
	if !d.done() {
		return Params{}, fmt.Errorf("params record %x is not well formed", value)
	}
	if err := p.Check(); err != nil {
		return Params{}, fmt.Errorf("params record: %w", err)
	}
	return p, nil
}

// ReadParams reads the parameters from committed state.
func ReadParams(r Reader) (Params, error) {
	value, err := r.Get([]byte(KeyParams))
	if err != nil {
		return Params{}, fmt.Errorf("read params: %w", err)
	}
	return DecodeParams(value)
}

// encodeNetwork writes rlp([networkId, chainId, settlement, settlementDecimals]).
func encodeNetwork(n *Network) []byte {
	return encode(96, nil, func(w *encoder) {
		l := w.list()
		w.string(n.ID)
		w.uint(n.ChainID)
		w.address(n.Settlement)
		w.uint(uint64(n.SettlementDecimals))
		w.end(l)
	})
}

// ReadNetwork reads the network's identity from committed state.
func ReadNetwork(r Reader) (*Network, error) {
	value, err := r.Get([]byte(KeyNetwork))
	if err != nil {
		return nil, fmt.Errorf("read network: %w", err)
	}
	d := decoder{rest: value}
	l := d.list()
	id, chainID, settlement, decimals := string(l.bytes()), l.uint(), l.address(), uint8(l.uintUpTo(MaxDecimals))
	d.close(l)
	if !d.done() {
		return nil, fmt.Errorf("network record %x is not well formed", value)
	}
	return NewNetwork(id, chainID, settlement, decimals)
}
