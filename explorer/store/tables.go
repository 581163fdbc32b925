package store

// The tables that rows are added to, with the columns in the order of Add.
var (
	Progress         = &Table{"progress", []string{"id", "network_id", "network_hash", "chain_id", "settlement", "height"}, nil}
	Blocks           = &Table{"blocks", []string{"height", "hash", "parent_hash", "app_hash", "results_hash", "time_ms", "interval_ms", "proposer", "size_bytes", "transactions", "refused", "transfers", "events", "set_height", "votes"}, nil}
	ValidatorSets    = &Table{"validator_sets", []string{"height", "power", "validators"}, nil}
	Transactions     = &Table{"transactions", []string{"position", "hash", "body_hash", "sender", "nonce", "kind", "envelope", "code", "valid_until", "size_bytes", "events", "movements", "first_movement", "memo", "signers", "raw"}, nil}
	Subjects         = &Table{"subjects", []string{"subject", "position"}, nil}
	Events           = &Table{"events", []string{"position", "n", "type", "asset", "body"}, nil}
	Movements        = &Table{"movements", []string{"position", "n", "type", "asset", "payer", "payee", "amount", "hold", "reference", "reference_key"}, nil}
	Entries          = &Table{"entries", []string{"account", "asset", "position", "n", "side", "amount", "available", "held"}, nil}
	Balances         = &Table{"balances", []string{"account", "asset", "available", "held", "total", "position"}, []string{"account", "asset"}}
	Supplies         = &Table{"supplies", []string{"asset", "position", "n", "supply"}, nil}
	Versions         = &Table{"versions", []string{"kind", "key", "height", "record"}, nil}
	AssetCounts      = &Table{"asset_counts", []string{"asset", "holders", "movements"}, []string{"asset"}}
	ValidatorKeys    = &Table{"validator_keys", []string{"address", "member", "position"}, nil}
	Counts           = &Table{"counts", []string{"name", "value"}, []string{"name"}}
	Statistics       = &Table{"statistics", []string{"seconds", "start", "blocks", "transactions", "refused", "transfers", "size_bytes", "max_size_bytes", "interval_ms", "max_interval_ms"}, []string{"seconds", "start"}}
	TrigramRows      = &Table{"trigrams", []string{"trigram", "kind", "key"}, []string{"trigram", "kind", "key"}}
	Memos            = &Table{"memos", []string{"position", "words"}, nil}
	ProposalWordRows = &Table{"proposal_words", []string{"word", "proposal"}, nil}

	Accounts  = &Table{"accounts", []string{"account", "created", "status", "member", "record"}, []string{"account"}}
	Assets    = &Table{"assets", []string{"asset", "symbol", "created", "issuer", "status", "record"}, []string{"asset"}}
	Holders   = &Table{"holders", []string{"asset", "account", "record"}, []string{"asset", "account"}}
	Holds     = &Table{"holds", []string{"hold", "payer", "payee", "asset", "created", "status", "record"}, []string{"hold"}}
	Members   = &Table{"members", []string{"member", "name", "record"}, []string{"member"}}
	Proposals = &Table{"proposals", []string{"proposal", "proposer", "status", "record"}, []string{"proposal"}}

	// NewAccounts and NewHolds take rows that must not be there yet.
	NewAccounts = &Table{Accounts.name, Accounts.columns, nil}
	NewHolds    = &Table{Holds.name, Holds.columns, nil}

	Reconciliation = &Table{"reconciliation", []string{"id", "height", "time", "compared", "differences", "runs"}, []string{"id"}}
	Differences    = &Table{"differences", []string{"id", "time", "height", "subject", "key", "indexed", "proven", "resolved"}, nil}
)

// FromBlocks are the tables whose rows are made from blocks alone, so that two
// indexes of one chain have the same: each with the columns by which its rows sort.
var FromBlocks = map[*Table]string{
	Progress: "id", Blocks: "height", ValidatorSets: "height", Transactions: "position", Subjects: "subject, position",
	Events: "position, n", Movements: "position, n", Entries: "account, asset, position, n, side", Balances: "account, asset",
	Supplies: "asset, position, n", Versions: "kind, key, height", AssetCounts: "asset", ValidatorKeys: "address",
	Counts: "name", Statistics: "seconds, start", TrigramRows: "trigram, kind, key", Memos: "1", ProposalWordRows: "word, proposal",
	Accounts: "account", Assets: "asset", Holders: "asset, account", Holds: "hold", Members: "member", Proposals: "proposal",
}
