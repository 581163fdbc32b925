package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// version is that of a release, set by -ldflags '-X main.version=v1.2.3'.
var version string

// versionInfo is what `tally version` says.
type versionInfo struct {
	Version  string `json:"version"`
	Commit   string `json:"commit"`   // of the source; empty if unknown
	Modified bool   `json:"modified"` // the source differed from that commit
	Protocol uint64 `json:"protocol"` // of the ledger's rules
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Recovery string `json:"recovery"` // the library that recovers signers
}

// readBuild reads what this program was built from.
func readBuild() versionInfo {
	v := versionInfo{
		Version: version, Protocol: ledger.Protocol, Go: runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH, Recovery: crypto.RecoveryLibrary,
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Commit = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	if v.Version == "" {
		v.Version = info.Main.Version
	}
	if v.Version == "" || v.Version == "(devel)" {
		v.Version = "dev"
	}
	return v
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Say what this program was built from",
		Example: "  tally version --json",
		Args:    exactly(),
		RunE: run(func(c *cobra.Command, _ []string) error {
			v := readBuild()
			commit := v.Commit
			switch {
			case commit == "":
				commit = "unknown"
			case v.Modified:
				commit += ", modified"
			}
			return show(c, v, fmt.Sprintf("tally %s\n  commit     %s\n  protocol   %d\n  built with %s for %s\n  signatures %s\n",
				v.Version, commit, v.Protocol, v.Go, v.Platform, v.Recovery))
		}),
	}
}
