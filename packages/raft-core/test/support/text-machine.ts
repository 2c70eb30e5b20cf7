// A state machine that remembers the commands it was given, in order.
import type { LogEntry, StateMachine, StateMachineSnapshot } from '@raftkit/interface'

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

export class TextMachine implements StateMachine<string> {
  texts: string[] = []
  /** Called before a command is applied; may throw. */
  beforeApply: (entry: LogEntry) => void = () => {}
  restores = 0

  apply(entry: LogEntry): string {
    this.beforeApply(entry)
    const text = textOf(entry.data)
    this.texts.push(text)
    return `${text}@${entry.index}`
  }

  snapshot(): StateMachineSnapshot {
    const state = JSON.stringify(this.texts)
    return { persist: (writer) => writer.write(bytesOf(state)) }
  }

  async restore(state: AsyncIterable<Uint8Array>): Promise<void> {
    let text = ''
    for await (const chunk of state) text += textOf(chunk)
    this.texts = JSON.parse(text) as string[]
    this.restores++
  }
}
