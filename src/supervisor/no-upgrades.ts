// A supervisor that nobody has put into an instance yet, where there would be something to hand over.

import type { UpgradeOperations } from './operations.ts'

export const NO_UPGRADES: UpgradeOperations = {
  upgrade: () => Promise.reject(new Error('this supervisor has nothing to hand over')),
  whenInCharge: () => Promise.resolve(),
  onReplaced: () => () => {},
}
