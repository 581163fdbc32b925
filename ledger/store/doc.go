// Package store keeps the committed state of the ledger on disk.
package store
