import type { Index, LogEntry, ServerId, Term } from '@raftkit/interface'
import type { Violate } from '../checks/violation.ts'
import type { Operation } from '../linearizability/history.ts'

/** What a client writes down of one call. */
export interface LedgerEntry<Output> {
  returned(output: Output): void
  /** It certainly had no effect. */
  failed(): void
  /** It may have had an effect, or have one later. */
  unknown(): void
}

/** Where a command is in the log. */
export interface CommandPlace {
  readonly index: Index
  readonly term: Term
}

/** Every call of every client, and what came of it. */
export class Ledger<Input, Output> {
  readonly #violate: Violate
  readonly #now: () => number
  readonly #operations = new Map<number, Operation<Input, Output>>()
  readonly #commands = new Map<number, string>()
  /** Commands that were said to have had no effect. */
  readonly #refused = new Map<string, string>()
  /** Where each command was applied: at one place, or at several when it was called several times. */
  readonly #applied = new Map<string, CommandPlace[]>()
  readonly #called = new Map<string, number>()
  /** Commands that may or may not have had an effect. */
  readonly #unknown = new Set<string>()
  readonly #onLateEffect: () => void
  readonly #restored: Operation<Input, Output>[] = []
  #order = 0
  #open = 0

  /** `onLateEffect` is told when a command of unknown outcome turns out to have an effect. */
  constructor(violate: Violate, now: () => number, onLateEffect: () => void = () => {}) {
    this.#violate = violate
    this.#now = now
    this.#onLateEffect = onLateEffect
  }

  /** Calls that have not ended. */
  get open(): number {
    return this.#open
  }

  /** Calls ever made. */
  get count(): number {
    return this.#order
  }

  /**
   * Every call that was answered, or had an effect. A read without an answer says nothing, and a command of unknown
   * outcome that no server ever applied had no effect: leaving them out makes the search for an order much shorter.
   */
  get history(): readonly Operation<Input, Output>[] {
    const history: Operation<Input, Output>[] = [...this.#restored]
    for (const [id, operation] of this.#operations) {
      const command = this.#commands.get(id)
      const hadEffect = command !== undefined && this.#applied.has(command)
      if (operation.returnedAt !== undefined || hadEffect) history.push(operation)
    }
    return history
  }

  /** Somebody restores a state, which amounts to these calls, made at once. */
  restoring(inputs: readonly Input[]): {
    readonly returned: () => void
    readonly unknown: () => void
  } {
    const calledAt = this.#now()
    const end = (returnedAt: number | undefined): void => {
      for (const input of inputs)
        this.#restored.push({ client: 'restore', input, calledAt, returnedAt, output: undefined })
    }
    return { returned: () => end(this.#now()), unknown: () => end(undefined) }
  }

  called(client: string, input: Input, command: Uint8Array | undefined): LedgerEntry<Output> {
    const id = this.#order++
    const calledAt = this.#now()
    this.#open++
    this.#operations.set(id, { client, input, calledAt, returnedAt: undefined, output: undefined })
    if (command !== undefined) {
      const text = textOf(command)
      this.#commands.set(id, text)
      this.#called.set(text, (this.#called.get(text) ?? 0) + 1)
    }
    let isOpen = true
    const close = (): void => {
      if (isOpen) this.#open--
      isOpen = false
    }
    return {
      returned: (output) => {
        close()
        this.#operations.set(id, { client, input, calledAt, returnedAt: this.#now(), output })
      },
      failed: () => {
        close()
        this.#operations.delete(id)
        if (command !== undefined) this.#refuse(client, command)
      },
      unknown: () => {
        close()
        if (command !== undefined) this.#unknown.add(textOf(command))
      },
    }
  }

  /** Where the command was applied; undefined when no server has applied it. */
  appliedAs(command: Uint8Array): CommandPlace | undefined {
    return this.#applied.get(textOf(command))?.[0]
  }

  /** A command is applied by some server. */
  applied(id: ServerId, { data, index, term }: Pick<LogEntry, 'data' | 'index' | 'term'>): void {
    const command = textOf(data)
    this.#placed(id, command, { index, term })
    const client = this.#refused.get(command)
    if (client !== undefined)
      this.#violate(
        'honest outcomes',
        `${id} applies a command of ${client} that was said never to take effect`,
      )
  }

  #placed(id: ServerId, command: string, place: CommandPlace): void {
    const places = this.#applied.get(command)
    if (places === undefined) {
      if (this.#unknown.has(command)) this.#onLateEffect()
      this.#applied.set(command, [place])
      return
    }
    if (places.some(({ index }) => index === place.index)) return
    places.push(place)
    const calls = this.#called.get(command) ?? Infinity
    if (places.length > calls)
      this.#violate(
        'applied once',
        `${id} applies as entry ${place.index} a command that was applied as entry ${places[0]!.index}`,
      )
  }

  #refuse(client: string, command: Uint8Array): void {
    const refused = textOf(command)
    if (this.#applied.has(refused))
      this.#violate(
        'honest outcomes',
        `${client} is told that a command never takes effect, but it was applied`,
      )
    this.#refused.set(refused, client)
  }
}

function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}
