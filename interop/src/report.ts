import type { CellResult } from './run-cell.ts'

const columns = ['run', 'result', 'acknowledged', 'unknown', 'lost', 'entries alike', 'seconds', '']

/** The results as a table. */
export function summarise(results: readonly CellResult[]): string {
  const rows = results.map((result) => [
    result.name,
    result.passed ? 'pass' : 'FAIL',
    String(result.acknowledged),
    String(result.unknown),
    String(result.lost),
    String(result.comparedEntries),
    (result.elapsedMs / 1000).toFixed(1),
    [...Object.entries(result.notes).map(([name, value]) => `${name} ${value}`), result.error ?? '']
      .filter((text) => text !== '')
      .join(', '),
  ])
  const widths = columns.map((column, i) =>
    Math.max(column.length, ...rows.map((row) => row[i]!.length)),
  )
  const isText = (i: number): boolean => i < 2 || i === columns.length - 1
  const lines = [columns, ...rows].map((row) =>
    row
      .map((cell, i) => (isText(i) ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd(),
  )
  const passed = results.filter((result) => result.passed).length
  const acknowledged = results.reduce((sum, result) => sum + result.acknowledged, 0)
  const lost = results.reduce((sum, result) => sum + result.lost, 0)
  return [
    ...lines,
    `${passed} of ${results.length} runs passed; ${acknowledged} writes acknowledged, ${lost} lost`,
  ].join('\n')
}
