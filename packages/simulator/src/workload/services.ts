// Calls that go through code of the user's instead of to Raft itself.
import type { StateMachine } from '@raftkit/interface'
import type { Raft } from '@raftkit/raft-core'
import type { Launched, Launcher, Layer, Service, Site } from '../server/layer.ts'
import type { World } from '../world/world.ts'
import type { Ledger } from './ledger.ts'
import type { Reached } from './reached.ts'
import type { Call } from './workload.ts'

/** What runs on servers, by its Raft. */
export class Services<M extends StateMachine<R>, Input, R> implements Launcher<M, R> {
  readonly #layer: Layer<M, Input, R>
  readonly #services = new WeakMap<Raft<R>, Service<M, Input, R>>()

  constructor(layer: Layer<M, Input, R>) {
    this.#layer = layer
  }

  get mayRepeatForwards(): boolean {
    return this.#layer.repeatForwards ?? false
  }

  /** True when what is around Raft has recovered from the faults, which have ended. */
  get haveRecovered(): boolean {
    return this.#layer.hasRecovered?.() ?? true
  }

  /** Starts what runs on a server. */
  readonly start = async (site: Site<M, R>): Promise<Launched<R>> => {
    const service = await this.#layer.start(site)
    this.#services.set(service.raft, service)
    return service
  }

  /**
   * Has a call carried out. A command that was answered must have been applied: where that was, nobody says who is above
   * Raft, so it is looked up.
   */
  async call(
    { options, acknowledged, marks, violate }: World<M, R>,
    ledger: Ledger<Input, R>,
    { raft }: Reached<M, R>,
    call: Call<M, Input, R>,
  ): Promise<R> {
    const service = this.#services.get(raft)
    if (service === undefined) throw new Error(`nothing runs on ${raft.id}`)
    const wasLeader = raft.state === 'leader'
    const output = await service.call(call, { timeoutMs: options.workload.timeoutMs })
    if ('read' in call) return output
    const applied = ledger.appliedAs(call.command)
    if (applied === undefined)
      violate('acknowledged stays', `${raft.id} answers a command that no server has applied`)
    else acknowledged.acknowledged(raft.id, applied.index, applied.term)
    if (!wasLeader) marks.hit('a command went through another server to the leader')
    return output
  }
}
