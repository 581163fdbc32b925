package network

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/config"
	"github.com/tallystick/tallystick/internal/authority"
	"github.com/tallystick/tallystick/node"
	"github.com/tallystick/tallystick/rpc/apikey"
	"github.com/tallystick/tallystick/rpc/wire"
)

// hangUp sends validator i SIGHUP, and waits until its log says something again.
func (n *Network) hangUp(i int, said string) {
	n.t.Helper()
	before := strings.Count(n.Log(i), said)
	if err := n.validators[i].process.Load().cmd.Process.Signal(syscall.SIGHUP); err != nil {
		n.t.Fatal(err)
	}
	n.Until(refuseWithin, "the log says "+said, func() error {
		if strings.Count(n.Log(i), said) == before {
			return errors.New("it does not")
		}
		return nil
	})
}

// A real node with TLS and keys: the program answers whoever has a key, health
// checks go on, SIGHUP revokes a key on an open WebSocket, takes a new
// certificate, survives wrong files, and the log holds no secret.
func TestAccess(t *testing.T) {
	t.Parallel()
	n := New(t, 1, Options{Config: func(_ int, c *config.Config) {
		c.RPC.TLSCert, c.RPC.TLSKey, c.RPC.KeysFile = "cert.pem", "key.pem", "keys.toml"
	}})
	home := string(n.Home(0))
	a := authority.New(t)
	install := func(name string) {
		a.Install(name, filepath.Join(home, "cert.pem"), filepath.Join(home, "key.pem"))
	}
	secrets := map[string]string{}
	keys := func(names ...string) {
		text := ""
		for _, name := range names {
			if secrets[name] == "" {
				secrets[name] = apikey.NewSecret()
			}
			text += apikey.Key{Name: name, Scopes: apikey.Read, Hash: apikey.HashOf(secrets[name])}.Entry()
		}
		write(t, filepath.Join(home, "keys.toml"), text)
	}
	install("first")
	keys("bank-a", "bank-b")
	n.Start(0)
	url := "https://" + n.validators[0].rpc
	var b *client.Client
	n.Until(refuseWithin, "the node answers", func() (err error) {
		b, err = client.DialWith(t.Context(), client.Options{APIKey: secrets["bank-b"], Authorities: a.Pool()}, url)
		return err
	})
	defer b.Close()

	// The program itself, and the container's health check.
	write(t, filepath.Join(home, "ca.pem"), string(a.PEM))
	write(t, filepath.Join(home, "secret"), secrets["bank-a"]+"\n")
	tally := func(env []string, arguments ...string) (int, string) {
		t.Helper()
		p, err := launch(filepath.Join(t.TempDir(), "out.log"), append([]string{Build(t)}, arguments...), env)
		if err != nil {
			t.Fatal(err)
		}
		n.Until(refuseWithin, "the command has ended", func() error {
			if !p.ended() {
				return errors.New("it runs")
			}
			return nil
		})
		out, err := os.ReadFile(p.log)
		if err != nil {
			t.Fatal(err)
		}
		return p.code, string(out)
	}
	for _, c := range []struct {
		code int
		env  []string
		args []string
		want string
	}{
		{0, nil, []string{"status", "--rpc", url, "--rpc-ca", home + "/ca.pem", "--api-key-file", home + "/secret"}, "height"},
		{0, []string{"TALLY_API_KEY=" + secrets["bank-a"], "TALLY_RPC_CA=" + home + "/ca.pem"}, []string{"status", "--rpc", url}, "height"},
		{0, nil, []string{"status", "--rpc", "wss" + strings.TrimPrefix(url, "https") + "/key/" + secrets["bank-a"], "--rpc-ca", home + "/ca.pem"}, "height"},
		{3, nil, []string{"status", "--rpc", url, "--rpc-ca", home + "/ca.pem"}, "--api-key-file"},
		{3, []string{"TALLY_API_KEY=tally_wrong"}, []string{"status", "--rpc", url, "--rpc-ca", home + "/ca.pem"}, "does not know the API key"},
		{5, []string{"TALLY_API_KEY=" + secrets["bank-a"]}, []string{"status", "--rpc", url, "--timeout", "5s"}, "certificate"},
		{0, nil, []string{"health", "--home", home}, "ok"},
		{0, nil, []string{"config", "check", "--home", home}, "in order"},
	} {
		code, out := tally(c.env, c.args...)
		if code != c.code || !strings.Contains(out, c.want) {
			t.Errorf("tally %v: exit code %d, want %d and %q:\n%s", c.args, code, c.code, c.want, out)
		}
		for name, secret := range secrets {
			if strings.Contains(out, secret) {
				t.Errorf("tally %v shows the key of %s", c.args, name)
			}
		}
	}

	// A WebSocket of the one that will be revoked.
	dialer := websocket.Dialer{TLSClientConfig: client.Options{Authorities: a.Pool()}.TLS(), HandshakeTimeout: refuseWithin}
	socket, _, err := dialer.Dial("wss"+strings.TrimPrefix(url, "https")+"/key/"+secrets["bank-a"], nil)
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	if err := socket.SetReadDeadline(time.Now().Add(refuseWithin)); err != nil {
		t.Fatal(err)
	}
	if err := socket.WriteMessage(websocket.TextMessage, []byte(`{"jsonrpc":"2.0","id":1,"method":"ledger_status"}`)); err != nil {
		t.Fatal(err)
	}
	if _, raw, err := socket.ReadMessage(); err != nil || !strings.Contains(string(raw), "chainId") {
		t.Fatalf("%s, %v", raw, err)
	}

	// Wrong files change nothing.
	write(t, filepath.Join(home, "keys.toml"), "[[key]]\n")
	n.hangUp(0, "the configuration was not taken")
	if err := socket.WriteMessage(websocket.TextMessage, []byte(`{"jsonrpc":"2.0","id":2,"method":"ledger_status"}`)); err != nil {
		t.Fatal(err)
	}
	if _, raw, err := socket.ReadMessage(); err != nil || !strings.Contains(string(raw), "chainId") {
		t.Fatalf("after a wrong file: %s, %v", raw, err)
	}

	install("second")
	keys("bank-b")
	n.hangUp(0, "configuration read again")
	if _, _, err := socket.ReadMessage(); !websocket.IsCloseError(err, websocket.ClosePolicyViolation) {
		t.Errorf("the WebSocket of the revoked key: %v", err)
	}
	_, response, err := dialer.Dial("wss"+strings.TrimPrefix(url, "https"), http.Header{"Authorization": {"Bearer " + secrets["bank-a"]}})
	if err == nil || response == nil || response.StatusCode != http.StatusUnauthorized {
		t.Errorf("the revoked key: %v", err)
	}
	secure, err := tls.Dial("tcp", n.validators[0].rpc, client.Options{Authorities: a.Pool()}.TLS())
	if err != nil {
		t.Fatal(err)
	}
	if name := secure.ConnectionState().PeerCertificates[0].Subject.CommonName; name != "second" {
		t.Errorf("the certificate is %q", name)
	}
	secure.Close()
	_, err = client.DialWith(t.Context(), client.Options{APIKey: secrets["bank-a"], Authorities: a.Pool()}, url)
	var e *client.Error
	if !errors.As(err, &e) || e.Name != "keyUnknown" || e.Code != wire.CodeInvalidInput {
		t.Errorf("the revoked key, by our client: %v", err)
	}
	if _, err := b.Status(t.Context()); err != nil {
		t.Errorf("the other key: %v", err)
	}
	n.Stop(0)

	log := n.FullLog(0)
	for name, secret := range secrets {
		if strings.Contains(log, secret) || strings.Contains(log, apikey.HashOf(secret).String()) {
			t.Errorf("the log has the key of %s", name)
		}
	}
	if !strings.Contains(log, fmt.Sprintf("removed=[%s]", "bank-a")) {
		t.Error("the log does not say whose key was removed")
	}
}

