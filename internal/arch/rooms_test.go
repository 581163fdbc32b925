package arch

const module = "github.com/tallystick/tallystick"

// A room is a directory with all below it that is not a room of its own.
type room struct {
	path string
	// may are the rooms that its code may import, besides itself. Its tests may
	// import anything.
	may []string
	// why says what would be lost with any other arrow.
	why string
}

// everyRoom in place of a list is leave to import all rooms but cmd, and none
// that is for tests only.
const everyRoom = "*"

// rooms is the table of who may import whom.
var rooms = []room{
	{"crypto", nil,
		"keys and signatures must be usable, and reviewable, without the rest"},
	{"crypto/smt", nil,
		"the tree is pure, and must be usable by who checks proofs and has nothing else"},
	{"ledger", []string{"crypto"},
		"the rules depend on values alone, so that any program can run and check them"},
	{"ledger/store", []string{"ledger", "crypto/smt"},
		"the store applies the ledger's changes and knows nothing of consensus or servers"},
	{"ledger/ledgertest", []string{"ledger", "crypto"},
		"the reference model must not share the store that it is compared with"},
	{"app", []string{"ledger", "ledger/store", "crypto"},
		"the ABCI adapter serves consensus; what else it needs, node gives it by an interface"},
	{"rpc/wire", []string{"ledger", "crypto"},
		"server and clients share one definition of the JSON, and a client must not carry the server"},
	{"rpc/apikey", []string{"config/tomlfile"},
		"who makes a key, or reads the file of them, must not carry the server"},
	{"rpc/pace", nil,
		"both doors believe a proxy by one rule, and neither must carry the other"},
	{"rpc", []string{"ledger", "crypto", "rpc/wire", "rpc/apikey", "rpc/pace"},
		"the wallets' door declares the little it needs of a node, and node supplies it"},
	{"explorer", []string{"ledger", "crypto", "crypto/smt", "rpc/wire", "rpc/pace"},
		"the explorer is fed committed blocks and must run apart from a validator; it checks proofs, and its events are the JSON of the native RPC"},
	{"explorer/explorertest", []string{"explorer", "ledger", "ledger/ledgertest", "crypto", "crypto/smt", "rpc/wire"},
		"the chain of its tests is made by the ledger's rules and by nothing of a node"},
	{"client", []string{"ledger", "crypto", "rpc/wire"},
		"a program that sends transactions must not carry a node"},
	{"config", []string{"config/tomlfile"},
		"settings are plain values, readable without starting anything"},
	{"config/tomlfile", nil,
		"whoever reads a file of an operator's must not carry the settings"},
	{"node", []string{everyRoom},
		"node wires everything together; only the commands stand above it"},
	{"cmd", []string{"node", "client", "config", "crypto", "ledger", "rpc/wire", "rpc/apikey", "explorer"},
		"commands are thin: what they do is done by the rooms below"},
	{"internal", []string{everyRoom},
		"checks of the whole may look at the whole"},
	{"scripts", nil,
		"scripts drive the binaries, not the code"},
}

// A library that only some rooms may import, in code and not in tests.
type library struct {
	path string
	// rooms may import the path and what is below it.
	rooms []string
	why   string
}

