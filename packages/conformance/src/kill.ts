// How a suite has a store's process ended in the middle of a change: what it asks for, and what it is told.

/** What the process works on: the script of steps that the suite of that name holds the store against. */
export type KillScript = 'log' | 'stable' | 'snapshot'

/** Where in its last step the process ends. */
export type KillMoment =
  /** When the event loop went round so many times after the step was begun; 0: in the same turn. */
  | { readonly turns: number }
  /** Instead of the n-th call, from 1, with which the step syncs, renames or shortens a file. */
  | { readonly diskCall: number }

/** What a process is to do. */
export interface KillOrder {
  readonly script: KillScript
  /** It carries out so many steps of the script, on a new store. */
  readonly steps: number
  /** Where it ends. Absent, or when the step is over before: as soon as all steps are acknowledged. */
  readonly moment?: KillMoment
}

/** What became of it. */
export interface Killed<S> {
  /** The store opened again, on what the process left. */
  readonly store: S
  /** Steps whose promise had resolved. */
  readonly acknowledged: number
  /** Disk calls of each acknowledged step. */
  readonly diskCalls: readonly number[]
}

/** Carries out an order in a process of its own, which ends without warning, and opens what it left. */
export type Kill<S> = (order: KillOrder) => Promise<Killed<S>>

/**
 * Moments in a step that makes so many disk calls: after some turns, and at up to `tried` of the calls. Each takes a
 * process, which takes its time: other steps have other moments.
 */
export function momentsOf(step: number, diskCalls: number, tried: number): KillMoment[] {
  const turns = [0, 1, 3, 8, 20]
  return [
    { turns: turns[step % turns.length]! },
    ...Array.from({ length: Math.min(diskCalls, tried) }, (_, i) => ({
      diskCall: 1 + ((step + i * Math.ceil(diskCalls / tried)) % diskCalls),
    })),
  ]
}

/** The moment in words. */
export function placeOf(moment: KillMoment | undefined): string {
  if (!moment) return 'at the end'
  return 'turns' in moment ? `${moment.turns} turns into` : `at disk call ${moment.diskCall}`
}
