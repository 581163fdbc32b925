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
	Sender      crypto.Address `json:"sender"`
	Nonce       uint64         `json:"nonce"`
	ValidUntil  uint64         `json:"validUntil,omitempty"`
	Memo        string         `json:"memo,omitempty"`
	Transfer    *Transfer      `json:"transfer,omitempty"`
	CreateAsset *CreateAsset   `json:"createAsset,omitempty"`
	Issue       *Issue         `json:"issue,omitempty"`
	Redeem      *Redeem        `json:"redeem,omitempty"`
	PauseAsset  *PauseAsset    `json:"pauseAsset,omitempty"`
	ResumeAsset *ResumeAsset   `json:"resumeAsset,omitempty"`
}

// bodyForm is the form of a body's JSON. Which operations are there is judged
// apart.
var bodyForm = append(all("sender", "nonce").with("validUntil", "memo"),
	jsonField{"transfer", true, jsonForm{{name: "legs", form: all("from", "to", "asset", "amount").with("reference")}}},
	jsonField{"createAsset", true, all("symbol", "name", "decimals", "cap", "flags")},
	jsonField{"issue", true, all("asset", "to", "amount").with("reference")},
	jsonField{"redeem", true, all("asset", "from", "amount").with("reference")},
	jsonField{"pauseAsset", true, all("asset")},
	jsonField{"resumeAsset", true, all("asset")},
)

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
	j := bodyJSON{Sender: b.Sender, Nonce: uint64(b.Nonce), ValidUntil: uint64(b.ValidUntil), Memo: b.Memo}
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

// UnmarshalJSON reads the form that MarshalJSON writes, strictly: validUntil,
// memo and references may be left out, nothing else may be missing, and
// nothing is null. It does not judge the values: CheckBody does.
func (b *Body) UnmarshalJSON(data []byte) error {
	var j bodyJSON
	if err := strictJSON(data, bodyForm, &j); err != nil {
		return err
	}
	ops := j.operations()
	if len(ops) != 1 {
		return fmt.Errorf("a transaction has exactly one operation, one of %q; this one has %d", KindNames(), len(ops))
	}
	*b = Body{Sender: j.Sender, Nonce: Nonce(j.Nonce), ValidUntil: UnixTime(j.ValidUntil), Memo: j.Memo, Op: ops[0]}
	return nil
}
