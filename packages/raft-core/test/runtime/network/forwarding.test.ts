import {
  RaftError,
  silentLogger,
  type ForwardResponse,
  type RpcHeader,
  type Transport,
} from '@raftkit/interface'
import { describe, expect, it } from 'vitest'
import { EventEmitter } from '../../../src/runtime/observation/event-emitter.ts'
import { Forwarding, type ForwardHandler } from '../../../src/runtime/network/forwarding.ts'
import { headerOf } from '../../../src/runtime/network/rpc-messages.ts'
import { Standing } from '../../../src/runtime/observation/standing.ts'
import { rejection } from '../../support/rejection.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const self = { id: 'a', address: 'a:1' }
const leader = { id: 'b', address: 'b:1' }
const header = headerOf(self.id, self.address)
const config = { rpcTimeoutMs: 100, maxForwardBytes: 10, maxInboundRequests: 10 }

/** A follower of `leader`, whose transport answers with the payload that it was given. */
function follower(onForward?: ForwardHandler) {
  const calls: string[] = []
  const transport = {
    localAddress: self.address,
    call: async (peer: { id: string }, request: { payload: Uint8Array }) => {
      calls.push(peer.id)
      return { type: 'forward', header, payload: request.payload } satisfies ForwardResponse
    },
  } as Partial<Transport> as Transport
  const standing = new Standing(new EventEmitter(silentLogger), 1)
  const clock = new VirtualClock()
  const onReadIndex = (): Promise<Uint8Array> => Promise.resolve(Uint8Array.of(42))
  const parts = { self, header, transport, clock, standing, config, onForward, onReadIndex }
  standing.leaderChanged(leader, 1)
  return { calls, transport, standing, forwarding: new Forwarding(parts) }
}

const unsupported = expect.objectContaining({
  code: 'RAFT_RPC_UNSUPPORTED',
  outcome: 'not-committed',
}) as Error

describe('Forwarding', () => {
  it('goes to the leader whose AppendEntries was seen', async () => {
    const { calls, forwarding } = follower()
    forwarding.heardLeader(headerOf('b', 'b:1'))
    expect(await forwarding.send(new Uint8Array([1]))).toEqual(new Uint8Array([1]))
    expect(calls).toEqual(['b'])
  })

  it('is not put off by a late message of another leader', async () => {
    const { calls, forwarding } = follower()
    forwarding.heardLeader(headerOf('b', 'b:1'))
    forwarding.heardLeader(headerOf('old', 'old:1'))
    await forwarding.send(new Uint8Array([1]))
    expect(calls).toEqual(['b'])
  })

  it('is refused when the leader is not raftkit, whatever others are', async () => {
    const { calls, forwarding } = follower()
    const hashicorp: RpcHeader = { protocolVersion: 3, id: 'b', address: 'b:1' }
    forwarding.heardLeader(hashicorp)
    forwarding.heardLeader(headerOf('c', 'c:1'))
    await expect(forwarding.send(new Uint8Array([1]))).rejects.toEqual(unsupported)
    expect(calls).toEqual([])
  })

  it('refuses a payload above its own limit, which is not that of a command', async () => {
    const { forwarding } = follower()
    forwarding.heardLeader(headerOf('b', 'b:1'))
    expect(await forwarding.send(new Uint8Array(10))).toHaveLength(10)
    await expect(forwarding.send(new Uint8Array(11))).rejects.toMatchObject({
      code: 'RAFT_COMMAND_TOO_LARGE',
      outcome: 'not-committed',
    })
  })

  it('is safe to try again when the server asked does not lead any more', async () => {
    const { forwarding, transport } = follower()
    forwarding.heardLeader(headerOf('b', 'b:1'))
    transport.call = () =>
      Promise.reject(
        new RaftError(
          'RAFT_REMOTE_ERROR',
          'b:1: the request was not served: node is not the leader',
        ),
      )
    await expect(forwarding.send(new Uint8Array([1]))).rejects.toMatchObject({
      code: 'RAFT_NOT_LEADER',
      outcome: 'not-committed',
      retryable: true,
    })
  })

  it.each([
    ['overloaded', 'too many forwarded requests are being served', 'RAFT_OVERLOADED', true],
    [
      'without a handler',
      'the server was started without onForward',
      'RAFT_RPC_UNSUPPORTED',
      false,
    ],
  ])('is not committed when the leader is %s', async (_, words, code, retryable) => {
    let served = 0
    const handler: ForwardHandler = (_payload, { signal }) =>
      new Promise((_resolve, reject) => {
        served++
        signal.addEventListener('abort', () => reject(new Error('nobody waits')))
      })
    const isBusy = code === 'RAFT_OVERLOADED'
    const leading = follower(isBusy ? handler : undefined)
    leading.standing.roleChanged('leader', 1, 'elected')
    const request = { type: 'forward', header, payload: new Uint8Array(1) } as const
    const abort = new AbortController()
    const context = { remote: 'test', signal: abort.signal }
    const { forwarding, transport } = follower()
    forwarding.heardLeader(headerOf('b', 'b:1'))
    transport.call = () =>
      leading.forwarding.serve(request, context).catch((error: Error) => {
        throw new RaftError('RAFT_REMOTE_ERROR', `b answered with an error: ${error.message}`)
      }) as never
    const earlier = Array.from({ length: isBusy ? config.maxInboundRequests : 0 }, () =>
      leading.forwarding.serve(request, context).catch(() => {}),
    )
    const refused = await rejection(forwarding.send(new Uint8Array([1])))
    expect(refused).toMatchObject({ code, retryable, outcome: 'not-committed' })
    expect(refused.message).toContain(words)
    expect(served).toBe(earlier.length)
    abort.abort()
    await Promise.all(earlier)
  })

  it('serves nothing while it does not lead, and says so in words of its own', async () => {
    let isServed = false
    const { forwarding } = follower(async (payload) => {
      isServed = true
      return payload
    })
    const request = { type: 'forward', header, payload: new Uint8Array(1) } as const
    const context = { remote: 'test', signal: new AbortController().signal }
    await expect(forwarding.serve(request, context)).rejects.toThrow(
      'the request was not served: node is not the leader',
    )
    expect(isServed).toBe(false)
  })
})
