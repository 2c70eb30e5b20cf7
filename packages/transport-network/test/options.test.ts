import { NetworkTransport } from '@raftkit/transport-network'
import { expect, it } from 'vitest'
import { MemoryNetwork } from './memory-streams.ts'

it('names every option that makes no sense in one error and closes the stream layer', async () => {
  const stream = new MemoryNetwork().layer('a:1')
  const opening = NetworkTransport.open({
    stream,
    timeoutMs: 0,
    maxPool: -1,
    idleTimeoutMs: 2 ** 31,
    dialBackoffMinMs: 20,
    dialBackoffMaxMs: 10,
    limits: { maxConnections: 1.5, snapshotBufferBytes: Number.NaN },
  })
  await expect(opening).rejects.toMatchObject({ code: 'RAFT_INVALID_CONFIG' })
  const problems = await opening.catch((error: { details: { problems: string[] } }) =>
    error.details.problems.map((problem) => problem.split(' ')[0]),
  )
  expect(problems).toEqual([
    'maxPool',
    'timeoutMs',
    'idleTimeoutMs',
    'maxConnections',
    'snapshotBufferBytes',
    'dialBackoffMaxMs',
  ])
  expect(stream.closed).toBe(true)
})

it('takes zero where it means none or never', async () => {
  const stream = new MemoryNetwork().layer('a:1')
  const transport = await NetworkTransport.open({
    stream,
    maxPool: 0,
    limits: { idleConnectionTimeoutMs: 0, maxDrainBytes: 0 },
  })
  expect(transport.localAddress).toBe('a:1')
  await transport.close()
})
