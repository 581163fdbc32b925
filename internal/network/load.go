package network

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
	"github.com/tallystick/tallystick/rpc/wire"
)

// LoadOptions say how much load there is. The zero value works.
type LoadOptions struct {
	// To are the validators it goes to; nil: all that run, at any moment.
	To []int
	// Seed makes the transfers. The same seed does not make the same blocks.
	Seed uint64
}

// Load sends transfers, one at a time from each account, to running
// validators chosen at random. A transfer without a receipt is sent again, the
// same bytes, perhaps to another validator, until there is one: so every
// transfer ends in exactly one block whatever happens in between.
//
// It keeps all it was told: each receipt, and some of the answers about the
// past that came after it. Verify asks for all of that again.
type Load struct {
	n      *Network
	to     []int
	cancel context.CancelFunc
	done   sync.WaitGroup

	receipts atomic.Int64
	stopping atomic.Bool            // no further transfer is begun
	nonces   [accounts]ledger.Nonce // each belongs to its worker

	mu       sync.Mutex
	answers  map[string]answer // by question; mu
	order    []string          // the questions, in the order they were first answered; mu
	top      uint64            // the highest height of a receipt; mu
	problem  error             // the first answer that was wrong; mu
	lastSeen string            // the last failure to get an answer, for who waits in vain; mu
}

// answer is what was once answered to a question.
type answer struct {
	question Question
	result   json.RawMessage
	from     int // the validator
}

const (
	// receiptWithin is how long one call waits for a receipt, in milliseconds.
	receiptWithin = 2000
	// tryAgain is how long an account waits after an attempt that failed.
	tryAgain = 50 * time.Millisecond
	// askAlso is how many receipts there are to one that more is asked about.
	askAlso = 8
)

// key signs for a load account.
var key = func() func(i int) *crypto.PrivateKey {
	var keys [accounts]*crypto.PrivateKey
	for i := range keys {
		keys[i] = ledgertest.Key(person(i))
	}
	return func(i int) *crypto.PrivateKey { return keys[i] }
}()

// address is that of a load account.
func address(i int) crypto.Address { return key(i).Address() }

// StartLoad begins to send. Only one load may ever be started on a network.
func (n *Network) StartLoad(o LoadOptions) *Load {
	ctx, cancel := context.WithCancel(context.Background())
	l := &Load{n: n, to: o.To, cancel: cancel, answers: map[string]answer{}}
	if l.to == nil {
		l.to = n.All()
	}
	for i := range accounts {
		random := rand.New(rand.NewPCG(o.Seed, uint64(i)))
		l.done.Go(func() { l.work(ctx, i, random) })
	}
	n.t.Cleanup(l.end)
	return l
}

// end stops the workers at once. What was under way may or may not become a
// transaction.
func (l *Load) end() {
	l.cancel()
	l.done.Wait()
}

// Stop ends the load: no transfer is begun any more, and those under way get
// their receipts.
func (l *Load) Stop() {
	l.n.t.Helper()
	l.stopping.Store(true)
	ended := make(chan struct{})
	go func() {
		l.done.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(patience):
		l.n.t.Errorf("the last transfers have no receipt after %s; the last failure: %s", patience, l.lastFailure())
	}
	l.end()
	l.check()
}

func (l *Load) lastFailure() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lastSeen
}

// Transfer encodes a transfer of a load account to the next one.
func (n *Network) Transfer(from int, nonce ledger.Nonce, amount, validUntil uint64) []byte {
	body := &ledger.Body{
		Sender: address(from), Nonce: nonce, ValidUntil: ledger.UnixTime(validUntil),
		Op: &ledger.Transfer{Legs: []ledger.Leg{{
			From: address(from), To: address((from + 1) % accounts), Asset: n.Ledger.Settlement,
			Amount: ledger.NewAmount(amount),
		}}},
	}
	signature := ledger.Signature{Scheme: ledger.SchemeBodyHash, Signature: key(from).Sign(n.Ledger.BodyHash(body))}
	return ledger.EncodeNative(n.Ledger, body, []ledger.Signature{signature})
}

// work sends the transfers of one account.
func (l *Load) work(ctx context.Context, account int, random *rand.Rand) {
	for !l.stopping.Load() {
		nonce := l.nonces[account]
		raw := l.n.Transfer(account, nonce, 1+random.Uint64N(1000), 0)
		if !l.send(ctx, account, nonce, raw, random) {
			return
		}
		l.nonces[account]++
	}
}

