import type { Scenario } from './scenario.ts'
import { catchUpByLog, catchUpBySnapshot } from './scenarios/catch-up.ts'
import { commands } from './scenarios/commands.ts'
import { crash } from './scenarios/crash.ts'
import { election } from './scenarios/election.ts'
import { membership } from './scenarios/membership.ts'
import { migrationByRejoin, migrationInPlace } from './scenarios/migration.ts'
import { replacement } from './scenarios/replacement.ts'
import { storm } from './scenarios/storm.ts'
import { transfer } from './scenarios/transfer.ts'

/** Every scenario, in the order in which they are run. */
export const scenarios: readonly Scenario[] = [
  election,
  commands,
  catchUpByLog,
  catchUpBySnapshot,
  crash,
  transfer,
  membership,
  replacement,
  migrationInPlace,
  migrationByRejoin,
  storm,
]
