import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { RaftError } from '@raftkit/raft-node'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  createHttpServer,
  MAX_KEY_LENGTH,
  MAX_VALUE_BYTES,
  type KvNode,
} from '../src/http-server.ts'
import { createKvMachine, type Query } from '../src/kv-machine.ts'
import type { Status } from '../src/status.ts'

const status: Status = {
  id: 'a:1',
  pid: 1,
  state: 'leader',
  term: 2,
  leader: 'a:1',
  lastIndex: 3,
  commitIndex: 3,
  appliedIndex: 3,
  snapshotIndex: 0,
  snapshotsSaved: 0,
  snapshotsInstalled: 0,
}

/** A node of one, without Raft; `failWith` makes its next calls fail. */
function lonelyNode() {
  const machine = createKvMachine()
  const asked: { readonly query: Query; readonly consistency: string | undefined }[] = []
  let index = 0
  const node = {
    failWith: undefined as Error | undefined,
    asked,
    apply: async (command) => {
      if (node.failWith !== undefined) throw node.failWith
      index += 1
      const entry = { index, term: 1, type: 0, data: machine.encodeCommand(command) } as const
      return machine.decodeResponse(await machine.apply(entry))
    },
    query: async (query, options) => {
      if (node.failWith !== undefined) throw node.failWith
      asked.push({ query, consistency: options?.consistency })
      return machine.decodeAnswer(await machine.answer(machine.encodeQuery(query)))
    },
    whenReady: async () => {
      if (node.failWith !== undefined) throw node.failWith
    },
  } satisfies KvNode & Record<string, unknown>
  return node
}

let node: ReturnType<typeof lonelyNode>
let server: Server
let url: string

beforeEach(async () => {
  node = lonelyNode()
  const scrape = { contentType: 'text/plain; version=0.0.4', metrics: async () => 'raft_term 2\n' }
  server = createHttpServer(node, () => status, scrape)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

async function call(method: string, path: string, body?: string) {
  const response = await fetch(`${url}${path}`, { method, ...(body !== undefined && { body }) })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

describe('the HTTP server', () => {
  it('puts, gets, lists and deletes', async () => {
    expect(await call('PUT', '/kv/a', 'one')).toEqual({ status: 201, body: { key: 'a', index: 1 } })
    expect(await call('PUT', '/kv/a', 'two')).toEqual({ status: 200, body: { key: 'a', index: 2 } })
    expect(await call('GET', '/kv/a')).toEqual({ status: 200, body: { key: 'a', value: 'two' } })
    expect(await call('GET', '/kv?limit=5')).toEqual({
      status: 200,
      body: { entries: [['a', 'two']], more: false },
    })
    expect(await call('DELETE', '/kv/a')).toEqual({ status: 200, body: { key: 'a', index: 3 } })
    expect((await call('GET', '/kv/a')).status).toBe(404)
    expect((await call('DELETE', '/kv/a')).status).toBe(404)
  })

  it('takes any text as key and as value', async () => {
    const key = 'über/weg ?&#%'
    await call('PUT', `/kv/${encodeURIComponent(key)}`, '値 ✓')
    expect((await call('GET', `/kv/${encodeURIComponent(key)}`)).body).toEqual({
      key,
      value: '値 ✓',
    })
    await call('PUT', '/kv/empty', '')
    expect((await call('GET', '/kv/empty')).body).toEqual({ key: 'empty', value: '' })
  })

  it('reads from the leader unless it is told that a stale value will do', async () => {
    await call('GET', '/kv/a')
    await call('GET', '/kv/a?consistency=stale')
    await call('GET', '/kv?consistency=stale')
    await call('GET', '/digest')
    expect(node.asked.map(({ consistency }) => consistency)).toEqual([
      'linearizable',
      'stale',
      'stale',
      'stale',
    ])
  })

  it('tells its status and whether it is ready', async () => {
    expect(await call('GET', '/status')).toEqual({ status: 200, body: status })
    expect((await call('GET', '/ready')).status).toBe(200)
    node.failWith = new RaftError('RAFT_NO_LEADER', 'none', { retryable: true })
    expect((await call('GET', '/ready')).status).toBe(503)
  })

  it('tells its metrics as Prometheus wants them', async () => {
    const response = await fetch(`${url}/metrics`)
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4')
    expect(await response.text()).toBe('raft_term 2\n')
    expect((await call('PUT', '/metrics')).status).toBe(405)
  })

  it.each([
    ['GET', '/nothing', 404],
    ['GET', '/kv/', 400],
    ['GET', '/kv/%E0%A4%A', 400],
    ['GET', `/kv/${'k'.repeat(MAX_KEY_LENGTH + 1)}`, 400],
    ['GET', '/kv/a?consistency=strong', 400],
    ['GET', '/kv?limit=0', 400],
    ['GET', '/kv?limit=many', 400],
    ['POST', '/kv/a', 405],
    ['PUT', '/kv', 405],
  ])('refuses %s %s with %d', async (method, path, expected) => {
    const { status: got, body } = await call(method, path)
    expect(got).toBe(expected)
    expect(body['error']).toEqual(expect.any(String))
  })

  it('refuses a value that is too large', async () => {
    expect((await call('PUT', '/kv/a', 'x'.repeat(MAX_VALUE_BYTES))).status).toBe(201)
    expect((await call('PUT', '/kv/b', 'x'.repeat(MAX_VALUE_BYTES + 1))).status).toBe(413)
    expect((await call('GET', '/kv/b')).status).toBe(404)
  })

  it.each([
    [new RaftError('RAFT_NO_LEADER', 'x', { outcome: 'not-committed' }), 503, 'not-committed'],
    [new RaftError('RAFT_TIMEOUT', 'x', { outcome: 'unknown' }), 504, 'unknown'],
    [
      new RaftError('RAFT_COMMAND_TOO_LARGE', 'x', { outcome: 'not-committed' }),
      413,
      'not-committed',
    ],
    [new Error('surprise'), 500, undefined],
  ])('says what is known of a write that failed with %s', async (error, expected, outcome) => {
    node.failWith = error
    const { status: got, body } = await call('PUT', '/kv/a', 'x')
    expect(got).toBe(expected)
    expect(body['outcome']).toBe(outcome)
  })
})
