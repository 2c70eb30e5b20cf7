import { describe, expect, it } from 'vitest'
import { KvMachine } from '../../src/workload/kv-machine.ts'
import { profileOf } from '../../src/world/profiles.ts'
import { drawWorld } from '../../src/world/swarm.ts'
import { World } from '../../src/world/world.ts'
import { configuration } from '../checks/bench.ts'

const ALONE = { servers: [{ suffrage: 'voter', id: 'n4', address: 'n4' }] } as const

/** Three servers were bootstrapped, and n4 took the place of all of them; everybody has that on disk. */
function replaced(): World<KvMachine, number> {
  const drawn = drawWorld(1, profileOf('calm'), 4)
  const world = new World<KvMachine, number>(drawn, { newMachine: () => new KvMachine() })
  for (const { id, disk } of world.servers) {
    const entries = [...configuration(1, 1, 'n1', 'n2', 'n3'), ...configuration(2, 1, 'n4')]
    world.tree.append(id, disk.image, entries)
    disk.image.append(entries)
  }
  world.members.forced({ index: 2, configuration: ALONE }, 1)
  world.committed.commit('n4', 2, 1, [ALONE])
  return world
}

describe('a removed server may come back empty', () => {
  it('while those it may ask for votes remember that it was removed', () => {
    const world = replaced()
    expect(world.violation).toBeUndefined()
    expect(world.mayForget(world.serverOf('n3')!)).toBe(true)
  })

  it('unless another one did: given the log from its beginning, they would be a quorum of the first configuration', () => {
    const world = replaced()
    const { disk } = world.serverOf('n1')!
    disk.wipe()
    expect(world.mayForget(world.serverOf('n3')!)).toBe(false)
    disk.image.append([...configuration(1, 1, 'n1', 'n2', 'n3'), ...configuration(2, 1, 'n4')])
    expect(world.mayForget(world.serverOf('n3')!)).toBe(true)
  })
})
