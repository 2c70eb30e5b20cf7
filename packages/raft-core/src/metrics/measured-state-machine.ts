import type {
  Clock,
  Histogram,
  LogEntry,
  StateMachine,
  StateMachineSnapshot,
} from '@raftkit/interface'
import type { Instruments } from './instruments.ts'
import type { Saturation } from './saturation.ts'
import { timed, toSeconds } from './timing.ts'

/** What the measurement of a state machine needs. */
export interface StateMachineMeasures {
  readonly clock: Clock
  readonly instruments: Instruments
  readonly saturation: Saturation
  /** Told how long a restore took. */
  readonly onRestored: (seconds: number) => void
}

/** The same state machine, its calls measured. What it answers at once is still answered at once. */
export function measuredStateMachine<R>(
  stateMachine: StateMachine<R>,
  { clock, instruments, saturation, onRestored }: StateMachineMeasures,
): StateMachine<R> {
  const { fsmApply, fsmApplyBatch, fsmApplyBatchSize, fsmStoreConfiguration } = instruments
  const ended = (histogram: Histogram, startedAt: number): void => {
    const now = clock.now()
    saturation.end(now)
    histogram.record(toSeconds(now - startedAt))
  }
  const measure = <T>(histogram: Histogram, call: () => T | Promise<T>): T | Promise<T> => {
    const startedAt = clock.now()
    saturation.begin(startedAt)
    let isPending = false
    try {
      const result = call()
      if (!(result instanceof Promise)) return result
      isPending = true
      const end = (): void => ended(histogram, startedAt)
      result.then(end, end)
      return result
    } finally {
      if (!isPending) ended(histogram, startedAt)
    }
  }
  return {
    apply: (entry) => measure(fsmApply, () => stateMachine.apply(entry)),
    ...(stateMachine.applyBatch !== undefined && {
      applyBatch: (entries: readonly LogEntry[]) => {
        fsmApplyBatchSize.record(entries.length)
        return measure(fsmApplyBatch, () => stateMachine.applyBatch!(entries))
      },
    }),
    ...(stateMachine.storeConfiguration !== undefined && {
      storeConfiguration: (...given: Parameters<typeof stateMachine.storeConfiguration>) =>
        measure(fsmStoreConfiguration, () => stateMachine.storeConfiguration!(...given)),
    }),
    snapshot: async () => {
      const { fsmSnapshot, snapshotPersist } = instruments
      const captured = await measure(fsmSnapshot, () => stateMachine.snapshot())
      return measuredPersist(captured, clock, snapshotPersist)
    },
    restore: async (state) => {
      const startedAt = clock.now()
      await measure(instruments.fsmRestore, () => stateMachine.restore(state))
      onRestored(toSeconds(clock.now() - startedAt))
    },
  }
}

function measuredPersist(
  snapshot: StateMachineSnapshot,
  clock: Clock,
  histogram: Histogram,
): StateMachineSnapshot {
  return {
    persist: (writer) => timed(clock, histogram, async () => snapshot.persist(writer)),
    release: () => snapshot.release?.(),
  }
}
