package ledger

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// maxDue bounds what falls due in one block; the rest waits for the next. But
// proposals do not wait: see lateProposals.
const maxDue = 10_000

// dueKind says what falls due. Kinds are part of the state's keys.
type dueKind uint8

// dueID names something that happens by itself once a block's time has reached
// Time. Items are handled in the order of their keys: time, kind, id.
type dueID struct {
	time UnixTime
	kind dueKind
	id   string // of the kind's own form
}

// schedule makes something fall due. Its time must lie after the block's.
func (s *state) schedule(id dueID) error { return s.setDue(id, true) }

// unschedule takes back what schedule did.
func (s *state) unschedule(id dueID) error { return s.setDue(id, false) }

func (s *state) setDue(id dueID, there bool) error {
	c, err := s.dueTable.get(s.reader, id)
	if err != nil {
		return err
	}
	if c.present == there {
		return fmt.Errorf("state is corrupt: %x at %d is due twice or not at all", id.id, id.time)
	}
	if there {
		s.dueTable.set(c, dueMark)
	} else {
		s.dueTable.remove(c)
	}
	return nil
}

// reached reports whether something at a time is due, handled or not.
func (s *state) reached(at UnixTime) bool { return at <= s.time }

// fallDue handles what is due at the block's time, before its transactions.
// Nothing of it can be refused. The cost follows what is due, and what was
// taken back since something last fell due.
func (s *state) fallDue() error {
	from, err := s.dueFromTable.get(s.reader, single{})
	if err != nil {
		return err
	}
	var after []byte
	if from.present {
		after = appendKeyDue(nil, from.value)
	}
	var due []dueID
	var bad error
	err = s.reader.Scan([]byte(prefixDue), after, func(key, _ []byte) bool {
		var id dueID
		if id, bad = parseKeyDue(key); bad != nil || !s.reached(id.time) || len(due) == maxDue {
			return false
		}
		due = append(due, id)
		return true
	})
	if err != nil || bad != nil || len(due) == 0 {
		return errors.Join(err, bad)
	}
	late, err := s.lateProposals(due)
	if err != nil {
		return err
	}
	for _, id := range slices.Concat(due, late) {
		if err := s.happen(id); err != nil {
			return err
		}
		s.keep()
	}
	s.dueFromTable.set(from, due[len(due)-1])
	return nil
}

// lateProposals finds, where as much is due as one block handles, the proposals
// that are due behind it. They are handled too, in their order: anybody can make
// holds, and must not decide by their number when a vote takes effect. There are at
// most MaxOpenProposals, and nothing that a proposal does depends on what holds do.
func (s *state) lateProposals(due []dueID) (late []dueID, err error) {
	if len(due) < maxDue {
		return nil, nil
	}
	last := appendKeyDue(nil, due[len(due)-1])
	list, err := s.proposalListTable.get(s.reader, single{})
	if err != nil {
		return nil, err
	}
	for _, number := range list.value.open {
		c, err := s.proposalTable.get(s.reader, number)
		if err != nil {
			return nil, err
		}
		id := c.value.dueID(number)
		if s.reached(id.time) && bytes.Compare(appendKeyDue(nil, id), last) > 0 {
			late = append(late, id)
		}
	}
	slices.SortStableFunc(late, func(a, b dueID) int { return cmp.Compare(a.time, b.time) })
	return late, nil
}

// happen handles one item, which it takes off the schedule first.
func (s *state) happen(id dueID) error {
	if err := s.unschedule(id); err != nil {
		return err
	}
	switch id.kind {
	case dueHold:
		return s.expireHold(id.id)
	case dueProposal:
		return s.proposalDue(id.id)
	}
	return fmt.Errorf("state is corrupt: due item of unknown kind %d", id.kind)
}

func appendKeyDue(dst []byte, id dueID) []byte {
	dst = binary.BigEndian.AppendUint64(append(dst, prefixDue...), uint64(id.time))
	return append(append(dst, byte(id.kind)), id.id...)
}

// parseKeyDue is the inverse of appendKeyDue.
func parseKeyDue(key []byte) (id dueID, err error) {
	const head = len(prefixDue) + 8 + 1
	if len(key) < head || string(key[:len(prefixDue)]) != prefixDue {
		return id, fmt.Errorf("state key %q is not one of something due", key)
	}
	id.time = UnixTime(binary.BigEndian.Uint64(key[len(prefixDue):]))
	id.kind, id.id = dueKind(key[head-1]), string(key[head:])
	return id, nil
}

// dueMark is the value of every due key: all that there is to say stands in
// the key.
const dueMark = 1

func writeDue(w *encoder, mark *byte) { w.out = append(w.out, *mark) }

func decodeDue(value []byte) (byte, error) {
	if len(value) != 1 || value[0] != dueMark {
		return 0, fmt.Errorf("due record %x is not %d", value, dueMark)
	}
	return dueMark, nil
}

// The record at KeyDueFrom is the key of what fell due last: nothing at it or
// below is due any more, because what is scheduled lies after a block's time. Late
// proposals do not count: more lies between.
func writeDueFrom(w *encoder, id *dueID) { w.out = appendKeyDue(w.out, *id) }

func decodeDueFrom(value []byte) (dueID, error) { return parseKeyDue(value) }
