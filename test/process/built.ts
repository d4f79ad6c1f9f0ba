import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

const home = join(import.meta.dirname, '../..')

// test/run.sh has built; a test file that is run by hand may come after a change of a source
if (process.env.TEST_RUN_LABEL === undefined)
  execFileSync(join(home, 'test/build.sh'), { stdio: ['ignore', 'ignore', 'inherit'] })

/** Path of the program `monohull`, built from the sources as they were when the test run began. */
export const launcher = join(home, 'dist/launcher.cjs')

/** Path of the program that is Docker's HEALTHCHECK, of the same build. */
export const healthcheck = join(home, 'dist/healthcheck.cjs')
