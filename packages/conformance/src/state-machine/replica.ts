import assert from 'node:assert/strict'
import { LogType } from '@raftkit/interface'
import type { LogEntry, StateMachine, StateMachineSnapshot } from '@raftkit/interface'
import { nextTurn } from '../occasion.ts'
import { assertSameBytes, sampleBytes } from '../sample-bytes.ts'

/** A fixed time that entries carry, the same on every replica. */
const APPENDED_AT = 1_700_000_000_000

/** How a suite gets at a state machine. */
export interface StateMachineHooks<M extends StateMachine> {
  /** A machine in its initial state. */
  open(): M | Promise<M>
  /** Commands in the order in which they are applied, at least four. */
  readonly commands: readonly Uint8Array[]
  /** The state as a plain value to compare, for machines whose snapshots are not canonical. */
  inspect?(machine: M): unknown
}

/** One copy of the state machine, and how far it has applied the commands. */
export class Replica<M extends StateMachine> {
  readonly machine: M
  readonly #hooks: StateMachineHooks<M>
  /** Commands applied. */
  applied: number

  private constructor(machine: M, hooks: StateMachineHooks<M>, applied: number) {
    this.machine = machine
    this.#hooks = hooks
    this.applied = applied
  }

  static async open<M extends StateMachine>(
    hooks: StateMachineHooks<M>,
    applied = 0,
  ): Promise<Replica<M>> {
    return new Replica(await hooks.open(), hooks, applied)
  }

  /** Applies the commands up to number `to` (all, when absent) one by one; gives the responses. */
  async apply(to: number = this.#hooks.commands.length): Promise<unknown[]> {
    const responses: unknown[] = []
    while (this.applied < to) responses.push(await this.machine.apply(this.#next()))
    return responses
  }

  /** The same in batches of 1, 2, 3 … commands. */
  async applyInBatches(): Promise<unknown[]> {
    const responses: unknown[] = []
    for (let size = 1; this.applied < this.#hooks.commands.length; size++) {
      const entries: LogEntry[] = []
      while (entries.length < size && this.applied < this.#hooks.commands.length)
        entries.push(this.#next())
      const answered = await this.machine.applyBatch?.(entries)
      assert.equal(answered?.length, entries.length, 'applyBatch gives one response for each entry')
      responses.push(...answered)
    }
    return responses
  }

  /** Applies the rest as a server does that uses its buffers again: the bytes of a command change once it was applied. */
  async applyFromReusedBuffers(): Promise<unknown[]> {
    const responses: unknown[] = []
    while (this.applied < this.#hooks.commands.length) {
      const { data, ...entry } = this.#next()
      const buffer = sampleBytes(data.length + 8)
      buffer.set(data, 4)
      const view = buffer.subarray(4, 4 + data.length)
      responses.push(await this.machine.apply({ ...entry, data: view }))
      assertSameBytes(view, data, 'the command, which a state machine must not change')
      buffer.fill(0xa5)
    }
    return responses
  }

  /** The state: what `inspect` says, or the bytes of a snapshot. */
  async state(): Promise<unknown> {
    return this.#hooks.inspect ? this.#hooks.inspect(this.machine) : this.snapshotBytes()
  }

  async snapshotBytes(): Promise<Uint8Array> {
    return persisted(await this.machine.snapshot())
  }

  #next(): LogEntry {
    const data = this.#hooks.commands[this.applied]!.slice()
    this.applied++
    const index = this.applied
    return { index, term: 1, type: LogType.command, data, appendedAt: APPENDED_AT }
  }
}

/** Everything that the snapshot writes; releases it. `onWrite` runs inside every write. */
export async function persisted(
  snapshot: StateMachineSnapshot,
  onWrite: () => Promise<void> = async () => {},
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let writing = false
  await snapshot.persist({
    async write(chunk) {
      assert.equal(writing, false, 'persist must await a write before the next one')
      writing = true
      chunks.push(chunk.slice())
      await onWrite()
      await nextTurn()
      writing = false
    },
  })
  await snapshot.release?.()
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  let place = 0
  for (const chunk of chunks) {
    whole.set(chunk, place)
    place += chunk.length
  }
  return whole
}
