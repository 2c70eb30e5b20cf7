// Who may be in the joint state, and who may be sent one: hashicorp/raft would take it for its first half.
import { describe, expect, test } from 'vitest'
import type { Configuration, IndexedConfiguration, ServerId } from '@raftkit/interface/protocol'
import type { Answer, Effect, MembershipPlan } from '@raftkit/raft-core/consensus'
import { configurationOf } from '../cluster/entries.ts'
import { all, LoneServer, mismatch, only, success, type LoneOptions } from '../lone-server.ts'
import { lease, refusals } from '../membership-steps.ts'

const plan: MembershipPlan = { type: 'replace-server', id: 'n3', by: { id: 'n4', address: 'n4:1' } }
const request = { type: 'change-requested', changeId: 1, change: plan, prevIndex: 0 } as const

function answeredBy(
  server: LoneServer,
  sent: { readonly to: { readonly id: ServerId }; readonly sendId: number },
  answer: Answer,
  isRaftkit: boolean,
): readonly Effect[] {
  return server.step({ type: 'answered', peer: sent.to.id, sendId: sent.sendId, answer, isRaftkit })
}

/** A leader whose peers have acknowledged its no-op; `plain` ones are not raftkit, `silent` ones did not answer. */
function leader(
  plain: readonly ServerId[],
  silent: readonly ServerId[] = [],
  options: LoneOptions = {},
): LoneServer {
  const server = new LoneServer({ timing: lease, ...options })
  for (const sent of server.lead())
    if (!silent.includes(sent.to.id))
      answeredBy(server, sent, success(server.status.term), !plain.includes(sent.to.id))
  server.turn()
  return server
}

const withDisks: IndexedConfiguration = {
  index: 1,
  configuration: {
    servers: configurationOf(['n1', 'n2', 'n3']).servers.map((server, place) => ({
      ...server,
      diskId: place + 1,
    })),
  },
}

describe('a plan that needs the joint state', () => {
  test.each([['n2'], ['n3']])('is refused while %s speaks only hashicorp/raft’s protocol', (id) => {
    const server = leader([id])
    const effects = server.turn(request)
    expect(only(effects, 'change-refused')).toMatchObject({ reason: 'not-raftkit', server: id })
    expect(all(effects, 'append-configuration')).toEqual([])
  })

  test('is refused as soon as that is known of a server to be added', () => {
    const server = leader([])
    const effects = server.turn(request)
    expect(server.status.latest.configuration.servers).toHaveLength(4)
    const done: Effect[] = [...server.sync(effects)]
    for (const sent of server.read(effects))
      done.push(...answeredBy(server, sent, success(server.status.term), sent.to.id !== 'n4'))
    expect(refusals([...done, ...server.turn()])).toEqual([[1, 'not-raftkit', false]])
    expect(server.status.latest.configuration.next).toBeUndefined()
  })

  test('waits for a member that has not answered yet, then takes it for dead when it is to go', () => {
    const server = leader([], ['n3'])
    expect(all(server.turn(request), 'append-configuration')).toEqual([])
    expect(refusals(server.turn())).toEqual([])
    const effects = server.turnAt(server.now + 100)
    expect(only(effects, 'append-configuration').configuration.servers).toHaveLength(4)
  })

  test('is refused when a member that is to keep its vote does not answer', () => {
    const server = leader([], ['n2'])
    expect(refusals(server.turn(request))).toEqual([])
    expect(refusals(server.turnAt(server.now + 100))).toEqual([[1, 'not-raftkit', false]])
  })

  test('does not wait for a member whose disk is known: all were raftkit when it was written', () => {
    const server = leader([], ['n2'], { configurations: [withDisks] })
    expect(only(server.turn(request), 'append-configuration').configuration.servers).toHaveLength(4)
  })
})

test('a plan that needs no joint state is carried out with any member', () => {
  const server = leader(['n2', 'n3'])
  const change: MembershipPlan = {
    type: 'change-membership',
    add: [],
    promote: [],
    demote: ['n3'],
    remove: [],
  }
  const effects = server.turn({ ...request, change })
  expect(only(effects, 'append-configuration').configuration.next).toBeUndefined()
})

