package main

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hashicorp/raft"
)

// counter is the cheapest state machine that can still be compared between servers, as in bench/src/server.ts.
type counter struct{ count atomic.Uint64 }

func (c *counter) Apply(*raft.Log) any {
	return c.count.Add(1)
}

func (c *counter) Snapshot() (raft.FSMSnapshot, error) {
	return counterSnapshot(c.count.Load()), nil
}

func (c *counter) Restore(state io.ReadCloser) error {
	defer state.Close()
	var count uint64
	err := binary.Read(state, binary.BigEndian, &count)
	c.count.Store(count)
	return err
}

type counterSnapshot uint64

func (s counterSnapshot) Persist(sink raft.SnapshotSink) error {
	if err := binary.Write(sink, binary.BigEndian, uint64(s)); err != nil {
		_ = sink.Cancel()
		return err
	}
	return sink.Close()
}

func (s counterSnapshot) Release() {}

// batchCounter takes several commands at once, which hashicorp/raft offers for speed.
type batchCounter struct{ counter }

func (c *batchCounter) ApplyBatch(entries []*raft.Log) []any {
	responses := make([]any, len(entries))
	for i, entry := range entries {
		if entry.Type == raft.LogCommand {
			responses[i] = c.count.Add(1)
		}
	}
	return responses
}

type loadArgs struct {
	Clients      int   `json:"clients"`
	CommandBytes int   `json:"commandBytes"`
	WarmUpMs     int64 `json:"warmUpMs"`
	MeasureMs    int64 `json:"measureMs"`
}

type loadResult struct {
	Commands      int     `json:"commands"`
	ElapsedMs     float64 `json:"elapsedMs"`
	P50Ms         float64 `json:"p50Ms"`
	P99Ms         float64 `json:"p99Ms"`
	LeaderChanges int64   `json:"leaderChanges"`
}

// load keeps a fixed number of commands in flight, each timed from call to response: the closed loop of bench/src/load.ts.
func (s *server) load(args loadArgs) (any, error) {
	command := bytes.Repeat([]byte("x"), args.CommandBytes)
	changesBefore := s.leaderChanges.count.Load()
	from := time.Now().Add(time.Duration(args.WarmUpMs) * time.Millisecond)
	until := from.Add(time.Duration(args.MeasureMs) * time.Millisecond)
	announce := time.AfterFunc(time.Until(from), func() { s.output.write(event{Event: "measuring"}) })
	defer announce.Stop()

	samples := make([][]time.Duration, args.Clients)
	failures := make([]error, args.Clients)
	var clients sync.WaitGroup
	for client := range args.Clients {
		clients.Go(func() {
			for {
				sent := time.Now()
				if sent.After(until) {
					return
				}
				if err := s.raft.Apply(command, 0).Error(); err != nil {
					failures[client] = err
					return
				}
				if now := time.Now(); now.After(from) && now.Before(until) {
					samples[client] = append(samples[client], now.Sub(sent))
				}
			}
		})
	}
	clients.Wait()
	for _, err := range failures {
		if err != nil {
			return nil, err
		}
	}
	latencies := slices.Concat(samples...)
	slices.Sort(latencies)
	return loadResult{
		Commands:      len(latencies),
		ElapsedMs:     milliseconds(until.Sub(from)),
		P50Ms:         percentile(latencies, 0.5),
		P99Ms:         percentile(latencies, 0.99),
		LeaderChanges: s.leaderChanges.count.Load() - changesBefore,
	}, nil
}

func percentile(sorted []time.Duration, share float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return milliseconds(sorted[min(len(sorted)-1, int(float64(len(sorted))*share))])
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Nanoseconds()) / 1e6
}

// cpu gives the processor time that this process has used.
func cpu(nothing) (any, error) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return nil, err
	}
	total := time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	return map[string]int64{"microseconds": total.Microseconds()}, nil
}

// leaderChanges counts how often another leader was known.
type leaderChanges struct{ count atomic.Int64 }

func (c *leaderChanges) watch(started *raft.Raft) {
	observations := make(chan raft.Observation, 16)
	isLeader := func(o *raft.Observation) bool {
		_, is := o.Data.(raft.LeaderObservation)
		return is
	}
	started.RegisterObserver(raft.NewObserver(observations, false, isLeader))
	go func() {
		for range observations {
			c.count.Add(1)
		}
	}()
}
