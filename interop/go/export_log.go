package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/hashicorp/raft"
	boltdb "github.com/hashicorp/raft-boltdb/v2"
	"go.etcd.io/bbolt"
)

// The format of an export is in docs/formats.md; packages/store-level reads it.
const (
	exportMagic = "RAFTLOG\x01"

	recordState   = 1
	recordEntries = 2
	recordValue   = 3
	recordEnd     = 4

	// recordBytes is when a record of entries is full; one larger entry still has a record of its own.
	recordBytes = 1 << 20
)

// exportLog writes what the BoltDB store of a stopped server holds. It changes nothing, and fails while the server runs.
func exportLog(directory string) error {
	path := filepath.Join(directory, boltFile)
	if _, err := os.Stat(path); err != nil {
		return err
	}
	store, err := boltdb.New(boltdb.Options{Path: path, BoltOptions: &bbolt.Options{ReadOnly: true, Timeout: time.Second}})
	if errors.Is(err, bbolt.ErrTimeout) {
		return fmt.Errorf("%s is in use: stop the server first", path)
	}
	if err != nil {
		return err
	}
	defer store.Close()
	output := bufio.NewWriterSize(os.Stdout, recordBytes)
	if err := (&exporter{store, output}).export(); err != nil {
		return err
	}
	return output.Flush()
}

type exporter struct {
	store  *boltdb.BoltStore
	output io.Writer
}

func (e *exporter) export() error {
	first, last, err := e.bounds()
	if err != nil {
		return err
	}
	state, err := e.hardState(first, last)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(e.output, exportMagic); err != nil {
		return err
	}
	if err := e.record(recordState, state); err != nil {
		return err
	}
	if first > 1 {
		// raft-core remembers what a snapshot must hold because the log does not any more.
		if err := e.record(recordValue, value("snapshot-floor", strconv.FormatUint(first-1, 10))); err != nil {
			return err
		}
	}
	if err := e.entries(first, last); err != nil {
		return err
	}
	var end []byte
	if last > 0 {
		end = binary.BigEndian.AppendUint64(end, last-first+1)
	} else {
		end = binary.BigEndian.AppendUint64(end, 0)
	}
	return e.record(recordEnd, binary.BigEndian.AppendUint64(end, last))
}

// bounds gives the last run of entries without a hole. An installed snapshot can leave a hole in front of it: what is
// before the hole is in the snapshot.
func (e *exporter) bounds() (first, last uint64, err error) {
	if first, err = e.store.FirstIndex(); err != nil {
		return 0, 0, err
	}
	if last, err = e.store.LastIndex(); err != nil {
		return 0, 0, err
	}
	var entry raft.Log
	for index := last; index > first; index-- {
		if err := e.store.GetLog(index-1, &entry); errors.Is(err, raft.ErrLogNotFound) {
			return index, last, nil
		} else if err != nil {
			return 0, 0, fmt.Errorf("entry %d: %w", index-1, err)
		}
	}
	return first, last, nil
}

func (e *exporter) hardState(first, last uint64) ([]byte, error) {
	type vote struct {
		ID      string `json:"id"`
		Address string `json:"address"`
	}
	var state struct {
		Term     uint64 `json:"term"`
		VotedFor *vote  `json:"votedFor,omitempty"`
	}
	var err error
	if state.Term, err = e.number("CurrentTerm"); err != nil {
		return nil, err
	}
	voteTerm, err := e.number("LastVoteTerm")
	if err != nil {
		return nil, err
	}
	candidate, err := e.store.Get([]byte("LastVoteCand"))
	if err != nil && !errors.Is(err, boltdb.ErrKeyNotFound) {
		return nil, err
	}
	// An older vote says nothing of this term.
	if voteTerm == state.Term && len(candidate) > 0 {
		id, err := e.idOf(string(candidate), first, last)
		if err != nil {
			return nil, err
		}
		state.VotedFor = &vote{id, string(candidate)}
	}
	return json.Marshal(state)
}

func (e *exporter) number(key string) (uint64, error) {
	found, err := e.store.GetUint64([]byte(key))
	if errors.Is(err, boltdb.ErrKeyNotFound) {
		return 0, nil
	}
	return found, err
}

// idOf finds a server in the newest configuration of the log. hashicorp/raft votes for addresses, raftkit for ids;
// a vote for an unknown id is a vote for nobody else, which is safe.
func (e *exporter) idOf(address string, first, last uint64) (string, error) {
	var entry raft.Log
	for index := last; index >= first && index > 0; index-- {
		if err := e.store.GetLog(index, &entry); err != nil {
			return "", fmt.Errorf("entry %d: %w", index, err)
		}
		if entry.Type != raft.LogConfiguration {
			continue
		}
		for _, server := range raft.DecodeConfiguration(entry.Data).Servers {
			if string(server.Address) == address {
				return string(server.ID), nil
			}
		}
		break
	}
	return "", nil
}

func (e *exporter) entries(first, last uint64) error {
	if last == 0 {
		return nil
	}
	var table, bodies []byte
	start := first
	flush := func(next uint64) error {
		payload := binary.BigEndian.AppendUint64(nil, start)
		payload = binary.BigEndian.AppendUint32(payload, uint32(next-start))
		payload = append(append(payload, table...), bodies...)
		table, bodies, start = nil, nil, next
		return e.record(recordEntries, payload)
	}
	for index := first; index <= last; index++ {
		var entry raft.Log
		if err := e.store.GetLog(index, &entry); err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
		body, err := encodeEntry(&entry)
		if err != nil {
			return err
		}
		if len(bodies) > 0 && len(bodies)+len(body) > recordBytes {
			if err := flush(index); err != nil {
				return err
			}
		}
		table = binary.BigEndian.AppendUint64(table, entry.Term)
		table = append(table, byte(entry.Type))
		table = binary.BigEndian.AppendUint32(table, uint32(len(body)))
		bodies = append(bodies, body...)
	}
	return flush(last + 1)
}

func value(name, text string) []byte {
	payload := binary.BigEndian.AppendUint16(nil, uint16(len(name)))
	return append(append(payload, name...), text...)
}

// record writes kind, length and payload, then the CRC-32 of all three.
func (e *exporter) record(kind byte, payload []byte) error {
	head := binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(payload)))
	sum := crc32.Update(crc32.ChecksumIEEE(head), crc32.IEEETable, payload)
	for _, part := range [][]byte{head, payload, binary.BigEndian.AppendUint32(nil, sum)} {
		if _, err := e.output.Write(part); err != nil {
			return err
		}
	}
	return nil
}
