-- The explorer's tables. Both databases get this text; what in braces stands for is
-- in dialect.go, the only place where they differ.
--
-- position is height * 2^20 + order: order 0 is what a block did by itself (in
-- height 0 the genesis), and order i + 1 its transaction i. Positions ascend as the
-- chain does. Amounts are 16 bytes, big-endian, so that they sort as numbers and
-- lose nothing. Bytes that must sort alike in both databases are BYTEA, texts too.

CREATE TABLE progress (
  id           BIGINT PRIMARY KEY CHECK (id = 1),
  network_id   TEXT   NOT NULL,
  network_hash BYTEA  NOT NULL,
  chain_id     BIGINT NOT NULL,
  settlement   BYTEA  NOT NULL,
  height       BIGINT NOT NULL  -- the cursor: the last block that is here, and all of it
);

CREATE TABLE blocks (
  height       {whole} NOT NULL PRIMARY KEY,
  hash         BYTEA  NOT NULL,
  parent_hash  BYTEA  NOT NULL,
  app_hash     BYTEA  NOT NULL,
  results_hash BYTEA  NOT NULL,
  time_ms      BIGINT NOT NULL,
  interval_ms  BIGINT NOT NULL,  -- since the block before; 0 in blocks 0 and 1
  proposer     BYTEA  NOT NULL,
  size_bytes   BIGINT NOT NULL,
  transactions BIGINT NOT NULL,
  refused      BIGINT NOT NULL,
  transfers    BIGINT NOT NULL,
  events       BIGINT NOT NULL,  -- of its own
  set_height   BIGINT NOT NULL,  -- the validator set that the votes are of; -1 without votes
  votes        BYTEA  NOT NULL   -- on the block before: a byte for each of the set
);
CREATE INDEX blocks_hash ON blocks (hash);
CREATE INDEX blocks_time ON blocks (time_ms, height);

-- Who voted from a height on, until the next row's.
CREATE TABLE validator_sets (
  height     {whole} NOT NULL PRIMARY KEY,
  power      BIGINT NOT NULL,
  validators BYTEA  NOT NULL  -- consensus address and power, 20 and 8 bytes each
);

CREATE TABLE transactions (
  position    {whole}   NOT NULL PRIMARY KEY,
  hash        BYTEA    NOT NULL,
  body_hash   BYTEA    NOT NULL,
  sender      BYTEA    NOT NULL,
  nonce       BIGINT   NOT NULL,
  kind        SMALLINT NOT NULL,  -- 0 where the bytes were at fault
  envelope    SMALLINT NOT NULL,
  code        BIGINT   NOT NULL,
  valid_until BIGINT   NOT NULL,
  size_bytes  BIGINT   NOT NULL,
  events      BIGINT   NOT NULL,
  movements   BIGINT   NOT NULL,
  first_movement BIGINT NOT NULL,  -- the first of them, among the events; -1 for none
  memo        TEXT     NOT NULL,
  signers     BYTEA    NOT NULL,  -- 20 bytes each
  raw         BYTEA    NOT NULL
);
CREATE INDEX transactions_hash ON transactions (hash, position);
CREATE INDEX transactions_kind ON transactions (kind, position);
CREATE INDEX transactions_refused ON transactions (position) WHERE code <> 0;
CREATE INDEX transactions_code ON transactions (code, position) WHERE code <> 0;

-- Whom and what a position concerns: senders, accounts, members and holds.
CREATE TABLE subjects (
  subject  BYTEA  NOT NULL,
  position BIGINT NOT NULL,
  PRIMARY KEY (subject, position)
) {clustered};

-- Events that are not told whole by a movement.
CREATE TABLE events (
  position BIGINT   NOT NULL,
  n        BIGINT   NOT NULL,  -- among the events of its position
  type     SMALLINT NOT NULL,
  asset    BYTEA,
  body     TEXT     NOT NULL,  -- JSON, as the native RPC has it
  PRIMARY KEY (position, n)
) {clustered};
-- Events of an asset that are no movements: those have a table of their own. The
-- types are clawback, holdCreated and holdReleased.
CREATE INDEX events_asset ON events (asset, position, n) WHERE asset IS NOT NULL AND type <> 21 AND type <> 22 AND type <> 24;

