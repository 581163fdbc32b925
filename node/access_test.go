package node

import (
	"bytes"
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tallystick/tallystick/config"
	"github.com/tallystick/tallystick/internal/authority"
	"github.com/tallystick/tallystick/rpc/apikey"
)

// put writes a file in a directory, and returns its path.
func put(t *testing.T, dir, name string, text []byte, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, text, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask
		t.Fatal(err)
	}
	return path
}

// Files that are not what they should be are refused, by their names and without
// their contents, and what is only unwise is said.
func TestAccessFiles(t *testing.T) {
	dir := t.TempDir()
	a := authority.New(t)
	cert, key := a.Issue("node", time.Now().Add(90*24*time.Hour))
	expired, expiredKey := a.Issue("old", time.Now().Add(-time.Hour))
	soon, soonKey := a.Issue("soon", time.Now().Add(24*time.Hour))
	_, other := a.Issue("other", time.Now().Add(time.Hour))
	good := apikey.Key{Name: "a", Scopes: apikey.Read, Hash: apikey.HashOf("x")}.Entry()
	for name, text := range map[string][]byte{
		"cert.pem": cert, "key.pem": key, "expired.pem": expired, "expired-key.pem": expiredKey, "soon.pem": soon, "soon-key.pem": soonKey,
		"other-key.pem": other, "empty.pem": nil, "keys.toml": []byte(good), "bad.toml": []byte("[[key]]\nname = 7\n"),
	} {
		put(t, dir, name, text, 0o600)
	}
	put(t, dir, "open-key.pem", key, 0o644)
	put(t, dir, "written.toml", []byte(good), 0o666)
	put(t, dir, "read.toml", []byte(good), 0o644)
	put(t, dir, "huge.toml", bytes.Repeat([]byte("#"), apikey.MaxFileBytes+1), 0o600)
	for _, c := range []struct {
		name            string
		cert, key, keys string
		want            []string // in the error; none for no error
		said            string   // in the log
	}{
		{"nothing", "", "", "", nil, ""},
		{"all good", "cert.pem", "key.pem", "keys.toml", nil, ""},
		{"absolute", filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), "", nil, ""},
		{"expired", "expired.pem", "expired-key.pem", "", nil, "has expired"},
		{"expires soon", "soon.pem", "soon-key.pem", "", nil, "expires soon"},
		{"open key", "cert.pem", "open-key.pem", "", nil, "can read the TLS key"},
		{"readable keys", "", "", "read.toml", nil, "can read the file of API keys"},
		{"no certificate", "none.pem", "key.pem", "", []string{"rpc.tls_cert", "none.pem"}, ""},
		{"no key", "cert.pem", "none.pem", "", []string{"rpc.tls_key", "none.pem"}, ""},
		{"another's key", "cert.pem", "other-key.pem", "", []string{"rpc.tls_cert", "cert.pem", "other-key.pem"}, ""},
		{"the two exchanged", "key.pem", "cert.pem", "", []string{"rpc.tls_cert", "key.pem"}, ""},
		{"an empty certificate", "empty.pem", "key.pem", "", []string{"empty.pem"}, ""},
		{"a directory", ".", "key.pem", "", []string{"rpc.tls_cert", "is no file"}, ""},
		{"no keys", "", "", "none.toml", []string{"rpc.keys_file", "none.toml"}, ""},
		{"bad keys", "", "", "bad.toml", []string{"rpc.keys_file", "bad.toml", "line 2"}, ""},
		{"keys that everybody can change", "", "", "written.toml", []string{"written.toml", "chmod o-w"}, ""},
		{"huge keys", "", "", "huge.toml", []string{"huge.toml", "larger than"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			settings := config.Default()
			settings.RPC.TLSCert, settings.RPC.TLSKey, settings.RPC.KeysFile = c.cert, c.key, c.keys
			var log bytes.Buffer
			err := CheckAccess(settings, Home(dir), slog.New(slog.NewTextHandler(&log, nil)))
			if (err == nil) != (c.want == nil) || !strings.Contains(log.String(), c.said) || c.said == "" && log.Len() > 0 {
				t.Fatalf("%v, and the log says %q", err, log.String())
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v does not say %q", err, want)
				}
			}
		})
	}
}

// logText is a log that can be read while it is written.
type logText struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logText) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// secured is a running node with TLS, and what a test changes of it.
type secured struct {
	*Node
	t         *testing.T
	authority *authority.Authority
	settings  config.Config
	log       *logText
	level     *slog.LevelVar
	when      chan os.Signal
	mu        sync.Mutex // guards settings
}

