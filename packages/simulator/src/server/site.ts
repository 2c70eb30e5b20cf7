// What servers make of code of the user's around Raft.
import type { StateMachine } from '@raftkit/interface'
import type { Site } from './layer.ts'
import type { Surroundings } from './surroundings.ts'

/** What code of the user's is given on one server. */
export function siteOf<M extends StateMachine<R>, R>(
  { time, trace, marks, violate }: Surroundings<M, R>,
  raftOptions: Site<M, R>['raftOptions'],
  own: Pick<Site<M, R>, 'machine' | 'random' | 'standStill'>,
): Site<M, R> {
  const { id } = raftOptions
  return {
    ...own,
    id,
    raftOptions,
    worldTime: () => time.now(),
    report: (problem) => violate('own check', `${id}: ${problem}`),
    mark: (name) => marks.hitOwn(name),
    tell: (...facts) => trace.tell(id, ...facts),
  }
}

/** What is forwarded is carried out once, unless servers know it again. */
export function isAwaited<M extends StateMachine<R>, R>(
  { forwarded, launcher, marks }: Surroundings<M, R>,
  payload: Uint8Array,
): boolean {
  if (forwarded.begin(payload)) return true
  if (launcher?.mayRepeatForwards !== true) return false
  marks.hitOwn('a forwarded request came twice')
  return true
}