// send sends one transfer until there is a receipt; false when the load ends.
func (l *Load) send(ctx context.Context, account int, nonce ledger.Nonce, raw []byte, random *rand.Rand) bool {
	hash := crypto.Keccak256(raw)
	question := Ask("ledger_sendRawTransactionSync", wire.Bytes(raw), receiptWithin)
	for ctx.Err() == nil {
		to := l.to[random.IntN(len(l.to))]
		if !l.n.Running(to) {
			pause(ctx, tryAgain)
			continue
		}
		receipt, err := l.n.RPC(to).Call(ctx, question)
		if err == nil {
			l.keep(to, Ask("ledger_getReceipt", hash), receipt)
			l.received(ctx, to, account, nonce, receipt)
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		l.failed(to, err)
		pause(ctx, tryAgain)
	}
	return false
}

// pause waits, or returns when ctx ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// failed judges an attempt that gave no receipt. Only a validator that cannot
// answer now is no problem: the ledger never has anything against a transfer.
func (l *Load) failed(to int, err error) {
	if no, answered := isRPCError(err); answered && no.Code != wire.CodeUnavailable {
		l.wrong(fmt.Errorf("%s has something against a transfer: %w", l.n.validators[to].name(), err))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lastSeen = fmt.Sprintf("%s: %v", l.n.validators[to].name(), err)
}

// received looks at a receipt.
func (l *Load) received(ctx context.Context, from, account int, nonce ledger.Nonce, raw json.RawMessage) {
	var receipt wire.Receipt
	if err := json.Unmarshal(raw, &receipt); err != nil || receipt.Status != "applied" {
		l.wrong(fmt.Errorf("%s gave a receipt that is none of an applied transfer: %s", l.n.validators[from].name(), raw))
		return
	}
	l.mu.Lock()
	l.top = max(l.top, receipt.Height)
	l.mu.Unlock()
	if n := l.receipts.Add(1); n%askAlso == 0 {
		l.askMore(ctx, from, account, nonce, receipt, raw)
	}
}

// askMore asks the validator that gave a receipt about what it shows now, and
// keeps the answers, which are about the past and so final.
func (l *Load) askMore(ctx context.Context, to, account int, nonce ledger.Nonce, receipt wire.Receipt, raw json.RawMessage) {
	who := address(account).String()
	now := Ask("ledger_getAccount", who)
	questions := []Question{
		Ask("ledger_getBlock", receipt.Height),
		Ask("ledger_getBlock", receipt.BlockHash),
		Ask("ledger_getAccount", who, receipt.Height),
		Ask("ledger_getBalance", who, l.n.Ledger.Settlement.String(), receipt.Height-1),
		Ask("ledger_getReceiptByNonce", who, nonce),
		Ask("ledger_getTransaction", receipt.Hash),
		now,
	}
	answers, err := l.n.RPC(to).CallAll(ctx, questions)
	if err != nil {
		if no, answered := isRPCError(err); answered && no.Code != wire.CodeUnavailable {
			l.wrong(fmt.Errorf("%s, asked after a receipt: %w", l.n.validators[to].name(), err))
		}
		return // it has just been killed or stopped
	}
	for i, q := range questions[:len(questions)-1] {
		l.keep(to, q, answers[i])
	}
	if !bytes.Equal(answers[4], raw) {
		l.wrong(fmt.Errorf("the receipt by nonce is\n%s\nand by hash\n%s", answers[4], raw))
	}
	var state wire.Account
	if err := json.Unmarshal(answers[len(answers)-1], &state); err != nil || state.NextNonce <= uint64(nonce) {
		l.wrong(fmt.Errorf("%s gave a receipt for nonce %d of %s, and then the account %s",
			l.n.validators[to].name(), nonce, who, answers[len(answers)-1]))
	}
}

// keep remembers an answer, which must be the same as any before.
func (l *Load) keep(from int, q Question, result json.RawMessage) {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := q.String()
	before, known := l.answers[text]
	if !known {
		l.answers[text] = answer{q, result, from}
		l.order = append(l.order, text)
		return
	}
	if !bytes.Equal(before.result, result) && l.problem == nil {
		l.problem = fmt.Errorf("%s was answered by %s with\n%s\nand by %s with\n%s", text,
			l.n.validators[before.from].name(), before.result, l.n.validators[from].name(), result)
	}
}

// wrong keeps the first problem.
func (l *Load) wrong(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.problem == nil {
		l.problem = err
	}
}

// check fails the test if any answer was wrong.
func (l *Load) check() {
	l.n.t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.problem != nil {
		l.n.t.Fatal(l.problem)
	}
}

// Receipts is how many transfers have had their receipts.
func (l *Load) Receipts() int { return int(l.receipts.Load()) }

// WaitReceipts waits for so many more receipts.
func (l *Load) WaitReceipts(more int) {
	l.n.t.Helper()
	want := l.Receipts() + more
	l.n.Until(patience, fmt.Sprintf("%d more receipts", more), func() error {
		l.n.t.Helper()
		l.check()
		if got := l.Receipts(); got < want {
			return fmt.Errorf("there are %d of %d; the last failure: %s", got, want, l.lastFailure())
		}
		return nil
	})
}

// Verify asks validators again for everything that any of them has ever
// answered about the past: each must answer with the same bytes, once it is
// where the receipts are.
func (l *Load) Verify(validators ...int) {
	l.n.t.Helper()
	l.check()
	kept, top := l.kept()
	for _, i := range validators {
		l.n.WaitHeight(i, top)
		if problem := l.compare(context.Background(), i, kept); problem != nil {
			l.n.t.Fatal(problem)
		}
	}
}

// kept returns all answers until now, and the highest height that they are about.
func (l *Load) kept() ([]answer, uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	kept := make([]answer, len(l.order))
	for i, text := range l.order {
		kept[i] = l.answers[text]
	}
	return kept, l.top
}

// compare asks validator i for answers again.
func (l *Load) compare(ctx context.Context, i int, kept []answer) error {
	questions := make([]Question, len(kept))
	for j := range kept {
		questions[j] = kept[j].question
	}
	again, err := l.n.RPC(i).CallAll(ctx, questions)
	if err != nil {
		return fmt.Errorf("%s no longer answers what it or another did: %w", l.n.validators[i].name(), err)
	}
	for j, before := range kept {
		if !bytes.Equal(before.result, again[j]) {
			return &WrongAnswerError{fmt.Sprintf("%s was answered by %s with\n%s\nand now by %s with\n%s", before.question,
				l.n.validators[before.from].name(), before.result, l.n.validators[i].name(), again[j])}
		}
	}
	return nil
}

// WrongAnswerError says that an answer about the past has changed.
type WrongAnswerError struct{ text string }

// Error implements error.
func (e *WrongAnswerError) Error() string { return e.text }
