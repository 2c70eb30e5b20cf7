import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RaftError } from '@raftkit/interface'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DEFAULT_SESSION_LIMITS } from '../../src/sessions/session-limits.ts'
import {
  checkOptions,
  directoryProblems,
  type UncheckedOptions,
} from '../../src/start/check-options.ts'

const peers = ['10.0.0.1:1', '10.0.0.2:1', '10.0.0.3:1']
let directory: string
let good: UncheckedOptions

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'raftkit-options-'))
  good = { address: '10.0.0.1:1', peers, dataDir: join(directory, 'new') }
})

afterEach(async () => {
  await rm(directory, { recursive: true })
})

const problemsOf = async (options: UncheckedOptions): Promise<readonly string[]> => {
  const error: unknown = await checkOptions(options, directoryProblems).then(
    () => undefined,
    (failure: unknown) => failure,
  )
  if (!RaftError.is(error, 'RAFT_INVALID_ARGUMENT')) throw new Error('was not refused')
  const problems = error.details['problems'] as string[]
  for (const problem of problems) expect(error.message).toContain(problem)
  return problems
}

describe('checkOptions', () => {
  it('fills in the defaults', async () => {
    expect(await checkOptions(good)).toMatchObject({
      id: '10.0.0.1:1',
      bind: '10.0.0.1:1',
      bootstrap: true,
      snapshotRetain: 2,
      maxPool: 3,
      transportTimeoutMs: 10_000,
      config: { snapshotIntervalMs: 60_000, restoreCommittedLogs: true, heartbeatTimeoutMs: 1000 },
      forward: { maxInflightForwards: 2 },
      sessions: DEFAULT_SESSION_LIMITS,
    })
  })

  it('lets the largest command, and the largest message, pass to the leader', async () => {
    const large = 16 * 1024 * 1024
    const command = await checkOptions({ ...good, config: { maxCommandBytes: large } })
    expect(command.config.maxForwardBytes).toBeGreaterThan(large)
    const message = await checkOptions({ ...good, forward: { maxForwardBytes: large } })
    expect(message.config.maxForwardBytes).toBeGreaterThan(large)
  })

  it('takes limits of sessions, or none at all', async () => {
    const { sessions } = await checkOptions({ ...good, sessions: { maxSessions: 7 } })
    expect(sessions).toEqual({ ...DEFAULT_SESSION_LIMITS, maxSessions: 7 })
    expect((await checkOptions({ ...good, sessions: false })).sessions).toBeUndefined()
  })

  it('gives every node the same members in the same order', async () => {
    const one = await checkOptions(good)
    const two = await checkOptions({ ...good, address: '10.0.0.3:1', peers: peers.toReversed() })
    expect(two.members).toEqual(one.members)
    expect(one.members.servers[0]).toEqual({
      suffrage: 'voter',
      id: '10.0.0.1:1',
      address: '10.0.0.1:1',
    })
  })

  it('takes ids that are not addresses', async () => {
    const named = [
      { id: 'b', address: '10.0.0.1:1' },
      { id: 'a', address: '10.0.0.2:1' },
    ]
    const { members } = await checkOptions({ ...good, id: 'b', peers: named })
    expect(members.servers.map(({ id }) => id)).toEqual(['a', 'b'])
  })

  it.each<[string, Partial<Record<keyof UncheckedOptions, unknown>>, string]>([
    [
      'an address without a port',
      { address: '10.0.0.1', peers: ['10.0.0.1'] },
      'address "10.0.0.1" is not host:port',
    ],
    ['no address', { address: undefined }, 'is not host:port'],
    [
      'an address of every interface',
      { address: '0.0.0.0:1', peers: ['0.0.0.0:1'] },
      'every interface',
    ],
    ['port 0', { address: '10.0.0.1:0', peers: ['10.0.0.1:0'] }, 'port 0'],
    ['a bind without a port', { bind: '0.0.0.0' }, 'bind "0.0.0.0"'],
    [
      'a peer without a port',
      { peers: [...peers, '10.0.0.9'] },
      'peer "10.0.0.9" is not host:port',
    ],
    ['a peer named twice', { peers: [...peers, '10.0.0.2:1'] }, 'the address "10.0.0.2:1" twice'],
    [
      'an id named twice',
      {
        id: 'a',
        peers: [
          { id: 'a', address: '10.0.0.1:1' },
          { id: 'a', address: '10.0.0.2:1' },
        ],
      },
      'the id "a" twice',
    ],
    ['peers without the node itself', { peers: peers.slice(1) }, 'do not include this node'],
    ['no peers', { peers: undefined }, 'do not include this node'],
    ['another id than the peers say', { id: 'me' }, 'its id is "me"'],
    ['an empty id', { id: '' }, 'id "" is not a name'],
    ['no data directory', { dataDir: undefined }, 'dataDir'],
    [
      'an election timeout below the heartbeat',
      { config: { heartbeatTimeoutMs: 500, electionTimeoutMs: 100 } },
      'config: electionTimeoutMs',
    ],
    ['no snapshots kept', { snapshotRetain: 0 }, 'snapshotRetain must be'],
    ['an odd pool', { maxPool: 1.5 }, 'maxPool must be'],
    ['no RPC timeout', { transportTimeoutMs: 0 }, 'transportTimeoutMs must be'],
    ['no sessions', { sessions: { maxSessions: 0 } }, 'sessions: maxSessions must be'],
    [
      'a session that lasts too long',
      { sessions: { sessionTimeoutMs: 2 ** 32 } },
      'sessions: sessionTimeoutMs must be',
    ],
    [
      'a window that is too large',
      { sessions: { maxCachedResponses: 2 ** 21 } },
      'sessions: maxCachedResponses must be',
    ],
    [
      'half a byte of responses',
      { sessions: { maxCachedResponseBytes: 0.5 } },
      'sessions: maxCachedResponseBytes must be',
    ],
    [
      'a forward limit of nothing',
      { forward: { maxInflightForwards: 0 } },
      'maxInflightForwards must be',
    ],
  ])('refuses %s', async (_name, wrong, said) => {
    const problems = await problemsOf({ ...good, ...wrong } as UncheckedOptions)
    expect(problems.join('\n')).toContain(said)
  })

  it('refuses a data directory that is a file', async () => {
    const dataDir = join(directory, 'file')
    await writeFile(dataDir, '')
    expect(await problemsOf({ ...good, dataDir })).toEqual([
      `dataDir "${dataDir}" is a file, not a directory`,
    ])
  })

  it('refuses a data directory below a file', async () => {
    await writeFile(join(directory, 'file'), '')
    const [problem] = await problemsOf({ ...good, dataDir: join(directory, 'file', 'data') })
    expect(problem).toContain('cannot be used')
  })

  it('names every problem at once', async () => {
    const problems = await problemsOf({
      address: 'nowhere',
      peers: ['10.0.0.2:1', '10.0.0.2:1'],
      dataDir: '',
      config: { heartbeatTimeoutMs: 0 },
      maxPool: 0,
    })
    expect(problems.length).toBeGreaterThanOrEqual(6)
  })
})
