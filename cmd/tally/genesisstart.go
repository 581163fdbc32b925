package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/node"
)

// maxStartBytes bounds what a network starts with.
const maxStartBytes = 64 << 20

// readStart reads what a network starts with besides its members. What the file
// leaves out stays as it is.
func readStart(path string, f *node.Founding) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("--file: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxStartBytes+1))
	if err == nil && len(data) > maxStartBytes {
		err = fmt.Errorf("more than %d bytes", maxStartBytes)
	}
	if err != nil {
		return fmt.Errorf("--file %s: %w", path, err)
	}
	start := struct {
		Params     *ledger.GenesisParams    `json:"params"`
		Settlement *string                  `json:"settlement"`
		Assets     *[]ledger.GenesisAsset   `json:"assets"`
		Accounts   *[]ledger.GenesisAccount `json:"accounts"`
		Balances   *[]ledger.GenesisBalance `json:"balances"`
	}{&f.Params, &f.Settlement, &f.Assets, &f.Accounts, &f.Balances}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&start); err != nil {
		return fmt.Errorf("--file %s: %w", path, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("--file %s: there is something after the JSON object", path)
	}
	return nil
}
