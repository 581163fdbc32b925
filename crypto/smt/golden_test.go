package smt

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGolden compares roots and encoded proofs with testdata/golden.txt. Every
// machine must give these bytes: they are the AppHash.
func TestGolden(t *testing.T) {
	var out bytes.Buffer
	for _, n := range []int{0, 1, 2, 3, 10, 100, 1000} {
		fmt.Fprintf(&out, "root %d %x\n", n, mustBuild(t, 1, numbered(n)).Root())
	}
	tree := mustBuild(t, 1, numbered(1000))
	var deletions []Change
	for i := range 990 {
		deletions = append(deletions, del(fmt.Sprintf("key-%d", i+10)))
	}
	mustCommit(t, tree, 2, deletions...)
	fmt.Fprintf(&out, "root 1000-990 %x\n", tree.Root())
	content := make(table)
	for i, key := range poolKeys() {
		content[key] = fmt.Sprint(i)
	}
	fmt.Fprintf(&out, "root close %x\n", mustBuild(t, 1, content).Root())
	for _, key := range []string{"key-3", "absent"} {
		proof, err := tree.Prove(2, []byte(key), numbered(10).read)
		if err != nil {
			t.Fatal(err)
		}
		bz, err := proof.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "proof %s %x\n", key, bz)
	}
	path := filepath.Join("testdata", "golden.txt")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), want) {
		t.Fatalf("golden bytes changed:\n%s\nwant:\n%s", out.Bytes(), want)
	}
}

// TestGoldenRootsAreTheNaiveOnes keeps -update from making a wrong root golden.
func TestGoldenRootsAreTheNaiveOnes(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 10, 100, 1000} {
		if mustBuild(t, 1, numbered(n)).Root() != naiveRoot(numbered(n)) {
			t.Fatalf("%d keys: wrong root", n)
		}
	}
}
