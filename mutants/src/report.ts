// What a run says at its end, for people and for programs.
import type { Verdict } from './hunt.ts'
import { nameOf } from './mutant.ts'

/** A run over some mutants. */
export interface Run {
  readonly verdicts: readonly Verdict[]
  /** Which part of the catalogue was asked for; undefined when it was all of it. */
  readonly part: string | undefined
  /** Mutants for which no time was left. */
  readonly left: readonly string[]
  readonly seconds: number
}

/** True when every mutant that was hunted was caught. */
export function isClean({ verdicts }: Run): boolean {
  return verdicts.every(({ finding }) => finding.outcome === 'caught')
}

/** The report for programs; mutants/README.md says what its fields mean. */
export function toJson(run: Run): object {
  const { verdicts, part, left, seconds } = run
  return {
    part: part ?? 'all',
    seconds,
    caught: count(verdicts, 'caught'),
    survived: count(verdicts, 'survived'),
    errors: count(verdicts, 'error'),
    left,
    mutants: verdicts.map(({ mutant, finding, hunter, seeds, seconds: took }) => ({
      name: mutant.name,
      broken: mutant.broken,
      source: mutant.source,
      files: mutant.edits.map(({ file }) => file),
      outcome: finding.outcome,
      by: finding.outcome === 'caught' ? finding.by : null,
      message: finding.outcome === 'survived' ? null : finding.message,
      hunter: nameOf(hunter),
      seeds,
      seconds: took,
    })),
  }
}

/** The report for people: a table in Markdown, then what was not caught. */
export function toText(run: Run): string {
  const { verdicts, left, seconds } = run
  const lines = [
    ...table(verdicts),
    '',
    `${count(verdicts, 'caught')} of ${verdicts.length} caught, ${count(verdicts, 'survived')} survived, ` +
      `${count(verdicts, 'error')} errors, in ${Math.round(seconds)} s`,
  ]
  if (left.length > 0) lines.push(`no time was left for ${left.join(', ')}`)
  for (const { mutant, finding, hunter } of verdicts) {
    if (finding.outcome === 'caught') continue
    const what = finding.outcome === 'survived' ? 'nothing noticed it' : finding.message
    lines.push('', `${mutant.name} (${nameOf(hunter)}): ${what}`)
  }
  return lines.join('\n')
}

function table(verdicts: readonly Verdict[]): string[] {
  const rows = verdicts.map(({ mutant, finding, hunter, seeds, seconds }) => [
    mutant.name,
    mutant.broken,
    finding.outcome === 'caught' ? finding.by : finding.outcome.toUpperCase(),
    'profile' in hunter
      ? `${seeds}${hunter.profile === 'default' ? '' : ` ${hunter.profile}`}`
      : 'test',
    seconds.toFixed(1),
  ])
  const all = [['mutant', 'what is broken', 'caught by', 'seeds', 's'], ...rows]
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)))
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`
  return [line(all[0]!), line(widths.map((width) => '-'.repeat(width))), ...all.slice(1).map(line)]
}

function count(verdicts: readonly Verdict[], outcome: Verdict['finding']['outcome']): number {
  return verdicts.filter(({ finding }) => finding.outcome === outcome).length
}
