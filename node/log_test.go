package node

import (
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tallystick/tallystick/config"
)

type printsItself struct{ secret int }

func (printsItself) String() string { return "printed" }

func TestCometLogLevels(t *testing.T) {
	for _, c := range []struct {
		module string
		quiet  bool
		level  string
		want   string // "" for nothing at all
	}{
		{"state", false, "debug", ""},
		{"state", false, "info", "DEBUG"},
		{"state", false, "warn", "WARN"},
		{"state", false, "error", "ERROR"},
		{"p2p", false, "error", "WARN"},
		{"state", true, "error", "DEBUG"},
		{"state", true, "warn", "DEBUG"},
	} {
		var out strings.Builder
		var quiet atomic.Bool
		quiet.Store(c.quiet)
		base := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug - 8}))
		l := newCometLogger(base, &quiet, func(any) bool { t.Error("no failure was logged"); return false }).With("module", c.module)
		write := map[string]func(string, ...any){"debug": l.Debug, "info": l.Info, "warn": l.Warn, "error": l.Error}[c.level]
		write("happened", "msg", printsItself{7}, "err", errors.New("broken"), "odd")
		line := out.String()
		if c.want == "" {
			if line != "" {
				t.Errorf("%+v: %s", c, line)
			}
			continue
		}
		for _, part := range []string{"level=" + c.want, "msg=happened", "detail_msg=printed", "err=broken", "module=" + c.module} {
			if !strings.Contains(line, part) {
				t.Errorf("%+v: no %s in %s", c, part, line)
			}
		}
	}
}

// TestConsensusFailureIsHeard: and shown, unless the operator knows better.
func TestConsensusFailureIsHeard(t *testing.T) {
	for _, told := range []bool{false, true} {
		var out strings.Builder
		var quiet atomic.Bool
		var heard any
		log := slog.New(slog.NewTextHandler(&out, nil))
		l := newCometLogger(log, &quiet, func(reason any) bool { heard = reason; return told }).With("module", "consensus")
		l.Error("something else", "err", "not this")
		l.Error(consensusFailure, "err", "the reason", "stack", "…")
		if heard != "the reason" {
			t.Errorf("heard %v", heard)
		}
		if shown := strings.Contains(out.String(), consensusFailure); shown == told {
			t.Errorf("told %v, and the log says %s", told, out.String())
		}
	}
}

func TestNewLogger(t *testing.T) {
	var out strings.Builder
	log := NewLogger(&out, config.Log{Format: "json", Level: "warn"})
	log.Info("hidden")
	log.Warn("shown", "n", 1)
	var record map[string]any
	if err := json.Unmarshal([]byte(out.String()), &record); err != nil || record["msg"] != "shown" || record["n"] != 1.0 {
		t.Errorf("%v in %q", err, out.String())
	}
	out.Reset()
	NewLogger(&out, config.Log{Format: "text", Level: "debug"}).Debug("shown")
	if !strings.Contains(out.String(), "msg=shown") {
		t.Errorf("got %q", out.String())
	}
}
