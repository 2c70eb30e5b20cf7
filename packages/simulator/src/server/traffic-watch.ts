import type { HardState, RpcRequest, RpcResponse, ServerId } from '@raftkit/interface'
import type { Raft } from '@raftkit/raft-core'
import { checkAcknowledgement } from '../checks/acknowledgements.ts'
import { SharedQuestions } from '../checks/shared-questions.ts'
import type { DiskImage } from '../disk/disk-image.ts'
import { type Answering, answerMark, arrivalMarks, isForgottenVote } from '../marks/server-marks.ts'
import type { Mark } from '../marks/marks.ts'
import type { TransportObserver } from '../network/gated-transport.ts'
import { requestFacts, responseFacts } from '../story/message-words.ts'
import type { CrashPoints } from '../world/world-options.ts'
import type { Checks } from './surroundings.ts'

/** What a {@link TrafficWatch} knows of its server. */
export interface TrafficWatchParts<R> {
  readonly id: ServerId
  readonly image: () => DiskImage
  readonly raft: () => Raft<R> | undefined
  /** Term and vote with which the process started. */
  readonly startedWith: HardState | undefined
  readonly crashPoints: CrashPoints
  /** A moment came that a crash may follow: `share` of such moments do. */
  readonly onCrashPoint: (share: number, what: string) => void
  /** False for a request that must not be carried out again. */
  readonly isAwaited: (request: RpcRequest) => boolean
  /** A request has come, and will be carried out. */
  readonly onArrived: (request: RpcRequest) => void
  /** The answer to a request has come. */
  readonly onAnswered: () => void
  /** The world's time. */
  readonly now: () => number
  /** A request left. */
  readonly onSent: (to: string, request: RpcRequest) => void
}

/** Looks at everything that one server sends and gets: story, checks, marks, and moments for a crash. */
export class TrafficWatch<R> implements TransportObserver {
  readonly #parts: TrafficWatchParts<R>
  readonly #checks: Checks
  readonly #questions: SharedQuestions
  /** What the snapshots that are being installed mean here. */
  #installing: readonly { readonly request: RpcRequest; readonly mark: Mark }[] = []

  constructor(parts: TrafficWatchParts<R>, checks: Checks) {
    this.#parts = parts
    this.#checks = checks
    this.#questions = new SharedQuestions(parts.id, checks.violate)
  }

  onRequest({ address: to }: { readonly address: string }, request: RpcRequest): void {
    const { id, image, crashPoints, now, onSent, onCrashPoint } = this.#parts
    const { trace, elections, marks } = this.#checks
    trace.tell(id, 'sends', to, ...requestFacts(request))
    elections.asks(id, image(), request)
    onSent(to, request)
    this.#questions.sent(request, now())
    if (request.type === 'install-snapshot') marks.hit('a snapshot was sent')
    if (request.type === 'timeout-now') marks.hit('a transfer was asked for by the leader')
    if (request.type === 'request-vote')
      onCrashPoint(crashPoints.voteRequested, 'asking for a vote')
  }

  onArrival(request: RpcRequest): boolean {
    if (!this.#parts.isAwaited(request)) return false
    this.#parts.onArrived(request)
    const server = this.#answering()
    if (server === undefined) return true
    for (const mark of arrivalMarks(request, server))
      if (request.type === 'install-snapshot')
        this.#installing = [...this.#installing, { request, mark }]
      else this.#checks.marks.hit(mark)
    return true
  }

  onResponse(request: RpcRequest, response: RpcResponse): void {
    const { id, image, crashPoints, onCrashPoint } = this.#parts
    const { trace, elections, committed, restores, violate, marks } = this.#checks
    if (!(request.type === 'append-entries' && request.entries === null))
      trace.tell(id, 'answers', request.header.id, ...responseFacts(response))
    elections.answers(id, image(), request, response)
    checkAcknowledgement(violate, id, image(), request, response, {
      committedTerm: (index) => committed.termAt(index),
      isReplaced: (index, term) => restores.isReplaced(image(), index, term),
    })
    const server = this.#answering()
    const mark = server === undefined ? undefined : answerMark(request, response, server)
    if (mark !== undefined) marks.hit(mark)
    if (response.type === 'install-snapshot') this.#installed(request, response.success)
    if (response.type === 'request-vote' && response.granted)
      onCrashPoint(crashPoints.voteGranted, 'giving a vote')
    if (response.type === 'append-entries' && response.success)
      onCrashPoint(crashPoints.appendAcknowledged, 'acknowledging entries')
  }

  onAnswer(request: RpcRequest, response: RpcResponse): void {
    this.#parts.onAnswered()
    const raft = this.#parts.raft()
    if (raft !== undefined && isForgottenVote(raft, response))
      this.#checks.marks.hit('a vote of a forgotten disk was refused')
    if (raft === undefined || request.type !== 'append-entries' || request.entries === null) return
    const isOver = raft.state !== 'leader' || raft.currentTerm !== request.term
    if (isOver && 'success' in response && response.success)
      this.#checks.marks.hit('a stale acknowledgement was ignored')
  }

  onBrokenSnapshot(): void {
    this.#checks.marks.hit('a connection broke in the middle of a snapshot')
  }

  #installed(request: RpcRequest, success: boolean): void {
    const marks = this.#installing.filter((one) => one.request === request)
    this.#installing = this.#installing.filter((one) => one.request !== request)
    if (success) for (const { mark } of marks) this.#checks.marks.hit(mark)
  }

  #answering(): Answering | undefined {
    const { raft: raftNow, image, startedWith } = this.#parts
    const raft = raftNow()
    return raft === undefined ? undefined : { raft, image: image(), startedWith }
  }
}
