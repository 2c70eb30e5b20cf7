// Joint consensus (§6): several members change at once. Those that are to win a vote receive the log first, without one;
// then one entry puts the old and the new members in force together, and once that is committed another one the new
// members alone. In between, every decision needs a majority of each half.
import type { Configuration, Server, ServerId } from '@raftkit/interface/protocol'
import { hasCaughtUp } from './catch-up.ts'
import { faultsOf } from '../configuration/configuration-change.ts'
import type { ChangeRefusal } from '../effects.ts'
import { progressOf } from '../election/leadership.ts'
import { refuseChange } from '../calls/membership-calls.ts'
import {
  configurationTo,
  newVoters,
  serversAfter,
  withLearners,
} from '../configuration/membership-plan.ts'
import { votersOf } from '../configuration/quorum.ts'
import { readinessOf } from '../leadership/raftkit-peers.ts'
import type { Leadership, MembershipCall, Plan, State } from '../state/state.ts'

/** A configuration to append, and the call that it carries out. */
export interface NextConfiguration {
  readonly configuration: Configuration
  readonly call: MembershipCall | undefined
}

/** What is to be done for a plan now. */
type Step =
  | 'wait'
  | { readonly refusal: ChangeRefusal; readonly server?: ServerId | undefined }
  | { readonly learners: Configuration }
  | { readonly configuration: Configuration }

/**
 * What ends the joint state that is committed, whoever began it. Asked only when the latest configuration is committed, and
 * an entry of the own term too: so there is one such entry in a leadership.
 */
export function endOfJoint(
  { membership }: State,
  { appendedChange: call }: Leadership,
): NextConfiguration | undefined {
  const { next: servers } = membership.latest.configuration
  return servers === undefined ? undefined : { configuration: { servers }, call }
}

/** The next configuration that a plan leads to; plans that have become impossible are refused. */
export function nextOfPlans(state: State, leadership: Leadership): NextConfiguration | undefined {
  for (const plan of leadership.plans) {
    const { call } = plan
    const step = stepOf(state, leadership, plan)
    if (step === 'wait') continue
    if ('learners' in step) return { configuration: step.learners, call: undefined }
    leadership.plans = leadership.plans.filter((other) => other !== plan)
    if ('configuration' in step) return { configuration: step.configuration, call }
    refuseChange(state, call, step.refusal, false, step.server)
  }
  return undefined
}

/** Looks at a plan anew: other changes may have been made while its servers were catching up. */
function stepOf(state: State, leadership: Leadership, plan: Plan): Step {
  const { configuration } = state.membership.latest
  const { change } = plan.call
  const learners = withLearners(configuration, change)
  const after = serversAfter(configuration, change)
  if ('unknownServer' in after)
    return {
      refusal: plan.hasBegun ? 'superseded' : 'unknown-server',
      server: after.unknownServer,
    }
  if (plan.hasBegun && learners !== undefined) return { refusal: 'superseded' }
  const fault = faultsOf(after)[0] ?? faultsOf(learners ?? configuration)[0]
  if (fault !== undefined) return { refusal: fault.problem, server: fault.server?.id }
  const next = configurationTo(configuration, after.servers)
  const obstacle = next.next && obstacleTo(state, leadership, configuration, next.next)
  if (obstacle !== undefined && obstacle !== 'wait') return obstacle
  // Not before it is known who speaks what: nothing changes when the plan is refused.
  if (!plan.hasBegun && obstacle === 'wait') return obstacle
  plan.hasBegun = true
  if (learners !== undefined) return { learners }
  const isReady = haveCaughtUp(state, leadership, newVoters(configuration, after.servers))
  return isReady && obstacle === undefined ? { configuration: next } : 'wait'
}

function obstacleTo(
  state: State,
  leadership: Leadership,
  { servers }: Configuration,
  target: readonly Server[],
): Exclude<Step, { readonly learners: Configuration }> | undefined {
  const voters = new Set(votersOf({ servers })[0])
  const staying = new Set(votersOf({ servers: target })[0]?.filter((id) => voters.has(id)))
  const readiness = readinessOf(state, leadership, servers, staying)
  if (readiness === 'ready') return undefined
  return readiness === 'wait' ? readiness : { refusal: 'not-raftkit', server: readiness.obstacle }
}

/** All of them, each by its own rounds: none is passed over, or its rounds would begin one after the other. */
function haveCaughtUp(state: State, leadership: Leadership, ids: readonly ServerId[]): boolean {
  let count = 0
  for (const id of ids) {
    const peer = progressOf(leadership, id)
    if (peer !== undefined && hasCaughtUp(state, peer)) count++
  }
  return count === ids.length
}
