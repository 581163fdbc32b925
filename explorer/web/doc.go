// Package web is the explorer's pages: the ledger for people who have never seen
// one.
//
// Every page is whole HTML from the server, works without JavaScript, and loads
// nothing from elsewhere; a small script makes times local, copies hashes and shows
// new blocks as they come. Pages carry no style attributes and no inline scripts, so
// that the content security policy can forbid both.
//
// What others wrote (memos, references, names) is escaped by html/template, stands
// in its own direction (bdi), and shows characters that have no shape, or that turn
// text around, by their numbers. A URL that cannot be meant is answered with a page
// that says why, and 4xx.
package web
