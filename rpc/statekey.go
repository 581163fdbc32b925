package rpc

// The schema stands apart from the rows because files are initialised in the order
// of their names, and the map that it goes into is made in schemas.go.

func init() {
	leafSchemas["StateKey"] = fixed(pattern("A key of the state, 1 to 256 bytes, 0x hex", "^0x([0-9a-fA-F]{2}){1,256}$"))
	for name, text := range map[string]string{
		"BlockContents":    "A block and all that it did, or a part of it; next is where the following part begins, null at the end.",
		"BlockTransaction": "A transaction as its block has it, and what came of it.",
		"CommitVote":       "What a commit shows of one validator: signed, nil (it voted for no block) or missing.",
		"StateProof":       "A value of the state, 0x where the key is absent, and an ics23.CommitmentProof of it in protobuf, by SmtSpec, against the appHash of the block at height + 1.",
	} {
		typeTexts[name] = text
	}
}
