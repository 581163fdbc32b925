package node

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/crypto/ed25519"
	cometjson "github.com/cometbft/cometbft/libs/json"
	"github.com/cometbft/cometbft/types"

	"github.com/tallystick/tallystick/app"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/node/card"
	"github.com/tallystick/tallystick/rpc"
	"github.com/tallystick/tallystick/rpc/wire"
)

// MinValidatorPower is the least power of a founding validator. Powers are
// large so that they can be changed in steps of less than a third of the whole.
const MinValidatorPower = 1_000_000

// maxGenesisBytes bounds the file, which is read whole.
const maxGenesisBytes = 256 << 20

// Evidence of a validator that voted twice is taken for as long as a light
// client may trust a header, and for at least this many blocks.
const (
	evidenceBlocks = 1_000_000
	evidenceAge    = 21 * 24 * time.Hour
	evidenceBytes  = 256 << 10
)

// GenesisSpec is a network before its first block.
type GenesisSpec struct {
	// Time is the genesis time. It must not be zero: each node would fill in
	// its own "now", and they would never agree.
	Time time.Time
	// Ledger is the state that the network starts with.
	Ledger ledger.Genesis
	// Validators are the founders, at least one, where the ledger has no
	// members; their validators are the founders else, and need not stand here.
	Validators []GenesisValidator
	// Cards are the members' cards, which the document keeps, or none.
	Cards []*card.Card
}

// GenesisValidator is a founding validator.
type GenesisValidator struct {
	// Name is for people.
	Name string
	// ConsensusKey is its ed25519 public key, 32 bytes.
	ConsensusKey []byte
	// Power is its weight, at least MinValidatorPower.
	Power int64
}

// Document makes the genesis document, as CometBFT reads it. The error names
// the field that is wrong.
func (g GenesisSpec) Document() ([]byte, error) {
	state, err := json.Marshal(g.Ledger)
	if err != nil {
		return nil, fmt.Errorf("genesis app_state: %w", err)
	}
	doc := types.GenesisDoc{
		GenesisTime:     g.Time.UTC().Round(time.Millisecond),
		ChainID:         g.Ledger.NetworkID,
		InitialHeight:   1,
		ConsensusParams: consensusParams(),
		AppState:        state,
	}
	for i, v := range g.Validators {
		if len(v.ConsensusKey) != ed25519.PubKeySize {
			return nil, fmt.Errorf("genesis validators[%d]: key of %d bytes, want an ed25519 public key of %d",
				i, len(v.ConsensusKey), ed25519.PubKeySize)
		}
		key := ed25519.PubKey(v.ConsensusKey)
		doc.Validators = append(doc.Validators, types.GenesisValidator{
			Address: key.Address(), PubKey: key, Power: v.Power, Name: v.Name,
		})
	}
	data, err := cometjson.Marshal(&doc)
	if err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	data = withCards(data, g.Cards)
	if _, err := parseGenesis(data); err != nil {
		return nil, err
	}
	return data, nil
}

// withCards adds the field cards to a document, which CometBFT passes over, and
// indents the whole.
func withCards(document []byte, cards []*card.Card) []byte {
	if len(cards) > 0 {
		document = append(bytes.TrimSuffix(document, []byte("}")), `,"cards":[`...)
		for i, c := range cards {
			if i > 0 {
				document = append(document, ',')
			}
			document = append(document, c.Text()...)
		}
		document = append(document, "]}"...)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, document, "", "  "); err != nil {
		panic("node: a genesis document made here is no JSON: " + err.Error())
	}
	b.WriteByte('\n')
	return b.Bytes()
}

// consensusParams are what all networks share: the ledger bounds its blocks
// itself, so CometBFT does not.
func consensusParams() *types.ConsensusParams {
	p := types.DefaultConsensusParams()
	p.Block.MaxBytes, p.Block.MaxGas = -1, -1
	p.Evidence = types.EvidenceParams{
		MaxAgeNumBlocks: evidenceBlocks, MaxAgeDuration: evidenceAge, MaxBytes: evidenceBytes,
	}
	p.Validator.PubKeyTypes = []string{types.ABCIPubKeyTypeEd25519}
	p.Version.App = ledger.FirstProtocol
	return p
}

