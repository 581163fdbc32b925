// Package query answers what the REST API and the pages ask of the explorer's
// index. All of Queries is read from one database; Reader implements it on SQLite
// and PostgreSQL alike.
//
// Every list goes in pages by a cursor, which says where the page before ended and
// not how many there were, so that page one thousand costs what page one does, and
// what is added meanwhile moves nothing. Every answer is bounded, and read along an
// index: a test asks both databases for their plans.
//
// In JSON times are Unix seconds, addresses EIP-55, hashes 0x hex, and amounts
// decimal strings in the asset's smallest unit with the asset's decimals beside
// them. What is null or empty means that there is none.
package query
