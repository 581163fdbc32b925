package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tallystick/tallystick/config"
)

// DevnetOptions say what development network to run. A zero value stands for
// the default.
type DevnetOptions struct {
	// Validators is their number, 1 to MaxDevnetValidators; 4.
	Validators int
	// Dir keeps the network between runs. It has no default here.
	Dir string
	// BasePort is the JSON-RPC port of the first validator; 8545. The next
	// ones follow it, peers meet 100 ports above, and metrics are 200 above.
	BasePort int
	// Reset throws the network in Dir away and begins a new one.
	Reset bool
	// Demo makes a small, steady load, so that there is something to see.
	Demo bool
	// JSON prints one line for programs in place of the screen for people.
	JSON bool
	// Out gets the screen or the line, once everything works; Log gets the log.
	Out io.Writer
	Log *slog.Logger
	// Version is the program's.
	Version string
	// Configure, if it is set, may change a validator's configuration.
	Configure func(validator int, c *config.Config)
	// Ready, if it is set, is called once everything works.
	Ready func(Devnet)

	demoPause time.Duration // the demo's mean pause, where a test cannot wait
}

// MaxDevnetValidators is the most that one process runs.
const MaxDevnetValidators = 32

// The ports of a devnet, above its base port.
const (
	peerPorts       = 100
	metricsPorts    = 200
	explorerPort    = 300 // of the first validator alone
	defaultBasePort = 8545
)

// MaxDevnetBasePort leaves room for the ports above it.
const MaxDevnetBasePort = 65535 - explorerPort - MaxDevnetValidators

func (o DevnetOptions) withDefaults() (DevnetOptions, error) {
	if o.BasePort == 0 {
		o.BasePort = defaultBasePort
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
	switch {
	case o.Dir == "":
		return o, errors.New("devnet: there is no directory to keep it in")
	case o.Validators < 0 || o.Validators > MaxDevnetValidators:
		return o, fmt.Errorf("devnet: %d validators: want 1 to %d", o.Validators, MaxDevnetValidators)
	case o.BasePort < 1 || o.BasePort > MaxDevnetBasePort:
		return o, fmt.Errorf("devnet: base port %d: want 1 to %d", o.BasePort, MaxDevnetBasePort)
	}
	var err error
	o.Dir, err = filepath.Abs(o.Dir)
	return o, err
}

// RunDevnet runs a network of validators in this process, on loopback, until
// ctx ends (nil) or one of them fails. The validators share nothing but the
// process: each has its own home in Dir, where the network goes on when it is
// run again. Everything about it is for development: the accounts' keys are
// known to all the world, and anybody may receive.
func RunDevnet(ctx context.Context, o DevnetOptions) error {
	o, err := o.withDefaults()
	if err != nil {
		return err
	}
	files, err := openDevnet(&o)
	if err != nil {
		return fmt.Errorf("devnet in %s: %w", o.Dir, err)
	}
	defer files.unlock()
	go tuneHeap(ctx)
	if err := checkPorts(o); err != nil {
		return err
	}
	nodes, err := startDevnet(ctx, o, files)
	if err == nil {
		err = serveDevnet(ctx, o, files, nodes)
	}
	if ctx.Err() != nil {
		err = nil
	}
	return errors.Join(err, stopDevnet(nodes))
}

// address is the host:port of a validator's server.
func (o DevnetOptions) address(validator, ports int) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(o.BasePort+ports+validator))
}

// checkPorts names the first port that is taken, before anything is started.
func checkPorts(o DevnetOptions) error {
	for i := range o.Validators {
		servers := []int{0, peerPorts, metricsPorts}
		if i == 0 {
			servers = append(servers, explorerPort)
		}
		for _, ports := range servers {
			address := o.address(i, ports)
			l, err := net.Listen("tcp", address)
			if err != nil {
				return fmt.Errorf("devnet: port %d cannot be used (%w): stop what uses it, or choose other ports with --base-port",
					o.BasePort+ports+i, err)
			}
			l.Close()
		}
	}
	return nil
}

// startDevnet writes each validator's configuration and starts it. It returns
// the nodes that it made even if not all of them started.
func startDevnet(ctx context.Context, o DevnetOptions, files *devnetFiles) ([]*Node, error) {
	var nodes []*Node
	for i := range o.Validators {
		c := o.configuration(i, files.identities)
		if err := config.Write(files.home(i).ConfigFile(), c); err != nil {
			return nodes, err
		}
		n, err := New(c, string(files.home(i)), Options{Logger: o.Log.With("node", i), Version: o.Version})
		if err != nil {
			return nodes, fmt.Errorf("devnet: validator %d: %w", i, err)
		}
		nodes = append(nodes, n)
	}
	for i, n := range nodes {
		if err := n.Start(ctx); err != nil {
			return nodes, fmt.Errorf("devnet: validator %d: %w", i, err)
		}
	}
	return nodes, nil
}

// configuration is that of one validator, made anew at each run.
func (o DevnetOptions) configuration(validator int, all []Identity) config.Config {
	c := config.Default()
	c.Moniker = "node" + strconv.Itoa(validator)
	c.RPC.Listen = o.address(validator, 0)
	c.P2P.Listen = o.address(validator, peerPorts)
	c.Metrics.Listen = o.address(validator, metricsPorts)
	if validator == 0 {
		c.Explorer.Listen = o.address(0, explorerPort)
	}
	for i, other := range all {
		if i != validator {
			c.P2P.Peers = append(c.P2P.Peers, other.NodeID+"@"+o.address(i, peerPorts))
		}
	}
	if o.Configure != nil {
		o.Configure(validator, &c)
	}
	return c
}

// serveDevnet says when everything works, and waits for the end.
func serveDevnet(ctx context.Context, o DevnetOptions, files *devnetFiles, nodes []*Node) error {
	failed, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	for i, n := range nodes {
		go func() {
			select {
			case <-n.Failed():
				stop(fmt.Errorf("devnet: validator %d: %w", i, n.Wait()))
			case <-failed.Done():
			}
		}()
	}
	for _, n := range nodes {
		if err := n.waitReady(failed); err != nil {
			return context.Cause(failed)
		}
	}
	description := files.describe(o, nodes[0].Network())
	if err := description.print(o); err != nil {
		return fmt.Errorf("devnet: print: %w", err)
	}
	if o.Ready != nil {
		o.Ready(description)
	}
	if o.Demo {
		demo := newDemo(nodes[0], o.Log, cmp.Or(o.demoPause, demoPause))
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			demo.run(failed)
		}()
		defer func() { <-ended }()
	}
	<-failed.Done()
	if ctx.Err() != nil {
		return nil
	}
	return context.Cause(failed)
}

// waitReady waits until the node answers for a first block and is ready for
// clients, or for ctx.
func (n *Node) waitReady(ctx context.Context) error {
	if err := n.index.WaitHeight(ctx, 1); err != nil {
		return err
	}
	const look = 20 * time.Millisecond
	for len(n.unready()) > 0 {
		if !pause(ctx, look) {
			return ctx.Err()
		}
	}
	return nil
}

// stopDevnet stops all nodes at once.
func stopDevnet(nodes []*Node) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	for _, n := range nodes {
		n.quiet.Store(true) // the others going away is no news
	}
	var group errgroup.Group
	for _, n := range nodes {
		group.Go(func() error { return n.Stop(ctx) })
	}
	return group.Wait()
}