CREATE TABLE movements (
  position      BIGINT   NOT NULL,
  n             BIGINT   NOT NULL,
  type          SMALLINT NOT NULL,  -- the event's
  asset         BYTEA    NOT NULL,
  payer         BYTEA,              -- NULL for an issue
  payee         BYTEA,              -- NULL for a redemption
  amount        BYTEA    NOT NULL,
  hold          BYTEA,
  reference     TEXT     NOT NULL,
  reference_key BYTEA,              -- in lower case; NULL for none
  PRIMARY KEY (position, n)
) {clustered};
CREATE INDEX movements_asset ON movements (asset, position, n);
CREATE INDEX movements_reference ON movements (reference_key, position, n) WHERE reference_key IS NOT NULL;

-- What a movement is to one account, and what it left: double entry. A balance at
-- any past moment is the last entry before it.
CREATE TABLE entries (
  account   BYTEA    NOT NULL,
  asset     BYTEA    NOT NULL,
  position  BIGINT   NOT NULL,
  n         BIGINT   NOT NULL,
  side      SMALLINT NOT NULL,
  amount    BYTEA    NOT NULL,
  available BYTEA    NOT NULL,  -- after it
  held      BYTEA    NOT NULL,
  PRIMARY KEY (account, asset, position, n, side)
) {clustered};

-- What is now; a balance that was ever there stays, with nothing.
CREATE TABLE balances (
  account   BYTEA  NOT NULL,
  asset     BYTEA  NOT NULL,
  available BYTEA  NOT NULL,
  held      BYTEA  NOT NULL,
  total     BYTEA  NOT NULL,
  position  BIGINT NOT NULL,  -- of the last change
  PRIMARY KEY (account, asset)
) {clustered};
CREATE INDEX balances_asset ON balances (asset, total, account);

CREATE TABLE supplies (
  asset    BYTEA  NOT NULL,
  position BIGINT NOT NULL,
  n        BIGINT NOT NULL,
  supply   BYTEA  NOT NULL,  -- after it
  PRIMARY KEY (asset, position, n)
) {clustered};

-- Every record as it was after each block that changed it: the past of accounts,
-- assets, holders, holds, members, proposals and parameters, and the way back.
CREATE TABLE versions (
  kind   SMALLINT NOT NULL,
  key    BYTEA    NOT NULL,
  height BIGINT   NOT NULL,
  record TEXT     NOT NULL,  -- JSON, see record.go
  PRIMARY KEY (kind, key, height)
) {clustered};
CREATE INDEX versions_height ON versions (height);

-- The newest versions, by what is asked for.
CREATE TABLE accounts (
  account BYTEA    NOT NULL PRIMARY KEY,
  created BIGINT   NOT NULL,
  status  SMALLINT NOT NULL,
  member  BYTEA,
  record  TEXT     NOT NULL
) {clustered};
CREATE INDEX accounts_member ON accounts (member, account) WHERE member IS NOT NULL;
CREATE INDEX accounts_status ON accounts (status, account);

CREATE TABLE assets (
  asset   BYTEA    NOT NULL PRIMARY KEY,
  symbol  BYTEA    NOT NULL,
  created BIGINT   NOT NULL,
  issuer  BYTEA    NOT NULL,
  status  SMALLINT NOT NULL,
  record  TEXT     NOT NULL
) {clustered};
CREATE UNIQUE INDEX assets_symbol ON assets (symbol);
CREATE INDEX assets_issuer ON assets (issuer, symbol);

CREATE TABLE asset_counts (
  asset     BYTEA  NOT NULL PRIMARY KEY,
  holders   BIGINT NOT NULL,
  movements BIGINT NOT NULL
) {clustered};

