package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/hashicorp/raft"
)

// request is one line of the driver's protocol, as interop/src/protocol.ts describes it.
type request struct {
	ID   int64           `json:"id"`
	Op   string          `json:"op"`
	Args json.RawMessage `json:"args"`
}

type failure struct {
	Message string `json:"message"`
	// Outcome says whether a command may have been committed: "not-committed" or "unknown".
	Outcome string `json:"outcome"`
}

type reply struct {
	ID     int64    `json:"id"`
	Result any      `json:"result,omitempty"`
	Error  *failure `json:"error,omitempty"`
}

type operation func(args json.RawMessage) (any, error)

// on makes an operation of a function with typed arguments.
func on[A any](act func(A) (any, error)) operation {
	return func(raw json.RawMessage) (any, error) {
		var args A
		if len(raw) > 0 {
			if err := json.Unmarshal(raw, &args); err != nil {
				return nil, err
			}
		}
		return act(args)
	}
}

// lines writes JSON lines, one at a time.
type lines struct {
	mutex   sync.Mutex
	encoder *json.Encoder
}

func newLines(to io.Writer) *lines {
	return &lines{encoder: json.NewEncoder(to)}
}

func (l *lines) write(value any) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	// The driver is gone when this fails, and so is the input: the process is about to end.
	_ = l.encoder.Encode(value)
}

// answer serves requests until the input ends. Every request has a goroutine of its own.
func answer(input io.Reader, output *lines, operations map[string]operation) error {
	scanner := bufio.NewScanner(input)
	scanner.Buffer(nil, 64<<20)
	for scanner.Scan() {
		var r request
		if err := json.Unmarshal(scanner.Bytes(), &r); err != nil {
			return fmt.Errorf("a line that is no request: %w", err)
		}
		act, known := operations[r.Op]
		if !known {
			act = func(json.RawMessage) (any, error) { return nil, fmt.Errorf("unknown operation %q", r.Op) }
		}
		go func() {
			result, err := act(r.Args)
			if err != nil {
				output.write(reply{ID: r.ID, Error: &failure{err.Error(), outcomeOf(err)}})
				return
			}
			output.write(reply{ID: r.ID, Result: result})
		}()
	}
	return scanner.Err()
}

func outcomeOf(err error) string {
	for _, refusal := range []error{raft.ErrNotLeader, raft.ErrEnqueueTimeout, raft.ErrLeadershipTransferInProgress} {
		if errors.Is(err, refusal) {
			return "not-committed"
		}
	}
	return "unknown"
}
