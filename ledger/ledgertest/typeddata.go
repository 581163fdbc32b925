package ledgertest

import (
	"encoding/json"
	"strconv"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// typedMessage holds every field that any kind's message has.
type typedMessage struct {
	Sender     crypto.Address `json:"sender"`
	Nonce      string         `json:"nonce"`
	ValidUntil string         `json:"validUntil"`
	Memo       string         `json:"memo"`

	Legs      []typedLeg     `json:"legs"`
	Symbol    string         `json:"symbol"`
	Name      string         `json:"name"`
	Decimals  uint8          `json:"decimals"`
	Cap       ledger.Amount  `json:"cap"`
	Flags     uint32         `json:"flags"`
	Asset     crypto.Address `json:"asset"`
	From      crypto.Address `json:"from"`
	To        crypto.Address `json:"to"`
	Amount    ledger.Amount  `json:"amount"`
	Reference string         `json:"reference"`

	Threshold string         `json:"threshold"`
	Keys      []ledger.Key   `json:"keys"`
	Account   crypto.Address `json:"account"`
	Hold      crypto.Address `json:"hold"`
	Arbiter   crypto.Address `json:"arbiter"`
	Expiry    string         `json:"expiry"`

	Captures []ledger.Capture `json:"captures"`
	Holds    []typedHold      `json:"holds"`
	URI      string           `json:"uri"`
	Hash     crypto.Hash      `json:"hash"`
	Reason   uint16           `json:"reason"`
}

type typedLeg struct {
	From      crypto.Address `json:"from"`
	To        crypto.Address `json:"to"`
	Asset     crypto.Address `json:"asset"`
	Amount    ledger.Amount  `json:"amount"`
	Reference string         `json:"reference"`
}

// ParseTypedData reads back the body that typed data in JSON shows a wallet.
func ParseTypedData(data []byte) (b ledger.Body, err error) {
	var doc struct {
		PrimaryType string          `json:"primaryType"`
		Message     json.RawMessage `json:"message"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return b, err
	}
	var m typedMessage
	if err := json.Unmarshal(doc.Message, &m); err != nil {
		return b, err
	}
	b.Sender, b.Memo = m.Sender, m.Memo
	nonce, err := strconv.ParseUint(m.Nonce, 10, 64)
	if err != nil {
		return b, err
	}
	until, err := strconv.ParseUint(m.ValidUntil, 10, 64)
	if err != nil {
		return b, err
	}
	b.Nonce, b.ValidUntil = ledger.Nonce(nonce), ledger.UnixTime(until)
	if b.Op, err = m.operation(doc.PrimaryType); b.Op == nil && err == nil {
		b.Op, err = parseTypedGovernance(doc.PrimaryType, doc.Message)
	}
	return b, err
}

func (m *typedMessage) operation(primary string) (ledger.Operation, error) {
	switch primary {
	case "Transfer":
		op := &ledger.Transfer{}
		for _, l := range m.Legs {
			op.Legs = append(op.Legs, ledger.Leg(l))
		}
		return op, nil
	case "CreateAsset":
		return &ledger.CreateAsset{Symbol: m.Symbol, Name: m.Name, Decimals: m.Decimals, Cap: m.Cap, Flags: m.Flags}, nil
	case "Issue":
		return &ledger.Issue{Asset: m.Asset, To: m.To, Amount: m.Amount, Reference: m.Reference}, nil
	case "Redeem":
		return &ledger.Redeem{Asset: m.Asset, From: m.From, Amount: m.Amount, Reference: m.Reference}, nil
	case "PauseAsset":
		return &ledger.PauseAsset{Asset: m.Asset}, nil
	case "ResumeAsset":
		return &ledger.ResumeAsset{Asset: m.Asset}, nil
	case "SetKeys":
		threshold, err := strconv.ParseUint(m.Threshold, 10, 64)
		return &ledger.SetKeys{Threshold: threshold, Keys: append([]ledger.Key(nil), m.Keys...)}, err
	case "AdmitAccount":
		return &ledger.AdmitAccount{Account: m.Account}, nil
	case "FreezeAccount":
		return &ledger.FreezeAccount{Account: m.Account, Reference: m.Reference}, nil
	case "UnfreezeAccount":
		return &ledger.UnfreezeAccount{Account: m.Account, Reference: m.Reference}, nil
	case "CloseAccount":
		return &ledger.CloseAccount{Account: m.Account}, nil
	case "CreateHold":
		h, err := typedHold{m.From, m.To, m.Arbiter, m.Asset, m.Amount, m.Expiry, m.Reference}.hold()
		return (*ledger.CreateHold)(&h), err
	case "CaptureHold":
		return &ledger.CaptureHold{Hold: m.Hold, Amount: m.Amount, Reference: m.Reference}, nil
	case "ReleaseHold":
		return &ledger.ReleaseHold{Hold: m.Hold}, nil
	case "Settle":
		return m.settle()
	}
	return m.regulated(primary), nil // parseTypedGovernance knows the others
}