CREATE TABLE holders (
  asset   BYTEA NOT NULL,
  account BYTEA NOT NULL,
  record  TEXT  NOT NULL,
  PRIMARY KEY (asset, account)
) {clustered};

CREATE TABLE holds (
  hold    BYTEA    NOT NULL PRIMARY KEY,
  payer   BYTEA    NOT NULL,
  payee   BYTEA    NOT NULL,
  asset   BYTEA    NOT NULL,
  created BIGINT   NOT NULL,
  status  SMALLINT NOT NULL,
  record  TEXT     NOT NULL
) {clustered};
CREATE INDEX holds_payer ON holds (payer, created, hold);
CREATE INDEX holds_payee ON holds (payee, created, hold);
CREATE INDEX holds_asset ON holds (asset, created, hold);
CREATE INDEX holds_created ON holds (created, hold);
CREATE INDEX holds_status ON holds (status, created, hold);
CREATE INDEX holds_payer_status ON holds (payer, status, created, hold);
CREATE INDEX holds_payee_status ON holds (payee, status, created, hold);
CREATE INDEX holds_asset_status ON holds (asset, status, created, hold);

CREATE TABLE members (
  member BYTEA NOT NULL PRIMARY KEY,
  name   TEXT  NOT NULL,
  record TEXT  NOT NULL
) {clustered};

-- Every consensus key that a member ever had.
CREATE TABLE validator_keys (
  address  BYTEA  NOT NULL PRIMARY KEY,
  member   BYTEA  NOT NULL,
  position BIGINT NOT NULL
) {clustered};

CREATE TABLE proposals (
  proposal {whole}   NOT NULL PRIMARY KEY,
  proposer BYTEA    NOT NULL,
  status   SMALLINT NOT NULL,
  record   TEXT     NOT NULL
);

CREATE TABLE counts (
  name  TEXT   NOT NULL PRIMARY KEY,
  value BIGINT NOT NULL
);

CREATE TABLE statistics (
  seconds         BIGINT NOT NULL,  -- of the period: 60, 3600 or 86400
  start           BIGINT NOT NULL,
  blocks          BIGINT NOT NULL,
  transactions    BIGINT NOT NULL,
  refused         BIGINT NOT NULL,
  transfers       BIGINT NOT NULL,
  size_bytes      BIGINT NOT NULL,
  max_size_bytes  BIGINT NOT NULL,
  interval_ms     BIGINT NOT NULL,  -- the sum
  max_interval_ms BIGINT NOT NULL,
  PRIMARY KEY (seconds, start)
);

-- Threes of characters of symbols and names, for search that forgives.
CREATE TABLE trigrams (
  trigram BYTEA    NOT NULL,
  kind    SMALLINT NOT NULL,
  key     BYTEA    NOT NULL,
  PRIMARY KEY (trigram, kind, key)
) {clustered};

{memos};

-- The words of what proposals do: names, references and resolutions.
CREATE TABLE proposal_words (
  word     BYTEA  NOT NULL,
  proposal BIGINT NOT NULL,
  PRIMARY KEY (word, proposal)
) {clustered};

-- The comparisons with the node's state. These alone are not made from blocks.
CREATE TABLE reconciliation (
  id          BIGINT PRIMARY KEY CHECK (id = 1),
  height      BIGINT NOT NULL,
  time        BIGINT NOT NULL,
  compared    BIGINT NOT NULL,
  differences BIGINT NOT NULL,
  runs        BIGINT NOT NULL
);
CREATE TABLE differences (
  id       {whole} NOT NULL PRIMARY KEY,
  time     BIGINT NOT NULL,
  height   BIGINT NOT NULL,
  subject  TEXT   NOT NULL,
  key      BYTEA  NOT NULL,  -- of the state
  indexed  TEXT   NOT NULL,
  proven   TEXT   NOT NULL,
  resolved BIGINT NOT NULL   -- 1 once a later comparison found none
);
CREATE INDEX differences_open ON differences (key) WHERE resolved = 0;
