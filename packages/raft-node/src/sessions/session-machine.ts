import type { Clock, LogEntry, StateMachine, StateMachineSnapshot } from '@raftkit/interface'
import { turningWriter } from '../state-machine/snapshot-turns.ts'
import { systemClock } from '../system.ts'
import { captureTable, readTable, writeTable } from './session-snapshot.ts'
import { SessionTable, type Step } from './session-table.ts'
import { SnapshotReader } from './snapshot-reader.ts'

const noResponse = new Uint8Array(0)

/**
 * A state machine whose commands may belong to client sessions (dissertation §6.3): one that comes twice is applied
 * once, and answered with the same bytes again. Commands without a session pass through as if this were not there.
 *
 * Which commands belong to a session says a header in the entry's extensions (see session-header.ts); what a session's
 * commands are answered with, `openSessionResponse` reads. The sessions are part of the snapshot, in front of the
 * bytes of `inner`, which must not begin with "RKSESS", 0, 1. All servers must run the same wrapper around the same
 * machine: one that does not know sessions would apply a command twice. While a snapshot is written the event loop turns,
 * by `clock`, the platform's unless given.
 */
export function sessionMachine(
  inner: StateMachine<Uint8Array>,
  clock: Clock = systemClock,
): StateMachine<Uint8Array> {
  return new SessionMachine(inner, clock)
}

class SessionMachine implements StateMachine<Uint8Array> {
  readonly #inner: StateMachine<Uint8Array>
  readonly #clock: Clock
  #table = new SessionTable()
  readonly applyBatch?: NonNullable<StateMachine<Uint8Array>['applyBatch']>
  readonly storeConfiguration?: NonNullable<StateMachine<Uint8Array>['storeConfiguration']>

  constructor(inner: StateMachine<Uint8Array>, clock: Clock) {
    this.#inner = inner
    this.#clock = clock
    if (inner.applyBatch !== undefined) this.applyBatch = (entries) => this.#applyBatch(entries)
    if (inner.storeConfiguration !== undefined)
      this.storeConfiguration = (index, configuration) =>
        inner.storeConfiguration?.(index, configuration)
  }

  apply(entry: LogEntry): Uint8Array | Promise<Uint8Array> {
    const table = this.#table
    const step = table.admit(entry)
    if (!isForInner(step)) return table.finish(step, noResponse)
    const response = this.#inner.apply(entry)
    return response instanceof Promise
      ? response.then((settled) => table.finish(step, settled))
      : table.finish(step, response)
  }

  async snapshot(): Promise<StateMachineSnapshot> {
    const capture = captureTable(this.#table)
    const inner = await this.#inner.snapshot()
    return {
      persist: async (writer) => {
        const turning = turningWriter(writer, this.#clock)
        if (capture.sessions.length > 0) await writeTable(turning, capture)
        await inner.persist(turning)
      },
      release: () => inner.release?.(),
    }
  }

  async restore(state: AsyncIterable<Uint8Array>): Promise<void> {
    const reader = new SnapshotReader(state)
    try {
      const table = await readTable(reader)
      await this.#inner.restore(reader.rest())
      this.#table = table
    } finally {
      await reader.close()
    }
  }

  /** What goes to the inner machine goes in one batch; duplicates in it are answered from what that gave. */
  #applyBatch(
    entries: readonly LogEntry[],
  ): readonly Uint8Array[] | Promise<readonly Uint8Array[]> {
    const table = this.#table
    const steps = entries.map((entry) => table.admit(entry))
    const fresh = entries.filter((_entry, i) => isForInner(steps[i]!))
    const responses = fresh.length === 0 ? [] : (this.#inner.applyBatch?.(fresh) ?? [])
    return responses instanceof Promise
      ? responses.then((settled) => finishAll(table, steps, settled, fresh.length))
      : finishAll(table, steps, responses as readonly Uint8Array[], fresh.length)
  }
}

function finishAll(
  table: SessionTable,
  steps: readonly Step[],
  responses: readonly Uint8Array[],
  expected: number,
): readonly Uint8Array[] {
  if (responses.length !== expected)
    throw new Error(`applyBatch returned ${responses.length} responses for ${expected} commands`)
  let next = 0
  return steps.map((step) => table.finish(step, isForInner(step) ? responses[next++]! : noResponse))
}

function isForInner(step: Step): boolean {
  return step.type === 'plain' || step.type === 'fresh'
}
