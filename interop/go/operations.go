package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/hashicorp/go-msgpack/v2/codec"
	"github.com/hashicorp/raft"
)

func (s *server) operations() map[string]operation {
	return map[string]operation{
		"start":         on(s.start),
		"status":        s.running(on(s.status)),
		"put":           s.running(on(s.put)),
		"barrier":       s.running(on(s.barrier)),
		"verify":        s.running(on(s.verify)),
		"state":         s.running(on(s.state)),
		"log":           s.running(on(s.dumpLog)),
		"snapshot":      s.running(on(s.snapshot)),
		"transfer":      s.running(on(s.transfer)),
		"add-voter":     s.running(on(s.addVoter)),
		"add-nonvoter":  s.running(on(s.addNonvoter)),
		"demote-voter":  s.running(on(s.demoteVoter)),
		"remove-server": s.running(on(s.removeServer)),
		"load":          s.running(on(s.load)),
		"cpu":           on(cpu),
		"stop":          on(s.stop),
	}
}

func (s *server) running(act operation) operation {
	return func(args json.RawMessage) (any, error) {
		if s.raft == nil {
			return nil, errors.New("the server is not started")
		}
		return act(args)
	}
}

type nothing struct{}

type status struct {
	State              string    `json:"state"`
	Term               uint64    `json:"term"`
	Leader             string    `json:"leader"`
	FirstIndex         uint64    `json:"firstIndex"`
	LastIndex          uint64    `json:"lastIndex"`
	CommitIndex        uint64    `json:"commitIndex"`
	AppliedIndex       uint64    `json:"appliedIndex"`
	SnapshotIndex      uint64    `json:"snapshotIndex"`
	SnapshotsInstalled int       `json:"snapshotsInstalled"`
	Members            []member  `json:"members"`
	Digest             *kvDigest `json:"digest,omitempty"`
}

func (s *server) status(nothing) (any, error) {
	first, err := s.stores.log.FirstIndex()
	if err != nil {
		return nil, err
	}
	configuration := s.raft.GetConfiguration()
	if err := configuration.Error(); err != nil {
		return nil, err
	}
	_, leader := s.raft.LeaderWithID()
	found := status{
		State:        map[raft.RaftState]string{raft.Follower: "follower", raft.Candidate: "candidate", raft.Leader: "leader", raft.Shutdown: "stopped"}[s.raft.State()],
		Term:         termOf(s.raft),
		Leader:       string(leader),
		FirstIndex:   first,
		LastIndex:    s.raft.LastIndex(),
		CommitIndex:  s.raft.CommitIndex(),
		AppliedIndex: s.raft.AppliedIndex(),
		Members:      membersOf(configuration.Configuration()),
	}
	if newest, err := s.snapshots.List(); err != nil {
		return nil, err
	} else if len(newest) > 0 {
		found.SnapshotIndex = newest[0].Index
	}
	if s.kv != nil {
		digest := s.kv.digest()
		found.Digest = &digest
		found.SnapshotsInstalled = s.kv.restoreCount() - s.restoresAtStart
	}
	return found, nil
}

func (s *server) put(args struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}) (any, error) {
	data, err := encodeCommand(kvCommand{"put", args.Key, args.Value})
	if err != nil {
		return nil, err
	}
	future := s.raft.Apply(data, time.Second)
	if err := future.Error(); err != nil {
		return nil, err
	}
	if err, failed := future.Response().(error); failed {
		return nil, err
	}
	return future.Response(), nil
}

func (s *server) barrier(nothing) (any, error) {
	return nil, s.raft.Barrier(0).Error()
}

func (s *server) verify(nothing) (any, error) {
	return nil, s.raft.VerifyLeader().Error()
}

func (s *server) state(nothing) (any, error) {
	return s.kv.all(), nil
}

// wireHandle is how raft's NetworkTransport and raft-boltdb encode by default.
var wireHandle = &codec.MsgpackHandle{BasicHandle: codec.BasicHandle{TimeNotBuiltin: true}}

func encodeEntry(entry *raft.Log) ([]byte, error) {
	var bytes []byte
	err := codec.NewEncoderBytes(&bytes, wireHandle).Encode(entry)
	return bytes, err
}

