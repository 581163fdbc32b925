// Package api is the explorer's REST API, under /api/v1.
//
// Every operation reads the index through query.Queries; none changes anything.
// The OpenAPI 3.1 document is made from the types and the parameters that the
// operations declare (by huma), so that it cannot say what they do not do.
//
// Errors are problem+json (RFC 9457): 404 where there is no such thing, 422 where a
// parameter cannot be meant, with the parameter's name and a reason, and 400 where
// the request itself cannot be read. A 500 is a fault here or in the database, never
// an answer to what a caller wrote.
//
// What can never change (a block; a transaction that spent its nonce) may be cached
// for ever. Everything else may be kept, and must be asked for again with its ETag,
// which the door in front of this package makes and compares.
package api
