// The workspace is linked by pnpm; `npm install` would leave a tree that does not resolve. `npm start` and
// `npm test` fetch the pinned pnpm by themselves.
if (!(process.env.npm_config_user_agent ?? '').startsWith('pnpm/')) {
  console.error(
    'Use `npm start` or `npm test` (they install by themselves), or `npx pnpm@10.34.9 install`.',
  )
  process.exit(1)
}
