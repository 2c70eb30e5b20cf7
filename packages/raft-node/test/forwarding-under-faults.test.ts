import { RaftError, type Outcome } from '@raftkit/interface'
import { afterEach, describe, expect, it } from 'vitest'
import { InmemCluster, quick, type LedgerNode } from './inmem-cluster.ts'

let cluster: InmemCluster

afterEach(async () => {
  cluster.network.heal()
  await cluster.stop()
})

/** What became of each command, and who waits for more of them. */
class Outcomes {
  readonly byCommand = new Map<string, Outcome | 'acknowledged'>()
  #waiting: (() => void)[] = []

  note(command: string, outcome: Outcome | 'acknowledged'): void {
    this.byCommand.set(command, outcome)
    const waiting = this.#waiting
    this.#waiting = []
    for (const look of waiting) look()
  }

  /** Resolves when that many commands more have ended in a way that `counts`. */
  async more(
    count: number,
    counts: (outcome: Outcome | 'acknowledged', command: string) => boolean,
  ): Promise<void> {
    const number = (): number =>
      [...this.byCommand].filter(([command, outcome]) => counts(outcome, command)).length
    const enough = number() + count
    while (number() < enough)
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve)
      })
  }
}

/** Sends commands through one node until `over`, and notes what became of each. */
async function write(
  node: LedgerNode,
  name: string,
  outcomes: Outcomes,
  over: AbortSignal,
): Promise<void> {
  for (let i = 0; !over.aborted; i += 1) {
    const command = `${name}/${i}`
    try {
      await node.apply(command, { timeoutMs: 200 })
      outcomes.note(command, 'acknowledged')
    } catch (error) {
      if (!RaftError.is(error) || error.outcome === undefined) throw error
      outcomes.note(command, error.outcome)
    }
  }
}

describe('forwarding while links break and leaders change', () => {
  it('never loses, doubles or misreports a command', { timeout: 30_000 }, async () => {
    cluster = await InmemCluster.start(3, { config: { ...quick, rpcTimeoutMs: 150 } })
    const outcomes = new Outcomes()
    const over = new AbortController()
    const nodes = [...cluster.nodes.values()]
    const writers = Array.from({ length: 12 }, (_, i) =>
      write(nodes[i % 3]!, `node-${i % 3}/writer-${i}`, outcomes, over.signal),
    )
    // No duplication: a stream such as TCP never delivers a request twice.
    cluster.network.setFaults({ loss: 0.02, jitterMs: 1 })
    for (let round = 0; round < 9; round += 1) {
      await outcomes.more(24, (outcome) => outcome === 'acknowledged')
      const { address } = nodes[round % 3]!
      if (round % 2 === 0) cluster.network.isolate(address)
      else
        cluster.network.cutOneWay(
          address,
          cluster.addresses.filter((other) => other !== address),
        )
      // Nobody answers those who write through it.
      const through = `node-${round % 3}/`
      await outcomes.more(4, (outcome, command) => {
        return outcome !== 'acknowledged' && command.startsWith(through)
      })
      cluster.network.heal()
    }
    cluster.network.setFaults({})
    over.abort()
    await Promise.all(writers)
    await cluster.ready()
    const held = await nodes[0]!.query('all', { timeoutMs: 20_000 })
    const times = new Map<string, number>()
    for (const command of held) times.set(command, (times.get(command) ?? 0) + 1)
    const expected: Record<Outcome | 'acknowledged', readonly number[]> = {
      acknowledged: [1],
      'not-committed': [0],
      unknown: [0, 1],
      committed: [1],
    }
    const wrong = [...outcomes.byCommand].filter(
      ([command, outcome]) => !expected[outcome].includes(times.get(command) ?? 0),
    )
    expect(wrong).toEqual([])
    const seen = new Set(outcomes.byCommand.values())
    expect(seen).toContain('acknowledged')
    expect(seen).toContain('unknown')
  })
})
