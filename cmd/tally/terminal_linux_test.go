package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// openTerminal makes a pseudo-terminal: what a program uses, and the other end.
func openTerminal(t *testing.T) (terminal, person *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { person.Close() })
	if err := unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	return terminal, person
}

// onTerminal runs tally in dir with a person at a terminal who waits for the
// question and gives an answer. It returns what stood on the terminal, and the
// exit code.
func onTerminal(t *testing.T, dir, answer string, redirect bool, arguments ...string) (screen string, code int) {
	t.Helper()
	terminal, person := openTerminal(t)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, arguments...)
	cmd.Args[0] = "tally" // testscript.Main runs the command of that name
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+dir, "TALLY_PASSPHRASE=x")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
	if redirect {
		if cmd.Stderr, err = os.Create(dir + "/stderr.txt"); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	terminal.Close() // so that reading ends with the program
	var seen strings.Builder
	answered := false
	buffer := make([]byte, 4096)
	for {
		n, err := person.Read(buffer)
		seen.Write(buffer[:n])
		if !answered && strings.HasSuffix(seen.String(), "[y/N] ") {
			answered = true
			if _, err := io.WriteString(person, answer); err != nil {
				t.Fatal(err)
			}
		}
		if err != nil { // EIO: nobody has the terminal open any more
			break
		}
	}
	_ = cmd.Wait() // the exit code says it
	return seen.String(), cmd.ProcessState.ExitCode()
}

// At a terminal nothing is signed before the words were shown and a yes was
// typed; anything else is a no.
func TestConfirmationAtATerminal(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(dir+"/"+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("one.txt", strings.Repeat("0", 63)+"1")
	write("body.json", `{"sender":"0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf","nonce":3,"memo":"rent","pauseAsset":{"asset":"0x0000000000000000000000000000000000000007"}}`)
	for _, arguments := range [][]string{
		{"key", "import", "--light", "one.txt"},
		{"tx", "build", "--body", "body.json", "--network-id", "test-net", "--chain-id", "7077", "--out", "tx.json"},
	} {
		if screen, code := onTerminal(t, dir, "", false, arguments...); code != exitOK {
			t.Fatalf("%v: exit code %d\n%s", arguments, code, screen)
		}
	}
	signatures := func() int {
		data, err := os.ReadFile(dir + "/tx.json")
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(data), `"signer"`)
	}
	for name, answer := range map[string]string{
		"no": "n\r", "nothing": "\r", "end of input": "\x04", "sure": "sure\r", "yesterday": "yesterday\r", "a space": " \r",
	} {
		screen, code := onTerminal(t, dir, answer, false, "tx", "sign", "tx.json")
		if code != exitFailed || signatures() != 0 || !strings.Contains(screen, "nothing was done") {
			t.Errorf("%s: exit code %d, %d signatures\n%s", name, code, signatures(), screen)
		}
	}
	if _, code := onTerminal(t, dir, "y\r", true, "tx", "sign", "tx.json"); code != exitUsage || signatures() != 0 {
		t.Errorf("with standard error in a file: exit code %d, %d signatures", code, signatures())
	}
	screen, code := onTerminal(t, dir, "y\r", false, "tx", "sign", "tx.json")
	if code != exitOK || signatures() != 1 {
		t.Errorf("yes: exit code %d, %d signatures\n%s", code, signatures(), screen)
	}
	words, question := strings.Index(screen, "pause the asset"), strings.Index(screen, "[y/N]")
	if words < 0 || question < words || !strings.Contains(screen, "test-net (chain 7077)") {
		t.Errorf("the words do not stand before the question:\n%s", screen)
	}
}
