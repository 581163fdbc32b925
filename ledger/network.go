package ledger

import (
	"fmt"
	"regexp"

	"github.com/tallystick/tallystick/crypto"
)

// Protocol is the version of the newest rules in this package. Headers carry the
// version in force as the application version: see FirstProtocol.
const Protocol uint64 = 1

// MaxChainID is the largest EIP-155 chain ID that MetaMask accepts.
const MaxChainID uint64 = 4503599627370476

// Network is what makes a ledger this one and no other. It is fixed at
// genesis and never changes.
type Network struct {
	ID                 string         // text, 1..50 of [A-Za-z0-9._-]; also CometBFT's chain ID
	Hash               crypto.Hash    // keccak256(ID)
	ChainID            uint64         // EIP-155, 1..MaxChainID
	Settlement         crypto.Address // the asset that plain Ethereum value moves
	SettlementDecimals uint8          // 0..18

	domain crypto.Hash // EIP-712 domain separator
	scale  Amount      // 10^(18 - SettlementDecimals)
}

var networkIDPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,49}$`)

// NewNetwork checks the parts and derives the rest.
func NewNetwork(id string, chainID uint64, settlement crypto.Address, decimals uint8) (*Network, error) {
	if err := CheckNetworkID(id); err != nil {
		return nil, err
	}
	if err := CheckChainID(chainID); err != nil {
		return nil, err
	}
	if decimals > MaxDecimals {
		return nil, fmt.Errorf("settlement asset: decimals %d is above %d", decimals, MaxDecimals)
	}
	n := &Network{
		ID: id, Hash: crypto.Keccak256([]byte(id)), ChainID: chainID,
		Settlement: settlement, SettlementDecimals: decimals,
	}
	n.domain = crypto.DomainSeparator("Tallystick", "1", chainID, n.VerifyingContract())
	n.scale = pow10(MaxDecimals - decimals)
	return n, nil
}

// VerifyingContract is the last 20 bytes of the network hash: it binds typed
// data to this network beyond its chain ID.
func (n *Network) VerifyingContract() (a crypto.Address) {
	copy(a[:], n.Hash[12:])
	return a
}

// DeriveChainID is the default chain ID of a network: the first eight bytes
// of its hash, brought into 1..MaxChainID, stepping over reserved ones.
func DeriveChainID(networkID string) uint64 {
	h := crypto.Keccak256([]byte(networkID))
	var v uint64
	for _, b := range h[:8] {
		v = v<<8 | uint64(b)
	}
	id := v%MaxChainID + 1
	for CheckChainID(id) != nil {
		id = id%MaxChainID + 1
	}
	return id
}

// CheckNetworkID refuses a text that cannot name a network.
func CheckNetworkID(id string) error {
	if !networkIDPattern.MatchString(id) {
		return fmt.Errorf("networkId %q: must be 1 to 50 letters, digits, dots, hyphens or underscores, and begin with a letter or digit", id)
	}
	return nil
}

// CheckChainID refuses numbers out of range, and those of well-known public
// networks: a transaction signed for one of them must not be valid here.
func CheckChainID(id uint64) error {
	if id == 0 || id > MaxChainID {
		return fmt.Errorf("chainId %d: must be from 1 to %d", id, MaxChainID)
	}
	if name, ok := publicChains[id]; ok {
		return fmt.Errorf("chainId %d belongs to %s: choose another, or leave it out to have one derived from networkId", id, name)
	}
	return nil
}

// publicChains are EIP-155 numbers of public networks whose users' signed
// transactions must not be replayable here. The list can never be complete:
// who chooses a chain ID answers for the choice.
var publicChains = map[uint64]string{
	1: "Ethereum", 2: "Expanse", 3: "Ropsten", 4: "Rinkeby", 5: "Goerli", 8: "Ubiq",
	10: "OP Mainnet", 14: "Flare", 19: "Songbird", 20: "Elastos", 25: "Cronos",
	30: "Rootstock", 31: "Rootstock Testnet", 40: "Telos", 42: "LUKSO", 50: "XDC", 51: "XDC Apothem",
	56: "BNB Smart Chain", 57: "Syscoin", 60: "GoChain", 61: "Ethereum Classic", 63: "Mordor",
	66: "OKXChain", 82: "Meter", 88: "Viction", 97: "BNB Smart Chain Testnet", 100: "Gnosis",
	106: "Velas", 108: "ThunderCore", 109: "Shibarium", 122: "Fuse", 128: "Heco", 130: "Unichain", 137: "Polygon",
	143: "Monad", 146: "Sonic", 148: "Shimmer", 151: "Redbelly", 169: "Manta Pacific", 177: "HashKey Chain",
	196: "X Layer", 199: "BitTorrent Chain", 204: "opBNB", 232: "Lens", 239: "TAC", 246: "Energy Web",
	248: "Oasys", 250: "Fantom", 252: "Fraxtal", 255: "Kroma", 288: "Boba", 295: "Hedera",
	314: "Filecoin", 321: "KCC", 324: "zkSync Era", 361: "Theta", 369: "PulseChain", 480: "World Chain",
	592: "Astar", 747: "Flow EVM", 869: "WEMIX 3.0", 999: "HyperEVM", 1030: "Conflux eSpace", 1088: "Metis", 1101: "Polygon zkEVM",
	1111: "WEMIX 3.0", 1116: "Core", 1135: "Lisk", 1284: "Moonbeam", 1285: "Moonriver", 1329: "Sei",
	1514: "Story", 1625: "Gravity", 1776: "Injective", 1868: "Soneium", 1923: "Swellchain", 2000: "Dogechain", 2020: "Ronin",
	2222: "Kava", 2741: "Abstract", 4200: "Merlin", 4326: "MegaETH", 4689: "IoTeX", 5000: "Mantle", 7000: "ZetaChain",
	7560: "Cyber", 7700: "Canto", 8217: "Kaia", 8453: "Base", 9001: "Evmos", 9745: "Plasma",
	10000: "Smart Bitcoin Cash", 13371: "Immutable zkEVM", 16661: "0G", 17000: "Holesky", 23294: "Oasis Sapphire", 32659: "Fusion",
	32769: "Zilliqa", 33139: "ApeChain", 34443: "Mode", 42161: "Arbitrum One", 42170: "Arbitrum Nova",
	42220: "Celo", 42262: "Oasis Emerald", 42793: "Etherlink", 43111: "Hemi", 43113: "Avalanche Fuji", 43114: "Avalanche C-Chain",
	48900: "Zircuit", 50104: "Sophon", 53935: "DFK", 57073: "Ink", 59144: "Linea", 59141: "Linea Sepolia",
	60808: "BOB", 80002: "Polygon Amoy", 80069: "Berachain Bepolia", 80094: "Berachain", 81457: "Blast",
	84532: "Base Sepolia", 88888: "Chiliz", 98866: "Plume", 111188: "re.al", 167000: "Taiko", 200901: "Bitlayer",
	421614: "Arbitrum Sepolia", 534352: "Scroll", 534351: "Scroll Sepolia", 543210: "Zero Network",
	560048: "Hoodi", 747474: "Katana", 810180: "zkLink Nova", 7777777: "Zora", 11155111: "Sepolia",
	11155420: "OP Sepolia", 21000000: "Corn", 245022934: "Neon", 666666666: "Degen", 728126428: "Tron",
	1313161554: "Aurora", 1666600000: "Harmony",
}

func pow10(n uint8) Amount {
	v := uint64(1) // 10^MaxDecimals fits
	for range n {
		v *= 10
	}
	return NewAmount(v)
}
