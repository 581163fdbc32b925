// Package worldtest is for tests: a small ledger that answers query.Queries from
// memory, with names and memos such as an enemy would choose. It shows how pages and
// operations treat answers, and nothing about the index, which is tested against
// real databases.
package worldtest
