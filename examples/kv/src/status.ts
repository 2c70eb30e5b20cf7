/** What `GET /status` says of one node. */
export interface Status {
  readonly id: string
  readonly pid: number
  readonly state: string
  readonly term: number
  /** Address of the leader that this node knows of. */
  readonly leader: string | null
  readonly lastIndex: number
  readonly commitIndex: number
  readonly appliedIndex: number
  /** Index of the last entry in its newest snapshot; 0 when it has none. */
  readonly snapshotIndex: number
  /** Since the process started. */
  readonly snapshotsSaved: number
  readonly snapshotsInstalled: number
}
