/** Measures real time: gives a function that tells how long ago that was, milliseconds. For reports only. */
export function stopwatch(): () => number {
  const startedAt = performance.now()
  return () => performance.now() - startedAt
}
