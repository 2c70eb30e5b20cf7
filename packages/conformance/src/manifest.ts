import assert from 'node:assert/strict'

/** What every kind of store may or may not support. */
export interface StoreManifest {
  /** The data outlives the store object. */
  readonly reopen: boolean
  /** When the promise of a change resolves, a crash of the process does not take the change back. Implies `reopen`. */
  readonly durable: boolean
  /** Damaged bytes are found out instead of being returned. */
  readonly checksums: boolean
  /** A last write that reached the disk in part is found out, or is gone as a whole. */
  readonly tornWrites: boolean
}

/** What a log store may or may not support. */
export interface LogStoreManifest extends StoreManifest {
  /** It has `commitIndex()` and keeps what comes with an append. Absent: no. */
  readonly commitIndex?: boolean
}

/** Hooks of a store's suite that the flags need. */
type StoreHook = 'reopen' | 'crash' | 'kill' | 'corrupt' | 'tear'

/** The claims of a store's manifest, given how each one is proved. `crash` and `kill` both stand for `durable`. */
export function storeClaims(
  suite: { readonly supports: StoreManifest } & { readonly [hook in StoreHook]?: unknown },
  proofs: Readonly<Record<StoreHook, () => Promise<void>>>,
): Claim[] {
  const { supports } = suite
  assert.ok(supports.reopen || !supports.durable, 'what is durable can be reopened')
  const durable = suite.crash === undefined && suite.kill !== undefined ? 'kill' : 'crash'
  const claim = (flag: keyof StoreManifest, hook: StoreHook): Claim => ({
    flag,
    says: supports[flag],
    hook,
    given: suite[hook] !== undefined,
    proof: proofs[hook],
  })
  return [
    claim('reopen', 'reopen'),
    claim('durable', durable),
    claim('checksums', 'corrupt'),
    claim('tornWrites', 'tear'),
  ]
}

/** One flag of a manifest, and how it can be put to the test. */
export interface Claim {
  readonly flag: string
  readonly says: boolean
  /** The hook without which it cannot be tested. */
  readonly hook: string
  readonly given: boolean
  /** Passes when the implementation does what the flag stands for. Needs the hook. */
  readonly proof: () => Promise<void>
}

/**
 * Asserts that what the manifest says can be put to the test, and that nothing it denies is there. What it says is
 * tested by the cases that it switches on.
 */
export async function assertHonest(claims: readonly Claim[]): Promise<void> {
  for (const { flag, says, hook, given, proof } of claims) {
    assert.ok(given || !says, `supports.${flag} is true, so ${hook} must be given to test it`)
    if (given && !says)
      assert.equal(
        await passes(proof),
        false,
        `supports.${flag} is false, but that works: say true, so that it is tested`,
      )
  }
}

async function passes(proof: () => Promise<void>): Promise<boolean> {
  try {
    await proof()
    return true
  } catch {
    return false
  }
}
