package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/tallystick/tallystick/config"
)

// Clients that say half of what they have to say, or nothing, and never read,
// hinder nobody else, and are not waited for without end.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	const readTimeout = 15 * time.Second
	n := New(t, 1, Options{Config: func(_ int, c *config.Config) {
		c.RPC.ReadTimeout, c.RPC.IdleTimeout = readTimeout, readTimeout
	}})
	n.StartAll()
	halves := []string{
		"",
		"POST / HT",
		"POST / HTTP/1.1\r\nHost: x\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"jsonrpc\":",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"jso",
	}
	var slow []net.Conn
	for i := range 40 * len(halves) {
		connection, err := net.Dial("tcp", n.validators[0].rpc)
		if err != nil {
			t.Fatal(err)
		}
		defer connection.Close()
		if _, err := connection.Write([]byte(halves[i%len(halves)])); err != nil {
			t.Fatal(err)
		}
		slow = append(slow, connection)
	}
	load := n.StartLoad(LoadOptions{})
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	if _, err := n.RPC(0).Status(ctx); err != nil {
		t.Errorf("with %d slow clients: %v", len(slow), err)
	}
	load.WaitReceipts(100)
	for i, connection := range slow {
		n.Until(patience, fmt.Sprintf("slow client %d, which sent %q, has been dropped", i, halves[i%len(halves)]), func() error {
			return dropped(connection)
		})
	}
	load.Stop()
	load.Verify(0)
	n.Stop(0)
}

// dropped reads whatever a server still says to a client, and returns nil once
// the server has closed the connection.
func dropped(connection net.Conn) error {
	if err := connection.SetReadDeadline(time.Now().Add(lookAgain)); err != nil {
		return err
	}
	_, err := connection.Read(make([]byte, 1024))
	var network net.Error
	if err == nil || (errors.As(err, &network) && network.Timeout()) {
		return errors.New("it is still connected")
	}
	return nil
}

// A validator that is asked to stop while clients wait, and others are slow,
// stops in time.
func TestStopsUnderLoad(t *testing.T) {
	t.Parallel()
	n := New(t, 4, Options{})
	n.StartAll()
	load := n.StartLoad(LoadOptions{})
	inTime, least := 0, Rounds(t, 1, 2, 10)
	for round := 0; inTime < least && round < least+3; round++ { // three more: the machine may be busy
		load.WaitReceipts(30)
		connection, err := net.Dial("tcp", n.validators[1].rpc)
		if err != nil {
			t.Fatal(err)
		}
		defer connection.Close()
		if _, err := connection.Write([]byte("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")); err != nil {
			t.Fatal(err)
		}
		if n.Stop(1) {
			inTime++
		}
		n.Start(1)
		n.WaitCaughtUp(1)
	}
	if inTime < least {
		t.Errorf("it stopped in time %d times, want %d", inTime, least)
	}
	load.Stop()
	load.Verify(n.All()...)
	n.SameChain(n.All()...)
}
