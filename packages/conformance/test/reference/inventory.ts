// The state machine that the example of the README tests: how many of what there are.

import type { LogEntry, StateMachine, StateMachineSnapshot } from '@raftkit/interface'

export class Inventory implements StateMachine<number> {
  #counts = new Map<string, number>()

  apply({ data }: LogEntry): number {
    const [what, name = '', count] = new TextDecoder().decode(data).split(' ')
    const change = what === 'put' ? Number(count) : -Number(count)
    const left = Math.max(0, (this.#counts.get(name) ?? 0) + change)
    this.#counts.set(name, left)
    return left
  }

  snapshot(): StateMachineSnapshot {
    const bytes = new TextEncoder().encode(JSON.stringify([...this.#counts]))
    return { persist: (writer) => writer.write(bytes) }
  }

  async restore(state: AsyncIterable<Uint8Array>): Promise<void> {
    const chunks: Uint8Array[] = []
    for await (const chunk of state) chunks.push(chunk)
    const counts = JSON.parse(Buffer.concat(chunks).toString()) as [string, number][]
    this.#counts = new Map(counts)
  }
}