// genesis is a checked genesis document.
type genesis struct {
	doc    *types.GenesisDoc
	ledger *ledger.Genesis
	events []ledger.Event // what the first state was made of
	params ledger.Params
	cards  []*card.Card      // of the members; none in a network for tests
	hash   [sha256.Size]byte // of the file

	validators int // how many there are to begin with
}

// done is the genesis as block 0, which no validator signed: its hash commits to
// the network and to what it began with.
func (g *genesis) done(net *ledger.Network) *rpc.Done {
	digest := ledger.BlockEventsDigest(g.events)
	return &rpc.Done{
		Hash: crypto.Keccak256([]byte("tallystick/genesis"), net.Hash[:], digest[:]),
		Time: ledger.UnixTime(g.doc.GenesisTime.Unix()), Receipts: []*wire.Receipt{}, Events: g.events,
	}
}

// CheckGenesis reads the genesis document at path and reports the first field
// that is wrong. It returns the ledger's part.
func CheckGenesis(path string) (*ledger.Genesis, error) {
	g, err := readGenesis(path)
	if err != nil {
		return nil, err
	}
	return g.ledger, nil
}

func readGenesis(path string) (*genesis, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read genesis document: %w", err)
	}
	if info.Size() > maxGenesisBytes {
		return nil, fmt.Errorf("genesis document %s: %d bytes, more than %d", path, info.Size(), maxGenesisBytes)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read genesis document: %w", err)
	}
	g, err := parseGenesis(data)
	if err != nil {
		return nil, fmt.Errorf("genesis document %s: %w", path, err)
	}
	return g, nil
}

// parseGenesis checks a document before CometBFT sees it, which fills in what
// is missing and so would make each node start from a genesis of its own.
func parseGenesis(data []byte) (*genesis, error) {
	if err := knownFields(data); err != nil {
		return nil, err
	}
	var doc types.GenesisDoc
	if err := cometjson.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("not a genesis document: %w", err)
	}
	for _, check := range []func(*types.GenesisDoc) error{checkHeader, checkParams, checkValidators} {
		if err := check(&doc); err != nil {
			return nil, err
		}
	}
	if len(doc.AppState) == 0 {
		return nil, errors.New("app_state: is missing")
	}
	state, err := ledger.ParseGenesis(doc.AppState)
	if err != nil {
		return nil, err
	}
	if state.NetworkID != doc.ChainID {
		return nil, fmt.Errorf("chain_id: is %q, but app_state.networkId is %q: they must be the same", doc.ChainID, state.NetworkID)
	}
	built, err := state.Build()
	if err != nil {
		return nil, err
	}
	validators, err := founders(&doc, state)
	if err != nil {
		return nil, err
	}
	cards, err := parseCards(data)
	if err != nil {
		return nil, err
	}
	if err := checkCards(cards, &doc, state); err != nil {
		return nil, err
	}
	if err := doc.ValidateAndComplete(); err != nil {
		return nil, err
	}
	return &genesis{&doc, state, built.Events, built.Params, cards, sha256.Sum256(data), validators}, nil
}

// knownFields refuses a misspelt field, which CometBFT would read as a missing one.
func knownFields(data []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return fmt.Errorf("not a JSON object: %w", err)
	}
	known := []string{"genesis_time", "chain_id", "initial_height", "consensus_params", "validators", "app_hash", "app_state", "cards"}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains(known, name) {
			return fmt.Errorf("%s: there is no such field; the fields are %s", name, strings.Join(known, ", "))
		}
	}
	return nil
}

