// Upper bounds of histogram buckets, shared so that distributions can be compared.

/** Seconds: from a tenth of a millisecond, which an append in memory takes, to a disk that hangs. */
export const SHORT_SECONDS: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
]

/** Seconds: what is done once in a while to a whole state. */
export const LONG_SECONDS: readonly number[] = [
  0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 600, 1800,
]

/** How many at once. */
export const BATCH_ENTRIES: readonly number[] = [
  1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096, 16_384,
]
