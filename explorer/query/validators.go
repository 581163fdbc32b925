package query

import (
	"context"
	"encoding/binary"
	"slices"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer"
	"github.com/tallystick/tallystick/explorer/store"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// voted is a block with the votes on it.
type voted struct {
	height   int64 // of the block that the votes are on
	proposer []byte
	set      []byte // its validators
	votes    []byte // one for each of them
}

// vote is how a validator voted; ok is false where it was none.
func (b *voted) vote(a ledger.ConsensusAddress) (flag explorer.VoteFlag, ok bool) {
	for i, v := range b.votes {
		if at := i * store.ValidatorBytes; string(b.set[at:at+20]) == string(a[:]) {
			return explorer.VoteFlag(v), true
		}
	}
	return 0, false
}

// lastVotes are the votes on the last blocks, the newest first: they stand in the
// blocks after them.
func lastVotes(ctx context.Context, v store.Read, blocks int) ([]voted, error) {
	var out []voted
	var sets []int64
	wanted := map[int64][]byte{}
	err := each(ctx, v, "votes", func(scan func(...any) error) error {
		var b voted
		var set int64
		if err := scan(&b.height, &b.proposer, &set, &b.votes); err != nil {
			return err
		}
		b.proposer, b.votes = slices.Clone(b.proposer), slices.Clone(b.votes)
		wanted[set] = nil
		out, sets = append(out, b), append(sets, set)
		return nil
	}, "SELECT p.height, p.proposer, b.set_height, b.votes FROM (SELECT height, set_height, votes FROM blocks WHERE set_height >= 0 ORDER BY height DESC LIMIT ?) b JOIN blocks p ON p.height = b.height - 1 ORDER BY b.height DESC", blocks)
	if err != nil {
		return nil, err
	}
	for height := range wanted {
		var validators []byte
		if err := row(ctx, v, "validators", "SELECT validators FROM validator_sets WHERE height = ?", []any{height}, &validators); err != nil {
			return nil, err
		}
		wanted[height] = slices.Clone(validators)
	}
	for i := range out {
		if out[i].set = wanted[sets[i]]; len(out[i].set) != len(out[i].votes)*store.ValidatorBytes {
			return nil, errDamaged
		}
	}
	return out, nil
}

// Validators implements Queries. The answer of a height is kept.
func (r *Reader) Validators(ctx context.Context) (*Validators, error) {
	height, _ := r.db.Height()
	r.mu.Lock()
	kept, of := r.validators, r.of
	r.mu.Unlock()
	if kept != nil && of == height {
		return kept, nil
	}
	made, err := view(ctx, r, func(v store.Read) (*Validators, error) { return r.countVotes(ctx, v) })
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.validators, r.of = made, height
	return made, nil
}

func (r *Reader) countVotes(ctx context.Context, v store.Read) (*Validators, error) {
	blocks, err := lastVotes(ctx, v, UptimeWindow)
	if err != nil {
		return nil, err
	}
	out := &Validators{Window: uint64(len(blocks)), Items: []Validator{}}
	if len(blocks) == 0 {
		return out, nil
	}
	out.Height = uint64(blocks[0].height)
	index := map[string]int{}
	for set := blocks[0].set; len(set) > 0; set = set[store.ValidatorBytes:] {
		val := Validator{ConsensusAddress: append(wire.Bytes{}, set[:20]...), Power: binary.BigEndian.Uint64(set[20:])}
		if val.Member, val.Name, err = memberOf(ctx, v, set[:20]); err != nil {
			return nil, err
		}
		index[string(set[:20])] = len(out.Items)
		out.TotalPower += val.Power
		out.Items = append(out.Items, val)
	}
	for _, b := range blocks {
		for i, flag := range b.votes {
			if at, ok := index[string(b.set[i*store.ValidatorBytes:][:20])]; ok {
				out.Items[at].count(explorer.VoteFlag(flag), uint64(b.height))
			}
		}
		if at, ok := index[string(b.proposer)]; ok {
			out.Items[at].Proposed++
		}
	}
	for i := range out.Items {
		val := &out.Items[i]
		val.Uptime = 1
		if all := val.Signed + val.Missed; all > 0 {
			val.Uptime = float64(val.Signed) / float64(all)
		}
	}
	slices.SortStableFunc(out.Items, func(a, b Validator) int {
		switch {
		case a.Power > b.Power:
			return -1
		case a.Power < b.Power:
			return 1
		}
		return 0
	})
	return out, nil
}

func (val *Validator) count(flag explorer.VoteFlag, height uint64) {
	if flag != explorer.VoteSigned {
		val.Missed++
		return
	}
	val.Signed++
	if val.LastSigned == nil {
		val.LastSigned = &height
	}
}

// memberOf is the member that ever had a consensus key.
func memberOf(ctx context.Context, v store.Read, consensus []byte) (member *crypto.Address, name string, err error) {
	err = row(ctx, v, "a validator", "SELECT m.member, m.name FROM validator_keys k JOIN members m ON m.member = k.member WHERE k.address = ?", []any{consensus}, address{&member}, &name)
	return member, name, ignore(err)
}

// HeatMap implements Queries.
func (r *Reader) HeatMap(ctx context.Context, validator ledger.ConsensusAddress, blocks int) (*HeatMap, error) {
	if blocks < 1 || blocks > UptimeWindow {
		return nil, &InvalidError{"blocks", "it is from 1 to 1000"}
	}
	return view(ctx, r, func(v store.Read) (*HeatMap, error) {
		list, err := lastVotes(ctx, v, blocks)
		if err != nil {
			return nil, err
		}
		out := &HeatMap{ConsensusAddress: append(wire.Bytes{}, validator[:]...)}
		if out.Member, out.Name, err = memberOf(ctx, v, validator[:]); err != nil {
			return nil, err
		}
		known := out.Member != nil
		letters := make([]byte, len(list))
		for i, b := range list {
			letter := byte('-')
			if flag, ok := b.vote(validator); ok {
				known = true
				letter = "msn"[min(flag, 2)]
				if letter == 's' && string(b.proposer) == string(validator[:]) {
					letter = 'p'
				}
			}
			letters[len(list)-1-i] = letter
			out.From = uint64(b.height)
		}
		if !known {
			return nil, ErrNotFound
		}
		out.Votes = string(letters)
		return out, nil
	})
}

// setsAPage is how many changes of the validators one page looks at.
const setsAPage = 200

// PowerHistory implements Queries.
func (r *Reader) PowerHistory(ctx context.Context, validator ledger.ConsensusAddress, p Page) (*List[PowerPoint], error) {
	limit, err := p.limit()
	if err != nil {
		return nil, err
	}
	c := parseCursor('P', p.Cursor)
	from := c.number()
	if err := c.end(); err != nil {
		return nil, err
	}
	if c.begin {
		from = 1 << 62
	}
	out := &List[PowerPoint]{Items: []PowerPoint{}}
	limit = min(limit, setsAPage)
	err = each(ctx, r.db, "validators", func(scan func(...any) error) error {
		var point PowerPoint
		var ms int64
		var set []byte
		if err := scan(&point.Height, &ms, &point.Total, &set); err != nil {
			return err
		}
		point.Time = uint64(ms / 1000)
		for ; len(set) >= store.ValidatorBytes; set = set[store.ValidatorBytes:] {
			if string(set[:20]) == string(validator[:]) {
				point.Power = binary.BigEndian.Uint64(set[20:])
			}
		}
		out.Items = append(out.Items, point)
		return nil
	}, "SELECT s.height, b.time_ms, s.power, s.validators FROM validator_sets s JOIN blocks b ON b.height = s.height WHERE s.height < ? ORDER BY s.height DESC LIMIT ?", from, limit+1)
	if err != nil {
		return nil, err
	}
	if len(out.Items) > limit {
		out.Items = out.Items[:limit]
		out.Next = next(newCursor('P').number(int64(out.Items[limit-1].Height)))
	}
	return out, nil
}
