import { type Clock, type Configuration, RaftError } from '@raftkit/interface'
import type { BootstrapRefusal } from '../../consensus/effects.ts'
import type { ConsensusEvent } from '../../consensus/events.ts'
import type { Caller, WaitOptions } from './caller.ts'
import { refusalError } from './refusals.ts'
import { waitFor } from './wait.ts'

/** Callers that give this running server the first configuration of a new cluster. One of them succeeds. */
export class Bootstraps {
  readonly #clock: Clock
  readonly #submit: (event: ConsensusEvent) => void
  readonly #pending = new Map<number, Caller<void>>()
  #nextId = 1

  constructor(clock: Clock, submit: (event: ConsensusEvent) => void) {
    this.#clock = clock
    this.#submit = submit
  }

  /** Resolves when the configuration is durable. */
  request(configuration: Configuration, options: WaitOptions | undefined): Promise<void> {
    return waitFor<void>(this.#clock, 'the bootstrap', options, (caller) => {
      const bootstrapId = this.#nextId++
      this.#pending.set(bootstrapId, caller)
      this.#submit({ type: 'bootstrap-requested', bootstrapId, configuration })
    })
  }

  ended(bootstrapId: number, refusal: BootstrapRefusal | undefined): void {
    const caller = this.#take(bootstrapId)
    if (refusal === undefined) caller?.resolve()
    else caller?.reject(refused(refusal))
  }

  /** The leader of another cluster replaced the entry before it was durable. */
  replaced(bootstrapId: number): void {
    this.#take(bootstrapId)?.reject(
      new RaftError(
        'RAFT_CANT_BOOTSTRAP',
        'another cluster took this server in while it was bootstrapped: look at its configuration',
      ),
    )
  }

  close(error: RaftError): void {
    for (const caller of this.#pending.values()) caller.reject(error)
    this.#pending.clear()
  }

  #take(bootstrapId: number): Caller<void> | undefined {
    const caller = this.#pending.get(bootstrapId)
    this.#pending.delete(bootstrapId)
    return caller
  }
}

function refused(refusal: BootstrapRefusal): RaftError {
  switch (refusal) {
    case 'has-state':
      return new RaftError(
        'RAFT_CANT_BOOTSTRAP',
        'bootstrap only works on new clusters: this server has state already, or takes part in a cluster',
      )
    case 'not-voter':
      return new RaftError(
        'RAFT_NOT_VOTER',
        'node is not a voter: this server must be a voter of the configuration that it is bootstrapped with',
      )
    case 'stopped':
      return refusalError(refusal, 'the bootstrap', undefined)
  }
}
