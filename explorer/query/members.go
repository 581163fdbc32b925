package query

import (
	"context"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer/store"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

const memberQuery = "SELECT d.member, d.record, (SELECT count(*) FROM (SELECT 1 FROM accounts a WHERE a.member = d.member LIMIT 1000) x) FROM members d"

// members reads members, and when they were admitted.
func (r *Reader) members(ctx context.Context, v store.Read, where string, args ...any) ([]Member, error) {
	out := []Member{}
	var admitted []store.Position
	heights := map[int64]bool{}
	err := each(ctx, v, "members", func(scan func(...any) error) error {
		var m Member
		var text string
		if err := scan(fixed(m.Member[:]), &text, &m.Accounts); err != nil {
			return err
		}
		record, err := decode[store.MemberRecord](text)
		m.show(record)
		admitted = append(admitted, record.Admitted)
		heights[int64(record.Admitted.Height())] = true
		out = append(out, m)
		return err
	}, memberQuery+where, args...)
	if err != nil {
		return nil, err
	}
	times, err := timesOf(ctx, v, heights)
	for i, p := range admitted {
		out[i].Admitted = placeOf(int64(p), times[int64(p.Height())])
	}
	return out, err
}

func (m *Member) show(r *store.MemberRecord) {
	m.Name, m.Status, m.Roles, m.Power, m.Target = r.Name, r.Status.String(), r.Roles.Names(), r.Power, r.Target
	m.ConsensusKey, m.ConsensusAddress = consensus(r.Key)
	m.NodeIDs, m.RotatedAt, m.OpenProposals = r.Nodes, uint64(r.RotatedAt), r.Open
	if m.NodeIDs == nil {
		m.NodeIDs = ledger.NodeIDs{}
	}
}

// consensus is a key and its address, of no bytes for none.
func consensus(k ledger.ConsensusKey) (key, address wire.Bytes) {
	if k.IsZero() {
		return wire.Bytes{}, wire.Bytes{}
	}
	a := k.Address()
	return append(key, k[:]...), append(address, a[:]...)
}

// Members implements Queries.
func (r *Reader) Members(ctx context.Context) ([]Member, error) {
	return view(ctx, r, func(v store.Read) ([]Member, error) { return r.members(ctx, v, " ORDER BY d.name, d.member") })
}

// Member implements Queries.
func (r *Reader) Member(ctx context.Context, member crypto.Address) (*Member, error) {
	return view(ctx, r, func(v store.Read) (*Member, error) {
		list, err := r.members(ctx, v, " WHERE d.member = ?", member[:])
		if err != nil {
			return nil, err
		}
		if len(list) == 0 {
			return nil, ErrNotFound
		}
		return &list[0], nil
	})
}

// MemberHistory implements Queries.
func (r *Reader) MemberHistory(ctx context.Context, member crypto.Address, p Page) (*List[MemberChange], error) {
	return view(ctx, r, func(v store.Read) (*List[MemberChange], error) {
		out := &List[MemberChange]{Items: []MemberChange{}}
		var err error
		out.Next, err = versions(ctx, v, store.KindMember, member[:], p, func(height, ms int64, m *store.MemberRecord) {
			key, _ := consensus(m.Key)
			out.Items = append(out.Items, MemberChange{
				Height: uint64(height), Time: uint64(ms / 1000), Status: m.Status.String(), Roles: m.Roles.Names(),
				ConsensusKey: key, Power: m.Power, Target: m.Target, Nodes: len(m.Nodes),
			})
		})
		return out, err
	})
}
