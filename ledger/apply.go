package ledger

import "slices"

// Block is what Apply needs of a block.
type Block struct {
	Height Height
	Time   UnixTime
	Txs    []*Tx // as Decode returned them, faulty ones included
	// Evidence names the consensus keys of whom CometBFT has proof that they
	// signed two blocks of one height.
	Evidence []ConsensusAddress
}

// BlockResult is what a block did.
type BlockResult struct {
	Events  []Event    // of the block itself: what came before its transactions, in order, and then EventPowerMoved, which came after them
	Results []TxResult // one for each transaction, in order
	Changes []Change   // ascending by key, each key once, none without effect
	// Validators is how the powers of consensus keys change, each key once.
	Validators []ValidatorUpdate
	// Upgrade is what is scheduled after the block, or nil.
	Upgrade *Upgrade
}

// maxExpectedLegs bounds the room that Apply makes before it knows whether a
// block's transactions are of any use.
const maxExpectedLegs = 16_384

// Apply runs a block on the committed state that r reads. It changes nothing
// itself. What is due happens first, and powers move last. Each transaction is
// judged on the state that the earlier ones left: what is not includable there
// has no effect at all. Cost: some microseconds a transaction whose signers are
// recovered.
func Apply(net *Network, b Block, r Reader) (*BlockResult, error) {
	s, err := newState(net, b.Time, r)
	if err != nil {
		return nil, err
	}
	legs := 0
	for _, tx := range b.Txs {
		legs += tx.Legs()
	}
	s.height = b.Height
	s.expect(min(legs, maxExpectedLegs))
	events, err := s.begin(b.Evidence)
	if err != nil {
		return nil, err
	}
	results := make([]TxResult, len(b.Txs))
	next := newAhead(r)
	for i, tx := range b.Txs {
		if i%aheadTxs == 0 {
			next.read(b.Txs[i:])
		}
		if results[i], err = s.run(tx); err != nil {
			return nil, err
		}
	}
	if err := s.movePower(); err != nil {
		return nil, err
	}
	events = append(events, s.takeEvents()...)
	if err := s.recordEvents(events); err != nil {
		return nil, err
	}
	updates, err := s.validatorUpdates()
	if err != nil {
		return nil, err
	}
	scheduled, err := s.upgradeTable.get(s.reader, single{})
	if err != nil {
		return nil, err
	}
	result := &BlockResult{Events: events, Results: results, Changes: s.changes(), Validators: updates}
	if scheduled.present {
		result.Upgrade = &scheduled.value
	}
	return result, nil
}

// begin is what happens in a block before its transactions: other rules, the
// loss of power of who is proved to have cheated, and what is due. It answers
// with the events.
func (s *state) begin(evidence []ConsensusAddress) ([]Event, error) {
	for _, step := range []func() error{s.upgrade, func() error { return s.punish(evidence) }, s.fallDue} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	s.keep()
	return slices.Clone(s.takeEvents()), nil
}

// Simulate says what would become of tx if it were alone in the next block:
// not includable, refused or applied. Nothing changes. What falls due before it is
// left out, and so is whether an upgrade's height lies ahead, because the block's
// is not known.
func Simulate(net *Network, time UnixTime, r Reader, tx *Tx) (TxResult, error) {
	s, err := newState(net, time, r)
	if err != nil {
		return TxResult{}, err
	}
	return s.run(tx)
}

// run applies one transaction.
func (s *state) run(tx *Tx) (TxResult, error) {
	code, err := s.includable(tx)
	if err != nil || code != Applied {
		return TxResult{Code: code, BodyHash: tx.BodyHash}, err
	}
	sender, err := s.account(tx.Sender)
	if err != nil {
		return TxResult{}, err
	}
	spent := sender.value
	spent.Window = spent.Window.spend(tx.Nonce)
	s.accountTable.set(sender, spent)
	s.keep()
	code, err = tx.Op.apply(s, &tx.Body)
	if err != nil {
		return TxResult{}, err
	}
	if code != Applied {
		s.undo()
	}
	s.keep()
	return TxResult{Code: code, BodyHash: tx.BodyHash, Events: s.takeEvents()}, nil
}

// BlockVerdict is the first reason against a proposed block.
type BlockVerdict struct {
	Code  Code // Applied: nothing is against it
	Index int  // of the transaction
}

// CheckBlock judges a proposed block on the committed state that r reads:
// every transaction includable there, no two with the same sender and nonce,
// and the block's caps kept.
func CheckBlock(net *Network, b Block, r Reader) (BlockVerdict, error) {
	c, err := NewBlockCheck(net, b.Time, r)
	if err != nil {
		return BlockVerdict{}, err
	}
	for i, tx := range b.Txs {
		code, err := c.Admit(tx)
		if err != nil || code != Applied {
			return BlockVerdict{code, i}, err
		}
	}
	return BlockVerdict{}, nil
}
