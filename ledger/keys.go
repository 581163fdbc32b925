package ledger

import (
	"encoding/binary"

	"github.com/tallystick/tallystick/crypto"
)

// State keys. Every key of the state is built here and listed in FORMATS.md.
const (
	KeyNetwork = "network" // the network's identity
	KeyParams  = "params"  // the parameters
	KeyDueFrom = "dueFrom" // where the search for what is due begins
	KeyEvents  = "events"  // the events of the last block that had any of its own

	KeyMembers   = "members"   // the list of members
	KeyProposals = "proposals" // the list of proposals that have not ended
	KeyProtocol  = "protocol"  // the version of the rules, where it is not the first
	KeyUpgrade   = "upgrade"   // the scheduled upgrade

	prefixAccount  = "account/"   // + address
	prefixAsset    = "asset/"     // + asset address
	prefixBalance  = "balance/"   // + account address + asset address
	prefixDue      = "due/"       // + time (8 bytes) + kind (1 byte) + id
	prefixHold     = "hold/"      // + hold ID
	prefixMember   = "member/"    // + address of the admin account
	prefixKeyOwner = "validator/" // + consensus address; the value is the member that ever had the key
	prefixProposal = "proposal/"  // + number (8 bytes)
	prefixHolder   = "holder/"    // + asset address + account address
	prefixMetadata = "metadata/"  // + asset address
	prefixSymbol   = "symbol/"    // + symbol; the value is the asset's address
)

// KeyAccount is the key of an account's record.
func KeyAccount(a crypto.Address) []byte { return appendKeyAccount(nil, a) }

func appendKeyAccount(dst []byte, a crypto.Address) []byte {
	return append(append(dst, prefixAccount...), a[:]...)
}

// KeyBalance is the key of an account's balance of an asset.
func KeyBalance(account, asset crypto.Address) []byte {
	return appendKeyBalance(nil, balanceID{account, asset})
}

func appendKeyBalance(dst []byte, id balanceID) []byte {
	dst = append(append(dst, prefixBalance...), id.account[:]...)
	return append(dst, id.asset[:]...)
}

// KeyBalances is the prefix of an account's balances; what follows it in a
// key is the asset's address.
func KeyBalances(account crypto.Address) []byte {
	return append([]byte(prefixBalance), account[:]...)
}

// KeyHolder is the key of what an asset's issuer has said about an account.
func KeyHolder(asset, account crypto.Address) []byte {
	return appendKeyHolder(nil, holderID{asset, account})
}

func appendKeyHolder(dst []byte, id holderID) []byte {
	dst = append(append(dst, prefixHolder...), id.asset[:]...)
	return append(dst, id.account[:]...)
}

// KeyHolders is the prefix of an asset's holders' records; what follows it in a
// key is the account's address.
func KeyHolders(asset crypto.Address) []byte {
	return append([]byte(prefixHolder), asset[:]...)
}

// KeyMetadata is the key of an asset's metadata.
func KeyMetadata(asset crypto.Address) []byte { return appendKeyMetadata(nil, asset) }

func appendKeyMetadata(dst []byte, asset crypto.Address) []byte {
	return append(append(dst, prefixMetadata...), asset[:]...)
}

// KeyMember is the key of a member's record.
func KeyMember(a crypto.Address) []byte { return appendKeyMember(nil, a) }

func appendKeyMember(dst []byte, a crypto.Address) []byte {
	return append(append(dst, prefixMember...), a[:]...)
}

// KeyProposal is the key of a proposal's record.
func KeyProposal(id ProposalID) []byte { return appendKeyProposal(nil, id) }

func appendKeyProposal(dst []byte, id ProposalID) []byte {
	return binary.BigEndian.AppendUint64(append(dst, prefixProposal...), uint64(id))
}

// KeyKeyOwner is the key under which a consensus address names its member.
func KeyKeyOwner(a ConsensusAddress) []byte { return appendKeyKeyOwner(nil, a) }

func appendKeyKeyOwner(dst []byte, a ConsensusAddress) []byte {
	return append(append(dst, prefixKeyOwner...), a[:]...)
}

// KeyAsset is the key of an asset's record.
func KeyAsset(a crypto.Address) []byte { return appendKeyAsset(nil, a) }

func appendKeyAsset(dst []byte, a crypto.Address) []byte {
	return append(append(dst, prefixAsset...), a[:]...)
}

// KeyAssets is the prefix of the assets' records; what follows it in a key is
// the asset's address.
func KeyAssets() []byte { return []byte(prefixAsset) }

// KeySymbol is the key under which a symbol names its asset.
func KeySymbol(symbol string) []byte { return appendKeySymbol(nil, symbol) }

func appendKeySymbol(dst []byte, symbol string) []byte {
	return append(append(dst, prefixSymbol...), symbol...)
}
