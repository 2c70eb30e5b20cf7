// A key-value state machine as plain as can be: what the suite holds true.

import type { LogEntry, StateMachine, StateMachineSnapshot } from '@raftkit/interface'

const decoder = new TextDecoder()
const encoder = new TextEncoder()

/** Commands are `key=value`; the response is the value that was there before. */
export class MapMachine implements StateMachine<string | undefined> {
  values = new Map<string, string>()
  configurations = 0

  apply(entry: LogEntry): string | undefined {
    const [key, value] = split(entry.data)
    const before = this.values.get(key)
    this.values.set(key, value)
    return before
  }

  applyBatch(entries: readonly LogEntry[]): (string | undefined)[] {
    return entries.map((entry) => this.apply(entry))
  }

  storeConfiguration(): void {
    this.configurations++
  }

  snapshot(): StateMachineSnapshot {
    return snapshotOf([...this.values])
  }

  async restore(state: AsyncIterable<Uint8Array>): Promise<void> {
    this.values = new Map(await parsed(state))
  }
}

export function split(data: Uint8Array): [key: string, value: string] {
  const [key = '', value = ''] = decoder.decode(data).split('=')
  return [key, value]
}

/** Writes the pairs, sorted, in chunks of 10 bytes. */
export function snapshotOf(pairs: readonly [string, string][]): StateMachineSnapshot {
  return {
    async persist(writer) {
      const sorted = pairs.toSorted(([a], [b]) => (a < b ? -1 : 1))
      const bytes = encoder.encode(JSON.stringify(sorted))
      for (let place = 0; place < bytes.length; place += 10)
        await writer.write(bytes.subarray(place, place + 10))
    },
  }
}

export async function parsed(state: AsyncIterable<Uint8Array>): Promise<[string, string][]> {
  const chunks: Uint8Array[] = []
  for await (const chunk of state) chunks.push(chunk)
  return JSON.parse(decoder.decode(Buffer.concat(chunks))) as [string, string][]
}

export const commands: readonly Uint8Array[] = Array.from({ length: 12 }, (_, i) =>
  encoder.encode(`key${i % 7}=value ${i}`),
)
