// Package guide holds no code, only tests: they run the commands of the guides in
// docs, as a reader would, so that a guide that is wrong is a failing test.
package guide
