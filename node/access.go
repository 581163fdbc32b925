package node

import (
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"

	"github.com/tallystick/tallystick/config"
	"github.com/tallystick/tallystick/rpc"
	"github.com/tallystick/tallystick/rpc/apikey"
)

// readAccess makes of the configuration, and the file of keys that it names, who
// may call. Errors name the file.
func readAccess(c config.RPC, home Home, log *slog.Logger) (rpc.Access, error) {
	a := rpc.Access{AllowedOrigins: c.AllowedOrigins, Rate: c.Rate, Burst: c.Burst}
	for _, text := range c.TrustedProxies {
		network, ok := config.ParseNetwork(text)
		if !ok {
			return a, fmt.Errorf("rpc.trusted_proxies: %q is no network", text)
		}
		a.TrustedProxies = append(a.TrustedProxies, network)
	}
	if c.KeysFile == "" {
		return a, nil
	}
	a.KeysRequired = true
	var err error
	a.Keys, err = readKeys(config.In(string(home), c.KeysFile), log)
	return a, err
}

// CheckAccess reads the files that the configuration of a node in home names, its
// API keys and its certificate, and reports what is wrong with them. What is only
// unwise goes to log.
func CheckAccess(c config.Config, home Home, log *slog.Logger) error {
	if _, err := readAccess(c.RPC, home, log); err != nil {
		return err
	}
	_, err := readCertificate(c.RPC, home, log)
	return err
}

// readKeys reads the file of keys.
func readKeys(path string, log *slog.Logger) ([]apikey.Key, error) {
	text, info, err := readBounded(path, apikey.MaxFileBytes)
	if err != nil {
		return nil, fmt.Errorf("rpc.keys_file: %w", err)
	}
	const othersWrite, othersRead = 0o002, 0o004
	if info.Mode().Perm()&othersWrite != 0 {
		return nil, fmt.Errorf("rpc.keys_file: %s can be changed by everybody on this machine, who could give themselves a key: chmod o-w it", path)
	}
	if info.Mode().Perm()&othersRead != 0 {
		log.Warn("everybody on this machine can read the file of API keys; it has hashes only, but names too", "file", path)
	}
	keys, err := apikey.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("rpc.keys_file: %s:\n%w", path, err)
	}
	return keys, nil
}

// readBounded reads a regular file of at most most bytes.
func readBounded(path string, most int64) ([]byte, os.FileInfo, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("%s is no file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", path, err)
	}
	if int64(len(text)) > most {
		return nil, nil, fmt.Errorf("%s: larger than %d bytes", path, most)
	}
	return text, info, nil
}

// warnOfAccess says what an operator may not have meant.
func warnOfAccess(c config.Config, log *slog.Logger) {
	address, err := netip.ParseAddrPort(c.RPC.Listen)
	local := err == nil && address.Addr().IsLoopback()
	if c.RPC.KeysFile != "" && c.RPC.TLSCert == "" && !local {
		log.Warn("API keys are sent in the clear: set rpc.tls_cert and rpc.tls_key, unless a proxy or a network of your own keeps them", "rpc.listen", c.RPC.Listen)
	}
}
