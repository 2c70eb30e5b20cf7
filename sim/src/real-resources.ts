/** Timers, files and sockets that this process has open, by kind: a simulation opens none. */
export function realResources(): string {
  const resources = process.getActiveResourcesInfo().filter((kind) => kind !== 'Immediate')
  return resources.toSorted().join(', ')
}
