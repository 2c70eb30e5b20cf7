// Named situations that a run should reach: coverage that people can read.

/** Every mark. */
export const MARKS = [
  // elections
  'a leader was elected',
  'an election found no majority',
  'two servers asked for votes in one term',
  'a leader without a quorum stepped down',
  'a leader stepped down for a higher term',
  'a leader whose disk hung stepped down',
  'a leader that slept woke up after another was elected',
  'a server noticed that its event loop stood still',
  'an election deadline passed in a stall while heartbeats waited',
  'a vote was given',
  'a vote was refused because a leader is known',
  'a vote was refused because another has it',
  'a vote was refused because the log is behind',
  'a vote was refused in an old term',
  'a vote from before a restart was asked for again',
  'a pre-vote was given',
  'a pre-vote was refused because a leader is known',
  'a pre-vote was refused because the log is behind',
  // replication
  'entries did not fit and were refused',
  'entries of an old leader were refused',
  'entries came that were there already',
  'entries of earlier terms were committed with one of a new term',
  'entries were read from the disk for others',
  'a conflicting suffix was removed',
  'a stale acknowledgement was ignored',
  'a request came again much later',
  // snapshots
  'a snapshot was taken',
  'a snapshot was sent',
  'a snapshot was installed',
  'a snapshot was installed onto a conflicting suffix',
  'a snapshot was installed and the log behind it kept',
  'an old snapshot was not installed again',
  'a connection broke in the middle of a snapshot',
  'the log was compacted',
  // operations
  'a command of unknown outcome',
  'a command of unknown outcome took effect',
  'a command that was said not to be committed',
  'a command was refused because too many wait',
  'a command was refused during a transfer',
  'a command went through another server to the leader',
  'a read was answered',
  'a read was made on the lease',
  'a leader that had been replaced was asked for a read',
  'a lease was asked for where a later leader had committed',
  'voters started again behind a partition from their leader',
  'a leader was cut off when its successor heard of it',
  'a read was served on the lease without a round',
  'a read that a lease would do for needed a round after a stall',
  'a read that a lease would do for was refused during a hand-over',
  'a bounded read of a follower was served without asking anybody',
  'a bounded read had to ask',
  'a bounded read was refused',
  'a stale read missed what was acknowledged',
  'a stale read was served by a removed server',
  'a stale read after a restart saw less than one before',
  'a new read was served by a follower',
  'a new read was served by a nonvoter',
  'a read was refused by a removed server',
  'a read reached a server that had just woken up',
  'many reads were confirmed by one round',
  'one question to the leader served many reads',
  'a read waited for the first entry of a term',
  'a read was refused because leadership was lost',
  'a leader proved that it leads',
  'a leader could not prove that it leads',
  'a barrier was passed',
  'a transfer was asked for by the leader',
  'a transfer succeeded',
  'a transfer failed',
  'a server was shut down and started with other options',
  'a running server got other options',
  'a snapshot was copied',
  'a copied snapshot was restored',
  'a restore was refused because its bytes were not all',
  'leadership was lost in the middle of a restore',
  'a server with a lost restore stopped',
  'a command was replaced by a restore',
  'a running server was bootstrapped',
  'a server belonged to the cluster before it was bootstrapped',
  'a leader handed over to a server of higher priority',
  // members
  'a nonvoter was added',
  'a staged server got its vote',
  'a server got its vote at once',
  'a removed server was added again',
  'a server was removed',
  'a server was told that it was removed',
  'a leader removed itself',
  'a leader that removed itself shut down',
  'a voter was demoted',
  'a leader demoted itself',
  'a server was moved to another address',
  'a change was refused because the configuration had changed',
  'a change that had begun was given up',
  'leadership was lost in the middle of a change',
  'a configuration was rolled back',
  'a snapshot brought a configuration',
  'several members were changed at once',
  'a server was put in the place of another',
  'a joint state came to its end',
  'another leader ended a joint state',
  'a leader was lost in the joint state',
  'a snapshot was taken in the joint state',
  'a cluster grew to 5 voters or more',
  'a cluster shrank to 1 voter',
  // servers
  'a server restarted with what it had',
  'a server started from a snapshot',
  'a server applied what it knew to be committed before it took part',
  'a server crashed just after giving a vote',
  'a server crashed just after a durable write',
  'a server crashed while it started',
  'all servers crashed at once',
  'a clock jumped',
  // disks
  'a write failed and the server stopped',
  'a disk was full',
  'a crash took a write away',
  'a crash left a write whole',
  'a torn last write was dropped',
  'damage in the log was found at the start',
  'damage of term and vote was found at the start',
  'damage of a snapshot was found at the start',
  'damage was found by a running server',
  'an older snapshot stood in for a damaged one',
  'a server that lost its disk stayed out',
  'a server came back with an empty disk',
  'a server that lost its disk was removed and added again',
  'a vote of a forgotten disk was refused',
  'a server learned that it is known with another disk',
  // after a disaster
  'a cluster was recovered by its survivors',
  'a recovery was interrupted and run again',
] as const

/** One of {@link MARKS}. */
export type Mark = (typeof MARKS)[number]

/** How often each mark was reached. */
export class MarkCounts {
  readonly #counts = new Map<Mark, number>()
  readonly #own = new Map<string, number>()

  hit(mark: Mark): void {
    this.#counts.set(mark, (this.#counts.get(mark) ?? 0) + 1)
  }

  /** A situation of the user's, by a name of their own. */
  hitOwn(name: string): void {
    this.#own.set(name, (this.#own.get(name) ?? 0) + 1)
  }

  get reachedOwn(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#own)
  }

  /** Marks that were reached, with how often. */
  get reached(): Readonly<Partial<Record<Mark, number>>> {
    return Object.fromEntries(this.#counts)
  }
}
