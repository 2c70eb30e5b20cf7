package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"

	"github.com/hashicorp/go-msgpack/v2/codec"
	"github.com/hashicorp/raft"
)

// kvMachine is the state machine of examples/kv: it applies the same bytes and reads and writes the same snapshots.
type kvMachine struct {
	mutex    sync.RWMutex
	index    uint64
	values   map[string]string
	restores int
}

type kvCommand struct {
	Type  string `codec:"type"`
	Key   string `codec:"key"`
	Value string `codec:"value"`
}

type kvChange struct {
	Existed bool   `json:"existed"`
	Index   uint64 `json:"index"`
}

type kvDigest struct {
	Index  uint64 `json:"index"`
	Keys   int    `json:"keys"`
	SHA256 string `json:"sha256"`
}

var kvHandle = &codec.MsgpackHandle{BasicHandle: codec.BasicHandle{DecodeOptions: codec.DecodeOptions{RawToString: true}}}

// kvPairsPerPart bounds how much of a snapshot is encoded at once.
const kvPairsPerPart = 500

func newKvMachine() *kvMachine {
	return &kvMachine{values: map[string]string{}}
}

func encodeCommand(command kvCommand) ([]byte, error) {
	var data []byte
	err := codec.NewEncoderBytes(&data, kvHandle).Encode(command)
	return data, err
}

// Apply changes nothing when the bytes are no command, as every other server does.
func (m *kvMachine) Apply(entry *raft.Log) any {
	var command kvCommand
	if err := codec.NewDecoderBytes(entry.Data, kvHandle).Decode(&command); err != nil {
		return err
	}
	if command.Type != "put" && command.Type != "delete" {
		return fmt.Errorf("not a command of the key-value store: %q", command.Type)
	}
	m.mutex.Lock()
	defer m.mutex.Unlock()
	_, existed := m.values[command.Key]
	if command.Type == "put" {
		m.values[command.Key] = command.Value
	} else {
		delete(m.values, command.Key)
	}
	m.index = entry.Index
	return kvChange{Existed: existed, Index: entry.Index}
}

func (m *kvMachine) digest() kvDigest {
	m.mutex.RLock()
	defer m.mutex.RUnlock()
	hash := sha256.New()
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	for _, key := range slices.Sorted(maps.Keys(m.values)) {
		line.Reset()
		_ = encoder.Encode([2]string{key, m.values[key]}) // A buffer takes everything.
		hash.Write(bytes.TrimSuffix(line.Bytes(), []byte("\n")))
	}
	return kvDigest{m.index, len(m.values), hex.EncodeToString(hash.Sum(nil))}
}

func (m *kvMachine) all() map[string]string {
	m.mutex.RLock()
	defer m.mutex.RUnlock()
	return maps.Clone(m.values)
}

func (m *kvMachine) restoreCount() int {
	m.mutex.RLock()
	defer m.mutex.RUnlock()
	return m.restores
}

// Snapshot copies the state: parts of it are encoded while later commands are applied.
func (m *kvMachine) Snapshot() (raft.FSMSnapshot, error) {
	m.mutex.RLock()
	defer m.mutex.RUnlock()
	return &kvSnapshot{m.index, maps.Clone(m.values)}, nil
}

// Restore reads the parts: the index, then lists of pairs, each part after its length in four bytes.
func (m *kvMachine) Restore(state io.ReadCloser) error {
	defer state.Close()
	var index uint64
	values := map[string]string{}
	for isFirst := true; ; isFirst = false {
		part, err := readPart(state)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		decoder := codec.NewDecoderBytes(part, kvHandle)
		if isFirst {
			if err := decoder.Decode(&index); err != nil {
				return err
			}
			continue
		}
		var pairs [][2]string
		if err := decoder.Decode(&pairs); err != nil {
			return err
		}
		for _, pair := range pairs {
			values[pair[0]] = pair[1]
		}
	}
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.index, m.values = index, values
	m.restores++
	return nil
}

type kvSnapshot struct {
	index  uint64
	values map[string]string
}

func (s *kvSnapshot) Persist(sink raft.SnapshotSink) error {
	err := s.write(sink)
	if err != nil {
		_ = sink.Cancel()
		return err
	}
	return sink.Close()
}

func (s *kvSnapshot) write(to io.Writer) error {
	if err := writePart(to, s.index); err != nil {
		return err
	}
	pairs := make([][2]string, 0, len(s.values))
	for _, key := range slices.Sorted(maps.Keys(s.values)) {
		pairs = append(pairs, [2]string{key, s.values[key]})
	}
	for part := range slices.Chunk(pairs, kvPairsPerPart) {
		if err := writePart(to, part); err != nil {
			return err
		}
	}
	return nil
}

func (s *kvSnapshot) Release() {}

func writePart(to io.Writer, value any) error {
	var part []byte
	if err := codec.NewEncoderBytes(&part, kvHandle).Encode(value); err != nil {
		return err
	}
	if err := binary.Write(to, binary.BigEndian, uint32(len(part))); err != nil {
		return err
	}
	_, err := to.Write(part)
	return err
}

func readPart(from io.Reader) ([]byte, error) {
	var length uint32
	if err := binary.Read(from, binary.BigEndian, &length); err != nil {
		return nil, err
	}
	part, err := io.ReadAll(io.LimitReader(from, int64(length)))
	if err == nil && len(part) < int(length) {
		err = io.ErrUnexpectedEOF
	}
	return part, err
}
