import { type Profile, profileOf } from '@raftkit/simulator'

const everything = profileOf('default')

/** How far clocks may be off: a lease of 0.8 heartbeat timeouts is safe up to a ratio of 1.25. */
const CLOCK_RATES = [0.9, 0.95, 1, 1.05, 1.1]

/**
 * Members of an election cannot be asked to hand over, or to leave; and voters whose clocks jump forget what they promised
 * to a leader.
 */
const NOT_OF_AN_ELECTION = {
  transfer: Infinity,
  'lost hand-over': Infinity,
  remove: Infinity,
  demote: Infinity,
  several: Infinity,
  swap: Infinity,
  replace: Infinity,
  'clock jump': Infinity,
}

/**
 * All troubles of the default profile, for servers that only elect: with equal timeouts on all of them, clocks that run
 * within the drift that a lease allows and do not jump, and more pauses.
 */
export const electionProfile: Profile = {
  name: 'election',
  adjust(drawn, random) {
    const options = everything.adjust(drawn, random)
    const beatMs = Math.min(...options.configs.map((config) => config.heartbeatTimeoutMs))
    const equal = {
      leaderPriorities: {},
      heartbeatTimeoutMs: beatMs,
      electionTimeoutMs: Math.round(beatMs * random.pick([1, 1, 1.5, 2])),
      leaderLeaseTimeoutMs: Math.floor(beatMs * random.pick([0.4, 0.6, 0.8, 0.8])),
    }
    const equalised = (config: (typeof options.configs)[number]): typeof config => ({
      ...config,
      ...equal,
    })
    const pauses = random.chance(0.5) ? beatMs * random.between(1.5, 6) : options.intervals.pause
    return {
      ...options,
      configs: options.configs.map(equalised),
      otherConfigs: options.otherConfigs.map(equalised),
      clockRates: options.clockRates.map(() => random.pick(CLOCK_RATES)),
      intervals: { ...options.intervals, ...NOT_OF_AN_ELECTION, pause: pauses },
      workload: { ...options.workload, clients: 0, eager: 0 },
    }
  },
}
