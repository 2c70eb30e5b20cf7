import type { AppendPipeline } from '@raftkit/interface'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  appended,
  forward,
  heartbeat,
  installed,
  openPair,
  peerB,
  settle,
  snapshotOf,
} from './fixtures.ts'

/** One thing that happens; numbers choose among what there is at the time. */
const happening = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      what: fc.constant('call' as const),
      timeoutMs: fc.integer({ min: 1, max: 300 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      what: fc.constant('forward' as const),
      timeoutMs: fc.integer({ min: 1, max: 300 }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ what: fc.constant('send' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constant('snapshot' as const), size: fc.nat(5000) }),
  },
  { weight: 6, arbitrary: fc.record({ what: fc.constant('answer' as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('abort' as const), which: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('break' as const), which: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('hold' as const), which: fc.nat() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      what: fc.constant('pass' as const),
      ms: fc.integer({ min: 1, max: 200 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ what: fc.constant('turn' as const) }) },
)

/** Runs the happenings and gives, for every request, the number it was sent with and the one it was answered with. */
async function run(
  happenings: readonly (typeof happening extends fc.Arbitrary<infer T> ? T : never)[],
) {
  const pair = await openPair({ timeoutMs: 250, dialBackoffMaxMs: 10, maxPool: 2 })
  const { a, b, clock, streamA, streamB } = pair
  const waiting: (() => void)[] = []
  const outcomes: Promise<readonly [sent: number, answered: number | string]>[] = []
  const aborts: AbortController[] = []
  let pipeline: AppendPipeline | undefined
  let number = 0
  b.setHandler(async (request, { snapshot }) => {
    if (request.type === 'install-snapshot') {
      let size = 0
      for await (const chunk of snapshot!) size += chunk.length
      return { ...installed, term: size }
    }
    await new Promise<void>((resolve) => waiting.push(resolve))
    if (request.type === 'forward') return { ...request }
    if (request.type === 'append-entries') return appended(request.term)
    throw new Error('unexpected command')
  })
  const expectAnswer = (sent: number, answer: Promise<number>): void => {
    outcomes.push(
      answer.then(
        (answered) => [sent, answered] as const,
        (error: { code?: string }) => [sent, error.code ?? 'aborted'] as const,
      ),
    )
  }
  const options = (timeoutMs: number): { timeoutMs: number; signal: AbortSignal } => {
    const controller = new AbortController()
    aborts.push(controller)
    return { timeoutMs, signal: controller.signal }
  }
  const pick = <T>(list: readonly T[], which: number): T | undefined => list[which % list.length]
  for (const each of happenings) {
    number += 1
    const sent = number
    switch (each.what) {
      case 'call':
        expectAnswer(
          sent,
          a.call(peerB, heartbeat(sent), options(each.timeoutMs)).then(({ term }) => term),
        )
        break
      case 'forward':
        expectAnswer(
          sent,
          a
            .call(peerB, forward(sent >> 8, sent & 255), options(each.timeoutMs))
            .then(({ payload }) => payload[0]! * 256 + payload[1]!),
        )
        break
      case 'send':
        if (pipeline === undefined || pipeline.closed)
          pipeline = await Promise.race([
            a.openPipeline(peerB).catch(() => undefined),
            settle(10).then(() => undefined),
          ])
        if (pipeline !== undefined)
          expectAnswer(
            sent,
            pipeline.send(heartbeat(sent)).then(({ term }) => term),
          )
        break
      case 'snapshot':
        expectAnswer(
          each.size,
          a
            .installSnapshot(
              peerB,
              snapshotOf(each.size),
              (async function* () {
                yield new Uint8Array(each.size)
              })(),
            )
            .then(({ term }) => term),
        )
        break
      case 'answer':
        waiting.splice(each.which % Math.max(1, waiting.length), 1)[0]?.()
        break
      case 'abort':
        pick(aborts, each.which)?.abort({})
        break
      case 'break':
        pick(streamA.dialled, each.which)?.break(new Error('the network broke'))
        break
      case 'hold': {
        const connection = pick([...streamA.dialled, ...streamB.accepted], each.which)
        if (connection?.held === true) connection.release()
        else if (connection !== undefined) connection.held = true
        break
      }
      case 'pass':
        clock.advance(each.ms)
        break
      case 'turn':
        await settle(2)
        break
    }
  }
  for (const connection of [...streamA.dialled, ...streamB.accepted]) connection.release()
  for (const answer of waiting) answer()
  await settle()
  await a.close()
  const settled = await Promise.all(outcomes)
  await b.close()
  await settle()
  return { settled, timers: clock.timers, stats: [a.stats(), b.stats()] }
}

const none = { inboundConnections: 0, outboundConnections: 0, idleConnections: 0 }

it('every request settles, and no answer ever belongs to another one, whatever happens', async () => {
  let answered = 0
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { minLength: 10, maxLength: 150 }), async (happenings) => {
      const { settled, timers, stats } = await run(happenings)
      for (const [sent, got] of settled) {
        if (typeof got !== 'number') continue
        expect(got).toBe(sent)
        answered += 1
      }
      expect(timers).toBe(0)
      expect(stats).toEqual([none, none])
    }),
    { numRuns: 40 },
  )
  expect(answered).toBeGreaterThan(50)
})
