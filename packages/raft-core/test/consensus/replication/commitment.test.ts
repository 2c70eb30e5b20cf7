// What a leader commits (§5.3, §5.4.2), compared with the slow way.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { all, LoneServer, only, success } from '../lone-server.ts'

/** Members may acknowledge the no-op and what follows it, or nothing; the own disk may lag behind. */
const acknowledged = fc.record({
  voters: fc.integer({ min: 1, max: 5 }),
  nonvoters: fc.integer({ min: 0, max: 2 }),
  proposals: fc.integer({ min: 0, max: 5 }),
  durable: fc.integer({ min: 2, max: 7 }),
  acks: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 6, maxLength: 6 }),
})

test('the commit index is the largest one that a majority of voters has, durably', () => {
  fc.assert(
    fc.property(acknowledged, ({ voters, nonvoters, proposals, durable, acks }) => {
      const ids = Array.from({ length: voters + nonvoters }, (_, place) => `n${place + 1}`)
      const server = new LoneServer({
        voters: ids.slice(0, voters),
        nonvoters: ids.slice(voters),
        timing: { maxAppendEntries: 1, maxInflightAppends: 100 },
      })
      let sent = [...server.lead()]
      // Only what was acknowledged before is sent ahead: one request per entry, in order.
      const last = 2 + proposals
      if (proposals > 0) server.step({ type: 'proposed', count: proposals })
      server.step({ type: 'entries-durable', index: Math.min(durable, last), term: 2 })
      const matches = new Map(ids.slice(1).map((id, place) => [id, Math.min(acks[place]!, last)]))
      for (let round = 0; round < 10; round++) {
        for (const send of sent)
          if (send.prevLogIndex + 1 <= matches.get(send.to.id)!) server.answered(send, success(2))
        sent = [...server.read(server.turn())]
      }
      const own = Math.min(Math.max(durable, 2), last)
      const votes = [own, ...ids.slice(1, voters).map((id) => matches.get(id)!)]
      let expected = 0
      for (let index = 2; index <= last; index++)
        if (2 * votes.filter((vote) => vote >= index).length > voters) expected = index
      expect(server.status.commitIndex).toBe(expected)
    }),
  )
})

test('entries of an earlier term are committed with one of the own term, never by count', () => {
  const server = new LoneServer({ log: [1, 2, 2], hardState: { term: 3 } })
  const [sent] = server.lead()
  expect(sent).toMatchObject({ prevLogIndex: 3, term: 4 })
  // n2 lacks entry 4 and has proved entry 3: that is a majority, and not enough.
  server.answered(sent!, {
    type: 'append-entries',
    term: 4,
    success: false,
    lastLogIndex: 2,
    noRetryBackoff: true,
  })
  const [again] = server.read(server.turn())
  const small = { ...again!, sendId: again!.sendId }
  expect(server.status.commitIndex).toBe(0)
  server.answered(small, success(4))
  expect(server.status.commitIndex).toBe(4)
})

test('a commit tells which configuration is committed', () => {
  const server = new LoneServer()
  const effects = server.lead().flatMap((sent) => server.answered(sent, success(2)))
  expect(all(effects, 'commit').map(({ index }) => index)).toEqual([2])
  expect(only(effects, 'configuration-changed')).toMatchObject({ committed: { index: 1 } })
})

test('durability counts for the own match index only when the term fits', () => {
  const server = new LoneServer({ voters: ['n1'] })
  server.lead()
  server.step({ type: 'proposed', count: 2 })
  server.step({ type: 'entries-durable', index: 4, term: 1 })
  expect(server.status.commitIndex).toBe(2)
  server.step({ type: 'entries-durable', index: 3, term: 2 })
  expect(server.status.commitIndex).toBe(3)
  // Completions may come in any order.
  server.step({ type: 'entries-durable', index: 4, term: 2 })
  server.step({ type: 'entries-durable', index: 3, term: 2 })
  expect(server.status).toMatchObject({ commitIndex: 4, durableIndex: 4 })
})
