import { dirname } from 'node:path'
import { readStartEnvironment } from './cli/adapters/start-environment.ts'
import { runCli } from './cli/cli.ts'

/** umask of monohull. nginx's workers run as another user and must reach sockets and pages; secret files set their own mode. */
const ownUmask = 0o022

/** Environment of the program: nothing below reads process.env or ends the process. */
const world = {
  ...readStartEnvironment(process.env),
  home: dirname(import.meta.dirname),
  umask: process.umask(ownUmask),
}

// the reader of `monohull help | head` has closed the pipe
process.stdout.on('error', () => process.exit(0))

runCli(process.argv.slice(2), world).then(
  code => process.exit(code),
  error => {
    process.stderr.write(
      `monohull: internal error, please report it: ${error instanceof Error ? error.stack : error}\n`,
    )
    process.exit(70)
  },
)