// accessDamages are wrong files of access: the node names them and does not start.
var accessDamages = []damage{
	{"certificate without a key", setting(`tls_cert = ""`, `tls_cert = "cert.pem"`), []string{"rpc.tls_cert", "rpc.tls_key", "want both"}},
	{"no certificate", setting("tls_cert = \"\"", "tls_cert = \"cert.pem\"", "tls_key = \"\"", "tls_key = \"key.pem\""), []string{"rpc.tls_cert", "cert.pem"}},
	{"keys of others", func(t *testing.T, home node.Home) {
		a := authority.New(t)
		a.Install("one", filepath.Join(string(home), "cert.pem"), filepath.Join(string(home), "unused.pem"))
		a.Install("two", filepath.Join(string(home), "unused.pem"), filepath.Join(string(home), "key.pem"))
		setting("tls_cert = \"\"", "tls_cert = \"cert.pem\"", "tls_key = \"\"", "tls_key = \"key.pem\"")(t, home)
	}, []string{"rpc.tls_key", "key.pem"}},
	{"no API keys", setting(`keys_file = ""`, `keys_file = "none.toml"`), []string{"rpc.keys_file", "none.toml"}},
	{"API keys are no TOML", func(t *testing.T, home node.Home) {
		write(t, filepath.Join(string(home), "bad.toml"), "[[key]\n")
		setting(`keys_file = ""`, `keys_file = "bad.toml"`)(t, home)
	}, []string{"rpc.keys_file", "bad.toml", "line 1"}},
	{"a page without a scheme", setting("allowed_origins = []", "allowed_origins = [\"app.example\"]"), []string{"rpc.allowed_origins", "app.example"}},
}

// setting replaces texts of the configuration, one after the other.
func setting(pairs ...string) func(*testing.T, node.Home) {
	return func(t *testing.T, home node.Home) {
		t.Helper()
		for i := 0; i < len(pairs); i += 2 {
			replace(node.Home.ConfigFile, pairs[i], pairs[i+1])(t, home)
		}
	}
}
