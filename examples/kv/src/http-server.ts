// The HTTP face of one node. Any node takes any request: the node forwards what only the leader can do.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { RaftError, type RaftNode } from '@raftkit/raft-node'
import type { Answer, Change, Command, Query } from './kv-machine.ts'
import type { Status } from './status.ts'

/** What the HTTP layer needs of a node. */
export type KvNode = Pick<RaftNode<Command, Change, Query, Answer>, 'apply' | 'query' | 'whenReady'>

/** Largest value, bytes of UTF-8. */
export const MAX_VALUE_BYTES: number = 256 * 1024

/** Longest key, characters. */
export const MAX_KEY_LENGTH = 1024

/** Most keys in one answer to a list. */
export const MAX_LIST_LIMIT = 1000

interface Reply {
  readonly status: number
  readonly body: unknown
}

/** What Prometheus reads. */
export interface Scrape {
  readonly contentType: string
  metrics(): Promise<string>
}

/** A server for one node; call `listen` on it. */
export function createHttpServer(node: KvNode, status: () => Status, scrape: Scrape): Server {
  return createServer((request, response) => {
    if (request.method === 'GET' && request.url === '/metrics') {
      sendMetrics(response, scrape).catch(() => response.destroy())
      return
    }
    answer(node, status, request)
      .catch(errorReply)
      .then((reply) => send(response, reply))
      .catch(() => response.destroy())
  })
}

async function answer(
  node: KvNode,
  status: () => Status,
  request: IncomingMessage,
): Promise<Reply> {
  const url = new URL(request.url ?? '/', 'http://node')
  const method = request.method ?? 'GET'
  if (url.pathname.startsWith('/kv/')) {
    const key = keyOf(url.pathname.slice('/kv/'.length))
    switch (method) {
      case 'PUT':
        return put(node, key, await bodyOf(request))
      case 'GET':
        return get(node, key, consistencyOf(url))
      case 'DELETE':
        return remove(node, key)
      default:
        throw new HttpProblem(405, `${method} is not possible here; use GET, PUT or DELETE`)
    }
  }
  if (method !== 'GET') throw new HttpProblem(405, `${method} is not possible here; use GET`)
  switch (url.pathname) {
    case '/kv':
      return list(node, url)
    case '/status':
      return { status: 200, body: status() }
    case '/digest':
      return { status: 200, body: (await node.query({ type: 'digest' }, stale)).digest }
    case '/ready':
      await node.whenReady({ timeoutMs: 1000 })
      return { status: 200, body: { ready: true } }
    default:
      throw new HttpProblem(404, 'nothing here; try /kv, /kv/<key> or /status')
  }
}

const stale = { consistency: 'stale' } as const

async function put(node: KvNode, key: string, value: string): Promise<Reply> {
  const { existed, index } = await node.apply({ type: 'put', key, value })
  return { status: existed ? 200 : 201, body: { key, index } }
}

async function get(
  node: KvNode,
  key: string,
  consistency: 'linearizable' | 'stale',
): Promise<Reply> {
  const { value } = await node.query({ type: 'get', key }, { consistency })
  if (value === undefined) throw new HttpProblem(404, `no key ${JSON.stringify(key)}`)
  return { status: 200, body: { key, value } }
}

async function remove(node: KvNode, key: string): Promise<Reply> {
  const { existed, index } = await node.apply({ type: 'delete', key })
  if (!existed) throw new HttpProblem(404, `no key ${JSON.stringify(key)}`)
  return { status: 200, body: { key, index } }
}

async function list(node: KvNode, url: URL): Promise<Reply> {
  const limit = Number(url.searchParams.get('limit') ?? 100)
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIST_LIMIT)
    throw new HttpProblem(400, `limit must be 1..${MAX_LIST_LIMIT}`)
  const after = url.searchParams.get('after') ?? ''
  const query = { type: 'list', after, limit } as const
  const { page } = await node.query(query, { consistency: consistencyOf(url) })
  return { status: 200, body: page }
}

function keyOf(path: string): string {
  let key: string
  try {
    key = decodeURIComponent(path)
  } catch {
    throw new HttpProblem(400, 'the key is not valid percent-encoding')
  }
  if (key === '' || key.length > MAX_KEY_LENGTH)
    throw new HttpProblem(400, `a key has 1..${MAX_KEY_LENGTH} characters`)
  return key
}

function consistencyOf(url: URL): 'linearizable' | 'stale' {
  const asked = url.searchParams.get('consistency') ?? 'linearizable'
  if (asked === 'linearizable' || asked === 'stale') return asked
  throw new HttpProblem(400, 'consistency is linearizable or stale')
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.byteLength
    if (size > MAX_VALUE_BYTES)
      throw new HttpProblem(413, `a value has at most ${MAX_VALUE_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

class HttpProblem extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** `outcome` tells a client whether its write may have happened: only then is it unsafe to send it again. */
function errorReply(error: unknown): Reply {
  if (error instanceof HttpProblem) return { status: error.status, body: { error: error.message } }
  if (!RaftError.is(error)) return { status: 500, body: { error: String(error) } }
  const { code, message, outcome, retryable } = error
  const status = code === 'RAFT_COMMAND_TOO_LARGE' ? 413 : outcome === 'unknown' ? 504 : 503
  return { status, body: { error: message, code, outcome, retryable } }
}

async function sendMetrics(response: ServerResponse, scrape: Scrape): Promise<void> {
  const text = await scrape.metrics()
  response.writeHead(200, { 'content-type': scrape.contentType })
  response.end(text)
}

function send(response: ServerResponse, reply: Reply): void {
  const body = `${JSON.stringify(reply.body)}\n`
  response.writeHead(reply.status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
  })
  response.end(body)
}
