// Sections 5.2 to 5.5 and 7 of the paper, on whole clusters. The invariants of Figure 3 are checked all the while.
import { describe, expect, test } from 'vitest'
import { Story, type Cast } from '../stories/story.ts'

const three: Cast = { voters: ['n1', 'n2', 'n3'] }

function roles(story: Story): readonly string[] {
  return [...story.cluster.servers.values()].map((server) =>
    server.isUp ? server.consensus.status().role : 'down',
  )
}

function logs(story: Story): readonly string[] {
  return [...story.cluster.servers.values()].map((server) =>
    [...server.log.values()].map(({ term }) => term).join(' '),
  )
}

describe('§5.2 Leader election', () => {
  test('randomised timeouts let one server win before the others campaign', () => {
    const story = new Story('', { ...three, timing: { preVote: false } })
    story.pass(1000)
    expect(roles(story)).toEqual(['leader', 'follower', 'follower'])
    expect(story.server('n3').consensus.status().term).toBe(2)
  })

  test('a minority elects nobody', () => {
    const story = new Story('', { voters: ['n1', 'n2', 'n3', 'n4', 'n5'] })
    for (const id of ['n3', 'n4', 'n5']) story.cut(id)
    story.crash('n3')
    story.crash('n4')
    story.crash('n5')
    story.pass(1000)
    expect(roles(story)).toEqual(['pre-candidate', 'pre-candidate', 'down', 'down', 'down'])
  })

  test('a cluster that lost its leader elects another (swarmkit #1658)', () => {
    const story = new Story('', three)
    story.lead('n1')
    story.crash('n1')
    story.pass(500)
    expect(story.cluster.leaders()).toHaveLength(1)
    story.restart('n1')
    story.pass(100)
    expect(roles(story)[0]).toBe('follower')
  })
})

describe('§5.3 Log replication', () => {
  // Figure 7: logs that may be when the leader of term 8 comes to power.
  const figure7 = {
    n1: [1, 1, 4, 4, 5, 5, 6, 6, 6],
    a: [1, 1, 4, 4, 5, 5, 6, 6],
    b: [1, 1],
    c: [1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
    d: [1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
    e: [1, 1, 4, 4, 4, 4],
    f: [1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
  }

  test('figure 7: the leader brings every log in line with its own, by hints or without', () => {
    for (const plain of [[], ['a', 'b', 'c', 'd', 'e', 'f']]) {
      const voters = Object.keys(figure7)
      const story = new Story('', {
        voters,
        logs: figure7,
        terms: Object.fromEntries(voters.map((id) => [id, 7])),
      })
      for (const id of plain) story.cluster.plain.add(id)
      story.elect('n1')
      story.settle()
      const log = [1, ...figure7.n1, 8].join(' ')
      expect(logs(story)).toEqual(voters.map(() => log))
    }
  })

  test('a leader never overwrites or deletes entries of its own log', () => {
    const story = new Story('', {
      ...three,
      logs: { n1: [2, 2], n2: [], n3: [2] },
      terms: { n2: 2 },
    })
    story.lead('n1')
    expect(logs(story)).toEqual(['1 2 2 3', '1 2 2 3', '1 2 2 3'])
  })

  test('one slow follower does not delay the others', () => {
    const story = new Story('', three)
    story.lead('n1')
    story.hold('n1', 'n3')
    story.propose('n1', 'x')
    story.settle()
    expect(story.server('n1').consensus.status().commitIndex).toBe(3)
  })
})

describe('§5.4 Safety', () => {
  test('a server without all committed entries is not elected', () => {
    const story = new Story('', three)
    story.lead('n1')
    story.hold('n1', 'n3')
    story.propose('n1', 'x')
    story.settle()
    story.crash('n1')
    story.timeout('n3')
    story.pass(300)
    // n3 asked first, and n2 leads.
    expect(roles(story)).toEqual(['down', 'leader', 'follower'])
    expect(logs(story)[2]).toBe('1 2 2 3')
  })

  test('an entry of an earlier term is committed with the first of the new term (logcabin #44)', () => {
    const story = new Story('', { ...three, logs: { n1: [2], n2: [2] }, terms: { n3: 2 } })
    story.elect('n1')
    expect(story.server('n1').consensus.status().commitIndex).toBe(0)
    story.settle()
    expect(story.server('n1').consensus.status().commitIndex).toBe(3)
  })
})

describe('§5.5 Follower and candidate crashes', () => {
  test('requests are idempotent', () => {
    const story = new Story('', three)
    story.lead('n1')
    story.propose('n1', 'x')
    const copy = story.copy('n1', 'n2')
    story.settle()
    story.deliverCopy(copy)
    story.deliverCopy(copy)
    story.settle()
    expect(logs(story)[1]).toBe('1 2 2')
  })

  test('a follower that restarts is brought up to date', () => {
    const story = new Story('', three)
    story.lead('n1')
    story.crash('n2')
    story.propose('n1', 'x', 'y')
    story.settle()
    story.restart('n2')
    story.pass(100)
    expect(logs(story)[1]).toBe('1 2 2 2')
  })
})

describe('§6 Cluster membership', () => {
  test('a server that was removed disturbs nobody (faults A7)', () => {
    const story = new Story('', { voters: ['n1', 'n2', 'n3'], blank: ['n4'] })
    story.lead('n1')
    const before = story.server('n1').consensus.status().term
    story.server('n1').receive({
      type: 'request',
      from: 'n4',
      to: 'n1',
      sendId: 1,
      run: 1,
      entries: [],
      request: {
        type: 'request-vote',
        from: { id: 'n4', address: 'n4:1', isRaftkit: true },
        term: 99,
        lastLogIndex: 99,
        lastLogTerm: 98,
        leadershipTransfer: false,
      },
    })
    expect(story.server('n1').consensus.status()).toMatchObject({ role: 'leader', term: before })
  })

  test('nonvoters get the log and are no part of any majority', () => {
    const story = new Story('', { voters: ['n1', 'n2'], nonvoters: ['n3', 'n4'] })
    story.lead('n1')
    story.crash('n2')
    story.propose('n1', 'x')
    story.settle()
    expect(story.server('n1').consensus.status().commitIndex).toBe(2)
    expect(logs(story)[2]).toBe('1 2 2')
    story.pass(300)
    expect(story.cluster.leaders()).toEqual([])
  })
})

describe('§7 Log compaction', () => {
  test('a follower that is too far behind gets the snapshot and then the entries after it', () => {
    const story = new Story('', { ...three, timing: { trailingLogs: 0 } })
    story.lead('n1')
    story.crash('n3')
    story.propose('n1', 'a', 'b')
    story.settle()
    story.server('n1').takeSnapshot()
    story.write('n1')
    story.propose('n1', 'c')
    story.settle()
    story.restart('n3')
    story.pass(100)
    expect(story.server('n3').machine).toEqual(story.server('n1').machine)
    expect(logs(story)[2]).toBe('2')
  })
})
