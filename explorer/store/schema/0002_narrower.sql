-- Indexes by what is asked for together, so that no list looks at rows that it does
-- not show.

-- Events of an asset that are no movements: those have a table of their own. The
-- types are clawback, holdCreated and holdReleased.
DROP INDEX events_asset;
CREATE INDEX events_asset ON events (asset, position, n) WHERE asset IS NOT NULL AND type <> 21 AND type <> 22 AND type <> 24;

DROP INDEX holds_open_payer;
DROP INDEX holds_open_payee;
CREATE INDEX holds_status ON holds (status, created, hold);
CREATE INDEX holds_payer_status ON holds (payer, status, created, hold);
CREATE INDEX holds_payee_status ON holds (payee, status, created, hold);
CREATE INDEX holds_asset_status ON holds (asset, status, created, hold);

CREATE INDEX transactions_code ON transactions (code, position) WHERE code <> 0;
