package node

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/cometbft/cometbft/p2p"

	"github.com/tallystick/tallystick/config"
)

// stopWithin is how long Run gives a node to stop.
const stopWithin = 5 * time.Second

// Run runs a node until ctx ends, which is no error, or until it must not go
// on, and stops it. It takes at most five seconds to stop.
func Run(ctx context.Context, c config.Config, home string, o Options) error {
	go tuneHeap(ctx)
	n, err := newBefore(ctx, c, home, o)
	if n == nil {
		return err
	}
	err = n.Start(ctx)
	if err == nil {
		select {
		case <-ctx.Done():
			n.log.Info("stopping")
		case <-n.failed:
			err = n.failure
		}
	}
	if ctx.Err() != nil {
		err = nil
	}
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	return errors.Join(err, n.Stop(deadline))
}

// newBefore is New, unless ctx ends first: then New and the stop after it have
// the time that a stop may take, and otherwise are left to the end of the
// process, which loses nothing. There is no node where there is an error, or ctx has ended.
func newBefore(ctx context.Context, c config.Config, home string, o Options) (*Node, error) {
	var n *Node
	var err error
	made := make(chan struct{})
	go func() {
		defer close(made)
		n, err = New(c, home, o)
	}()
	select {
	case <-made:
		return n, err
	case <-ctx.Done():
	}
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	select {
	case <-made:
	case <-deadline.Done():
		return nil, nil
	}
	if n == nil {
		return nil, err
	}
	return nil, n.Stop(deadline)
}

// Start listens, and begins to agree with the network. Before the network's
// genesis time it waits for it, or for ctx. When Start errs, only Stop is left
// to be called.
func (n *Node) Start(ctx context.Context) error {
	if err := n.servers.listen(n); err != nil {
		return err
	}
	background, cancel := context.WithCancel(context.Background())
	n.cancel = cancel
	n.routine.Go(func() {
		if err := n.index.Run(background, n.source()); err != nil {
			n.fail(err)
		}
	})
	n.routine.Go(func() { n.watchClock(background) })
	n.routine.Go(func() { n.signal.run(background) })
	n.routine.Go(func() { n.reloadOn(background, n.options.Reload) })
	if err := n.startExplorer(background); err != nil {
		return err
	}
	n.servers.serve(n)
	n.sendWebhooks(background)
	if wait := time.Until(n.genesis.doc.GenesisTime); wait > 0 {
		n.log.Info("waiting for the genesis time", "genesisTime", n.genesis.doc.GenesisTime, "wait", wait.Round(time.Second))
		if !pause(ctx, wait) {
			return fmt.Errorf("wait for the genesis time: %w", ctx.Err())
		}
	}
	if len(n.config.P2P.Peers) == 0 && n.genesis.validators > 1 {
		n.log.Warn("there are no peers in the configuration: set p2p.peers, or this node hears of no block", "home", string(n.home))
	}
	if err := n.markHeight(); err != nil {
		return err
	}
	if err := n.chain.Start(); err != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("p2p.listen = %s: %w: stop what uses that address, or set another", n.config.P2P.Listen, err)
		}
		return fmt.Errorf("start CometBFT (p2p.listen = %s): %w", n.config.P2P.Listen, err)
	}
	go n.watchConsensus()
	go n.watchApplication()
	if sw, ok := n.chain.Switch().(*p2p.Switch); ok {
		n.routine.Go(func() { n.gate.review(background, sw, n.members) })
	}
	go redial(background, n.chain.Switch(), n.key.ID(), n.config.P2P.Peers, n.log)
	n.log.Info("node started", "nodeId", n.ID(), "networkId", n.Network().ID, "chainId", n.Network().ChainID,
		"height", n.store.Height(), "rpc", n.RPCAddress(), "metrics", n.MetricsAddress(), "p2p", n.config.P2P.Listen)
	return nil
}