type logSlice struct {
	FirstIndex uint64 `json:"firstIndex"`
	// Entries in base64, as they are on the wire; "" where there is none.
	Entries []string `json:"entries"`
}

// dumpLog gives the entries from..to that are held.
func (s *server) dumpLog(args struct {
	From uint64 `json:"from"`
	To   uint64 `json:"to"`
}) (any, error) {
	first, err := s.stores.log.FirstIndex()
	if err != nil {
		return nil, err
	}
	last, err := s.stores.log.LastIndex()
	if err != nil {
		return nil, err
	}
	slice := logSlice{FirstIndex: max(first, args.From), Entries: []string{}}
	for index := slice.FirstIndex; index != 0 && index <= min(last, args.To); index++ {
		var entry raft.Log
		err := s.stores.log.GetLog(index, &entry)
		if errors.Is(err, raft.ErrLogNotFound) {
			// An installed snapshot leaves a hole where the log was behind it.
			slice.Entries = append(slice.Entries, "")
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", index, err)
		}
		bytes, err := encodeEntry(&entry)
		if err != nil {
			return nil, err
		}
		slice.Entries = append(slice.Entries, base64.StdEncoding.EncodeToString(bytes))
	}
	return slice, nil
}

func (s *server) snapshot(nothing) (any, error) {
	future := s.raft.Snapshot()
	if err := future.Error(); err != nil {
		return nil, err
	}
	meta, state, err := future.Open()
	if err != nil {
		return nil, err
	}
	defer state.Close()
	return map[string]uint64{"index": meta.Index}, nil
}

func (s *server) transfer(args struct {
	To      string `json:"to"`
	Address string `json:"address"`
}) (any, error) {
	if args.To == "" {
		return nil, s.raft.LeadershipTransfer().Error()
	}
	return nil, s.raft.LeadershipTransferToServer(raft.ServerID(args.To), raft.ServerAddress(args.Address)).Error()
}

type change struct {
	ID        string `json:"id"`
	Address   string `json:"address"`
	PrevIndex uint64 `json:"prevIndex"`
}

// changeTimeout bounds the wait until an earlier change is committed.
const changeTimeout = 10 * time.Second

// shutdownGrace is how long a server that is shutting down may take to answer a change.
const shutdownGrace = time.Second

// changed waits for a change of the membership. hashicorp/raft never answers that of a leader which removes itself when its
// state machine's goroutine sees the shutdown before the entry; so the end of the server ends the wait too, a little later.
func (s *server) changed(future raft.IndexFuture) (any, error) {
	answered := make(chan error, 1)
	go func() { answered <- future.Error() }()
	for {
		select {
		case err := <-answered:
			if err != nil {
				return nil, err
			}
			return map[string]uint64{"index": future.Index()}, nil
		case <-time.After(shutdownGrace):
			if s.raft.State() == raft.Shutdown {
				return nil, raft.ErrRaftShutdown
			}
		}
	}
}

func (s *server) addVoter(c change) (any, error) {
	return s.changed(s.raft.AddVoter(raft.ServerID(c.ID), raft.ServerAddress(c.Address), c.PrevIndex, changeTimeout))
}

func (s *server) addNonvoter(c change) (any, error) {
	return s.changed(s.raft.AddNonvoter(raft.ServerID(c.ID), raft.ServerAddress(c.Address), c.PrevIndex, changeTimeout))
}

func (s *server) demoteVoter(c change) (any, error) {
	return s.changed(s.raft.DemoteVoter(raft.ServerID(c.ID), c.PrevIndex, changeTimeout))
}

func (s *server) removeServer(c change) (any, error) {
	return s.changed(s.raft.RemoveServer(raft.ServerID(c.ID), c.PrevIndex, changeTimeout))
}

// stop ends the server and its process in order. The driver hears of it by the end of the process.
func (s *server) stop(nothing) (any, error) {
	if s.raft != nil {
		if err := s.raft.Shutdown().Error(); err != nil {
			return nil, err
		}
	}
	if err := s.transport.Close(); err != nil {
		return nil, err
	}
	s.stores.close()
	os.Exit(0)
	return nil, nil
}
