import { RaftError } from '@raftkit/interface'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Effect } from '../../src/consensus/effects.ts'
import type { ConsensusEvent, Moment } from '../../src/consensus/events.ts'
import { StallWatch } from '../../src/runtime/stall-watch.ts'
import { Turn, type TurnParts } from '../../src/runtime/turn.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const event = (index: number): ConsensusEvent => ({ type: 'applied', index })
const nameOf = (stepped: ConsensusEvent): string =>
  stepped.type === 'applied' ? `applied ${stepped.index}` : stepped.type

let clock: VirtualClock
let stallWatch: StallWatch
let happened: string[]
let turn: Turn
/** What a step of that event gives. */
let effects: Map<string, Effect[]>

function create(parts: Partial<TurnParts> = {}): Turn {
  return new Turn({
    clock,
    random: { next: () => 0.5 },
    stallWatch,
    step: (stepped) => {
      happened.push(nameOf(stepped))
      return effects.get(nameOf(stepped)) ?? []
    },
    carryOut: (effect) => happened.push(`> ${effect.type}`),
    onStart: () => {},
    onRound: () => {},
    onEnd: () => {},
    onBroken: (error) => happened.push(error.code),
    ...parts,
  })
}

beforeEach(() => {
  clock = new VirtualClock()
  stallWatch = new StallWatch(clock, 100, () => {})
  happened = []
  effects = new Map()
  turn = create()
})

describe('Turn', () => {
  it('steps everything that arrived together, then the end of the turn, then acts', async () => {
    effects.set('applied 1', [{ type: 'commit', index: 1 }])
    effects.set('turn-ended', [{ type: 'wake-at', time: 1 }])
    turn.add(event(1))
    turn.add(event(2))
    expect(happened).toEqual([])
    await clock.settle()
    expect(happened).toEqual(['applied 1', 'applied 2', 'turn-ended', '> commit', '> wake-at'])
  })

  it('gives every step of a turn the same time, and each round a fresh chance', async () => {
    const moments: Moment[] = []
    let next = 0
    turn = create({
      random: { next: () => next++ },
      step: (_, moment) => {
        moments.push(moment)
        return []
      },
    })
    turn.add(event(1))
    await clock.settle()
    expect(moments).toEqual([
      { now: clock.now(), random: 0 },
      { now: clock.now(), random: 0 },
    ])
  })

  it('never steps while effects are carried out; what they bring makes another round', async () => {
    effects.set('applied 1', [
      { type: 'commit', index: 1 },
      { type: 'commit', index: 2 },
    ])
    let isFirst = true
    turn = create({
      carryOut: () => {
        happened.push('>')
        if (isFirst) turn.add(event(5))
        isFirst = false
        happened.push('<')
      },
    })
    turn.add(event(1))
    await clock.settle()
    expect(happened).toEqual([
      'applied 1',
      'turn-ended',
      '>',
      '<',
      '>',
      '<',
      'applied 5',
      'turn-ended',
    ])
  })

  it('ends at some point even if every round brings more, and goes on after waiting input', async () => {
    let rounds = 0
    turn = create({
      onRound: () => {
        rounds++
        if (rounds < 40) turn.add(event(rounds))
        if (rounds === 1) clock.afterInput(() => happened.push('input'))
      },
    })
    turn.add(event(0))
    await clock.settle()
    expect(rounds).toBe(40)
    expect(happened.indexOf('input')).toBeLessThan(happened.indexOf('applied 39'))
    expect(happened.indexOf('input')).toBeGreaterThan(0)
  })

  it('follows when it is asked for during a turn', async () => {
    let asked = 0
    turn = create({
      onRound: () => {
        if (asked++ === 0) turn.ask()
      },
    })
    turn.ask()
    await clock.settle()
    expect(happened).toEqual(['turn-ended', 'turn-ended'])
  })

  it('reports a stall before what arrived during it', async () => {
    stallWatch.start()
    turn.add(event(1))
    clock.freeze(500)
    await clock.settle()
    expect(happened).toEqual(['stalled', 'applied 1', 'turn-ended'])
  })

  it('collects what callers asked for before it steps', async () => {
    turn = create({ onStart: () => turn.add({ type: 'proposed', count: 3 }) })
    turn.add(event(1))
    await clock.settle()
    expect(happened).toEqual(['applied 1', 'proposed', 'turn-ended'])
  })

  it('stops in the middle of the effects when it is closed', async () => {
    effects.set('turn-ended', [
      { type: 'commit', index: 1 },
      { type: 'commit', index: 2 },
    ])
    turn = create({
      carryOut: () => {
        happened.push('>')
        turn.close()
      },
    })
    turn.ask()
    await clock.settle()
    turn.add(event(1))
    turn.ask()
    await clock.settle()
    expect(happened).toEqual(['turn-ended', '>'])
  })

  it.each([
    [new Error('oops'), 'RAFT_INVARIANT_VIOLATED'],
    [new RaftError('RAFT_STORE_CORRUPT', 'oops'), 'RAFT_STORE_CORRUPT'],
  ])('tells when the runtime is broken: %s', async (error, code) => {
    turn = create({
      onRound: () => {
        throw error
      },
    })
    turn.ask()
    await clock.settle()
    expect(happened).toEqual(['turn-ended', code])
  })
})