// watchConsensus waits for the end of consensus. CometBFT recovers a panic
// there and lets everything else run on, as if nothing had happened. It never
// returns if the node stops before it had caught up.
func (n *Node) watchConsensus() {
	n.consensus.Wait()
	if n.app.Outdated() != nil {
		return // reads and peers are still served
	}
	why := "for no reason that CometBFT has given"
	if p := n.panicked.Load(); p != nil {
		why = *p
	}
	if err := n.app.Err(); err != nil {
		n.fail(fmt.Errorf("consensus stopped at height %d: the application failed: %w", n.store.Height(), err))
		return
	}
	if strings.Contains(why, "too far in the future") {
		why += "; the clock of this machine is more than " + n.comet.Consensus.BlockTimeTolerance.String() +
			" behind the network's: set it, best by NTP, and start again"
	}
	n.fail(fmt.Errorf("consensus stopped at height %d: %s", n.store.Height(), why))
}

// consensusPanicked keeps what CometBFT says of the panic that ended consensus.
// That this program is too old the application has said better.
func (n *Node) consensusPanicked(reason any) (told bool) {
	why := fmt.Sprint(reason)
	n.panicked.CompareAndSwap(nil, &why)
	return n.app != nil && n.app.Outdated() != nil
}

// watchApplication waits for the application to fail, or the node to stop.
func (n *Node) watchApplication() {
	select {
	case <-n.app.Failed():
		n.fail(fmt.Errorf("the application failed at height %d: %w", n.store.Height(), n.app.Err()))
	case <-n.stopped:
	}
}

// fail keeps the first reason why the node must not go on.
func (n *Node) fail(err error) {
	if n.quiet.Load() {
		return
	}
	n.failOnce.Do(func() {
		n.failure = err
		n.log.Error("the node must stop", "err", err)
		close(n.failed)
	})
}

// Wait returns when the node must not go on, with the reason, or when it has
// been stopped, with nil. A failed node still has to be stopped.
func (n *Node) Wait() error {
	select {
	case <-n.failed:
		return n.failure
	case <-n.stopped:
		return nil
	}
}

// Failed is closed when Wait has a reason to return.
func (n *Node) Failed() <-chan struct{} { return n.failed }

// Stop stops the node and closes its files: waiting calls are answered first,
// and the state last. The error is that of closing, or ctx's when that ended
// first; the process should then exit, which loses nothing. Again is harmless.
func (n *Node) Stop(ctx context.Context) error {
	n.stopOnce.Do(func() {
		n.quiet.Store(true)
		go func() {
			n.stopErr = n.stop(ctx)
			close(n.stopped)
		}()
	})
	select {
	case <-n.stopped:
		return n.stopErr
	case <-ctx.Done():
		return fmt.Errorf("stop the node: %w", ctx.Err())
	}
}

// stop takes everything down, from the top.
func (n *Node) stop(ctx context.Context) error {
	n.app.Release()
	serving := n.servers.shutdown(ctx, n.rpc)
	if n.cancel != nil {
		n.cancel()
	}
	n.routine.Wait()
	var chain error
	if n.chain.IsRunning() {
		chain = n.chain.Stop()
	}
	return errors.Join(serving, chain, n.release())
}

// release closes whatever is open of the parts that build made.
func (n *Node) release() error {
	var problems []error
	if n.index != nil {
		problems = append(problems, n.index.Close())
	}
	if n.databases != nil {
		problems = append(problems, n.databases.Close())
	}
	if n.app != nil {
		n.app.Close()
	}
	if n.store != nil {
		problems = append(problems, n.store.Close())
	}
	return errors.Join(problems...)
}

// RPCAddress is the host:port of JSON-RPC, once Start has been called.
func (n *Node) RPCAddress() string { return n.servers.address(rpcServer) }

// MetricsAddress is the host:port of metrics and health, or "" if there is none.
func (n *Node) MetricsAddress() string { return n.servers.address(metricsServer) }
