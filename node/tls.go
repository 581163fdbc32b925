package node

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/tallystick/tallystick/config"
)

// certificate is the one that the JSON-RPC server shows, and can be exchanged
// while it runs. Connections that are open keep the one that they began with.
type certificate struct {
	current atomic.Pointer[tls.Certificate]
}

const (
	maxPEMBytes = 1 << 20
	// expirySoon is how long before its end a certificate is warned of.
	expirySoon = 14 * 24 * time.Hour
)

// readCertificate reads the certificate that c names; nil where it names none.
// Errors name the file.
func readCertificate(c config.RPC, home Home, log *slog.Logger) (*tls.Certificate, error) {
	if c.TLSCert == "" {
		return nil, nil
	}
	certPath, keyPath := config.In(string(home), c.TLSCert), config.In(string(home), c.TLSKey)
	cert, _, err := readBounded(certPath, maxPEMBytes)
	if err != nil {
		return nil, fmt.Errorf("rpc.tls_cert: %w", err)
	}
	key, info, err := readBounded(keyPath, maxPEMBytes)
	if err != nil {
		return nil, fmt.Errorf("rpc.tls_key: %w", err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("rpc.tls_cert = %s, rpc.tls_key = %s: %w: want a certificate in PEM, and the key that belongs to it", certPath, keyPath, err)
	}
	warnOfCertificate(&pair, certPath, keyPath, info, log)
	return &pair, nil
}

func warnOfCertificate(pair *tls.Certificate, certPath, keyPath string, info os.FileInfo, log *slog.Logger) {
	if info.Mode().Perm()&0o004 != 0 {
		log.Warn("everybody on this machine can read the TLS key: chmod o-r it", "file", keyPath)
	}
	now, leaf := time.Now(), pair.Leaf // X509KeyPair has parsed it
	switch {
	case now.After(leaf.NotAfter):
		log.Warn("the TLS certificate has expired: clients refuse it", "file", certPath, "notAfter", leaf.NotAfter)
	case now.Before(leaf.NotBefore):
		log.Warn("the TLS certificate is not valid yet: clients refuse it", "file", certPath, "notBefore", leaf.NotBefore)
	case now.Add(expirySoon).After(leaf.NotAfter):
		log.Warn("the TLS certificate expires soon: put a new one in its place and send SIGHUP", "file", certPath, "notAfter", leaf.NotAfter)
	}
}

// config is the server's side of TLS. WebSockets need HTTP/1.1, which is all that
// is offered.
func (c *certificate) config() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil },
	}
}

// expiry is when the certificate ends, in Unix seconds, or 0.
func (c *certificate) expiry() float64 {
	pair := c.current.Load()
	if pair == nil {
		return 0
	}
	return float64(pair.Leaf.NotAfter.Unix())
}
