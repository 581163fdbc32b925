package network

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/tallystick/tallystick/node"
)

// validator is one directory and the process that runs in it, if any.
type validator struct {
	index             int
	home              node.Home
	program           []string
	log               string // where both its outputs go
	p2p, rpc, metrics string // host:port
	identity          node.Identity
	client            *Client
	process           atomic.Pointer[process] // the latest; nil before the first
}

func (v *validator) name() string { return fmt.Sprint("validator", v.index) }

// process is a started process.
type process struct {
	cmd  *exec.Cmd
	log  string        // the file that has its outputs
	from int64         // where they begin in it
	done chan struct{} // closed when it has ended
	code int           // its exit code, -1 by a signal; read after done is closed
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// stopWithin is how long a validator may take to stop when it is asked to.
const stopWithin = 5 * time.Second

// Start starts validator i, which must not run, with env ("NAME=value") added
// to its environment. It does not wait for anything.
func (n *Network) Start(i int, env ...string) {
	n.t.Helper()
	v := n.validators[i]
	if n.Running(i) {
		n.t.Fatalf("start %s: it runs", v.name())
	}
	p, err := launch(v.log, append(slices.Clone(v.program), "--home", string(v.home)), env)
	if err != nil {
		n.t.Fatalf("start %s: %v", v.name(), err)
	}
	v.process.Store(p)
}

// launch starts a process whose outputs are appended to a file.
func launch(log string, command, env []string) (*process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close() // the process has its own
	info, err := out.Stat()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.Command(command[0], command[1:]...), log: log, from: info.Size(), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.Env = append(cleanEnvironment(), env...)
	dieWithParent(p.cmd)
	if err := startProcess(p.cmd); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.done)
		p.cmd.Wait() // how it ended is in its state
		p.code = p.cmd.ProcessState.ExitCode()
	}()
	return p, nil
}

// cleanEnvironment is this process's environment without what a validator
// would obey.
func cleanEnvironment() []string {
	return slices.DeleteFunc(os.Environ(), func(s string) bool {
		return strings.HasPrefix(s, "TALLY_") || strings.HasPrefix(s, "FAIL_TEST_INDEX=")
	})
}

// starts has the commands that one thread starts, which lives as long as this
// process: the system kills a child with the thread that started it.
var starts = make(chan func())

func init() {
	go func() {
		runtime.LockOSThread()
		for start := range starts {
			start()
		}
	}()
}

func startProcess(cmd *exec.Cmd) error {
	result := make(chan error)
	starts <- func() { result <- cmd.Start() }
	return <-result
}

// Running reports whether validator i runs.
func (n *Network) Running(i int) bool {
	p := n.validators[i].process.Load()
	return p != nil && !p.ended()
}

// Kill ends validators as kill -9 does, all at once, and returns when they are
// gone. Those that do not run are passed over.
func (n *Network) Kill(validators ...int) {
	n.t.Helper()
	for _, i := range validators {
		if p := n.validators[i].process.Load(); p != nil && !p.ended() {
			if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
				n.t.Fatalf("kill %s: %v", n.validators[i].name(), err)
			}
		}
	}
	for _, i := range validators {
		if p := n.validators[i].process.Load(); p != nil {
			<-p.done
		}
	}
}

// Stop ends validator i as Ctrl-C does, and tells whether it took no longer than it
// may. It must stop without a complaint, unless it is that it had no more time, as it
// may be on a busy machine.
func (n *Network) Stop(i int) (inTime bool) {
	n.t.Helper()
	v := n.validators[i]
	p := v.process.Load()
	if p == nil || p.ended() {
		n.t.Fatalf("stop %s: it does not run", v.name())
	}
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
		n.t.Fatalf("stop %s: %v", v.name(), err)
	}
	began := time.Now()
	select {
	case <-p.done:
	case <-time.After(patience):
		n.t.Fatalf("%s did not stop within %s", v.name(), patience)
	}
	took := time.Since(began)
	if log := n.Log(i); p.code != 0 && (took < stopWithin || !strings.Contains(log, context.DeadlineExceeded.Error())) {
		n.t.Fatalf("%s stopped after %s with exit code %d:\n%s", v.name(), took, p.code, lastLines(log, shownLines))
	}
	return p.code == 0 && took < stopWithin+time.Second // the time it takes to notice
}

// WaitExit waits until validator i has ended by itself, and returns its exit
// code and what it logged since it was started.
func (n *Network) WaitExit(i int, within time.Duration) (code int, log string) {
	n.t.Helper()
	p := n.validators[i].process.Load()
	n.Until(within, n.validators[i].name()+" has ended", func() error {
		if !p.ended() {
			return errors.New("it runs")
		}
		return nil
	})
	return p.code, n.Log(i)
}

// Log returns what validator i has written since it was last started.
func (n *Network) Log(i int) string {
	n.t.Helper()
	v := n.validators[i]
	data, err := os.ReadFile(v.log)
	if err != nil {
		n.t.Fatalf("read the log of %s: %v", v.name(), err)
	}
	if p := v.process.Load(); p != nil {
		data = data[min(p.from, int64(len(data))):]
	}
	return string(data)
}

// FullLog returns what validator i has ever written.
func (n *Network) FullLog(i int) string {
	n.t.Helper()
	data, err := os.ReadFile(n.validators[i].log)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		n.t.Fatalf("read the log of %s: %v", n.validators[i].name(), err)
	}
	return string(data)
}

// Home is the directory of validator i.
func (n *Network) Home(i int) node.Home { return n.validators[i].home }

// Identity is who validator i is.
func (n *Network) Identity(i int) node.Identity { return n.validators[i].identity }

// All lists the indexes of all validators.
func (n *Network) All() []int {
	all := make([]int, len(n.validators))
	for i := range all {
		all[i] = i
	}
	return all
}

// shownLines is how much of each log a failed test shows.
const shownLines = 40

// cleanUp ends everything, and shows the logs of a failed test.
func (n *Network) cleanUp() {
	n.Kill(n.All()...)
	for i, v := range n.validators {
		v.client.Close()
		if n.t.Failed() {
			n.t.Logf("the end of the log of %s:\n%s", v.name(), lastLines(n.FullLog(i), shownLines))
		}
	}
}

// lastLines returns the last lines of a text, at most so many.
func lastLines(text string, count int) string {
	lines := bytes.Split(bytes.TrimRight([]byte(text), "\n"), []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-count):], []byte("\n")))
}