func newSecured(t *testing.T) *secured {
	t.Helper()
	net := newTestnet(t, 1)
	s := &secured{t: t, authority: authority.New(t), log: &logText{}, when: make(chan os.Signal, 1), level: new(slog.LevelVar)}
	s.settings = net.o.configuration(0, net.files.identities)
	s.settings.RPC.TLSCert, s.settings.RPC.TLSKey, s.settings.RPC.KeysFile = "cert.pem", "key.pem", "keys.toml"
	home := net.files.home(0)
	s.authority.Install("first", filepath.Join(string(home), "cert.pem"), filepath.Join(string(home), "key.pem"))
	put(t, string(home), "keys.toml", nil, 0o600)
	n, err := New(s.settings, string(home), Options{
		Logger: slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: s.level})), Version: "test",
		Reload: Reload{When: s.when, Level: s.level, Read: func() (config.Config, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.settings, nil
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Node, net.nodes[0] = n, n
	if err := n.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	net.ready(0)
	return s
}

// ask calls the node, and returns the status and the name of the certificate.
func (s *secured) ask(secret string) (status int, certificate string, body string) {
	s.t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.authority.Pool()}, DisableKeepAlives: true}
	request, err := http.NewRequest(http.MethodPost, "https://"+s.RPCAddress(), strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"ledger_status"}`))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+secret)
	response, err := (&http.Client{Transport: transport, Timeout: patience}).Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, response.TLS.PeerCertificates[0].Subject.CommonName, string(raw)
}

// change changes the settings, has the node read them again, and waits until the
// log says that it has, or has not.
func (s *secured) change(f func(*config.Config), said string) {
	s.t.Helper()
	s.mu.Lock()
	f(&s.settings)
	s.mu.Unlock()
	before := strings.Count(s.log.String(), said)
	s.when <- syscall.SIGHUP
	deadline := time.Now().Add(patience)
	for strings.Count(s.log.String(), said) == before {
		if time.Now().After(deadline) {
			s.t.Fatalf("the log never says %q:\n%s", said, s.log)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

const (
	taken   = "configuration read again"
	refused = "the configuration was not taken"
)

// A running node takes new keys, limits and certificates, and the level of its
// log, all of them or, where one is wrong, none.
func TestReload(t *testing.T) {
	t.Parallel()
	s := newSecured(t)
	home := string(s.home)
	secret := apikey.NewSecret()
	entry := apikey.Key{Name: "bank-a", Scopes: apikey.Read, Hash: apikey.HashOf(secret)}.Entry()
	nothing := func(*config.Config) {}
	wants := func(name string, status int, certificate string) {
		t.Helper()
		got, cert, body := s.ask(secret)
		if got != status || cert != certificate {
			t.Errorf("%s: HTTP %d (want %d) by the certificate %q (want %q): %s", name, got, status, cert, certificate, body)
		}
	}
	wants("before", http.StatusUnauthorized, "first")

	put(t, home, "keys.toml", []byte(entry), 0o600)
	wants("not yet read", http.StatusUnauthorized, "first")
	s.change(nothing, taken)
	wants("added", http.StatusOK, "first")
	if !strings.Contains(s.log.String(), "bank-a") {
		t.Error("the log does not name the key that was added")
	}

	// A wrong file of keys takes nothing with it.
	s.authority.Install("second", filepath.Join(home, "cert.pem"), filepath.Join(home, "key.pem"))
	put(t, home, "keys.toml", []byte(entry+"[[key]]\n"), 0o600)
	s.change(nothing, refused)
	wants("wrong keys", http.StatusOK, "first")
	if !s.reloadFailed() {
		t.Error("the metric does not say that the last one failed")
	}
	put(t, home, "keys.toml", []byte("[[key.scopes]]\n"), 0o600) // a version of the library panicked
	s.change(nothing, refused)
	wants("keys within keys", http.StatusOK, "first")

	// Nor does a wrong certificate.
	put(t, home, "keys.toml", nil, 0o600)
	_, stray := s.authority.Issue("stray", time.Now().Add(time.Hour))
	was, err := os.ReadFile(filepath.Join(home, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	put(t, home, "key.pem", stray, 0o600)
	s.change(nothing, refused)
	wants("wrong certificate", http.StatusOK, "first")

	// Nor does a wrong setting.
	put(t, home, "key.pem", was, 0o600)
	s.change(func(c *config.Config) { c.RPC.Burst = 5 }, refused)
	wants("wrong setting", http.StatusOK, "first")

	put(t, home, "keys.toml", []byte(entry), 0o600)
	s.change(func(c *config.Config) { c.RPC.Rate, c.RPC.Burst, c.Log.Level = 1, 1, "debug" }, taken)
	wants("a new certificate", http.StatusOK, "second")
	for deadline := time.Now().Add(patience); s.reloadFailed(); time.Sleep(5 * time.Millisecond) { // set after the log is written
		if time.Now().After(deadline) {
			t.Fatal("the metric says that the last one failed")
		}
	}
	if s.level.Level() != slog.LevelDebug {
		t.Error("the log has its old level")
	}
	limited := false
	for i := 0; i < 50 && !limited; i++ { // unless each takes a second
		_, _, body := s.ask(secret)
		limited = strings.Contains(body, "rateLimited")
	}
	if !limited {
		t.Error("no call is above the limit")
	}

	// What cannot change is said, and the rest is taken.
	s.change(func(c *config.Config) {
		c.RPC.Rate, c.RPC.Burst, c.RPC.MaxBatch, c.RPC.TLSCert, c.RPC.TLSKey = 0, 0, 7, "", ""
	}, "not taken before a restart")
	wants("TLS stays", http.StatusOK, "second")
	for _, want := range []string{"rpc.max_batch", "rpc.tls_cert"} {
		if last := s.log.String()[strings.LastIndex(s.log.String(), "not taken before a restart"):]; !strings.Contains(last, want) {
			t.Errorf("the log does not say that %s needs a restart: %s", want, last)
		}
	}

	put(t, home, "keys.toml", nil, 0o600)
	s.change(nothing, taken)
	wants("revoked", http.StatusUnauthorized, "second")
	if strings.Contains(s.log.String(), secret) {
		t.Error("the log has the secret")
	}
}

// Over TLS nothing but HTTP/1.1 is offered, which WebSockets need, nothing below
// TLS 1.2, and nothing in the clear.
func TestTLS(t *testing.T) {
	t.Parallel()
	s := newSecured(t)
	dial := func(c *tls.Config) (*tls.Conn, error) {
		c.RootCAs = s.authority.Pool()
		return tls.Dial("tcp", s.RPCAddress(), c)
	}
	c, err := dial(&tls.Config{NextProtos: []string{"h2", "http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	if p := c.ConnectionState().NegotiatedProtocol; p != "http/1.1" {
		t.Errorf("negotiated %q", p)
	}
	c.Close()
	if c, err := dial(&tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}); err == nil {
		t.Error("TLS 1.1 is spoken")
		c.Close()
	}
	if c, err := tls.Dial("tcp", s.RPCAddress(), &tls.Config{}); err == nil {
		t.Error("somebody who does not know the authority trusts the node")
		c.Close()
	}
	response, err := http.Post("http://"+s.RPCAddress(), "application/json", strings.NewReader(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusBadRequest {
		t.Errorf("in the clear: HTTP %d", response.StatusCode)
	}
	// The operators' server is another one, and stays in the clear.
	health, err := http.Get("http://" + s.MetricsAddress() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer health.Body.Close()
	if health.StatusCode != http.StatusOK {
		t.Errorf("health: HTTP %d", health.StatusCode)
	}
}

func TestCompareKeys(t *testing.T) {
	key := func(name, secret string, s apikey.Scopes) apikey.Key {
		return apikey.Key{Name: name, Hash: apikey.HashOf(secret), Scopes: s}
	}
	before := []apikey.Key{key("stays", "1", apikey.Read), key("goes", "2", apikey.Read), key("grows", "3", apikey.Read), key("renewed", "4", apikey.Read)}
	after := []apikey.Key{key("stays", "1", apikey.Read), key("grows", "3", apikey.All), key("comes", "5", apikey.Read), key("renewed", "6", apikey.Read)}
	added, removed, changed := compareKeys(before, after)
	if !slices.Equal(added, []string{"comes", "renewed"}) || !slices.Equal(removed, []string{"goes", "renewed"}) || !slices.Equal(changed, []string{"grows"}) {
		t.Errorf("added %v, removed %v, changed %v", added, removed, changed)
	}
	var many []apikey.Key
	for i := range 1000 {
		many = append(many, key("k", string(rune(i+100)), apikey.Read))
	}
	if added, _, _ := compareKeys(nil, many); len(added) != mostNamed+1 {
		t.Errorf("%d names in a line of the log", len(added))
	}
}
