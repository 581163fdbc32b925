package webhook

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const goodTable = `
[[webhook]]
name = "erp"
url = "https://erp.example/tally?x=1"
secret_file = "erp.secret"
account = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
reference = "INV-1"
from = 0

[[webhook]]
name = "all-blocks"
url = "http://127.0.0.1:9000"
secret_file = "erp.secret"
kind = "newBlocks"
`

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("erp.secret", "0123456789abcdef0123\n")
	write("short.secret", "0123456789\n")
	write("long.secret", strings.Repeat("s", maxSecretBytes+1))
	hooks, err := Load(write("good.toml", goodTable))
	if err != nil {
		t.Fatal(err)
	}
	if len(hooks) != 2 || hooks[0].Name != "erp" || string(hooks[0].Secret) != "0123456789abcdef0123" || hooks[0].Filter.Account == nil ||
		*hooks[0].Filter.Reference != "INV-1" || *hooks[0].From != 0 || hooks[0].Blocks || !hooks[1].Blocks || hooks[1].From != nil {
		t.Errorf("%+v", hooks)
	}
	if hooks, err := Load(write("none.toml", "# nothing yet\n")); err != nil || len(hooks) != 0 {
		t.Errorf("an empty file: %v %v", hooks, err)
	}
	if _, err := Load(filepath.Join(dir, "missing.toml")); err == nil {
		t.Error("a file that is not there")
	}
	for _, c := range []struct{ from, to, says string }{
		{`name = "erp"`, `name = "Erp"`, "name"},
		{`name = "erp"`, `name = "../erp"`, "name"},
		{`name = "erp"`, ``, "name"},
		{`name = "erp"`, `name = "all-blocks"`, "taken"},
		{`name = "erp"`, "name = \"erp\"\nretries = 3", "line 4, column 1: there is no such field: want [[webhook]] with name"},
		{`https://erp.example/tally?x=1`, `ftp://erp.example`, "url"},
		{`https://erp.example/tally?x=1`, `https://user:pass@erp.example`, "url"},
		{`https://erp.example/tally?x=1`, `erp.example`, "url"},
		{`https://erp.example/tally?x=1`, `https://`, "url"},
		{`secret_file = "erp.secret"`, ``, "secret_file"},
		{`secret_file = "erp.secret"`, `secret_file = "none.secret"`, "none.secret"},
		{`secret_file = "erp.secret"`, `secret_file = "short.secret"`, "at least 16"},
		{`secret_file = "erp.secret"`, `secret_file = "long.secret"`, "larger"},
		{`0xf39Fd6`, `0xF39fd6`, "account"},
		{`account = `, `member = "0x1"` + "\n" + `account = `, "member"},
		{`account = `, `asset = "EUR"` + "\n" + `account = `, "asset"},
		{`"INV-1"`, `""`, "reference"},
		{`"INV-1"`, `"` + strings.Repeat("r", 36) + `"`, "reference"},
		{`from = 0`, `from = -1`, "from"},
		{`from = 0`, `from = "0"`, "from"},
		{`from = 0`, `from = 9007199254740992`, "from"},
		{`"newBlocks"`, `"newHeads"`, "kind"},
		{`kind = "newBlocks"`, "kind = \"newBlocks\"\nreference = \"x\"", "newBlocks"},
		{`[[webhook]]`, `[[webhooks]]`, "line 2, column 3: there is no such field"},
		{`[[webhook]]`, `[[webhook.url]]`, "line 2, column 3"},
		{`[[webhook]]`, `[webhook`, ""},
	} {
		text := strings.Replace(goodTable, c.from, c.to, 1)
		if text == goodTable {
			t.Fatalf("%s: nothing replaced", c.from)
		}
		if _, err := Load(write("bad.toml", text)); err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "bad.toml") {
			t.Errorf("%s: %v", c.to, err)
		}
	}
	if _, err := Load(write("bad.toml", strings.Repeat(goodTable, maxHooks))); err == nil {
		t.Error("too many webhooks")
	}
	if _, err := Load(write("bad.toml", strings.Repeat("#", maxFileBytes+1))); err == nil {
		t.Error("too large a file")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(goodTable))
	f.Add([]byte("[[webhook]]\nname = 7"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if hooks, err := parse(text, t.TempDir()); err == nil && len(hooks) > maxHooks {
			t.Errorf("%d webhooks", len(hooks))
		}
	})
}

// The signature of a fixed body, so that other programs can be compared with it.
func TestSignatureIsTheDocumentedOne(t *testing.T) {
	const want = "t=1700000000,v1=" + documentedSum
	if got := Sign([]byte("a secret of some length"), []byte(`{"deliveryId":"0.0-1.0"}`), time.Unix(1_700_000_000, 0)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestVerify(t *testing.T) {
	secret, body, at := []byte("a secret of some length"), []byte(`{"notices":[]}`), time.Unix(1_700_000_000, 0)
	good := Sign(secret, body, at)
	if err := Verify(secret, body, good, at.Add(time.Minute), time.Minute); err != nil {
		t.Fatal(err)
	}
	sum := strings.TrimPrefix(good, "t=1700000000,")
	for name, c := range map[string]struct {
		secret, body []byte
		header       string
		now          time.Time
	}{
		"another secret":  {[]byte("another secret, as long"), body, good, at},
		"another body":    {secret, bytes.ToUpper(body), good, at},
		"no body":         {secret, nil, good, at},
		"another time":    {secret, body, "t=1700000001," + sum, at},
		"too old":         {secret, body, good, at.Add(61 * time.Second)},
		"too early":       {secret, body, good, at.Add(-61 * time.Second)},
		"nothing":         {secret, body, "", at},
		"no time":         {secret, body, sum, at},
		"no sum":          {secret, body, "t=1700000000", at},
		"an empty sum":    {secret, body, "t=1700000000,v1=", at},
		"half a sum":      {secret, body, good[:len(good)-2], at},
		"not hexadecimal": {secret, body, good[:len(good)-1] + "g", at},
		"another version": {secret, body, strings.Replace(good, "v1", "v2", 1), at},
		"a time in words": {secret, body, Sign(secret, body, at)[:2] + "x" + good[2:], at},
	} {
		if Verify(c.secret, c.body, c.header, c.now, time.Minute) == nil {
			t.Errorf("%s: it was believed", name)
		}
	}
}

// documentedSum was computed by
//
//	printf '1700000000.{"deliveryId":"0.0-1.0"}' | openssl dgst -sha256 -hmac "a secret of some length"
const documentedSum = "ba4d8181db1c6d45ec9bb94e79870857255171b530c7f93b63a5f23b18e76dc4"
