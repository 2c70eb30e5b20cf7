// The part of the interface that names no platform type: what the pure consensus core may import.
export * from './protocol/configuration.ts'
export * from './protocol/entry-batch.ts'
export * from './protocol/hard-state.ts'
export * from './protocol/log-entry.ts'
export * from './protocol/numbers.ts'
export * from './protocol/rpc.ts'
export * from './protocol/rpc-label.ts'
