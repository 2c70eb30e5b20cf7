import type { Configuration } from '../protocol/configuration.ts'
import type { LogEntry } from '../protocol/log-entry.ts'
import type { Index } from '../protocol/numbers.ts'

/** Where a snapshot writes its bytes. */
export interface SnapshotWriter {
  /** Adds bytes. Await it before the next call: that is the back-pressure. */
  write(chunk: Uint8Array): Promise<void>
}

/** A point-in-time view of a state machine, written while later commands are applied. */
export interface StateMachineSnapshot {
  /** Writes the whole state. Runs concurrently with `apply`. */
  persist(writer: SnapshotWriter): Promise<void>
  /** Called once when the snapshot is no longer needed, whether or not `persist` succeeded. */
  release?(): void | Promise<void>
}

/**
 * The application: the same commands in the same order give the same state on every server. It must use nothing
 * but its state and the entry: no clock, no randomness, no I/O that differs between servers.
 *
 * A thrown error (or rejection) stops the server: it can no longer know its state. To refuse a command, return a
 * value that says so.
 */
export interface StateMachine<Response = unknown> {
  /** Applies one committed command. Called in log order, never twice at once, exactly once per start of the server. */
  apply(entry: LogEntry): Response | Promise<Response>
  /** Optional: applies several committed commands; must return one response for each. Used instead of `apply`. */
  applyBatch?(entries: readonly LogEntry[]): readonly Response[] | Promise<readonly Response[]>
  /**
   * Optional: told of each committed configuration, in log order with the commands. One with `next` is the middle of a
   * change of several members.
   */
  storeConfiguration?(index: Index, configuration: Configuration): void | Promise<void>
  /** Captures the state as of now. Must be quick: no command is applied meanwhile. */
  snapshot(): StateMachineSnapshot | Promise<StateMachineSnapshot>
  /**
   * Replaces the whole state by a snapshot's. Not concurrent with any other call. When it rejects, because the stream
   * failed or is not a whole snapshot, the state is as it was: an older snapshot may be restored instead.
   */
  restore(state: AsyncIterable<Uint8Array>): Promise<void>
}
