import { RaftError } from '@raftkit/interface'
import type { AppendEntriesRequest, RpcHeader } from '@raftkit/interface'
import { describe, expect, it } from 'vitest'
import { InmemNetwork } from '../src/index.ts'

const header: RpcHeader = { protocolVersion: 3, id: 'a', address: 'a:1' }
const b = { id: 'b', address: 'b:1' }

function append(term: number): AppendEntriesRequest {
  const zero = { prevLogIndex: 0, prevLogTerm: 0, leaderCommit: 0 }
  return { type: 'append-entries', header, term, ...zero, entries: null }
}

describe('InmemNetwork', () => {
  it('carries a call and its answer', async () => {
    const network = new InmemNetwork()
    const from = network.transport('a:1')
    const to = network.transport('b:1')
    to.setHandler((request) => {
      if (request.type !== 'request-vote') throw new Error('unexpected')
      return { type: 'request-vote', header, term: request.term, granted: true }
    })
    const vote = { lastLogIndex: 1, lastLogTerm: 1, leadershipTransfer: false }
    const answer = await from.call(b, { type: 'request-vote', header, term: 7, ...vote })
    expect(answer).toEqual({ type: 'request-vote', header, term: 7, granted: true })
    await from.close()
    await to.close()
  })

  it('keeps a pipeline in order and ends it when the receiver closes', async () => {
    const network = new InmemNetwork()
    const from = network.transport('a:1')
    const to = network.transport('b:1')
    const terms: number[] = []
    to.setHandler((request) => {
      if (request.type !== 'append-entries') throw new Error('unexpected')
      terms.push(request.term)
      const flags = { success: true, noRetryBackoff: false }
      return { type: 'append-entries', header, term: request.term, lastLogIndex: 0, ...flags }
    })
    const pipeline = await from.openPipeline(b)
    const answers = await Promise.all([1, 2, 3].map((term) => pipeline.send(append(term))))
    expect(answers.map((answer) => answer.term)).toEqual([1, 2, 3])
    expect(terms).toEqual([1, 2, 3])
    const last = pipeline.send(append(4))
    await to.close()
    await expect(last).rejects.toSatisfy((error) => RaftError.is(error, 'RAFT_CONNECTION_LOST'))
    expect(pipeline.closed).toBe(true)
  })
})
