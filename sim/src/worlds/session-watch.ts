// What comes to the state machines of nodes with sessions, compared between servers.
import type {
  Index,
  LogEntry,
  SnapshotStore,
  StateMachine,
  StateMachineSnapshot,
} from '@raftkit/interface'

/** Who is told. */
export interface Told {
  readonly report: (problem: string) => void
  readonly mark: (name: string) => void
}

/** First byte of what a command of a session is answered with, as raft-node's session-response.ts has it. */
const APPLIED = 0
const REFUSALS: Readonly<Record<number, string>> = {
  1: 'a command came for a session that was gone',
  2: 'a command came that its client waits for no more',
  4: 'a command came twice whose answer was not kept',
}

/** Places in the header of an entry, as session-header.ts has them. */
const TYPE = 4
const REGISTER = 1
const IDENTITY = 8

/**
 * What the machines around sessions answer: for each entry the same on every server, and for a command that comes again
 * the same as the first time. Snapshots of one entry are the same bytes everywhere, tables of sessions included.
 */
export class SessionWatch {
  readonly #answers = new Map<Index, string>()
  readonly #firstAnswers = new Map<string, string>()
  readonly #snapshots = new Map<string, string>()

  /** Watches the machine of one life of a server. */
  around(machine: StateMachine<Uint8Array>, told: Told): StateMachine<Uint8Array> {
    const seen = (entry: LogEntry, answer: Uint8Array): Uint8Array => {
      this.#answered(entry, textOf(answer), told)
      return answer
    }
    return {
      apply: (entry) => {
        const answer = machine.apply(entry)
        return answer instanceof Promise
          ? answer.then((settled) => seen(entry, settled))
          : seen(entry, answer)
      },
      ...(machine.applyBatch !== undefined && {
        applyBatch: async (entries: readonly LogEntry[]) => {
          const answers = await machine.applyBatch!(entries)
          if (entries.length > 1) told.mark('commands were applied in a batch')
          return answers.map((answer, place) => seen(entries[place]!, answer))
        },
      }),
      snapshot: (): StateMachineSnapshot | Promise<StateMachineSnapshot> => machine.snapshot(),
      restore: (state) => machine.restore(noted(state, told)),
    }
  }

  /** Watches the snapshots of one life of a server. */
  store(store: SnapshotStore, { report }: Told): SnapshotStore {
    return {
      list: () => store.list(),
      open: (id) => store.open(id),
      create: async (description) => {
        const sink = await store.create(description)
        let bytes = 0
        let hash = 0x811c9dc5
        return {
          id: sink.id,
          write: (chunk) => {
            bytes += chunk.byteLength
            for (const byte of chunk) hash = Math.imul(hash ^ byte, 0x01000193)
            return sink.write(chunk)
          },
          cancel: () => sink.cancel(),
          close: async () => {
            const meta = await sink.close()
            const content = `${bytes} bytes, ${hash >>> 0}`
            const place = `${meta.index} of term ${meta.term}`
            const known = this.#snapshots.get(place)
            if (known === undefined) this.#snapshots.set(place, content)
            else if (known !== content)
              report(`the snapshot of entry ${place} has ${content}; another one had ${known}`)
            return meta
          },
        }
      },
    }
  }

  #answered({ index, extensions }: LogEntry, answer: string, { report, mark }: Told): void {
    const known = this.#answers.get(index)
    if (known !== undefined) {
      if (known !== answer) report(`entry ${index} is answered differently than on another server`)
      return
    }
    this.#answers.set(index, answer)
    if (extensions === undefined) return
    if (extensions[TYPE] === REGISTER) return mark('a session was registered')
    const verdict = answer.charCodeAt(0)
    const refusal = REFUSALS[verdict]
    if (refusal !== undefined) mark(refusal)
    if (verdict !== APPLIED) return
    const command = textOf(extensions.subarray(IDENTITY))
    const first = this.#firstAnswers.get(command)
    if (first === undefined) this.#firstAnswers.set(command, answer)
    else if (first === answer) mark('a command came twice and was answered from the table')
    else report(`entry ${index} is a command that came before, and is answered differently`)
  }
}

/** What stands in front of a table of sessions, as session-snapshot.ts has it. */
const TABLE = 'RKSESS'

async function* noted(
  state: AsyncIterable<Uint8Array>,
  { mark }: Told,
): AsyncGenerator<Uint8Array, void, undefined> {
  let beginning = ''
  for await (const chunk of state) {
    const before = beginning.length
    if (before < TABLE.length) beginning += textOf(chunk.subarray(0, TABLE.length - before))
    if (before < TABLE.length && beginning === TABLE)
      mark('a table of sessions was restored from a snapshot')
    yield chunk
  }
}

function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}
