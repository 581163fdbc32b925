package ledger

import "github.com/tallystick/tallystick/crypto"

const (
	CodeNotMember        Code      = 120
	CodeMissingRole      Code      = 121
	EventAccountAdmitted EventType = 8
	EventMemberAdmitted  EventType = 25
)

func (s *state) freezeByNetwork(crypto.Address, string) (Code, error)   { return Applied, nil }
func (s *state) unfreezeByNetwork(crypto.Address, string) (Code, error) { return Applied, nil }
func (s *state) pauseByNetwork(crypto.Address) (Code, error)            { return Applied, nil }
func (s *state) resumeByNetwork(crypto.Address) (Code, error)           { return Applied, nil }
