import type { LogEntry, StateMachine, StateMachineSnapshot } from '@raftkit/interface'
import { decodeCommand, type KvOutput } from './kv-commands.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** A register per key: the state machine of simulations that bring none of their own. */
export class KvMachine implements StateMachine<KvOutput> {
  #values = new Map<string, number>()

  get(key: string): number {
    return this.#values.get(key) ?? 0
  }

  apply({ data }: LogEntry): KvOutput {
    const command = decodeCommand(data)
    const before = this.get(command.key)
    if (command.op === 'cas' && before !== command.expected) return 0
    this.#values.set(command.key, command.value)
    return command.op === 'cas' ? 1 : before
  }

  snapshot(): StateMachineSnapshot {
    const lines = [...this.#values].map(([key, value]) => `${key} ${value}`)
    return {
      async persist(writer) {
        for (const line of lines) await writer.write(encoder.encode(`${line}\n`))
      },
    }
  }

  async restore(state: AsyncIterable<Uint8Array>): Promise<void> {
    let text = ''
    for await (const chunk of state) text += decoder.decode(chunk, { stream: true })
    this.#values = new Map()
    for (const line of text.split('\n').filter((part) => part !== '')) {
      const [key = '', value] = line.split(' ')
      this.#values.set(key, Number(value))
    }
  }
}
