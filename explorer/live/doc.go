// Package live sends what is new in the index to everybody who looks, as
// server-sent events.
//
// One goroutine (Hub.Run) reads each new block once, whoever looks, and nothing while
// nobody does. What it reads becomes one message, the next link of a list that all
// viewers walk at their own pace, so that a thousand viewers cost a thousand writes
// and no further reads, and hold nothing of their own. A viewer that does not keep up
// is cut off, and comes back with Last-Event-ID for what it missed.
package live
