package bench

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// account is one of the accounts between which the run moves an asset.
type account struct {
	key     *crypto.PrivateKey
	address crypto.Address
	base    ledger.Nonce  // of its first transaction
	opening ledger.Amount // its balance before the run
	others  []wire.AssetBalance
}

// plan says what each transaction of the run is. Transaction i is sent by
// account i mod len(accounts), its legs pay the accounts that follow.
type plan struct {
	network  *ledger.Network
	asset    *wire.Asset
	address  crypto.Address // of the asset
	accounts []account
	legs     int
	scheme   Scheme
	total    uint64   // transactions of the run; 0: as many as go through
	signed   [][]byte // of the first transactions
}

// maxUnits is the largest amount of a leg, in the asset's smallest unit.
const maxUnits = 100

// newPlan finds the asset and derives the accounts.
func newPlan(ctx context.Context, c *client.Client, cfg *Config) (*plan, error) {
	p := &plan{network: c.Network(), legs: cfg.Legs, scheme: cfg.Scheme}
	name := cfg.Asset
	if name == "" {
		if p.network.Settlement.IsZero() {
			return nil, errors.New("the node does not tell its settlement asset: name an asset")
		}
		name = p.network.Settlement.String()
	}
	var err error
	if p.asset, err = c.Asset(ctx, name); err != nil {
		return nil, err
	}
	p.address = p.asset.Asset
	if cfg.Rate > 0 {
		p.total = uint64(math.Ceil(cfg.Rate * cfg.Duration.Seconds()))
	}
	p.accounts = make([]account, cfg.Accounts)
	for i := range p.accounts {
		key, err := deriveKey(cfg.Seed, i)
		if err != nil {
			return nil, err
		}
		p.accounts[i] = account{key: key, address: key.Address()}
	}
	return p, nil
}

// deriveKey makes the key of account i of a seed. Anybody who knows the seed
// has the key: what is left on the accounts is not safe there.
func deriveKey(seed string, i int) (*crypto.PrivateKey, error) {
	var number [8]byte
	binary.BigEndian.PutUint64(number[:], uint64(i))
	secret := crypto.Keccak256([]byte("tallystick/bench"), []byte(seed), number[:])
	key, err := crypto.PrivateKeyFromBytes(secret[:])
	if err != nil {
		return nil, fmt.Errorf("account %d of seed %q: %w", i, seed, err)
	}
	return key, nil
}

// sender is the account that sends transaction i.
func (p *plan) sender(i uint64) int { return int(i % uint64(len(p.accounts))) }

// eachLeg calls f with every leg of transaction i.
func (p *plan) eachLeg(i uint64, f func(from, to int, units uint64)) {
	n := uint64(len(p.accounts))
	from := i % n
	for j := range uint64(p.legs) {
		step := 1 + (i/n+j)%(n-1)
		f(int(from), int((from+step)%n), 1+(i+j)%maxUnits)
	}
}

// body is the unsigned content of transaction i.
func (p *plan) body(i uint64) ledger.Body {
	from := &p.accounts[p.sender(i)]
	legs := make([]ledger.Leg, 0, p.legs)
	p.eachLeg(i, func(_, to int, units uint64) {
		legs = append(legs, ledger.Leg{From: from.address, To: p.accounts[to].address, Asset: p.address, Amount: ledger.NewAmount(units)})
	})
	nonce := from.base + ledger.Nonce(i/uint64(len(p.accounts)))
	return ledger.Body{Sender: from.address, Nonce: nonce, Op: &ledger.Transfer{Legs: legs}}
}

// sign makes the bytes of transaction i. It costs one signature, some 100 µs.
func (p *plan) sign(i uint64) []byte {
	body := p.body(i)
	key := p.accounts[p.sender(i)].key
	if p.scheme == SchemeEthereum {
		return p.signEthereum(key, &body)
	}
	scheme := ledger.SchemeTypedData
	if p.scheme == SchemeBodyHash {
		scheme = ledger.SchemeBodyHash
	}
	signature := ledger.Signature{Scheme: scheme, Signature: key.Sign(p.network.Digest(&body, scheme))}
	return ledger.EncodeNative(p.network, &body, []ledger.Signature{signature})
}

// raw returns the bytes of transaction i, and whether they were ready.
func (p *plan) raw(i uint64) (raw []byte, ready bool) {
	if i < uint64(len(p.signed)) {
		return p.signed[i], true
	}
	return p.sign(i), false
}

// foreseen is how many transactions a second a run without a rate signs in
// advance.
const foreseen = 3000

// presign signs the run's transactions on all cores.
func (p *plan) presign(ctx context.Context, cfg *Config) error {
	count := p.total
	if count == 0 {
		count = min(uint64(foreseen*cfg.Duration.Seconds())+uint64(cfg.Inflight), maxPresigned)
	}
	p.signed = make([][]byte, count)
	var next atomic.Uint64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for ctx.Err() == nil {
				i := next.Add(1) - 1
				if i >= count {
					return
				}
				p.signed[i] = p.sign(i)
			}
		})
	}
	finished := make(chan struct{})
	go func() { workers.Wait(); close(finished) }()
	tick := time.NewTicker(time.Second / 4)
	defer tick.Stop()
	for {
		cfg.Stage("sign", int(min(next.Load(), count)), int(count))
		select {
		case <-finished:
			cfg.Stage("sign", int(min(next.Load(), count)), int(count))
			return ctx.Err()
		case <-tick.C:
		}
	}
}
