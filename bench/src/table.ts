// What was measured, as tables for people.
import { median, type Contender, type Row } from './row.ts'

const columns = [
  'contender',
  'clients',
  'commands/s (min–max)',
  'p50 ms',
  'p99 ms',
  'CPU µs/cmd',
  'foreign CPU %',
]

/** Medians of all rounds, with the least and the most. */
export function measurements(
  rows: readonly Row[],
  contenders: readonly Contender[],
  clientCounts: readonly number[],
): string {
  const lines = contenders.flatMap((contender) =>
    clientCounts.map((clients) => {
      const of = rows.filter((row) => row.contender === contender && row.clients === clients)
      return [
        contender,
        String(clients),
        spread(
          of.map((row) => row.commandsPerSecond),
          (value) => Math.round(value).toLocaleString('en'),
        ),
        median(of.map((row) => row.p50Ms)).toFixed(2),
        median(of.map((row) => row.p99Ms)).toFixed(2),
        median(of.map((row) => row.cpuMicrosecondsPerCommand)).toFixed(1),
        Math.round(median(of.map((row) => row.foreignCpuPercent ?? Number.NaN))).toString(),
      ]
    }),
  )
  return aligned([columns, ...lines])
}

/** How many times as many commands per second `subject` does as each other contender, round by round. */
export function ratios(
  rows: readonly Row[],
  subject: Contender,
  others: readonly Contender[],
  clientCounts: readonly number[],
): string {
  const lines = others.map((other) => [
    `${subject} ÷ ${other}`,
    ...clientCounts.map((clients) => {
      const rounds = rows.filter((row) => row.contender === subject && row.clients === clients)
      const found = rounds.flatMap((row) => {
        const beside = rows.find(
          (peer) =>
            peer.contender === other && peer.clients === clients && peer.round === row.round,
        )
        return beside === undefined ? [] : [row.commandsPerSecond / beside.commandsPerSecond]
      })
      return spread(found, (value) => value.toFixed(2))
    }),
  ])
  return aligned([
    ['ratio of commands/s', ...clientCounts.map((clients) => `c=${clients}`)],
    ...lines,
  ])
}

function spread(numbers: readonly number[], text: (value: number) => string): string {
  return `${text(median(numbers))} (${text(Math.min(...numbers))}–${text(Math.max(...numbers))})`
}

/** Columns under each other, the first to the left. */
export function aligned(lines: readonly (readonly string[])[]): string {
  const widths = lines[0]!.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)))
  return lines
    .map((line) =>
      line
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
        .join('  '),
    )
    .join('\n')
}
