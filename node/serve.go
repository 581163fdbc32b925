package node

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"

	"github.com/tallystick/tallystick/rpc"
)

// The node's HTTP servers.
const (
	rpcServer = iota
	metricsServer
	serverCount
)

// Limits of both servers.
const (
	headerTimeout = 10 * time.Second
	// metricsConnections bounds the operators' server: a scraper and a few people.
	metricsConnections = 64
)

// servers are the node's HTTP servers, of which each may be missing.
type servers struct {
	listeners [serverCount]net.Listener
	http      [serverCount]*http.Server
}

// listen opens the ports. The error names the setting of the one that it cannot.
func (s *servers) listen(n *Node) error {
	for i, spec := range []struct {
		setting, address string
		connections      int
	}{
		rpcServer:     {"rpc.listen", n.config.RPC.Listen, n.config.RPC.MaxConnections},
		metricsServer: {"metrics.listen", n.config.Metrics.Listen, metricsConnections},
	} {
		if spec.address == "" {
			continue
		}
		l, err := net.Listen("tcp", spec.address)
		if err != nil {
			return fmt.Errorf("%s = %s: %w: stop what uses that address, or set another", spec.setting, spec.address, err)
		}
		s.listeners[i] = netutil.LimitListener(l, spec.connections)
		if i == rpcServer && n.certificate.current.Load() != nil {
			s.listeners[i] = tls.NewListener(s.listeners[i], n.certificate.config())
		}
	}
	return nil
}

// serve begins to answer. A server that ends by itself ends the node.
func (s *servers) serve(n *Node) {
	handlers := [serverCount]http.Handler{rpcServer: n.rpc, metricsServer: n.operatorHandler()}
	names := [serverCount]string{rpcServer: "JSON-RPC", metricsServer: "metrics"}
	for i, l := range s.listeners {
		if l == nil {
			continue
		}
		server := &http.Server{
			Handler:           handlers[i],
			ReadHeaderTimeout: headerTimeout,
			IdleTimeout:       n.config.RPC.IdleTimeout,
			ErrorLog:          slog.NewLogLogger(n.log.Handler(), slog.LevelDebug),
		}
		s.http[i] = server
		go func() {
			if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				n.fail(fmt.Errorf("%s server on %s: %w", names[i], l.Addr(), err))
			}
		}()
	}
}

// shutdown answers what is waiting, finishes what is running, and closes the
// ports, by ctx at the latest.
func (s *servers) shutdown(ctx context.Context, calls *rpc.Server) error {
	// A client that does not go away must not take the time of what is below.
	ctx, cancel := context.WithTimeout(ctx, stopWithin/2)
	defer cancel()
	var late error
	if s.http[rpcServer] != nil {
		late = calls.Shutdown(ctx)
	}
	for i, server := range s.http {
		if server != nil {
			if err := server.Shutdown(ctx); err != nil {
				late = errors.Join(late, server.Close())
			}
		} else if s.listeners[i] != nil {
			s.listeners[i].Close()
		}
	}
	if errors.Is(late, context.DeadlineExceeded) {
		return nil // some clients were cut off, which is what the limit is for
	}
	return late
}

// address is where a server listens, or "".
func (s *servers) address(i int) string {
	if s.listeners[i] == nil {
		return ""
	}
	return s.listeners[i].Addr().String()
}
