package ledger

import "fmt"

// Code is the ledger's verdict about a transaction: 0 is applied. Codes are
// consensus data and are never renumbered or reused. Codes below
// firstRefusal say that a transaction may not stand in a block (it changes
// nothing and spends nothing); the others say that it stood in one and was
// refused (it spent its nonce and changed nothing else).
//
// Below firstRefusal the numbers are in order of precedence: of several
// verdicts that fit, the lowest is given. Two exceptions: of a transaction
// that is too long, or of a type that is not carried, nothing more is looked
// at; and the sender of an Ethereum envelope is known only from its signature,
// so there CodeInvalidSignature precedes whatever needs the sender, CodeZeroAmount
// of the settlement asset included. The refusals' precedence is the order in
// which an operation checks, documented with it in FORMATS.md.
type Code uint32

// The codes.
const (
	Applied Code = 0

	// Shown by the bytes alone.
	CodeMalformed        Code = 1
	CodeTooLarge         Code = 2
	CodeUnsupportedType  Code = 3
	CodeWrongNetwork     Code = 4
	CodeUnsupportedCall  Code = 5
	CodeInexactValue     Code = 6
	CodeAmountOutOfRange Code = 7
	CodeLimitExceeded    Code = 8
	CodeInvalidField     Code = 9
	CodeZeroAmount       Code = 10
	// Shown by the bytes against the state and the block's time.
	CodeUnknownSender     Code = 20
	CodeSenderInactive    Code = 21
	CodeNonceSpent        Code = 22
	CodeNonceTooLow       Code = 23
	CodeNonceTooHigh      Code = 24
	CodeExpired           Code = 25
	CodeTooManySignatures Code = 26
	CodeInvalidSignature  Code = 27
	CodeSignatureOrder    Code = 28
	CodeUnauthorized      Code = 29
	CodeSuperfluous       Code = 30
	CodeLifetimeRequired  Code = 31
	CodeLifetimeTooLong   Code = 32
	// Shown by the block as a whole.
	CodeDuplicateNonce Code = 33
	CodeBlockLimit     Code = 34

	// Refusals: the nonce is spent.
	CodeUnknownAsset         Code = 100
	CodeNotIssuer            Code = 101
	CodeAssetPaused          Code = 102
	CodeAssetNotPaused       Code = 103
	CodeSourceInactive       Code = 104
	CodeRecipientIsAsset     Code = 105
	CodeRecipientNotAdmitted Code = 106
	CodeRecipientInactive    Code = 107
	CodeNewAccountLimit      Code = 108
	CodeInsufficientBalance  Code = 109
	CodeCapExceeded          Code = 110
	CodeSymbolTaken          Code = 111
	CodeAddressTaken         Code = 112
	CodeUnsupportedFlags     Code = 113

	CodeAuthorityUnchanged Code = 120
	CodeNotMember          Code = 121
	CodeMissingRole        Code = 122
	CodeUnknownAccount     Code = 123
	CodeNotOwnAccount      Code = 124
	CodeAdminAccount       Code = 125
	CodeAccountExists      Code = 126
	CodeAccountIsAsset     Code = 127
	CodeAccountClosed      Code = 128
	CodeAccountFrozen      Code = 129
	CodeAccountNotFrozen   Code = 130
	CodeAccountHasBalances Code = 131
	CodeAccountHasHolds    Code = 132

	CodeAssetRetired         Code = 140
	CodeAssetHasHolds        Code = 141
	CodeSettlementAsset      Code = 142
	CodeNotFreezable         Code = 143
	CodeNotClawback          Code = 144
	CodeNotRestricted        Code = 145
	CodeUnknownHolder        Code = 146
	CodeHolderApproved       Code = 147
	CodeHolderNotApproved    Code = 148
	CodeHolderFrozen         Code = 149
	CodeHolderNotFrozen      Code = 150
	CodeFrozenUnchanged      Code = 151
	CodeMetadataUnchanged    Code = 152
	CodeRecipientNotApproved Code = 153
	CodeRecipientFrozen      Code = 154
	CodeSourceFrozen         Code = 155
	CodeBalanceFrozen        Code = 156
	CodeNewIssuerInactive    Code = 157
	CodeNotIssuerMember      Code = 158

	CodeUnknownHold    Code = 160
	CodeHoldDue        Code = 161
	CodeNotHoldParty   Code = 162
	CodeCaptorInactive Code = 163
	CodeExceedsHold    Code = 164
	CodeExpiryPassed   Code = 165
	CodeExpiryTooFar   Code = 166
	CodeHoldTaken      Code = 167

	CodeTooManyProposals Code = 180
	CodeUnknownProposal  Code = 181
	CodeProposalClosed   Code = 182
	CodeAlreadyVoted     Code = 183
	CodeNotProposer      Code = 184
	CodeMemberExists     Code = 185
	CodeMemberNameTaken  Code = 186
	CodeUnknownMember    Code = 187
	CodeMemberStatus     Code = 188
	CodeLastMember       Code = 189
	CodeLastValidator    Code = 190
	CodeKeyUsed          Code = 191
	CodeKeyCooldown      Code = 192
	CodeNoConsensusKey   Code = 193
	CodeParameterRange   Code = 194
	CodeUpgradeScheduled Code = 195
	CodeNoUpgrade        Code = 196
	CodeUpgradeVersion   Code = 197
	CodeUpgradeHeight    Code = 198
	CodeDelayTooShort    Code = 199

	CodeNoChange       Code = 200
	CodeAdminUnfit     Code = 201
	CodeTooManyMembers Code = 202
	CodeNoNodes        Code = 203
)

