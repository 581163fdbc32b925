package ledger

import "fmt"

// AccountPolicy says who may hold an account.
type AccountPolicy uint64

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
	MaxNewAccounts        uint64                 // accounts that one block may create
	MaxMultiPartyLifetime uint64                 // seconds that validUntil may lie ahead when others sign too
	MaxBlockSignatures    uint64                 // signatures that one block may carry
	MaxBlockLegs          uint64                 // legs, items and actions that one block may carry; operations without count one
	MaxBlockBytes         uint64                 // raw bytes of all transactions that one block may carry
	MinProposalDelay      uint64                 // seconds at least between a proposal's passing and taking effect
	KeyRotationCooldown   uint64                 // seconds between two of a member's own changes of its consensus key
	Thresholds            [actionKinds]Threshold // what each kind of action needs, by ActionKind - 1
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
		KeyRotationCooldown:   24 * 3600,
		Thresholds:            DefaultThresholds(),
	}
}

// Check reports a parameter that would make the network unusable.
func (p Params) Check() error {
	if p.AccountPolicy.String() == "unknown" {
		return fmt.Errorf("accountPolicy: must be \"admitted\" or \"open\"")
	}
	for _, n := range parameters[1:] {
		if value := *n.at(&p); value < n.low || value > n.top {
			return fmt.Errorf("%s: %d is not from %d to %d", n.name, value, n.low, n.top)
		}
	}
	for i, t := range p.Thresholds {
		if err := t.check(); err != nil {
			return fmt.Errorf("threshold of %s: %w", ActionKind(i+1), err)
		}
	}
	return nil
}

// parameters are the numbers by their names, with their ranges. The first is the
// account policy.
var parameters = [...]struct {
	name     string
	low, top uint64
	at       func(*Params) *uint64
}{
	{"accountPolicy", 1, 2, func(p *Params) *uint64 { return (*uint64)(&p.AccountPolicy) }},
	{"maxNewAccounts", 1, 1_000_000, func(p *Params) *uint64 { return &p.MaxNewAccounts }},
	{"maxMultiPartyLifetime", 60, 366 * 24 * 3600, func(p *Params) *uint64 { return &p.MaxMultiPartyLifetime }},
	{"maxBlockSignatures", MaxSignatures, 1_000_000, func(p *Params) *uint64 { return &p.MaxBlockSignatures }},
	{"maxBlockLegs", MaxLegs, 1_000_000, func(p *Params) *uint64 { return &p.MaxBlockLegs }},
	{"maxBlockBytes", MaxTxBytes, 64 << 20, func(p *Params) *uint64 { return &p.MaxBlockBytes }},
	{"minProposalDelay", 0, MaxProposalDelay, func(p *Params) *uint64 { return &p.MinProposalDelay }},
	{"keyRotationCooldown", 60, 366 * 24 * 3600, func(p *Params) *uint64 { return &p.KeyRotationCooldown }},
}

// ParameterNames lists what setParameter can set.
func ParameterNames() []string {
	names := make([]string, len(parameters))
	for i, n := range parameters {
		names[i] = n.name
	}
	return names
}

// Set sets a number by its name, as a parameterChanged event tells it; ok is false
// where there is none of that name.
func (p *Params) Set(name string, value uint64) (ok bool) {
	at := p.parameter(name)
	if at == nil {
		return false
	}
	*at = value
	return true
}

// parameter finds a number by its name, or answers nil.
func (p *Params) parameter(name string) *uint64 {
	for _, n := range parameters {
		if n.name == name {
			return n.at(p)
		}
	}
	return nil
}

// writeParams writes rlp([accountPolicy, maxNewAccounts,
// maxMultiPartyLifetime, maxBlockSignatures, maxBlockLegs, maxBlockBytes,
// minProposalDelay, keyRotationCooldown, [[numerator, denominator]…]]), with a
// threshold for each kind of action.
func writeParams(w *encoder, p *Params) {
	l := w.list()
	for _, n := range parameters {
		w.uint(*n.at(p))
	}
	list := w.list()
	for _, t := range p.Thresholds {
		item := w.list()
		w.uint(t.Numerator)
		w.uint(t.Denominator)
		w.end(item)
	}
	w.end(list)
	w.end(l)
}

func encodeParams(p Params) []byte {
	return encode(128, nil, func(w *encoder) { writeParams(w, &p) })
}

// DecodeParams reads the record at KeyParams.
func DecodeParams(value []byte) (p Params, err error) {
	d := decoder{rest: value}
	l := d.list()
	for _, n := range parameters {
		*n.at(&p) = l.uint()
	}
	list := l.list()
	for i := range p.Thresholds {
		item := list.list()
		p.Thresholds[i] = Threshold{item.uint(), item.uint()}
		list.close(item)
	}
	l.close(list)
	d.close(l)
	if !d.done() {
		return Params{}, fmt.Errorf("params record %x is not well formed", value)
	}
	if err := p.Check(); err != nil {
		return Params{}, fmt.Errorf("params record: %w", err)
	}
	return p, nil
}

// setParams puts other parameters in force, from the next transaction on.
func (s *state) setParams(p Params) error {
	c, err := s.paramsTable.get(s.reader, single{})
	if err != nil {
		return err
	}
	s.params = p
	s.paramsTable.set(c, p)
	return nil
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

// Parameter is one of the ledger's numbers with its range.
type Parameter struct {
	Name        string
	Value       uint64
	Least, Most uint64
}

// List returns the numbers, in the order of ParameterNames.
func (p Params) List() []Parameter {
	list := make([]Parameter, len(parameters))
	for i, n := range parameters {
		list[i] = Parameter{n.name, *n.at(&p), n.low, n.top}
	}
	return list
}
