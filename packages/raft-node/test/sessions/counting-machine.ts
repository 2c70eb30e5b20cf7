// The inner state machine of these tests: a list of bytes, to which each command adds its own; it answers with how
// many there are. And what a log for it is written with.
import {
  LogType,
  RaftError,
  type LogEntry,
  type StateMachine,
  type StateMachineSnapshot,
} from '@raftkit/interface'
import { encodeSessionHeader } from '../../src/sessions/session-header.ts'
import { DEFAULT_SESSION_LIMITS, type SessionLimits } from '../../src/sessions/session-limits.ts'

export class CountingMachine implements StateMachine<Uint8Array> {
  applied: number[] = []
  /** Bytes of every response. */
  responseBytes = 1

  apply(entry: LogEntry): Uint8Array {
    return new Uint8Array(this.responseBytes).fill(this.applied.push(entry.data[0] ?? 0))
  }

  snapshot(): StateMachineSnapshot {
    const bytes = Uint8Array.from(this.applied)
    return { persist: (writer) => writer.write(bytes) }
  }

  async restore(state: AsyncIterable<Uint8Array>): Promise<void> {
    const applied: number[] = []
    for await (const chunk of state) applied.push(...chunk)
    if (applied.includes(255)) throw new RaftError('RAFT_SNAPSHOT_CORRUPT', 'a byte of 255')
    this.applied = applied
  }
}

/** The same, in batches; notes how large they were. */
export class BatchingMachine extends CountingMachine {
  readonly batches: number[] = []

  applyBatch(entries: readonly LogEntry[]): Uint8Array[] {
    this.batches.push(entries.length)
    return entries.map((entry) => this.apply(entry))
  }
}

/** Writes entries with rising indexes, at the time that is set. */
export class LogScript {
  index = 0
  time: number | undefined = 1000

  #entry(data: number | undefined, extensions?: Uint8Array): LogEntry {
    this.index += 1
    return {
      index: this.index,
      term: 1,
      type: LogType.command,
      data: data === undefined ? new Uint8Array(0) : Uint8Array.of(data),
      ...(extensions !== undefined && { extensions }),
      ...(this.time !== undefined && { appendedAt: this.time }),
    }
  }

  plain(data: number): LogEntry {
    return this.#entry(data)
  }

  register(limits: Partial<SessionLimits> = {}, nonce = 5): LogEntry {
    const header = {
      type: 'register',
      nonce,
      limits: { ...DEFAULT_SESSION_LIMITS, ...limits },
    } as const
    return this.#entry(undefined, encodeSessionHeader(header))
  }

  command(
    session: number,
    sequence: number,
    data: number,
    { answeredBelow = 1, nonce = 5 }: { answeredBelow?: number; nonce?: number } = {},
  ): LogEntry {
    return this.#entry(
      data,
      encodeSessionHeader({ type: 'command', session, nonce, sequence, answeredBelow }),
    )
  }

  malformed(): LogEntry {
    return this.#entry(1, new TextEncoder().encode('RKS of another version'))
  }
}

/** The bytes of the machine's snapshot. */
export async function snapshotOf(machine: StateMachine<Uint8Array>): Promise<Uint8Array> {
  const snapshot = await machine.snapshot()
  const chunks: Uint8Array[] = []
  await snapshot.persist({ write: async (chunk) => void chunks.push(chunk.slice()) })
  await snapshot.release?.()
  return new Uint8Array(Buffer.concat(chunks))
}

/** The bytes in chunks of `size`. */
export async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size)
}
