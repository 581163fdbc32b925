package client_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"

	"github.com/tallystick/tallystick/node"
)

// startDevnet runs a network of two validators in this process, and returns
// their addresses and what ends it.
func startDevnet() (urls []string, stop func()) {
	dir, err := os.MkdirTemp("", "client-example-")
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan node.Devnet, 1), make(chan error, 1)
	go func() {
		done <- node.RunDevnet(ctx, node.DevnetOptions{
			Validators: 2, Dir: dir, BasePort: freeBase(), Ready: func(d node.Devnet) { ready <- d },
		})
	}()
	select {
	case d := <-ready:
		return d.RPC, func() {
			cancel()
			if err := <-done; err != nil {
				panic(err)
			}
			_ = os.RemoveAll(dir)
		}
	case err := <-done:
		panic(err)
	}
}

// freeBase finds a base port above which a devnet of two has room.
func freeBase() int {
	for range 100 {
		base := 29_800 + rand.N(600) // docs/decisions/0005
		if free(base) && free(base+1) && free(base+100) && free(base+101) && free(base+200) && free(base+201) && free(base+300) {
			return base
		}
	}
	panic("no free ports")
}

func free(port int) bool {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	return err == nil && l.Close() == nil
}
