package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/rpc/apikey"
)

const (
	apiKeyVariable    = "TALLY_API_KEY"
	authorityVariable = "TALLY_RPC_CA"
)

// accessFlags say how to show oneself to a node, and how to know it.
type accessFlags struct{ keyFile, authorities string }

func (f *accessFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.keyFile, "api-key-file", "", "the `file` whose first line is the API key for the nodes;\nleft out, $"+apiKeyVariable)
	c.Flags().StringVar(&f.authorities, "rpc-ca", "", "the `file` with the certificates, in PEM, of whom to trust with\nhttps and wss; left out, $"+authorityVariable+", or whom the system trusts")
}

// options reads the files. A key is never taken from the command line, where other
// users of the machine could see it.
func (f *accessFlags) options() (client.Options, error) {
	var o client.Options
	key := os.Getenv(apiKeyVariable)
	if f.keyFile != "" {
		text, err := os.ReadFile(f.keyFile)
		if err != nil {
			return o, fails(exitConfig, fmt.Errorf("--api-key-file: %w", err), "")
		}
		key, _, _ = strings.Cut(string(text), "\n")
	}
	o.APIKey = strings.TrimSpace(key)
	if (f.keyFile != "" || key != "") && !sendable(o.APIKey) {
		return o, fails(exitConfig, errors.New("the API key is empty, or has characters that no API key has"),
			"it is one line, "+apikey.Prefix+"… as `tally apikey new` showed it, in --api-key-file or $"+apiKeyVariable)
	}
	path := f.authorities
	if path == "" {
		path = os.Getenv(authorityVariable)
	}
	if path == "" {
		return o, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return o, fails(exitConfig, fmt.Errorf("--rpc-ca: %w", err), "")
	}
	o.Authorities = x509.NewCertPool()
	if !o.Authorities.AppendCertsFromPEM(text) {
		return o, fails(exitConfig, fmt.Errorf("--rpc-ca: %s has no certificate in PEM", path), "it begins with -----BEGIN CERTIFICATE-----")
	}
	return o, nil
}

// sendable reports whether a header can carry a key.
func sendable(key string) bool {
	return key != "" && len(key) <= apikey.MaxSecretBytes && !strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' })
}