// firstRefusal is the first code of a transaction that stood in a block.
const firstRefusal Code = 100

// CodeInfo describes a code for people and for documents.
type CodeInfo struct {
	Code    Code
	Name    string // stable, lowerCamelCase
	Meaning string // one sentence: what was wrong, and what to do where that helps
}

// codeTable lists every code in order of precedence. FORMATS.md and the RPC
// error table are checked against it.
var codeTable = []CodeInfo{
	{Applied, "applied", "the transaction took effect"},
	{CodeMalformed, "malformed", "the bytes are not the one canonical form of a transaction"},
	{CodeTooLarge, "tooLarge", "the transaction is longer than 512 KiB"},
	{CodeUnsupportedType, "unsupportedType", "this transaction type is not carried: use the native type 0x54, a legacy transaction with EIP-155 protection, or type 0x02 with an empty access list"},
	{CodeWrongNetwork, "wrongNetwork", "the transaction is for another network (chain ID), or for none: a legacy transaction without EIP-155 protection"},
	{CodeUnsupportedCall, "unsupportedCall", "an Ethereum transaction can move the settlement asset (value, no data) or call transfer(address,uint256) on an asset's address, and nothing else"},
	{CodeInexactValue, "inexactValue", "the value has more decimals than the settlement asset: it would have to be rounded"},
	{CodeAmountOutOfRange, "amountOutOfRange", "the amount is not below 2^128 smallest units"},
	{CodeLimitExceeded, "limitExceeded", "a list or text of the transaction is longer than its limit"},
	{CodeInvalidField, "invalidField", "a field has a value that is never valid"},
	{CodeZeroAmount, "zeroAmount", "the amount is zero (only a zero transfer of the settlement asset to oneself is allowed: it cancels the nonce)"},
	{CodeUnknownSender, "unknownSender", "the sender has no account on this ledger"},
	{CodeSenderInactive, "senderInactive", "the sender's account may not act: it is frozen or closed, or its member is suspended or removed"},
	{CodeNonceSpent, "nonceSpent", "the sender has already spent this nonce"},
	{CodeNonceTooLow, "nonceTooLow", "the nonce lies more than 4096 below the sender's next nonce and can never be used"},
	{CodeNonceTooHigh, "nonceTooHigh", "the nonce lies 1024 or more above the sender's next nonce"},
	{CodeExpired, "expired", "validUntil lies before the block's time"},
	{CodeTooManySignatures, "tooManySignatures", "there are more signatures than the accounts that must authorise the transaction have keys (one that does not exist has none)"},
	{CodeInvalidSignature, "invalidSignature", "a signature is not a valid low-s secp256k1 signature"},
	{CodeSignatureOrder, "signatureOrder", "the signatures do not stand in strictly ascending order of their signers' addresses"},
	{CodeUnauthorized, "unauthorized", "the signatures do not reach the threshold of an account that must authorise the transaction"},
	{CodeSuperfluous, "superfluousSignature", "a signature is not needed by any account that must authorise the transaction"},
	{CodeLifetimeRequired, "lifetimeRequired", "validUntil must be set when somebody else than the sender signs"},
	{CodeLifetimeTooLong, "lifetimeTooLong", "validUntil lies too far ahead for a transaction that somebody else than the sender signs"},
	{CodeDuplicateNonce, "duplicateNonce", "the block holds another transaction with the same sender and nonce"},
	{CodeBlockLimit, "blockLimit", "the block carries more signatures, legs or bytes than one block may, or could create more accounts"},
	{CodeUnknownAsset, "unknownAsset", "there is no asset at this address"},
	{CodeNotIssuer, "notIssuer", "only the asset's issuer may do this"},
	{CodeAssetPaused, "assetPaused", "the asset is paused"},
	{CodeAssetNotPaused, "assetNotPaused", "the asset is not paused by who would resume it"},
	{CodeSourceInactive, "sourceInactive", "the account that pays may not act"},
	{CodeRecipientIsAsset, "recipientIsAsset", "the recipient is an asset's address, which can hold nothing"},
	{CodeRecipientNotAdmitted, "recipientNotAdmitted", "the recipient has no account, and on this network accounts must be admitted first"},
	{CodeRecipientInactive, "recipientInactive", "the recipient's account may not receive"},
	{CodeNewAccountLimit, "newAccountLimit", "the transaction would create more accounts than one block may: split it"},
	{CodeInsufficientBalance, "insufficientBalance", "the available balance is too small"},
	{CodeCapExceeded, "capExceeded", "the supply would exceed the asset's cap"},
	{CodeSymbolTaken, "symbolTaken", "another asset has this symbol"},
	{CodeAddressTaken, "addressTaken", "an account or asset already stands at the new asset's address"},
	{CodeUnsupportedFlags, "unsupportedFlags", "the asset's flags ask for controls that this version does not have"},
	{CodeAuthorityUnchanged, "authorityUnchanged", "the account has these keys and this threshold already"},
	{CodeNotMember, "notMember", "the sender is not the admin account of an active member"},
	{CodeMissingRole, "missingRole", "the sender's member does not have the role that this takes"},
	{CodeUnknownAccount, "unknownAccount", "there is no account at this address"},
	{CodeNotOwnAccount, "notOwnAccount", "another member answers for the account, or none does"},
	{CodeAdminAccount, "adminAccount", "a member's admin account is not frozen or closed: suspend the member instead"},
	{CodeAccountExists, "accountExists", "there is an account at this address already, and its member was not removed"},
	{CodeAccountIsAsset, "accountIsAsset", "an asset stands at this address, where no account can be"},
	{CodeAccountClosed, "accountClosed", "the account is closed for ever"},
	{CodeAccountFrozen, "accountFrozen", "the account is frozen already by whoever asks: its member's registrar, or the network"},
	{CodeAccountNotFrozen, "accountNotFrozen", "the account is not frozen by whoever asks: a registrar cannot lift what the network froze, nor the network what a registrar did"},
	{CodeAccountHasBalances, "accountHasBalances", "the account has balances: move them away first"},
	{CodeAccountHasHolds, "accountHasHolds", "the account pays or is paid by holds: they must end first"},
	{CodeAssetRetired, "assetRetired", "the asset is retired: it can only be redeemed and clawed back"},
	{CodeAssetHasHolds, "assetHasHolds", "there are holds of the asset: capture or release them first"},
	{CodeSettlementAsset, "settlementAsset", "the settlement asset cannot be retired"},
	{CodeNotFreezable, "notFreezable", "the asset was created without the flag freezable"},
	{CodeNotClawback, "notClawback", "the asset was created without the flag clawback"},
	{CodeNotRestricted, "notRestricted", "the asset was created without the flag restricted: it needs no approvals"},
	{CodeUnknownHolder, "unknownHolder", "the holder has no account, or a closed one"},
	{CodeHolderApproved, "holderApproved", "the holder is approved already"},
	{CodeHolderNotApproved, "holderNotApproved", "the holder is not approved"},
	{CodeHolderFrozen, "holderFrozen", "the holder is frozen already"},
	{CodeHolderNotFrozen, "holderNotFrozen", "the holder is not frozen"},
	{CodeFrozenUnchanged, "frozenUnchanged", "this amount of the balance is what is frozen already"},
	{CodeMetadataUnchanged, "metadataUnchanged", "the asset has this metadata already"},
	{CodeRecipientNotApproved, "recipientNotApproved", "the asset is restricted, and its issuer has not approved the recipient"},
	{CodeRecipientFrozen, "recipientFrozen", "the asset's issuer has frozen the recipient, which cannot receive it"},
	{CodeSourceFrozen, "sourceFrozen", "the asset's issuer has frozen the account that pays, which cannot spend it"},
	{CodeBalanceFrozen, "balanceFrozen", "less would stay available than the amount that the asset's issuer has frozen"},
	{CodeNewIssuerInactive, "newIssuerInactive", "the new issuer's account may not act"},
	{CodeNotIssuerMember, "notIssuerMember", "on this network an asset's issuer must be an account of an active member with the role issuer"},
	{CodeUnknownHold, "unknownHold", "there is no hold under this ID: it never was, or was captured, released or expired"},
	{CodeHoldDue, "holdDue", "the hold has reached its expiry: what is left of it goes back to the payer by itself"},
	{CodeNotHoldParty, "notHoldParty", "only the hold's payee captures it, or its arbiter where it has one; only these release it, or the issuer of an asset with clawback"},
	{CodeCaptorInactive, "captorInactive", "the account that captures may not act"},
	{CodeExceedsHold, "exceedsHold", "the amount is greater than what is left of the hold"},
	{CodeExpiryPassed, "expiryPassed", "the expiry does not lie after the block's time"},
	{CodeExpiryTooFar, "expiryTooFar", "the expiry lies more than 366 days after the block's time"},
	{CodeHoldTaken, "holdTaken", "another hold already has the new hold's ID"},
	{CodeTooManyProposals, "tooManyProposals", "the member has 4 open proposals, or all members together 64"},
	{CodeUnknownProposal, "unknownProposal", "there is no proposal with this number"},
	{CodeProposalClosed, "proposalClosed", "the proposal does not take this now: an open one takes votes and can be withdrawn, one that has passed and waits takes vetoes"},
	{CodeAlreadyVoted, "alreadyVoted", "the member has voted on this proposal already, and votes cannot be changed"},
	{CodeNotProposer, "notProposer", "only the member that made the proposal can withdraw it"},
	{CodeMemberExists, "memberExists", "the admin account is or was a member's already"},
	{CodeMemberNameTaken, "memberNameTaken", "another member has this name"},
	{CodeUnknownMember, "unknownMember", "there is no member with this admin account"},
	{CodeMemberStatus, "memberStatus", "the member's status does not allow this: it must be active to be suspended, suspended to be reinstated, and not removed"},
	{CodeLastMember, "lastMember", "the last active member must stay"},
	{CodeLastValidator, "lastValidator", "no validator with power would be left"},
	{CodeKeyUsed, "keyUsed", "the consensus key is or was in use; keys are never used again"},
	{CodeKeyCooldown, "keyCooldown", "the member changed its consensus key too recently"},
	{CodeNoConsensusKey, "noConsensusKey", "the member has no consensus key"},
	{CodeParameterRange, "parameterRange", "the value is outside the parameter's range"},
	{CodeUpgradeScheduled, "upgradeScheduled", "an upgrade is scheduled already: cancel it first"},
	{CodeNoUpgrade, "noUpgrade", "no upgrade to this version is scheduled"},
	{CodeUpgradeVersion, "upgradeVersion", "the version is not above the one in force"},
	{CodeUpgradeHeight, "upgradeHeight", "the height does not lie ahead far enough"},
	{CodeDelayTooShort, "delayTooShort", "the delay is below the network's minimum"},
	{CodeNoChange, "noChange", "it is so already"},
	{CodeAdminUnfit, "adminUnfit", "the admin account cannot be one: it is an asset's address, not active, or another member answers for it"},
	{CodeTooManyMembers, "tooManyMembers", "there are 256 members, removed ones included"},
	{CodeNoNodes, "noNodes", "a member with power in consensus must list a node, or nobody could connect to its validator"},
}

// Codes returns every code in order of precedence.
func Codes() []CodeInfo { return append([]CodeInfo(nil), codeTable...) }

// Info describes c. Unknown numbers get the name "unknown".
func (c Code) Info() CodeInfo {
	for _, info := range codeTable {
		if info.Code == c {
			return info
		}
	}
	return CodeInfo{c, "unknown", fmt.Sprintf("unknown result code %d", uint32(c))}
}

// SpendsNonce reports whether a transaction with this code spent its nonce.
func (c Code) SpendsNonce() bool { return c == Applied || c >= firstRefusal }

// String returns the code's name.
func (c Code) String() string { return c.Info().Name }