func checkHeader(doc *types.GenesisDoc) error {
	switch {
	case doc.ChainID == "":
		return errors.New("chain_id: is missing")
	case len(doc.ChainID) > types.MaxChainIDLen:
		return fmt.Errorf("chain_id: %d characters, want at most %d", len(doc.ChainID), types.MaxChainIDLen)
	case doc.GenesisTime.IsZero():
		return errors.New("genesis_time: is missing or zero: every node would fill in its own clock's time")
	case doc.InitialHeight != 1:
		return fmt.Errorf("initial_height: is %d, want 1", doc.InitialHeight)
	case len(doc.AppHash) != 0:
		return errors.New("app_hash: want it empty: it is computed from app_state")
	}
	return nil
}

// checkParams wants the parameters that the ledger relies on.
func checkParams(doc *types.GenesisDoc) error {
	p := doc.ConsensusParams
	if p == nil {
		return errors.New("consensus_params: is missing")
	}
	switch {
	case p.Block.MaxBytes != -1:
		return fmt.Errorf("consensus_params.block.max_bytes: is %d, want -1: the ledger bounds blocks itself, by params.maxBlockBytes", p.Block.MaxBytes)
	case p.Block.MaxGas != -1:
		return fmt.Errorf("consensus_params.block.max_gas: is %d, want -1: there is no gas", p.Block.MaxGas)
	case p.Version.App != ledger.FirstProtocol:
		return fmt.Errorf("consensus_params.version.app: is %d, but networks begin with protocol %d", p.Version.App, ledger.FirstProtocol)
	case !slices.Equal(p.Validator.PubKeyTypes, []string{types.ABCIPubKeyTypeEd25519}):
		return fmt.Errorf("consensus_params.validator.pub_key_types: is %v, want [%s]", p.Validator.PubKeyTypes, types.ABCIPubKeyTypeEd25519)
	case p.ABCI.VoteExtensionsEnableHeight != 0:
		return fmt.Errorf("consensus_params.abci.vote_extensions_enable_height: is %d, want 0: there are no vote extensions", p.ABCI.VoteExtensionsEnableHeight)
	}
	if err := p.ValidateBasic(); err != nil {
		return fmt.Errorf("consensus_params: %w", err)
	}
	return nil
}

// founders counts the validators to begin with: the document's own, or those of
// the members, to which it may leave them.
func founders(doc *types.GenesisDoc, state *ledger.Genesis) (int, error) {
	listed := make([]abci.ValidatorUpdate, len(doc.Validators))
	for i, v := range doc.Validators {
		listed[i] = abci.UpdateValidator(v.PubKey.Bytes(), v.Power, ed25519.KeyType)
	}
	validators, err := app.FoundingValidators(state.Members, listed)
	if err != nil {
		return 0, err
	}
	count := max(len(validators), len(listed))
	if count == 0 {
		return 0, errors.New("validators: there are none, and nobody could make a block")
	}
	return count, nil
}

func checkValidators(doc *types.GenesisDoc) error {
	seen := map[string]int{}
	total := int64(0)
	for i, v := range doc.Validators {
		// CometBFT panics on a key of another size.
		if key, ok := v.PubKey.(ed25519.PubKey); !ok || len(key) != ed25519.PubKeySize {
			return fmt.Errorf("validators[%d].pub_key: want an ed25519 key of %d bytes", i, ed25519.PubKeySize)
		}
		if v.Power < MinValidatorPower {
			return fmt.Errorf("validators[%d].power: is %d, want at least %d", i, v.Power, MinValidatorPower)
		}
		if len(v.Address) > 0 && !bytes.Equal(v.Address, v.PubKey.Address()) {
			return fmt.Errorf("validators[%d].address: is %s, but the key's is %s", i, v.Address, v.PubKey.Address())
		}
		key := string(v.PubKey.Bytes())
		if first, again := seen[key]; again {
			return fmt.Errorf("validators[%d].pub_key: the same as that of validators[%d], %s",
				i, first, base64.StdEncoding.EncodeToString(v.PubKey.Bytes()))
		}
		seen[key] = i
		if total += v.Power; total > types.MaxTotalVotingPower || total < 0 {
			return fmt.Errorf("validators[%d].power: brings the whole above %d", i, types.MaxTotalVotingPower)
		}
	}
	return nil
}