var libraries = []library{
	{"github.com/cometbft/cometbft/abci", []string{"app", "node", "internal"},
		"one adapter knows ABCI, so that the rules survive a change of the consensus engine"},
	{"github.com/cometbft/cometbft", []string{"app", "node", "client", "cmd", "internal"},
		"the rules, their state and the doors survive a change of the consensus engine"},
	{"github.com/cosmos/cosmos-db", []string{"ledger/store", "node", "internal"},
		"there is one committed state and one commit point, in ledger/store; node keeps derived indexes"},
	{"github.com/cockroachdb/pebble", []string{"ledger/store", "node", "internal"},
		"there is one committed state and one commit point, in ledger/store; node keeps derived indexes"},
	{"github.com/ethereum/go-ethereum/crypto/secp256k1", []string{"crypto", "internal"},
		"signers are recovered by one function, which checks v, r and s first"},
	{"github.com/btcsuite/btcd/btcec/v2", []string{"crypto", "internal"},
		"signatures are made and checked in one room"},
	{"modernc.org/sqlite", []string{"explorer", "internal"},
		"SQL is for readers; nothing that consensus waits for may depend on it"},
	{"github.com/jackc/pgx/v5", []string{"explorer", "explorer/explorertest", "internal"},
		"SQL is for readers; nothing that consensus waits for may depend on it"},
	{"github.com/pressly/goose/v3", []string{"explorer", "internal"},
		"one room knows how its tables came to be"},
	{"github.com/danielgtaylor/huma/v2", []string{"explorer", "internal"},
		"the REST API is the explorer's; the wallets' door is JSON-RPC"},
	{"rsc.io/qr", []string{"explorer", "internal"},
		"only pages have pictures"},
	{"github.com/spf13/viper", []string{"config", "internal"},
		"settings are read in one place, strictly"},
	{"github.com/pelletier/go-toml/v2", []string{"config/tomlfile", "internal"},
		"an operator's typing error is told in one way, and stops no node"},
	{"github.com/spf13/cobra", []string{"cmd", "internal"},
		"only commands have flags"},
}

// ledgerMay are the packages that the ledger's own code may import, each known
// to give the same answer everywhere and at any time.
var ledgerMay = map[string]string{
	"bytes": "", "cmp": "", "errors": "", "fmt": "", "iter": "", "maps": "", "math": "", "math/big": "",
	"math/bits": "", "regexp": "", "slices": "", "sort": "", "strconv": "", "strings": "",
	"unicode": "", "unicode/utf8": "",
	"crypto/sha256":                          "",
	"encoding":                               "",
	"encoding/base64":                        "",
	"encoding/binary":                        "",
	"encoding/hex":                           "",
	"encoding/json":                          "",
	"hash/maphash":                           "its seed differs between processes: where a record lies in a table, which no output shows",
	"sync":                                   "a pool of buffers; nothing waits and nothing is decided by it",
	"unicode/utf16":                          "",
	"io":                                     "readers and writers over bytes; io.EOF",
	"github.com/holiman/uint256":             "amounts",
	"github.com/ethereum/go-ethereum/rlp":    "the envelope's encoding",
	"github.com/ethereum/go-ethereum/common": "values of the types beside",
	"github.com/ethereum/go-ethereum/core/types":     "Ethereum's envelopes",
	"github.com/ethereum/go-ethereum/common/hexutil": "hexadecimal in JSON",
	module + "/crypto": "addresses and signatures",
}

// ledgerMayNot names the reason for what is most tempting.
var ledgerMayNot = map[string]string{
	"time":         "block time is an argument; a clock differs between validators",
	"os":           "the ledger does no I/O and reads no environment",
	"net":          "the ledger does no I/O",
	"log":          "the caller reports; a log is an effect",
	"log/slog":     "the caller reports; a log is an effect",
	"math/rand":    "randomness differs between validators",
	"math/rand/v2": "randomness differs between validators",
	"crypto/rand":  "randomness differs between validators",
	"sync":         "the ledger has no goroutines",
	"sync/atomic":  "the ledger has no goroutines",
	"context":      "the ledger does not wait",
	"runtime":      "the answer must not depend on the machine",
	"unsafe":       "the answer must not depend on the machine",
	"reflect":      "every encoding is written out",
}

// requiredNames must stand at the top level.
var requiredNames = []string{
	"app", "node", "ledger", "crypto", "config", "scripts", "go.mod", "go.sum", "Dockerfile", "README.md",
}

// furtherNames may stand there too, each for its reason.
var furtherNames = map[string]string{
	"cmd":           "the one binary",
	"rpc":           "the wallets' door",
	"explorer":      "the readers' door",
	"client":        "the Go client",
	"docs":          "what does not fit beside the code",
	"internal":      "tests of the whole",
	"LICENSE":       "Apache-2.0",
	"NOTICE":        "attributions",
	"CHANGELOG.md":  "what changes for users",
	".ci":           "what CI runs",
	".git":          "history",
	".gitignore":    "what is built, not kept",
	".dockerignore": "what the image does not need",
}
