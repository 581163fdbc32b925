package client_test

import (
	"context"
	"fmt"
	"time"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/crypto/mnemonic"
	"github.com/tallystick/tallystick/ledger"
)

// The whole life of a payment: dial several nodes, build, sign, submit, wait.
func Example() {
	urls, stop := startDevnet()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	// One node must answer; the others are used when they are needed.
	c, err := client.Dial(ctx, urls...)
	if err != nil {
		panic(err)
	}
	defer c.Close()

	key, err := mnemonic.Derive("test test test test test test test test test test test junk", "", 0)
	if err != nil {
		panic(err)
	}
	signer := client.NewLocalSigner(key)
	usd, err := c.Asset(ctx, "USD")
	if err != nil {
		panic(err)
	}
	amount, err := client.ParseDecimal("12.34", usd.Decimals)
	if err != nil {
		panic(err)
	}
	to, err := crypto.ParseAddress("0x70997970C51812dc3A010C7d01b50e0d17dc79C8")
	if err != nil {
		panic(err)
	}

	// Built and signed once: keep tx.Raw before it is sent, and whatever happens
	// to this program, the same bytes can be sent again and are committed once.
	body, err := c.Build(ctx, signer.Address(), &ledger.Transfer{Legs: []ledger.Leg{
		{From: signer.Address(), To: to, Asset: usd.Asset, Amount: amount, Reference: "invoice-17"},
	}}, client.BuildOptions{Memo: "for the coffee"})
	if err != nil {
		panic(err)
	}
	tx, err := c.Sign(ctx, body, ledger.SchemeTypedData, signer)
	if err != nil {
		panic(err)
	}

	receipt, err := c.SubmitAndWait(ctx, tx.Raw)
	if err != nil {
		panic(err)
	}
	fmt.Println(receipt.Status, receipt.Kind, receipt.Hash == tx.Hash)

	again, err := c.SubmitAndWait(ctx, tx.Raw)
	if err != nil {
		panic(err)
	}
	fmt.Println("again:", again.Height == receipt.Height && again.Index == receipt.Index)
	for _, e := range receipt.Events {
		fmt.Println(client.FormatDecimal(e.Amount, usd.Decimals), usd.Symbol, e.Reference)
	}

	// Output:
	// applied transfer true
	// again: true
	// 12.34 USD invoice-17
}

// A key in AWS KMS, of the kind ECC_SECG_P256K1. publicKey is what GetPublicKey
// answers with, kmsSign calls Sign with the SigningAlgorithm ECDSA_SHA_256 and the
// MessageType DIGEST, and returns its Signature.
func ExampleNewExternalSigner() {
	var (
		publicKey []byte
		kmsSign   func(ctx context.Context, message []byte) ([]byte, error)
	)
	address, err := crypto.AddressFromPKIX(publicKey)
	if err != nil {
		return // it is of another curve
	}
	signer := client.NewExternalSigner(address, client.FormDER, func(ctx context.Context, digest crypto.Hash) ([]byte, error) {
		return kmsSign(ctx, digest[:])
	})
	fmt.Println("signs for", signer.Address())
}
