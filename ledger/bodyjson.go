package ledger

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tallystick/tallystick/crypto"
)

// bodyJSON is the JSON form of a Body: {sender, nonce, validUntil?, memo?}
// and exactly one operation under its name.
type bodyJSON struct {
	Sender      *crypto.Address `json:"sender"`
	Nonce       *uint64         `json:"nonce"`
	ValidUntil  uint64          `json:"validUntil,omitempty"`
	Memo        string          `json:"memo,omitempty"`
	Transfer    *Transfer       `json:"transfer,omitempty"`
	CreateAsset *CreateAsset    `json:"createAsset,omitempty"`
	Issue       *Issue          `json:"issue,omitempty"`
	Redeem      *Redeem         `json:"redeem,omitempty"`
	PauseAsset  *PauseAsset     `json:"pauseAsset,omitempty"`
	ResumeAsset *ResumeAsset    `json:"resumeAsset,omitempty"`
}

// operations lists the operations that are set.
func (j *bodyJSON) operations() (ops []Operation) {
	if j.Transfer != nil {
		ops = append(ops, j.Transfer)
	}
	if j.CreateAsset != nil {
		ops = append(ops, j.CreateAsset)
	}
	if j.Issue != nil {
		ops = append(ops, j.Issue)
	}
	if j.Redeem != nil {
		ops = append(ops, j.Redeem)
	}
	if j.PauseAsset != nil {
		ops = append(ops, j.PauseAsset)
	}
	if j.ResumeAsset != nil {
		ops = append(ops, j.ResumeAsset)
	}
	return ops
}

// MarshalJSON writes the body as the JSON-RPC and files carry it.
func (b Body) MarshalJSON() ([]byte, error) {
	nonce := uint64(b.Nonce)
	j := bodyJSON{Sender: &b.Sender, Nonce: &nonce, ValidUntil: uint64(b.ValidUntil), Memo: b.Memo}
	switch op := b.Op.(type) {
	case *Transfer:
		j.Transfer = op
	case *CreateAsset:
		j.CreateAsset = op
	case *Issue:
		j.Issue = op
	case *Redeem:
		j.Redeem = op
	case *PauseAsset:
		j.PauseAsset = op
	case *ResumeAsset:
		j.ResumeAsset = op
	default:
		return nil, errors.New("transaction has no operation")
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads the form that MarshalJSON writes, and refuses unknown
// fields. It does not judge the values: CheckBody does.
func (b *Body) UnmarshalJSON(data []byte) error {
	var j bodyJSON
	if err := strictJSON(data, &j); err != nil {
		return err
	}
	if j.Sender == nil {
		return errors.New("field \"sender\" is missing")
	}
	if j.Nonce == nil {
		return errors.New("field \"nonce\" is missing: give the account's nextNonce, or any number not yet used")
	}
	ops := j.operations()
	if len(ops) != 1 {
		return fmt.Errorf("a transaction has exactly one operation, one of %q; this one has %d", KindNames(), len(ops))
	}
	*b = Body{Sender: *j.Sender, Nonce: Nonce(*j.Nonce), ValidUntil: UnixTime(j.ValidUntil), Memo: j.Memo, Op: ops[0]}
	return nil
}
