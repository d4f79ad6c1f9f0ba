import { dirname } from 'node:path'
import { runCli } from './cli/cli.ts'

/** nginx's workers are another user's, and have to reach sockets and pages; what is secret says so itself. */
const ownUmask = 0o022

/** argv and environment in, exit code out: nothing below reads process.env or ends the process. */
const world = { env: { ...process.env }, home: dirname(import.meta.dirname), umask: process.umask(ownUmask) }

// `monohull help | head`: the reader has seen enough
process.stdout.on('error', () => process.exit(0))

runCli(process.argv.slice(2), world).then(
  code => process.exit(code),
  error => {
    process.stderr.write(
      `monohull: internal fault, please report it: ${error instanceof Error ? error.stack : error}\n`,
    )
    process.exit(70)
  },
)
