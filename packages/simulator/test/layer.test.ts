// Code of a user's around Raft: what it is given, what is checked of it, and that a run with it is a run of its seed.
import { RaftError } from '@raftkit/interface'
import { Raft } from '@raftkit/raft-core'
import { describe, expect, it } from 'vitest'
import { type Layer, runSeed, type SeedResult, type Site } from '@raftkit/simulator'
import type { KvInput, KvOutput } from '../src/workload/kv-commands.ts'
import { KvMachine } from '../src/workload/kv-machine.ts'
import { kvWorkload } from '../src/workload/kv-workload.ts'

type KvLayer = Layer<KvMachine, KvInput, KvOutput>

/** Hands calls on to Raft; a command that fails is sent again so many times, whatever the failure says. */
function retrying(times: number, also: Partial<KvLayer> = {}): KvLayer {
  return {
    start: async ({ raftOptions, machine, mark }) => {
      const raft = await Raft.start(raftOptions)
      return {
        raft,
        call: async (call, limits) => {
          if ('read' in call) return raft.read(() => call.read(machine), limits)
          for (let again = times; ; again -= 1)
            try {
              return (await raft.apply(call.command, limits)).response
            } catch (error) {
              if (again === 0 && times === 0) throw error
              if (again === 0)
                throw new RaftError('RAFT_TIMEOUT', 'no answer', {
                  outcome: 'unknown',
                  cause: error,
                })
              mark('sent again')
            }
        },
      }
    },
    ...also,
  }
}

function run(seed: number, layer: KvLayer): Promise<SeedResult> {
  return runSeed(seed, {
    reduction: { untilMs: 8000 },
    stateMachine: () => new KvMachine(),
    workload: kvWorkload,
    layer: () => layer,
  })
}

/** The first failure among the first seeds. */
async function firstFailure(layer: KvLayer): Promise<SeedResult['violation']> {
  for (let seed = 1; seed <= 30; seed += 1) {
    const { violation } = await run(seed, layer)
    if (violation !== undefined) return violation
  }
  return undefined
}

describe('a layer around Raft', () => {
  it('runs on every server, and the same again', async () => {
    const first = await run(3, retrying(0))
    expect(first.violation).toBeUndefined()
    expect(first.calls).toBeGreaterThan(10)
    expect(first.ownMarks).toEqual({})
    expect((await run(3, retrying(0))).traceHash).toBe(first.traceHash)
  })

  it('is found out when it sends commands again that may have been applied', async () => {
    expect(await firstFailure(retrying(3))).toMatchObject({ check: 'applied once' })
  })

  it('counts situations of its own', async () => {
    const { ownMarks } = await run(2, retrying(1))
    expect(ownMarks['sent again']).toBeGreaterThan(0)
  })

  it('fails the seed with what it reports', async () => {
    const layer = retrying(0)
    const reporting = async (site: Site<KvMachine, KvOutput>): ReturnType<KvLayer['start']> => {
      site.report('something is odd')
      return layer.start(site)
    }
    const { violation } = await run(1, { start: reporting })
    expect(violation?.check).toBe('own check')
    expect(violation?.message).toMatch(/^n\d: something is odd$/)
  })

  it('must recover in time where it says that it has to', async () => {
    const { violation } = await run(3, retrying(0, { hasRecovered: () => false }))
    expect(violation?.check).toBe('liveness')
  })

  it('is stopped in its own way, and must leave no timer behind', async () => {
    let stops = 0
    const layer: KvLayer = {
      start: async (site) => {
        const service = await retrying(0).start(site)
        site.raftOptions.clock.setTimer(3_600_000, () => {})
        return {
          ...service,
          stop: async () => {
            stops += 1
            await service.raft.shutdown()
          },
        }
      },
    }
    expect((await run(3, layer)).violation?.check).toBe('nothing left over')
    expect(stops).toBeGreaterThan(0)
  })

  it('must answer only what was applied, and say what is known of the rest', async () => {
    const lying = retrying(0)
    const answering: KvLayer = {
      start: async (site) => ({ ...(await lying.start(site)), call: async () => 0 }),
    }
    expect(await firstFailure(answering)).toMatchObject({ check: 'acknowledged stays' })
    const silent: KvLayer = {
      start: async (site) => ({
        ...(await lying.start(site)),
        call: async () => {
          throw new RaftError('RAFT_TIMEOUT', 'late')
        },
      }),
    }
    expect(await firstFailure(silent)).toMatchObject({ check: 'honest outcomes' })
  })

  it('comes with a state machine and a workload', () => {
    expect(() =>
      runSeed(1, { layer: () => ({ start: () => Promise.reject(new Error('no')) }) }),
    ).toThrow('layer comes with both')
  })
})
