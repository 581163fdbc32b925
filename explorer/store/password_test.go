package store

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

// suspicious is a PostgreSQL server that asks for a password, notes it, and takes none.
func suspicious(t *testing.T) (address string, given <-chan string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	passwords := make(chan string, 100)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				server := pgproto3.NewBackend(conn, conn)
				if _, err := server.ReceiveStartupMessage(); err != nil {
					return
				}
				server.Send(&pgproto3.AuthenticationCleartextPassword{})
				if server.Flush() != nil || server.SetAuthType(pgproto3.AuthTypeCleartextPassword) != nil {
					return
				}
				if m, err := server.Receive(); err == nil {
					if p, ok := m.(*pgproto3.PasswordMessage); ok {
						passwords <- p.Password
					}
				}
				server.Send(&pgproto3.ErrorResponse{Severity: "FATAL", Code: "28P01", Message: "password authentication failed for user \"tally\""})
				_ = server.Flush() // the test sees what comes of it
			}()
		}
	}()
	return listener.Addr().String(), passwords
}

// The password may stand in PGPASSWORD, in a password file or in the URL; wherever it
// does, it goes to the server and into no error.
func TestPassword(t *testing.T) {
	const secret = "geheim"
	for name, c := range map[string]struct {
		user, query string
		set         func(t *testing.T, host, port string)
	}{
		"PGPASSWORD":  {"tally", "", func(t *testing.T, _, _ string) { t.Setenv("PGPASSWORD", secret) }},
		"a file":      {"tally", "", passwordFile},
		"the URL":     {"tally:" + secret, "", nil},
		"a parameter": {"tally", "&password=" + secret, nil},
	} {
		t.Run(name, func(t *testing.T) {
			address, given := suspicious(t)
			if c.set != nil {
				host, port, _ := net.SplitHostPort(address)
				c.set(t, host, port)
			}
			_, err := Open(t.Context(), fmt.Sprintf("postgres://%s@%s/explorer?sslmode=disable%s", c.user, address, c.query))
			if err == nil || strings.Contains(err.Error(), secret) || !strings.Contains(err.Error(), "explorer on 127.0.0.1") {
				t.Errorf("the error is %v", err)
			}
			select {
			case got := <-given:
				if got != secret {
					t.Errorf("the server was given %q", got)
				}
			default:
				t.Error("the server was given no password")
			}
		})
	}
}

func passwordFile(t *testing.T, host, port string) {
	path := filepath.Join(t.TempDir(), "pgpass")
	if err := os.WriteFile(path, []byte(fmt.Sprintf("%s:%s:explorer:tally:geheim\n", host, port)), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PGPASSFILE", path)
}

// A URL that cannot be read is not shown with its password either.
func TestPasswordOfABadURL(t *testing.T) {
	for _, where := range []string{"postgres://tally:geheim@db:port/x", "postgres://tally:ge%zzheim@db/x", "postgresql://tally:geheim@db/x?connect_timeout=soon"} {
		if _, err := Open(t.Context(), where); err == nil || strings.Contains(err.Error(), "heim") {
			t.Errorf("%s: %v", where, err)
		}
	}
}
