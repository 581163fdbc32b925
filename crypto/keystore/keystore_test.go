package keystore

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	gethkeystore "github.com/ethereum/go-ethereum/accounts/keystore"

	"github.com/tallystick/tallystick/crypto"
)

const passphrase = "correct horse \u00e9"

func testKey(t testing.TB) *crypto.PrivateKey {
	t.Helper()
	key, err := crypto.ParsePrivateKey(strings.Repeat("0b", crypto.PrivateKeySize))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// quickFile returns a key file whose derivation costs next to nothing.
func quickFile(t testing.TB, key *crypto.PrivateKey) []byte {
	t.Helper()
	section, err := gethkeystore.EncryptDataV3(key.Bytes(), []byte(passphrase), 2, 1)
	if err != nil {
		t.Fatal(err)
	}
	address := key.Address()
	data, err := json.Marshal(map[string]any{
		"version": 3, "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
		"address": hex.EncodeToString(address[:]), "crypto": section,
	})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestPublishedVectors(t *testing.T) {
	data, err := os.ReadFile("testdata/web3.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors map[string]struct {
		File                 json.RawMessage
		Password, PrivateKey string
	}
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) != 2 {
		t.Fatalf("%d vectors", len(vectors))
	}
	for _, name := range slices.Sorted(maps.Keys(vectors)) {
		v := vectors[name]
		key, err := Decrypt(v.File, v.Password)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := hex.EncodeToString(key.Bytes()); got != v.PrivateKey || !strings.HasPrefix(got, "7a28b5ba57c53603") {
			t.Errorf("%s: private key %s", name, got)
		}
		if _, err := Decrypt(v.File, v.Password+" "); !errors.Is(err, ErrPassphrase) {
			t.Errorf("%s: a wrong passphrase gives %v", name, err)
		}
		if address, err := Address(v.File); err != nil || !address.IsZero() {
			t.Errorf("%s: address %s, %v; the vectors name none", name, address, err)
		}
	}
}

// What is written here, go-ethereum reads, and the other way round.
func TestExchangeWithGoEthereum(t *testing.T) {
	key := testKey(t)
	data, err := Encrypt(key, passphrase, true)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := gethkeystore.DecryptKey(data, passphrase)
	if err != nil {
		t.Fatal(err)
	}
	if crypto.Address(theirs.Address) != key.Address() {
		t.Errorf("go-ethereum reads %s", theirs.Address)
	}
	back, err := gethkeystore.EncryptKey(theirs, passphrase, 2, 1)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := Decrypt(back, passphrase)
	if err != nil || ours.Address() != key.Address() {
		t.Errorf("%v, %v", ours, err)
	}
}

func TestEncryptParameters(t *testing.T) {
	for _, c := range []struct {
		light bool
		n, p  int64
	}{{true, 1 << 12, 6}, {false, 1 << 18, 1}} {
		if !c.light && testing.Short() {
			continue // The other case stands for both where a second counts.
		}
		data, err := Encrypt(testKey(t), passphrase, c.light)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parse(data)
		if err != nil {
			t.Fatal(err)
		}
		if k := file.Crypto.KDFParams; file.Crypto.KDF != kdfScrypt || k.N != c.n || k.R != 8 || k.P != c.p {
			t.Errorf("light %v: %s with %+v", c.light, file.Crypto.KDF, k)
		}
		if strings.Contains(string(data), hex.EncodeToString(testKey(t).Bytes())) {
			t.Error("the file holds the secret")
		}
		again, err := Encrypt(testKey(t), passphrase, true)
		if err != nil || string(again) == string(data) {
			t.Errorf("two files of one key are the same, %v", err)
		}
	}
}

// Files that other programs write differ in what does not matter.
func TestDecryptIsKind(t *testing.T) {
	key := testKey(t)
	good := string(quickFile(t, key))
	plain := key.Address()
	lower := hex.EncodeToString(plain[:])
	accepted := map[string]string{
		"as it is":           good,
		"prefixed address":   strings.Replace(good, lower, "0x"+lower, 1),
		"checksummed":        strings.Replace(good, lower, plain.String(), 1),
		"upper-case address": strings.Replace(good, lower, strings.ToUpper(lower), 1),
		"no address":         strings.Replace(good, `"address":"`+lower+`",`, "", 1),
		"empty address":      strings.Replace(good, lower, "", 1),
		"capital members":    strings.NewReplacer(`"crypto"`, `"Crypto"`, `"n"`, `"N"`, `"salt"`, `"SALT"`).Replace(good),
		"unknown members":    strings.Replace(good, "{", `{"x-made-by":{"deep":[1,null]},`, 1),
		"no id":              strings.Replace(good, `"id":`, `"identity":`, 1),
		"odd id":             strings.Replace(good, `"3198bc9c`, `"`, 1),
		"space around":       "\n\t " + good + " \n",
	}
	for name, text := range accepted {
		if name != "as it is" && text == good {
			t.Errorf("%s: the text did not change", name)
		}
		got, err := Decrypt([]byte(text), passphrase)
		if err != nil || got.Address() != key.Address() {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// edit returns a key file with the member at path set to value, or removed
// where value is nil.
func edit(t testing.TB, data []byte, value any, path ...string) []byte {
	t.Helper()
	var root map[string]any
	if err := json.Unmarshal(data, &root); err != nil {
		t.Fatal(err)
	}
	node := root
	for _, name := range path[:len(path)-1] {
		node = node[name].(map[string]any)
	}
	last := path[len(path)-1]
	if _, there := node[last]; !there {
		t.Fatalf("no member %v", path)
	}
	if node[last] = value; value == nil {
		delete(node, last)
	}
	changed, err := json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

// refusal is a key file that is wrong in one way, and the error it must give.
type refusal struct {
	name string
	data []byte
	want error
}

func checkRefusals(t *testing.T, cases []refusal) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			key, err := Decrypt(c.data, passphrase)
			if !errors.Is(err, c.want) || key != nil {
				t.Fatalf("%v, %v, want %v", key, err, c.want)
			}
			if len(err.Error()) > 400 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
}

func TestDecryptRefuses(t *testing.T) {
	good := quickFile(t, testKey(t))
	with := func(value any, path ...string) []byte { return edit(t, good, value, path...) }
	checkRefusals(t, []refusal{
		{"nothing", nil, ErrNotJSON},
		{"text", []byte("my key"), ErrNotJSON},
		{"cut short", good[:len(good)-1], ErrNotJSON},
		{"two files", append(append([]byte(nil), good...), good...), ErrNotJSON},
		{"too large", append(append([]byte(nil), good...), make([]byte, MaxFileSize)...), ErrTooLarge},
		{"an array", []byte("[]"), ErrDamaged},
		{"a string", []byte(`"key"`), ErrDamaged},
		{"null", []byte("null"), ErrVersion},
		{"empty object", []byte("{}"), ErrVersion},
		{"no version", with(nil, "version"), ErrVersion},
		{"version 1", with(1, "version"), ErrVersion},
		{"version 1 as text", with("1", "version"), ErrVersion},
		{"version 3 as text", with("3", "version"), ErrVersion},
		{"version 4", with(4, "version"), ErrVersion},
		{"version 3.5", with(3.5, "version"), ErrVersion},
		{"no crypto", with(nil, "crypto"), ErrCipher},
		{"crypto is text", with("x", "crypto"), ErrDamaged},
		{"other cipher", with("aes-128-cbc", "crypto", "cipher"), ErrCipher},
		{"no cipher", with(nil, "crypto", "cipher"), ErrCipher},
		{"cipher is a number", with(1, "crypto", "cipher"), ErrDamaged},
		{"no ciphertext", with(nil, "crypto", "ciphertext"), ErrDamaged},
		{"31 bytes of key", with(strings.Repeat("00", 31), "crypto", "ciphertext"), ErrDamaged},
		{"33 bytes of key", with(strings.Repeat("00", 33), "crypto", "ciphertext"), ErrDamaged},
		{"ciphertext not hexadecimal", with(strings.Repeat("0g", 32), "crypto", "ciphertext"), ErrDamaged},
		{"other ciphertext", with(strings.Repeat("00", 32), "crypto", "ciphertext"), ErrPassphrase},
		{"no iv", with(nil, "crypto", "cipherparams", "iv"), ErrDamaged},
		{"short iv", with("00", "crypto", "cipherparams", "iv"), ErrDamaged},
		{"no cipherparams", with(nil, "crypto", "cipherparams"), ErrDamaged},
		{"no mac", with(nil, "crypto", "mac"), ErrDamaged},
		{"short mac", with("00", "crypto", "mac"), ErrDamaged},
		{"other mac", with(strings.Repeat("00", 32), "crypto", "mac"), ErrPassphrase},
		{"other address", with(strings.Repeat("11", 20), "address"), ErrAddress},
		{"short address", with("11", "address"), ErrDamaged},
		{"address is a number", with(1, "address"), ErrDamaged},
		{"address not hexadecimal", with(strings.Repeat("zz", 20), "address"), ErrDamaged},
	})
}

func TestDecryptRefusesPassphrase(t *testing.T) {
	good := quickFile(t, testKey(t))
	for _, wrong := range []string{"", passphrase + " ", strings.ToUpper(passphrase), "correct horse e\u0301"} {
		if key, err := Decrypt(good, wrong); !errors.Is(err, ErrPassphrase) || key != nil {
			t.Errorf("passphrase %+q: %v, %v", wrong, key, err)
		}
	}
}

// Whatever a file asks of the key derivation is refused before it costs
// anything: the hostile cases here would need up to 2^69 bytes.
func TestDecryptRefusesDerivation(t *testing.T) {
	good := quickFile(t, testKey(t))
	with := func(value any, path ...string) []byte { return edit(t, good, value, path...) }
	params := func(kdf string, params map[string]any) []byte {
		return edit(t, with(kdf, "crypto", "kdf"), params, "crypto", "kdfparams")
	}
	salt := strings.Repeat("5a", 32)
	scrypt := func(n, r, p any) []byte {
		return params("scrypt", map[string]any{"dklen": 32, "salt": salt, "n": n, "r": r, "p": p})
	}
	pbkdf2 := func(c any, prf string) []byte {
		return params("pbkdf2", map[string]any{"dklen": 32, "salt": salt, "c": c, "prf": prf})
	}
	checkRefusals(t, []refusal{
		{"other kdf", with("argon2id", "crypto", "kdf"), ErrKDF},
		{"no kdf", with(nil, "crypto", "kdf"), ErrKDF},
		{"long kdf name", with(strings.Repeat("x", 1<<12), "crypto", "kdf"), ErrKDF},
		{"no kdfparams", with(nil, "crypto", "kdfparams"), ErrKDF},
		{"kdfparams is an array", with([]int{1}, "crypto", "kdfparams"), ErrDamaged},
		{"dklen 16", with(16, "crypto", "kdfparams", "dklen"), ErrKDF},
		{"dklen huge", with(1<<30, "crypto", "kdfparams", "dklen"), ErrKDF},
		{"no salt", with(nil, "crypto", "kdfparams", "salt"), ErrDamaged},
		{"salt is a number", with(7, "crypto", "kdfparams", "salt"), ErrDamaged},
		{"salt not hexadecimal", with("zz", "crypto", "kdfparams", "salt"), ErrDamaged},
		{"salt too long", with(strings.Repeat("00", 257), "crypto", "kdfparams", "salt"), ErrDamaged},
		{"other salt", with(salt, "crypto", "kdfparams", "salt"), ErrPassphrase},
		{"n zero", scrypt(0, 8, 1), ErrDamaged},
		{"n one", scrypt(1, 8, 1), ErrDamaged},
		{"n negative", scrypt(-2, 8, 1), ErrDamaged},
		{"n least", scrypt(int64(-1<<63), 8, 1), ErrDamaged},
		{"n no power of two", scrypt(3, 8, 1), ErrDamaged},
		{"n with a fraction", scrypt(2.5, 8, 1), ErrDamaged},
		{"n as text", scrypt("2", 8, 1), ErrDamaged},
		{"n beyond 64 bits", scrypt(json.Number("36893488147419103232"), 8, 1), ErrDamaged},
		{"r zero", scrypt(2, 0, 1), ErrDamaged},
		{"p negative", scrypt(2, 8, -1), ErrDamaged},
		{"n hostile", scrypt(1<<25, 1, 1), ErrCost},
		{"n greatest", scrypt(int64(1<<62), 1, 1), ErrCost},
		{"r hostile", scrypt(2, 1<<24, 1), ErrCost},
		{"p hostile", scrypt(2, 1, 1<<24), ErrCost},
		{"r and p greatest", scrypt(2, int64(1<<63-1), int64(1<<63-1)), ErrCost},
		{"n by r hostile", scrypt(1<<20, 1<<5, 1), ErrCost},
		{"memory of p by r", scrypt(2, 1<<11, 1<<12), ErrCost},
		{"just over the memory", scrypt(1<<22, 1, 1), ErrCost},
		{"p by all", scrypt(1<<18, 8, 9), ErrCost},
		{"c zero", pbkdf2(0, pbkdf2Hash), ErrDamaged},
		{"c negative", pbkdf2(-1, pbkdf2Hash), ErrDamaged},
		{"c hostile", pbkdf2(1<<24+1, pbkdf2Hash), ErrCost},
		{"c greatest", pbkdf2(int64(1<<63-1), pbkdf2Hash), ErrCost},
		{"other prf", pbkdf2(1, "hmac-sha512"), ErrKDF},
		{"no prf", pbkdf2(1, ""), ErrKDF},
		{"pbkdf2 with other key", pbkdf2(1, pbkdf2Hash), ErrPassphrase},
	})
}

// A file that decrypts to a number that is no key, which only its owner can
// have made, is damaged.
func TestDecryptRefusesNumbersThatAreNoKeys(t *testing.T) {
	for _, digits := range []string{
		strings.Repeat("00", 32),
		strings.Repeat("ff", 32),
		"fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
	} {
		secret, err := hex.DecodeString(digits)
		if err != nil {
			t.Fatal(err)
		}
		section, err := gethkeystore.EncryptDataV3(secret, []byte(passphrase), 2, 1)
		if err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(map[string]any{"version": 3, "crypto": section})
		if err != nil {
			t.Fatal(err)
		}
		if key, err := Decrypt(data, passphrase); !errors.Is(err, ErrDamaged) || key != nil {
			t.Errorf("%s: %v, %v", digits, key, err)
		}
	}
}

// The bounds admit what is in use: the standard and light parameters of
// go-ethereum, those of ethers and of the published vectors, and the limits.
func TestCostBoundsAdmitRealFiles(t *testing.T) {
	for _, k := range []kdfParams{
		{N: 1 << 18, R: 8, P: 1}, {N: 1 << 12, R: 8, P: 6}, {N: 1 << 17, R: 8, P: 1},
		{N: 1 << 18, R: 1, P: 8}, {N: 1 << 18, R: 8, P: 8}, {N: 2, R: 1, P: 1},
	} {
		if err := k.checkScrypt(); err != nil {
			t.Errorf("%+v: %v", k, err)
		}
	}
	for _, c := range []int64{1, 262144, MaxPBKDF2Iterations} {
		k := kdfParams{C: c, PRF: pbkdf2Hash}
		if err := k.checkPBKDF2(); err != nil {
			t.Errorf("%d iterations: %v", c, err)
		}
	}
}

// cheap reports whether a parsed file asks for little enough for a fuzz test.
func cheap(file *keyFile) bool {
	k := file.Crypto.KDFParams
	if file.Crypto.KDF == kdfPBKDF2 {
		return k.C <= 1<<10
	}
	return k.N*k.R*k.P <= 1<<10
}

// FuzzDecrypt looks for a file that panics, and checks that whatever parses
// stays within the bounds. Files that ask for real work are parsed only.
func FuzzDecrypt(f *testing.F) {
	good := quickFile(f, testKey(f))
	f.Add(good)
	for _, path := range [][]string{{"version"}, {"address"}, {"id"}, {"crypto"}, {"crypto", "kdfparams"}, {"crypto", "mac"}} {
		f.Add(edit(f, good, nil, path...))
		f.Add(edit(f, good, "x", path...))
		f.Add(edit(f, good, 1e300, path...))
	}
	for _, name := range []string{"n", "r", "p", "dklen", "salt"} {
		f.Add(edit(f, good, int64(1)<<62, "crypto", "kdfparams", name))
	}
	f.Add([]byte(`{"version":3,"crypto":{"kdf":"pbkdf2","kdfparams":{"prf":1}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := parse(data)
		if err != nil {
			if key, again := Decrypt(data, passphrase); key != nil || fmt.Sprint(again) != fmt.Sprint(err) {
				t.Errorf("parse says %v, Decrypt %v, %v", err, key, again)
			}
			return
		}
		k := file.Crypto.KDFParams
		if memory := 128 * k.R * (k.N + k.P); file.Crypto.KDF == kdfScrypt && (memory <= 0 || memory > MaxMemory) {
			t.Errorf("%d bytes of memory pass", memory)
		}
		if !cheap(file) {
			return
		}
		key, err := Decrypt(data, passphrase)
		if err == nil && file.hasAddress() && key.Address() != file.address {
			t.Error("the key is not that of the address")
		}
	})
}
