package ledger

// Kind numbers an operation in the native envelope. Kinds are never reused.
type Kind uint8

// The kinds.
const (
	KindTransfer           Kind = 1
	KindCreateAsset        Kind = 2
	KindIssue              Kind = 3
	KindRedeem             Kind = 4
	KindPauseAsset         Kind = 5
	KindResumeAsset        Kind = 6
	KindSetKeys            Kind = 7
	KindAdmitAccount       Kind = 8
	KindFreezeAccount      Kind = 9
	KindUnfreezeAccount    Kind = 10
	KindCloseAccount       Kind = 11
	KindRetireAsset        Kind = 12
	KindChangeIssuer       Kind = 13
	KindSetMetadata        Kind = 14
	KindApproveHolder      Kind = 15
	KindRevokeHolder       Kind = 16
	KindFreezeHolder       Kind = 17
	KindUnfreezeHolder     Kind = 18
	KindFreezeBalance      Kind = 19
	KindClawback           Kind = 20
	KindCreateHold         Kind = 21
	KindCaptureHold        Kind = 22
	KindReleaseHold        Kind = 23
	KindSettle             Kind = 24
	KindPropose            Kind = 25
	KindCastVote           Kind = 26
	KindWithdrawProposal   Kind = 27
	KindRotateValidatorKey Kind = 28
	KindSetNodes           Kind = 29
)

// kindSpec is all that the codecs know of an operation besides its methods. It
// stands beside the operation's type.
type kindSpec struct {
	kind   Kind
	name   string   // in JSON and receipts; its EIP-712 type has the same with a capital
	form   jsonForm // of its JSON
	fields string   // its own fields as EIP-712's encodeType writes them
	nested []string // the struct types that the fields use, encoded, in the order of their names
	empty  func() Operation
	decode func(*decoder) Operation // of the payload
}

// kindSpecs lists the operations in the order of their numbers.
var kindSpecs = []*kindSpec{
	&transferSpec, &createAssetSpec, &issueSpec, &redeemSpec, &pauseAssetSpec,
	&resumeAssetSpec, &setKeysSpec, &admitAccountSpec, &freezeAccountSpec, &unfreezeAccountSpec,
	&closeAccountSpec, &retireAssetSpec, &changeIssuerSpec, &setMetadataSpec, &approveHolderSpec,
	&revokeHolderSpec, &freezeHolderSpec, &unfreezeHolderSpec, &freezeBalanceSpec, &clawbackSpec,
	&createHoldSpec, &captureHoldSpec, &releaseHoldSpec, &settleSpec, &proposeSpec,
	&castVoteSpec, &withdrawProposalSpec, &rotateValidatorKeySpec, &setNodesSpec,
}

// specs are the kindSpecs by their numbers.
var specs = func() (byKind [256]*kindSpec) {
	for _, s := range kindSpecs {
		byKind[s.kind] = s
	}
	return byKind
}()

func specOf(k Kind) (*kindSpec, bool) { return specs[k], specs[k] != nil }

// Kinds lists the operations' numbers, ascending.
func Kinds() []Kind {
	kinds := make([]Kind, len(kindSpecs))
	for i, s := range kindSpecs {
		kinds[i] = s.kind
	}
	return kinds
}

// String returns the operation's name, as JSON and receipts carry it.
func (k Kind) String() string {
	if s, ok := specOf(k); ok {
		return s.name
	}
	return "unknown"
}

// KindNames lists the names of the operations, in the order of their numbers.
func KindNames() []string {
	names := make([]string, len(kindSpecs))
	for i, s := range kindSpecs {
		names[i] = s.name
	}
	return names
}

// NewOperation returns an empty operation of a kind, or nil for an unknown one.
func NewOperation(k Kind) Operation {
	if s, ok := specOf(k); ok {
		return s.empty()
	}
	return nil
}
