package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/tallystick/tallystick/ledger"
)

// What the database holds, told apart by the first byte of the key. The bytes
// are specified in docs/FORMATS.md, "The store on disk". Undo records, which can
// be megabytes long, stand first: whatever follows one in the database's blocks is
// read with it, and behind the table they would make every search that ends at
// the table's end slow.
const (
	diskHead  = 'h' // the head record: what was committed last
	diskRoot  = 'r' // ‖ height as 8 bytes, big-endian: the root at that height
	diskTable = 't' // ‖ state key: the latest value
	diskUndo  = 'b' // ‖ height as 8 bytes, big-endian: the undo record, what was before
)

// formatVersion is the version of the format that this program writes. It
// reads no other. In version 1 undo records stood behind the table.
const formatVersion = 2

const (
	headMagic = "tallystk"
	headBytes = 64
	rootBytes = 32
)

var crcTable = crc32.MakeTable(crc32.Castagnoli)

// head is what was committed last.
type head struct {
	height ledger.Height
	time   ledger.UnixTime
	root   [32]byte
}

// encode returns the head record: magic (8), format version (4), height (8),
// time (8), root (32), CRC-32C of all before (4); integers big-endian.
func (h *head) encode() []byte {
	out := make([]byte, 0, headBytes)
	out = append(out, headMagic...)
	out = binary.BigEndian.AppendUint32(out, formatVersion)
	out = binary.BigEndian.AppendUint64(out, uint64(h.height))
	out = binary.BigEndian.AppendUint64(out, uint64(h.time))
	out = append(out, h.root[:]...)
	return binary.BigEndian.AppendUint32(out, crc32.Checksum(out, crcTable))
}

// decodeHead reads a head record. The magic and the version stand first in
// every version, so that a newer format is told from a damaged one.
func decodeHead(raw []byte) (head, error) {
	const versionAt, heightAt, timeAt, rootAt, crcAt = 8, 12, 20, 28, 60
	if len(raw) < heightAt || string(raw[:versionAt]) != headMagic {
		return head{}, errors.New("the head record is not one of ours: the directory is damaged, or belongs to another program")
	}
	if v := binary.BigEndian.Uint32(raw[versionAt:]); v > formatVersion {
		return head{}, fmt.Errorf("it is written in format %d and this program knows format %d: use a newer tally", v, formatVersion)
	} else if v == 0 {
		return head{}, errors.New("the head record names format 0, which never was: the directory is damaged")
	} else if v != formatVersion {
		return head{}, fmt.Errorf("it is written in format %d, by an earlier version, and this program knows format %d: move the directory away, and the node makes it anew from the blocks", v, formatVersion)
	}
	if len(raw) != headBytes || crc32.Checksum(raw[:crcAt], crcTable) != binary.BigEndian.Uint32(raw[crcAt:]) {
		return head{}, errors.New("the head record fails its checksum: the directory is damaged")
	}
	h := head{
		height: ledger.Height(binary.BigEndian.Uint64(raw[heightAt:])),
		time:   ledger.UnixTime(binary.BigEndian.Uint64(raw[timeAt:])),
	}
	copy(h.root[:], raw[rootAt:])
	if h.height == 0 {
		return head{}, errors.New("the head record names height 0: the directory is damaged")
	}
	return h, nil
}

// heightKey is the database key of a record that belongs to a height.
func heightKey(kind byte, h ledger.Height) []byte {
	return binary.BigEndian.AppendUint64([]byte{kind}, uint64(h))
}

// tableKey is the database key of a state key.
func tableKey(key []byte) []byte {
	out := make([]byte, 0, 1+len(key))
	return append(append(out, diskTable), key...)
}

// tableRange is the part of the database that holds the state keys with the
// prefix which are strictly above after. It is empty when start >= end.
func tableRange(prefix, after []byte) (start, end []byte) {
	start = tableKey(prefix)
	if after != nil && string(after) >= string(prefix) {
		start = append(tableKey(after), 0)
	}
	end = tableKey(prefix)
	for i := len(end) - 1; ; i-- { // the table's own byte is below 0xff
		if end[i] < 0xff {
			end[i]++
			return start, end[:i+1]
		}
	}
}