describe('a joint configuration in the log', () => {
  const joint: Configuration = {
    servers: configurationOf(['n1', 'n2', 'n3']).servers,
    next: configurationOf(['n1', 'n2', 'n4']).servers,
  }
  const configurations: readonly IndexedConfiguration[] = [
    { index: 1, configuration: configurationOf(['n1', 'n2', 'n3']) },
    { index: 2, configuration: joint },
    { index: 3, configuration: configurationOf(['n1', 'n2', 'n4']) },
  ]

  /** n4 lacks everything; it answers a heartbeat and says what it is. */
  function lagging(options: LoneOptions, isRaftkit: boolean): readonly Effect[] {
    const server = new LoneServer({ timing: lease, configurations, log: [1, 1, 1], ...options })
    const probe = server.lead().find(({ to }) => to.id === 'n4')!
    const effects = answeredBy(server, probe, mismatch(server.status.term, 0), isRaftkit)
    return [...effects, ...server.turn()]
  }

  const reads = (effects: readonly Effect[]): unknown =>
    all(effects, 'read-entries').map(({ peer, from }) => [peer, from])

  test('is read for a peer that is raftkit', () => {
    expect(reads(lagging({}, true))).toEqual([['n4', 1]])
  })

  test('is not read for one that is not', () => {
    const effects = lagging({}, false)
    expect(reads(effects)).toEqual([])
    expect(all(effects, 'send-snapshot')).toEqual([])
  })

  test('is not sent as a snapshot to one that is not', () => {
    const inJoint = {
      snapshot: { index: 2, term: 1 },
      configurations: configurations.slice(1, 2),
      log: [],
    }
    expect(all(lagging(inJoint, true), 'send-snapshot')).toHaveLength(1)
    expect(all(lagging(inJoint, false), 'send-snapshot')).toEqual([])
  })

  test('is overcome by a snapshot of what came after it, though the log still has it', () => {
    const server = new LoneServer({ timing: lease, configurations, log: [1, 1, 1] })
    const probes = server.lead()
    for (const sent of probes)
      if (sent.to.id !== 'n4') server.answered(sent, success(server.status.term))
    server.step({ type: 'applied', index: 4 })
    server.step({
      type: 'snapshot-saved',
      snapshot: { index: 4, term: 2, configuration: configurations[2]! },
    })
    const probe = probes.find(({ to }) => to.id === 'n4')!
    answeredBy(server, probe, mismatch(2, 0), false)
    const effects = server.turn()
    expect(reads(effects)).toEqual([])
    expect(only(effects, 'send-snapshot').to.id).toBe('n4')
  })

  test('is not sent when the peer turns out not to be raftkit after it was read', () => {
    const server = new LoneServer({ timing: lease, configurations, log: [1, 1, 1] })
    const probe = server.lead().find(({ to }) => to.id === 'n4')!
    answeredBy(server, probe, mismatch(2, 0), true)
    const effects = server.turn()
    const { peer, readId, from, to } = only(effects, 'read-entries')
    const beat = all(server.turnAt(server.now + 20), 'send').find((sent) => sent.to.id === 'n4')!
    answeredBy(server, beat, success(2), false)
    const done = server.step({ type: 'entries-read', peer, readId, from, to, bytes: 100 })
    expect(all(done, 'send-entries')).toEqual([])
  })

  test('that was truncated is in nobody’s way', () => {
    const server = new LoneServer({
      id: 'n2',
      timing: lease,
      configurations: configurations.slice(0, 2),
      log: [1, 1],
    })
    server.append({ from: 'n1', term: 2, prev: [1, 1], entries: [2] })
    server.sync([])
    server.now = 2000
    const probe = server.lead().find(({ to }) => to.id === 'n3')!
    answeredBy(server, probe, mismatch(server.status.term, 0), false)
    expect(reads(server.turn())).toEqual([['n3', 1]])
  })
})

describe('a vote at once (stage: false)', () => {
  const before = { index: 1, configuration: configurationOf(['n1', 'n2', 'n3'], ['n4']) }
  const joint = {
    index: 2,
    configuration: {
      servers: before.configuration.servers,
      next: configurationOf(['n1', 'n2']).servers,
    },
  }
  const after = { index: 3, configuration: configurationOf(['n1', 'n2'], ['n4']) }
  const change = (id: ServerId) => ({ type: 'add-voter', id, address: `${id}:1` }) as const

  function suffrageOf(server: LoneServer, id: ServerId): unknown {
    const effects = server.turn({ ...request, change: change(id) })
    const { servers } = only(effects, 'append-configuration').configuration
    return servers.find((member) => member.id === id)?.suffrage
  }

  test('is given as long as the log has had no joint configuration', () => {
    expect(suffrageOf(leader([]), 'n5')).toBe('voter')
  })

  test('waits for a server that might be needed, and must not be sent the log (seed 17566)', () => {
    const options = { configurations: [before, joint, after], log: [1, 1, 1], nonvoters: ['n4'] }
    // A stranger; one that is behind and not raftkit; one that is raftkit.
    expect(suffrageOf(leader([], [], options), 'n5')).toBe('staging')
    expect(suffrageOf(leader([], ['n4'], options), 'n4')).toBe('staging')
    expect(suffrageOf(leader([], [], options), 'n4')).toBe('voter')
    // It is not raftkit, and has all that it must not be sent.
    expect(suffrageOf(leader(['n4'], [], options), 'n4')).toBe('voter')
  })
})
