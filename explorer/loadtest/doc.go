// Package loadtest measures the explorer at the size that it must work at: it builds
// the index of a chain of many transfers in one process, serves it through the real
// door in another, asks every operation of the API and every page from many readers
// at once, and reports how long each took and how much memory each process held.
// scripts/explorer-load runs it.
package loadtest
