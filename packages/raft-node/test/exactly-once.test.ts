import { setTimeout as sleep } from 'node:timers/promises'
import { RaftError, silentLogger, type Outcome } from '@raftkit/interface'
import { afterEach, describe, expect, it } from 'vitest'
import { Deadline } from '../src/deadline.ts'
import { LeaderService } from '../src/forwarding/leader-service.ts'
import { Router } from '../src/forwarding/router.ts'
import { SessionClient } from '../src/sessions/session-client.ts'
import { SESSION_HEADER_BYTES } from '../src/sessions/session-header.ts'
import { DEFAULT_SESSION_LIMITS } from '../src/sessions/session-limits.ts'
import { InmemCluster, quick, type LedgerNode } from './inmem-cluster.ts'
import { ledger } from './ledger.ts'

let cluster: InmemCluster

afterEach(async () => {
  cluster.network.heal()
  await cluster.stop()
})

const machine = ledger()
const limits = { ...DEFAULT_SESSION_LIMITS, maxCachedResponses: 16 }

/** The failure that knows least. */
function worstOf(settled: readonly PromiseSettledResult<unknown>[]): unknown {
  const failures = settled.flatMap((one) => (one.status === 'rejected' ? [one] : []))
  const open = failures.find(
    ({ reason }) => !RaftError.is(reason) || reason.outcome !== 'not-committed',
  )
  return (open ?? failures[0])?.reason
}

/** Sends everything several times, each time through another node, and compares the answers. */
function repeating(nodes: readonly LedgerNode[], sent: { count: number }) {
  const routers = nodes.map(
    ({ raft }) => new Router(raft, new LeaderService(() => raft, machine, silentLogger)),
  )
  const route: Router['route'] = async (kind, body, deadline, delivery) => {
    const times = 2 + Math.floor(Math.random() * 3)
    const first = Math.floor(Math.random() * 3)
    const attempts = Array.from({ length: times }, async (_, i) => {
      if (i % 2 === 1) await sleep(Math.random() * 60)
      sent.count += 1
      return routers[(first + i) % 3]!.route(kind, body, deadline, delivery)
    })
    const settled = await Promise.allSettled(attempts)
    const answers = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    // Every registration opens a session of its own.
    const isCommand = body.byteLength > SESSION_HEADER_BYTES
    if (isCommand && answers.some((answer) => Buffer.compare(answer, answers[0]!) !== 0))
      throw new Error('the same command was answered in two ways')
    return answers[0] ?? Promise.reject(worstOf(settled))
  }
  return { route, unreached: routers[0]!.unreached.bind(routers[0]) }
}

describe('a command of a session', () => {
  it(
    'takes effect once, however often and through whomever it is sent',
    { timeout: 40_000 },
    async () => {
      cluster = await InmemCluster.start(3, { config: { ...quick, rpcTimeoutMs: 150 } })
      const nodes = [...cluster.nodes.values()]
      const outcomes = new Map<string, Outcome | 'acknowledged'>()
      const sent = { count: 0 }
      const over = new AbortController()
      const write = async (client: SessionClient, name: string): Promise<void> => {
        for (let i = 0; !over.signal.aborted; i += 1) {
          const command = `${name}/${i}`
          const deadline = new Deadline({ timeoutMs: 700 }, 700)
          try {
            await client.apply(machine.encodeCommand(command), deadline)
            outcomes.set(command, 'acknowledged')
          } catch (error) {
            if (!RaftError.is(error) || error.outcome === undefined) throw error
            outcomes.set(command, error.outcome)
          }
        }
      }
      const clients = Array.from(
        { length: 3 },
        () => new SessionClient(repeating(nodes, sent), limits),
      )
      const writers = Array.from({ length: 12 }, (_, i) => write(clients[i % 3]!, `writer-${i}`))
      cluster.network.setFaults({ loss: 0.02, jitterMs: 2 })
      const leaders = new Set<string>()
      for (let round = 0; round < 6; round += 1) {
        await sleep(250)
        const leader = nodes.find((node) => node.isLeader)
        if (leader !== undefined) leaders.add(`${leader.raft.currentTerm}`)
        const address = (leader ?? nodes[round % 3]!).address
        if (round % 2 === 0) cluster.network.isolate(address)
        else
          cluster.network.cutOneWay(
            address,
            cluster.addresses.filter((other) => other !== address),
          )
        if (round === 3) await nodes[1]!.raft.snapshot().catch(() => undefined)
        await sleep(450)
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
      const wrong = [...outcomes].filter(
        ([command, outcome]) => !expected[outcome].includes(times.get(command) ?? 0),
      )
      expect(wrong).toEqual([])
      const acknowledged = [...outcomes.values()].filter((outcome) => outcome === 'acknowledged')
      expect(acknowledged.length).toBeGreaterThan(20)
      expect(sent.count).toBeGreaterThan(2 * acknowledged.length)
      expect(leaders.size).toBeGreaterThan(1)
      for (const node of nodes.slice(1))
        expect(await node.query('all', { timeoutMs: 20_000 })).toEqual(held)
    },
  )
})
