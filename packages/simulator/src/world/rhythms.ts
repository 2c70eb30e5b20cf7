// How often something is done to a cluster.
import type { Stream } from '../random/streams.ts'
import type { ChangeName, Intervals, NemesisName, TakeoverName } from './world-options.ts'

/** Mean number of election timeouts between two acts of each nemesis when it is on: from, to. */
const RHYTHMS: Readonly<
  Record<Exclude<NemesisName, ChangeName | TakeoverName>, readonly [number, number]>
> = {
  crash: [5, 50],
  'crash leader': [8, 60],
  'crash all': [20, 100],
  pause: [5, 50],
  isolate: [5, 40],
  split: [8, 50],
  'one way': [6, 40],
  bridge: [10, 50],
  ring: [10, 50],
  flap: [2, 10],
  'slow link': [5, 40],
  'narrow link': [5, 40],
  reset: [2, 30],
  'disk hangs': [8, 60],
  'disk full': [15, 80],
  'bit rot': [5, 40],
  wipe: [10, 60],
  'clock jump': [5, 50],
  transfer: [3, 30],
  snapshot: [2, 30],
  barrier: [2, 30],
  'verify leader': [1, 20],
  'read index': [1, 20],
  restart: [5, 50],
  reload: [3, 30],
  backup: [2, 10],
  restore: [4, 40],
}

/** How often each nemesis acts. */
export function drawIntervals(
  beatMs: number,
  random: Stream,
): Omit<Intervals, ChangeName | TakeoverName> {
  const draw = (name: keyof typeof RHYTHMS): number => {
    const [least, most] = RHYTHMS[name]
    const interval = beatMs * random.magnitude(least, most)
    return random.chance(name === 'flap' ? 0.8 : 0.6) ? Infinity : interval
  }
  const names = Object.keys(RHYTHMS) as (keyof typeof RHYTHMS)[]
  return Object.fromEntries(names.map((name) => [name, draw(name)])) as Record<
    keyof typeof RHYTHMS,
    number
  >
}

/** How often one server takes over while another still believes that it leads. */
export function drawTakeovers(beatMs: number, random: Stream): Pick<Intervals, TakeoverName> {
  const draw = (): number => (random.chance(0.7) ? Infinity : beatMs * random.magnitude(8, 60))
  return { defection: draw(), 'lost hand-over': draw() }
}

/** Where members change, servers are also added: a cluster that only shrinks soon is one server. */
export function drawChanges(
  beatMs: number,
  isOn: boolean,
  random: Stream,
): Pick<Intervals, ChangeName> {
  const draw = (share: number, least: number, most: number): number =>
    isOn && random.chance(share) ? beatMs * random.magnitude(least, most) : Infinity
  return {
    add: draw(1, 2, 12),
    remove: draw(0.7, 3, 25),
    demote: draw(0.5, 6, 40),
    move: draw(0.35, 10, 50),
    replace: draw(0.8, 3, 15),
    several: draw(0.5, 3, 25),
    swap: draw(0.4, 4, 30),
  }
}
