import type { DiskId, Index, Server } from '@raftkit/interface/protocol'

/** An AppendEntries under way. */
export interface SentAppend {
  readonly sendId: number
  readonly prevLogIndex: Index
  /** Last entry that a success proves: prevLogIndex plus the entries sent, never what the peer says it has. */
  readonly lastIndex: Index
  readonly bytes: number
  /** The commit index that it tells. */
  readonly leaderCommit: Index
  readonly sentAt: number
  /** Heartbeat round that had begun when this was sent. */
  readonly round: number
}

/** A heartbeat under way. */
export interface SentHeartbeat {
  readonly sendId: number
  readonly sentAt: number
  readonly round: number
}

/** A snapshot under way. */
export interface SentSnapshot {
  readonly sendId: number
  readonly sentAt: number
  readonly round: number
  /** Known once the runtime has opened it; until then, that of the newest snapshot. */
  readonly index: Index
}

/** A staged server's race with the log: it must reach `target`, what there was when the round began (§4.2.1). */
export interface CatchUpRound {
  readonly target: Index
  readonly startedAt: number
}

/** A server that was removed, until it knows. */
export interface Departure {
  /** Index of the configuration without it. */
  readonly index: Index
  /** When to stop telling it; Infinity while its removal is not committed. */
  deadline: number
}

const FIRST_BACKOFF_MS = 10

/** What a leader knows of one other server (nextIndex and matchIndex of Figure 2, and the traffic under way). */
export class Progress {
  server: Server
  /**
   * `probe`: looking for the last common entry, one request at a time; `pipeline`: found, requests are sent ahead;
   * `snapshot`: the entries that the peer needs are compacted away.
   */
  state: 'probe' | 'pipeline' | 'snapshot' = 'probe'
  matchIndex: Index = 0
  nextIndex: Index
  /** In the order in which they were sent. */
  inflight: SentAppend[] = []
  inflightBytes = 0
  /** The `read-entries` under way; 0 when there is none. */
  readId = 0
  snapshot: SentSnapshot | undefined = undefined
  readonly heartbeats: SentHeartbeat[] = []
  /** Sends that failed one after the other. */
  failures = 0
  /** Nothing but heartbeats is sent before this time. */
  retryAt: number = -Infinity
  /** When to tell the peer of the commit index if no entries carry it before; Infinity when it knows. */
  commitNoticeAt: number = Infinity
  /** When the newest request that the peer answered was sent: contact is certain only from then on. */
  lastContact: number
  /** Newest heartbeat round that the peer has confirmed this leader in. */
  ackedRound = 0
  /** The peer knows that everything up to here is committed. */
  knownCommit: Index = 0
  catchUp: CatchUpRound | undefined = undefined
  /** Set once the latest configuration is without this server. */
  departure: Departure | undefined = undefined
  isReachable = true
  /** It has answered this leader. */
  isHeard = false
  /** Since when this server could have led at any time; Infinity when it could not, or nobody looked. */
  steadySince: number = Infinity
  isRaftkit = false
  /** The peer's disk, as it says. */
  diskId: DiskId | undefined = undefined
  /** The peer answers with another disk than the one that it is known with. */
  isDiskLost = false

  /** `nextIndex` starts right after the leader's log (§5.3); `now` gives the peer one lease to answer. */
  constructor(server: Server, nextIndex: Index, now: number) {
    this.server = server
    this.nextIndex = nextIndex
    this.lastContact = now
  }

  /** Looks for the last common entry again; answers to what is under way no longer count. */
  enterProbe(nextIndex: Index): void {
    this.state = 'probe'
    this.nextIndex = Math.max(nextIndex, this.matchIndex + 1)
    this.#dropSends()
  }

  enterPipeline(): void {
    this.state = 'pipeline'
    this.nextIndex = Math.max(this.nextIndex, this.matchIndex + 1)
  }

  enterSnapshot(snapshot: SentSnapshot): void {
    this.#dropSends()
    this.state = 'snapshot'
    this.snapshot = snapshot
  }

  /** Back to probing after a pause that doubles, from 10 ms up to `longestMs`. */
  backOff(now: number, longestMs: number): void {
    const pause = Math.min(FIRST_BACKOFF_MS * 2 ** Math.min(this.failures, 30), longestMs)
    this.failures++
    this.retryAt = now + pause
    this.enterProbe(this.state === 'pipeline' ? this.matchIndex + 1 : this.nextIndex)
  }

  /** The peer is there: no pause any more. */
  clearBackOff(): void {
    this.failures = 0
    this.retryAt = -Infinity
  }

  /** The peer answered a request that was sent at `sentAt`, in this leader's term. */
  contact(sentAt: number, round: number): void {
    if (sentAt > this.lastContact) this.lastContact = sentAt
    if (round > this.ackedRound) this.ackedRound = round
  }

  /** Notes an AppendEntries; in a pipeline, what follows it may go out before its answer. */
  sent(append: SentAppend): void {
    this.inflight.push(append)
    this.inflightBytes += append.bytes
    if (this.state === 'pipeline') this.nextIndex = append.lastIndex + 1
  }

  /**
   * The AppendEntries that an answer belongs to, which is then no longer under way; undefined for one that no
   * longer counts. With `cumulative`, nor are those sent before it: its success proves theirs.
   */
  takeAppend(sendId: number, cumulative: boolean): SentAppend | undefined {
    let position = 0
    while (position < this.inflight.length && this.inflight[position]!.sendId !== sendId) position++
    const append = this.inflight[position]
    if (append === undefined) return undefined
    const from = cumulative ? 0 : position
    for (let other = from; other <= position; other++)
      this.inflightBytes -= this.inflight[other]!.bytes
    if (position === 0) this.inflight.shift()
    else this.inflight.splice(from, position - from + 1)
    return append
  }

  /** The heartbeat that an answer belongs to, which is then no longer under way. */
  takeHeartbeat(sendId: number): SentHeartbeat | undefined {
    const position = this.heartbeats.findIndex((heartbeat) => heartbeat.sendId === sendId)
    return position < 0 ? undefined : this.heartbeats.splice(position, 1)[0]
  }

  /** True for a request under way, whose answer counts. */
  awaits(sendId: number): boolean {
    for (const append of this.inflight) if (append.sendId === sendId) return true
    for (const heartbeat of this.heartbeats) if (heartbeat.sendId === sendId) return true
    return this.snapshot?.sendId === sendId
  }

  #dropSends(): void {
    this.inflight = []
    this.inflightBytes = 0
    this.readId = 0
    this.snapshot = undefined
  }
}
