package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/tallystick/tallystick/config/tomlfile"
)

// AddPeers adds nodes to p2p.peers in the file at path and leaves every other
// byte of it as it is. A node that is listed already gets the address given; no
// node is removed. The file is replaced in one step, and only if it then says
// what it should.
func AddPeers(path string, peers []string) error {
	data, err := readFile(path)
	if err != nil {
		return err
	}
	old, err := peersIn(data)
	if err != nil {
		return fmt.Errorf("config file %s: %w", path, err)
	}
	all := joinPeers(old, peers)
	if slices.Equal(old, all) {
		return nil
	}
	line := "peers = " + tomlList(all)
	changed := withPeers(string(data), line)
	if now, err := peersIn([]byte(changed)); err != nil || !slices.Equal(now, all) || len(changed) > MaxFileBytes {
		return fmt.Errorf("config file %s: p2p.peers is written in a way that cannot be changed here: set it to %s", path, tomlList(all))
	}
	if err := replaceFile(path, []byte(changed)); err != nil {
		return fmt.Errorf("write config file %s: %w", path, err)
	}
	return nil
}

// peersIn reads p2p.peers, whatever else there is.
func peersIn(data []byte) ([]string, error) {
	var file struct {
		P2P struct {
			Peers []string `toml:"peers"`
		} `toml:"p2p"`
	}
	err := tomlfile.Read(data, &file)
	return file.P2P.Peers, err
}

// joinPeers keeps the order of old, and appends what is new.
func joinPeers(old, added []string) []string {
	all := slices.Clone(old)
	for _, peer := range added {
		id, _, _ := strings.Cut(peer, "@")
		i := slices.IndexFunc(all, func(p string) bool { return strings.HasPrefix(p, id+"@") })
		if i < 0 {
			all = append(all, peer)
		} else {
			all[i] = peer
		}
	}
	return all
}

func tomlList(items []string) string {
	quoted := make([]string, len(items))
	for i, item := range items {
		quoted[i] = tomlString(item)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

var (
	p2pHead   = regexp.MustCompile(`^\s*\[\s*p2p\s*\]\s*(#.*)?$`)
	tableHead = regexp.MustCompile(`^\s*\[`)
	peersLine = regexp.MustCompile(`^\s*peers\s*=\s*\[[^\]]*\]\s*(#.*)?$`)
)

// withPeers puts line in the place of the one that sets p2p.peers, or beneath
// the head of its table, or at the end with a head of its own.
func withPeers(text, line string) string {
	lines := strings.Split(text, "\n")
	head := slices.IndexFunc(lines, p2pHead.MatchString)
	if head < 0 {
		return strings.TrimRight(text, "\n") + "\n\n[p2p]\n" + line + "\n"
	}
	for i := head + 1; i < len(lines) && !tableHead.MatchString(lines[i]); i++ {
		if peersLine.MatchString(lines[i]) {
			lines[i] = line
			return strings.Join(lines, "\n")
		}
	}
	return strings.Join(slices.Insert(lines, head+1, line), "\n")
}
