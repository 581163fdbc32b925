// Package arch holds no code, only tests: they keep the shape of the repository.
//
// The rooms of the house, what each may import and why, stand in one table in
// rooms_test.go, and arrows_test.go holds the imports to it. layout_test.go
// keeps the top level and the names of files. purity_test.go keeps the ledger a
// pure function: no clock, no randomness, no goroutines, no floats.
//
// The tests read import clauses, whatever the build tags, and run nothing. To
// change the shape, change the table, with the reason beside it.
package arch
