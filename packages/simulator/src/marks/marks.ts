// Named situations that a run should reach: coverage that people can read.

/** Every mark. */
export const MARKS = [
  'a leader was elected',
  'an election found no majority',
  'a leader without a quorum stepped down',
  'a leader stepped down for a higher term',
  'a server noticed that its event loop stood still',
  'a vote was given',
  'a vote was refused',
  'a pre-vote was refused',
  'entries did not fit and were refused',
  'a conflicting suffix was removed',
  'a snapshot was taken',
  'a snapshot was sent',
  'a snapshot was installed',
  'a server restarted with what it had',
  'a server crashed just after giving a vote',
  'a server crashed just after a durable write',
  'a write failed and the server stopped',
  'a transfer was asked for by the leader',
  'a command of unknown outcome',
  'a command that was said not to be committed',
  'a read was answered',
  'a request came again much later',
] as const

/** One of {@link MARKS}. */
export type Mark = (typeof MARKS)[number]

/** How often each mark was reached. */
export class MarkCounts {
  readonly #counts = new Map<Mark, number>()

  hit(mark: Mark): void {
    this.#counts.set(mark, (this.#counts.get(mark) ?? 0) + 1)
  }

  /** Marks that were reached, with how often. */
  get reached(): Readonly<Partial<Record<Mark, number>>> {
    return Object.fromEntries(this.#counts)
  }
}
