package index

import (
	"errors"

	"github.com/tallystick/tallystick/explorer"
	"github.com/tallystick/tallystick/explorer/store"
)

// errAddUp: a block says something that cannot follow from what is there.
var errAddUp = errors.New("the events do not add up")

// problem is an error with what readers may know of it.
type problem struct {
	says string
	error
}

func (p *problem) Unwrap() error { return p.error }

// ofSource marks an error of the source that is nothing worse.
func ofSource(err error) error {
	if _, ok := errors.AsType[*problem](err); ok {
		return err
	}
	return &problem{"no node answers", err}
}

// Problem is what readers may know of Err: what has failed, without the addresses, the
// paths and the state of the program that errors tell. It is "" while nothing has.
func (x *Index) Problem() string {
	err := x.Err()
	if err == nil {
		return ""
	}
	for cause, says := range map[error]string{
		ErrOtherNetwork:    "its database is of another network",
		explorer.ErrPruned: "no node keeps the next block any more",
		store.ErrBusy:      "another program writes its database",
		errAddUp:           "what the next block says does not follow from those before it",
	} {
		if errors.Is(err, cause) {
			return says
		}
	}
	if p, ok := errors.AsType[*problem](err); ok {
		return p.says
	}
	return "the next block could not be written"
}
