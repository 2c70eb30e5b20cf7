package main

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

// started is the first line that a server writes: where it is reached.
type started struct {
	Listening string `json:"listening"`
}

// event tells of something that no request asked for.
type event struct {
	Event string `json:"event"`
	Term  uint64 `json:"term,omitempty"`
}

// server is one hashicorp/raft server and what it stands on.
type server struct {
	id        string
	machine   raft.FSM
	kv        *kvMachine // nil when the state machine is another one
	transport *raft.NetworkTransport
	stores    *stores
	snapshots *raft.FileSnapshotStore
	logger    hclog.Logger
	output    *lines
	raft      *raft.Raft // nil until the operation "start"
	// restoresAtStart tells restoring at start from installing a leader's snapshot.
	restoresAtStart int
	leaderChanges   leaderChanges
}

func serve(arguments []string) error {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	id := flags.String("id", "", "server id")
	address := flags.String("address", "127.0.0.1:0", "where to listen")
	directory := flags.String("data", "", "data directory")
	store := flags.String("store", "bolt", "bolt, wal or inmem")
	machine := flags.String("machine", "kv", "kv, counter or batch-counter")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if *id == "" || *directory == "" {
		return fmt.Errorf("--id and --data are needed\n%s", usage)
	}
	logger := hclog.New(&hclog.LoggerOptions{Name: *id, Level: hclog.Info, Output: os.Stderr})
	s := &server{id: *id, logger: logger, output: newLines(os.Stdout)}
	if err := s.chooseMachine(*machine); err != nil {
		return err
	}
	if err := s.open(*address, *directory, *store); err != nil {
		return err
	}
	defer s.stores.close()
	s.output.write(started{string(s.transport.LocalAddr())})
	if err := answer(os.Stdin, s.output, s.operations()); err != nil {
		return err
	}
	if s.raft == nil {
		return nil
	}
	return s.raft.Shutdown().Error()
}

func (s *server) chooseMachine(name string) error {
	switch name {
	case "kv":
		s.kv = newKvMachine()
		s.machine = s.kv
	case "counter":
		s.machine = &counter{}
	case "batch-counter":
		s.machine = &batchCounter{}
	default:
		return fmt.Errorf("unknown state machine %q", name)
	}
	return nil
}

func (s *server) open(address, directory, store string) error {
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return err
	}
	var err error
	if s.stores, err = openStores(store, directory); err != nil {
		return err
	}
	if s.snapshots, err = raft.NewFileSnapshotStoreWithLogger(directory, 2, s.logger); err != nil {
		return err
	}
	s.transport, err = raft.NewTCPTransportWithLogger(address, nil, 3, 10*time.Second, s.logger)
	return err
}

// options are those of raftkit's RaftConfig that hashicorp/raft has too; 0 or absent leaves its default.
type options struct {
	HeartbeatTimeoutMs   int64   `json:"heartbeatTimeoutMs"`
	ElectionTimeoutMs    int64   `json:"electionTimeoutMs"`
	LeaderLeaseTimeoutMs int64   `json:"leaderLeaseTimeoutMs"`
	CommitTimeoutMs      int64   `json:"commitTimeoutMs"`
	SnapshotIntervalMs   int64   `json:"snapshotIntervalMs"`
	SnapshotThreshold    uint64  `json:"snapshotThreshold"`
	TrailingLogs         *uint64 `json:"trailingLogs"`
	PreVote              *bool   `json:"preVote"`
	MaxAppendEntries     int     `json:"maxAppendEntries"`
	BatchApplyCh         bool    `json:"batchApplyCh"`
}

func (o options) config(id string, logger hclog.Logger) *raft.Config {
	config := raft.DefaultConfig()
	config.LocalID = raft.ServerID(id)
	config.Logger = logger
	config.BatchApplyCh = o.BatchApplyCh
	setDuration(&config.HeartbeatTimeout, o.HeartbeatTimeoutMs)
	setDuration(&config.ElectionTimeout, o.ElectionTimeoutMs)
	setDuration(&config.LeaderLeaseTimeout, o.LeaderLeaseTimeoutMs)
	setDuration(&config.CommitTimeout, o.CommitTimeoutMs)
	setDuration(&config.SnapshotInterval, o.SnapshotIntervalMs)
	if o.SnapshotThreshold > 0 {
		config.SnapshotThreshold = o.SnapshotThreshold
	}
	if o.TrailingLogs != nil {
		config.TrailingLogs = *o.TrailingLogs
	}
	if o.PreVote != nil {
		setPreVote(config, *o.PreVote)
	}
	if o.MaxAppendEntries > 0 {
		config.MaxAppendEntries = o.MaxAppendEntries
	}
	return config
}

func setDuration(field *time.Duration, milliseconds int64) {
	if milliseconds > 0 {
		*field = time.Duration(milliseconds) * time.Millisecond
	}
}

type member struct {
	ID       string `json:"id"`
	Address  string `json:"address"`
	Suffrage string `json:"suffrage"`
}

func configurationOf(members []member) raft.Configuration {
	var configuration raft.Configuration
	for _, m := range members {
		suffrage := raft.Voter
		if m.Suffrage == "nonvoter" {
			suffrage = raft.Nonvoter
		}
		configuration.Servers = append(configuration.Servers,
			raft.Server{Suffrage: suffrage, ID: raft.ServerID(m.ID), Address: raft.ServerAddress(m.Address)})
	}
	return configuration
}

func membersOf(configuration raft.Configuration) []member {
	members := []member{}
	for _, s := range configuration.Servers {
		suffrage := "voter"
		if s.Suffrage != raft.Voter {
			suffrage = "nonvoter"
		}
		members = append(members, member{string(s.ID), string(s.Address), suffrage})
	}
	return members
}

// start makes a server a member of a new cluster when it is given members and has no state, and lets it take part.
func (s *server) start(args struct {
	Members []member `json:"members"`
	Config  options  `json:"config"`
}) (any, error) {
	config := args.Config.config(s.id, s.logger)
	has, err := raft.HasExistingState(s.stores.log, s.stores.stable, s.snapshots)
	if err != nil {
		return nil, err
	}
	if len(args.Members) > 0 && !has {
		err := raft.BootstrapCluster(config, s.stores.log, s.stores.stable, s.snapshots, s.transport, configurationOf(args.Members))
		if err != nil {
			return nil, err
		}
	}
	started, err := raft.NewRaft(config, s.machine, s.stores.log, s.stores.stable, s.snapshots, s.transport)
	if err != nil {
		return nil, err
	}
	if s.kv != nil {
		s.restoresAtStart = s.kv.restoreCount()
	}
	s.raft = started
	s.leaderChanges.watch(started)
	go s.announceLeadership(started)
	return nil, nil
}

// announceLeadership tells of each time that this server leads and has applied what earlier leaders committed.
func (s *server) announceLeadership(started *raft.Raft) {
	for leads := range started.LeaderCh() {
		if leads && started.Barrier(0).Error() == nil {
			s.output.write(event{"leader", termOf(started)})
		}
	}
}

// termOf works with hashicorp/raft 1.6 too, which has no CurrentTerm.
func termOf(r *raft.Raft) uint64 {
	term, _ := strconv.ParseUint(r.Stats()["term"], 10, 64) // It was formatted from one.
	return term
}
