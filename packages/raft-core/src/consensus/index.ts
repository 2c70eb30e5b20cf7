export * from './effects.ts'
export * from './events.ts'
export * from './messages.ts'
export * from './options.ts'
