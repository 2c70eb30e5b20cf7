// Somebody copies snapshots, and gives the cluster the state of an old one.
import { RaftError, type SnapshotMeta, type StateMachine } from '@raftkit/interface'
import { SNAPSHOT_HEADER_BYTES } from '../checks/checked-machine.ts'
import type { Stream } from '../random/streams.ts'
import type { SimulatedServer } from '../server/simulated-server.ts'
import type { World } from '../world/world.ts'
import type { Backup } from '../world/world-parts.ts'
import { type Act, someServer, troubleMs } from './act.ts'

/** The newest snapshot of some server is copied. */
export const backup: Act = (world, random) => {
  const server = someServer(world, random)
  const { run } = server
  if (run?.raft === undefined || world.onRestore === undefined) return
  const copied = copyOf(server).then((copy) => {
    world.backups.push(copy)
    world.marks.hit('a snapshot was copied')
  })
  copied.catch((error: unknown) => {
    if (!RaftError.is(error))
      world.violate('honest outcomes', `a snapshot cannot be opened: ${String(error)}`)
  })
}

/** The leader is given a copy, whole or not: the state of the cluster is what it was then. */
export const restore: Act = (world, random) => {
  if (world.backups.length > 0 && world.onRestore !== undefined)
    void restoreOn(world, random, random.pick(world.backups))
}

async function copyOf<M extends StateMachine<R>, R>({
  raft,
}: SimulatedServer<M, R>): Promise<Backup> {
  const opened = await raft!.openSnapshot()
  const chunks: Uint8Array[] = []
  for await (const chunk of opened.state) chunks.push(chunk)
  await opened.close()
  const state = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0))
  let place = 0
  for (const chunk of chunks) {
    state.set(chunk, place)
    place += chunk.length
  }
  return { meta: opened.meta, state }
}

async function restoreOn<M extends StateMachine<R>, R>(
  world: World<M, R>,
  random: Stream,
  { meta, state }: Backup,
): Promise<void> {
  const machine = world.newMachine()
  await machine.restore(once(state.subarray(SNAPSHOT_HEADER_BYTES)))
  const leader = world.leader()
  const run = leader?.run
  if (run?.raft === undefined || !world.isStormy()) return
  const isWhole = random.chance(0.8)
  const bytes = isWhole ? state : state.subarray(0, Math.floor(state.length * random.next()))
  world.trace.tell('someone', 'gives', run.raft.id, 'the snapshot of', meta.index)
  world.restores.asked(run.raft.id)
  const call = world.onRestore!(machine)
  const options = { timeoutMs: 1 + 3 * troubleMs(world, random), signal: world.stormEnd.signal }
  const asked = run.raft.restore(meta, once(bytes), options)
  world.openCalls.watch(`restore on ${run.raft.id}`, asked, run.process.died)
  // A crash says nothing.
  const crashed = run.process.died.then(() => 'crashed' as const)
  try {
    if ((await Promise.race([asked, crashed])) === 'crashed') return call.unknown()
    call.returned()
    world.marks.hit('a copied snapshot was restored')
    if (bytes.length < meta.size)
      world.violate('honest outcomes', 'a restore of too few bytes is said to have been made')
  } catch (error) {
    if (!RaftError.is(error)) throw error
    if (error.outcome !== 'not-committed') call.unknown()
    told(world, meta, error)
  }
}

function told<M extends StateMachine<R>, R>(
  { marks, violate, trace }: World<M, R>,
  { index }: SnapshotMeta,
  { code, outcome }: RaftError,
): void {
  trace.tell('someone', 'is refused the restore of', index, code)
  if (outcome === undefined)
    violate('honest outcomes', `a restore failed with ${code} and no outcome`)
  if (code === 'RAFT_SNAPSHOT_FAILED' && outcome === 'not-committed')
    marks.hit('a restore was refused because its bytes were not all')
  if (code === 'RAFT_LEADERSHIP_LOST' && outcome === 'unknown')
    marks.hit('leadership was lost in the middle of a restore')
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes
}
