// Disks that hang, fill up, rot or are lost. Slow writes, failing syncs and torn writes are the weather of each disk.
import { rot } from '../disk/bit-rot.ts'
import { type Act, leaderOrAny, someServer, troubleMs } from './act.ts'

/** No write ends for a while. */
export const diskHangs: Act = (world, random) => {
  const { disk, id } = leaderOrAny(world, random)
  const forMs = troubleMs(world, random)
  world.trace.tell(id, 'has a disk that hangs for', forMs)
  disk.hang()
  world.time.after(forMs, () => disk.release())
}

/** Every write fails for a while. */
export const diskFull: Act = (world, random) => {
  const { disk, id } = someServer(world, random)
  world.trace.tell(id, 'has a full disk')
  disk.isFull = true
  world.time.after(troubleMs(world, random), () => {
    disk.isFull = false
  })
}

/** A byte on a disk changes, as long as not too many disks are damaged. */
export const bitRot: Act = (world, random) => {
  const server = leaderOrAny(world, random)
  // One that starts may have read it already, and is to find what was there before.
  if (!world.mayLose(server) || (server.isUp && server.raft === undefined)) return
  const part = rot(server.disk.image, random)
  if (part === undefined) return
  world.trace.tell(server.id, 'has a disk that rots:', part)
  if (random.chance(0.6)) server.crash('killed', random.exponential(world.options.meanDownMs))
}

/** A server and its disk are lost. */
export const wipe: Act = (world, random) => {
  const server = leaderOrAny(world, random)
  if (!world.mayLose(server)) return
  server.wipe(random.exponential(world.options.meanDownMs))
}
