// Members of a leader election: at most one of them is told at a time that it leads.
import type { LogEntry, StateMachine } from '@raftkit/interface'
import type { LeaderElection } from '@raftkit/raft-node'
import { startElection } from '@raftkit/raft-node/parts'
import type { Layer, Service, Site, Workload } from '@raftkit/simulator'
import { electionProfile } from './election-profile.ts'
import { type Kind, kindOf } from './kind.ts'
import { nodePlace } from './node-place.ts'
import { type Court, Reigns } from './reigns.ts'
import { Work } from './work.ts'

/** What a thousand seeds reach. */
const MARKS = [
  'a leadership began',
  'a server began to lead again',
  'a lease ran out before a timer could tell',
  'a signal was aborted right after a stall',
  'a leader that worked heard that it is over',
  'a leader stopped',
  'a leader that stopped handed over',
  'a callback was added while its server led',
] as const

type ElectionSite = Site<StandIn, Uint8Array>

/** Elections bring a machine of their own: this one is never asked for anything. */
class StandIn implements StateMachine<Uint8Array> {
  apply(_entry: LogEntry): never {
    throw new Error('an election has no commands')
  }

  snapshot(): never {
    throw new Error('an election has no state')
  }

  restore(): Promise<void> {
    return Promise.reject(new Error('an election has no state'))
  }
}

/** Nobody calls: what is told to leaders is all that there is. */
const nobody = (): Workload<StandIn, never, Uint8Array> => ({
  next: () => {
    throw new Error('an election has no clients')
  },
})

/** Members on every server of one run. */
class ElectionLayer implements Layer<StandIn, never, Uint8Array> {
  readonly #reigns = new Reigns()
  #now: () => number = () => 0

  readonly hasRecovered = (): boolean => this.#reigns.haveResumed(this.#now())

  readonly start = async (site: ElectionSite): Promise<Service<StandIn, never, Uint8Array>> => {
    this.#now = site.worldTime
    const { id, random, raftOptions } = site
    const { config, stateMachine: _, ...parts } = raftOptions
    const { clock } = parts
    const { election, node } = await startElection(nodePlace(id, config), async () => parts)
    const court: Court = {
      ...site,
      beatMs: config.heartbeatTimeoutMs,
      soon: (callback) => void clock.setTimer(0, callback),
    }
    const work = new Work(site, court, this.#reigns)
    election.onLeadership(work.callback)
    const late = lateCallback(site, election)
    const timeoutMs = 200 + random.next() * 1500
    return {
      raft: node.raft,
      call: () => Promise.reject(new Error('an election has no clients')),
      stop: async () => {
        late.cancel()
        const present = work.present
        const stopped = election.stop({ timeoutMs, transferLeadership: random.next() < 0.8 })
        work.stopped(present)
        await stopped
      },
    }
  }
}

/** A callback that comes some time after the start, always fails, and is taken back again. */
function lateCallback(
  { random, report, mark, raftOptions: { clock, config } }: ElectionSite,
  election: LeaderElection,
): { readonly cancel: () => void } {
  const afterMs = random.next() * 20 * config.heartbeatTimeoutMs
  const forMs = random.next() * 20 * config.heartbeatTimeoutMs
  let isAdded = true
  let timer = clock.setTimer(afterMs, () => {
    if (election.isLeader) mark('a callback was added while its server led')
    const remove = election.onLeadership(() => {
      if (!isAdded) report('calls a callback that was taken back')
      throw new Error('this callback always fails')
    })
    timer = clock.setTimer(forMs, () => {
      isAdded = false
      remove()
    })
  })
  return { cancel: () => timer.cancel() }
}

/** Leader election by lease. */
export const election: Kind = kindOf(MARKS, {
  profile: electionProfile,
  stateMachine: () => new StandIn(),
  workload: nobody,
  layer: () => new ElectionLayer(),
})
