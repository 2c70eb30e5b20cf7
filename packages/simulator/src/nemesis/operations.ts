// What somebody asks of a cluster while the faults last, beside commands and reads: one function for each operation.
import { RaftError, type StateMachine } from '@raftkit/interface'
import type { Stream } from '../random/streams.ts'
import type { ServerRun } from '../server/server-run.ts'
import { proveLeadership } from '../workload/leadership-proof.ts'
import type { World } from '../world/world.ts'
import { type Act, leaderOrAny, someServer, troubleMs } from './act.ts'

/** The leader is asked to hand over. */
export const transfer: Act = (world, random) => {
  const to = random.chance(0.5) ? undefined : someServer(world, random).id
  ask(world, random, 'transfer', (raft, timeoutMs) =>
    raft.transferLeadership(to, { timeoutMs }).then(
      () => world.marks.hit('a transfer succeeded'),
      (error: unknown) => {
        if (RaftError.is(error, 'RAFT_LEADERSHIP_TRANSFER_FAILED'))
          world.marks.hit('a transfer failed')
        throw error
      },
    ),
  )
}

/** Any server is asked for a snapshot. */
export const snapshot: Act = (world, random) => {
  const { id, run } = someServer(world, random)
  world.trace.tell('someone', 'asks', id, 'for a snapshot')
  if (run?.raft === undefined) return
  const timeoutMs = troubleMs(world, random) + 1
  const call = run.raft.snapshot({ timeoutMs })
  world.openCalls.watch(`a snapshot of ${id}`, call, run.process.died)
  call.catch(() => {})
}

/** When a barrier resolves, its server has applied everything that was acknowledged before. */
export const barrier: Act = (world, random) => {
  const needed = world.acknowledged.lastIndex
  ask(world, random, 'barrier', async (raft, timeoutMs) => {
    await raft.barrier({ timeoutMs })
    world.marks.hit('a barrier was passed')
    world.acknowledged.read(raft.id, needed, raft.appliedIndex)
  })
}

/** A server that says it leads was not replaced before it was asked. */
export const verifyLeader: Act = (world, random) =>
  ask(world, random, 'verify leader', (raft, timeoutMs) => proveLeadership(world, raft, timeoutMs))

/** A read index covers everything that was acknowledged before. */
export const readIndex: Act = (world, random) => {
  const needed = world.acknowledged.lastIndex
  ask(world, random, 'read index', async (raft, timeoutMs) => {
    const index = await raft.readIndex({ timeoutMs })
    world.acknowledged.read(raft.id, needed, index)
  })
}

/** A server is shut down in an orderly way, and started with other options. */
export const restart: Act = (world, random) =>
  leaderOrAny(world, random).restart(random.exponential(world.options.meanDownMs))

/** A running server gets its other timeouts and snapshot options, or those that it had before. */
export const reload: Act = (world, random) => leaderOrAny(world, random).reload()

/** Asks whoever leads, or some server. */
function ask<M extends StateMachine<R>, R>(
  world: World<M, R>,
  random: Stream,
  what: string,
  call: (raft: NonNullable<ServerRun<M, R>['raft']>, timeoutMs: number) => Promise<unknown>,
): void {
  const { id, run } = leaderOrAny(world, random)
  const timeoutMs = troubleMs(world, random) + 1
  world.trace.tell('someone', 'asks', id, 'for', what)
  if (run?.raft === undefined) return
  const asked = call(run.raft, timeoutMs)
  world.openCalls.watch(`${what} of ${id}`, asked, run.process.died)
  asked.catch(() => {})
}
