package node

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync/atomic"

	cometlog "github.com/cometbft/cometbft/libs/log"

	"github.com/tallystick/tallystick/config"
)

// NewLogger writes to w what c asks for. c must be valid.
func NewLogger(w io.Writer, c config.Log) *slog.Logger {
	log, _ := NewLeveledLogger(w, c)
	return log
}

// NewLeveledLogger is NewLogger with its level, which may be changed.
func NewLeveledLogger(w io.Writer, c config.Log) (*slog.Logger, *slog.LevelVar) {
	level := new(slog.LevelVar)
	level.Set(levelOf(c))
	options := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options)), level
	}
	return slog.New(slog.NewTextHandler(w, options)), level
}

// levelOf is the level that a valid c asks for.
func levelOf(c config.Log) slog.Level {
	return map[string]slog.Level{
		"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
	}[c.Level]
}

// consensusFailure is what CometBFT logs when it has recovered a panic of its
// consensus routine, which has then ended for good.
const consensusFailure = "CONSENSUS FAILURE!!!"

// cometLogger lets CometBFT log to slog, at levels that suit an operator: its
// Info, several lines a block, is our debug, and its Debug is dropped. Its
// errors about peers are warnings, because a peer that goes away is no fault of
// this node.
type cometLogger struct {
	log     *slog.Logger
	peers   bool // of the module that talks to peers
	quiet   *atomic.Bool
	failure func(reason any) (told bool)
}

// newCometLogger returns the bridge. failure gets the panic that ended
// consensus, and says whether the operator has been told what it means: then
// CometBFT's own words, with a stack, are only for debugging. While quiet is true, everything is only for debugging: a node that
// stops has CometBFT complain about what was stopped before.
func newCometLogger(log *slog.Logger, quiet *atomic.Bool, failure func(reason any) (told bool)) cometlog.Logger {
	return cometLogger{log: log, quiet: quiet, failure: failure}
}

// Debug drops the record.
func (l cometLogger) Debug(string, ...any) {}

// Info logs for debugging.
func (l cometLogger) Info(message string, keyvals ...any) { l.write(slog.LevelDebug, message, keyvals) }

// Warn logs a warning.
func (l cometLogger) Warn(message string, keyvals ...any) { l.write(slog.LevelWarn, message, keyvals) }

// Error logs an error, or a warning if it is about a peer.
func (l cometLogger) Error(message string, keyvals ...any) {
	level := slog.LevelError
	if l.peers {
		level = slog.LevelWarn
	}
	if message == consensusFailure {
		for i := 0; i+1 < len(keyvals); i += 2 {
			if keyvals[i] == "err" && l.failure(keyvals[i+1]) {
				level = slog.LevelDebug
			}
		}
	}
	l.write(level, message, keyvals)
}

func (l cometLogger) write(level slog.Level, message string, keyvals []any) {
	if l.quiet.Load() && level > slog.LevelDebug {
		level = slog.LevelDebug
	}
	if l.log.Enabled(context.Background(), level) {
		l.log.Log(context.Background(), level, message, plainValues(keyvals)...)
	}
}

// With returns a logger that adds keyvals to each record.
func (l cometLogger) With(keyvals ...any) cometlog.Logger {
	for i := 0; i+1 < len(keyvals); i += 2 {
		if keyvals[i] == "module" && (keyvals[i+1] == "p2p" || keyvals[i+1] == "pex") {
			l.peers = true
		}
	}
	l.log = l.log.With(plainValues(keyvals)...)
	return l
}

// plainValues makes text of values that only know how to print themselves, and
// keeps a key from being taken for the record's own.
func plainValues(keyvals []any) []any {
	out := slices.Clone(keyvals)
	for i := range out {
		switch v := out[i].(type) {
		case error:
			out[i] = v.Error()
		case fmt.Stringer:
			out[i] = v.String()
		}
		if i%2 == 0 && (out[i] == slog.MessageKey || out[i] == slog.LevelKey || out[i] == slog.TimeKey) {
			out[i] = fmt.Sprint("detail_", out[i])
		}
	}
	return out
}
