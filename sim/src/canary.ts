// A state machine with a planted bug: a run with it must fail, which shows that the machinery can.
import type { LogEntry, StateMachine, StateMachineSnapshot } from '@raftkit/interface'
import type { Workload } from '@raftkit/simulator'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** A counter that answers with its new value. Its bug: a snapshot forgets the last digit. */
class ForgetfulCounter implements StateMachine<number> {
  #count = 0

  apply(_entry: LogEntry): number {
    return ++this.#count
  }

  snapshot(): StateMachineSnapshot {
    const state = encoder.encode(String(this.#count - (this.#count % 10)))
    return { persist: (writer) => writer.write(state) }
  }

  async restore(state: AsyncIterable<Uint8Array>): Promise<void> {
    let text = ''
    for await (const chunk of state) text += decoder.decode(chunk, { stream: true })
    this.#count = Number(text)
  }
}

function increments(): Workload<ForgetfulCounter, number, number> {
  let calls = 0
  // Every command is another one, so that the simulator can tell them apart.
  return { next: () => ({ input: ++calls, command: encoder.encode(String(calls)) }) }
}

/** What a run with the planted bug adds to its options. */
export const canary = {
  stateMachine: (): ForgetfulCounter => new ForgetfulCounter(),
  workload: increments,
}
