/** How a write comes to be torn: the file is shorter than it should be, or its end was never filled in. */
export type Tear = 'cut' | 'zeros'

/** What a `tear` hook is asked to do to the end of what was written last. */
export interface TornEnd {
  /** Bytes that are damaged. */
  readonly bytes: number
  readonly how: Tear
}

/** Ends to be tried; what is written last in the suites is always longer than the longest of them. */
export const TORN_ENDS: readonly TornEnd[] = [1, 20, 200].flatMap((bytes): TornEnd[] => [
  { bytes, how: 'cut' },
  { bytes, how: 'zeros' },
])
