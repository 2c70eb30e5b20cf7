// The second door of the package, `@raftkit/raft-node/parts`: nodes on parts of your own, such as those of
// @raftkit/simulator. What comes through it opens no file and no socket by itself.
export { startNode } from './start/start-node.ts'
export { startElection, type StartedElection } from './election/start-election.ts'
export type { CheckedOptions, FindProblems } from './start/check-options.ts'
export type { KeepOpen, NodeParts, OpenParts } from './start/node-parts.ts'
