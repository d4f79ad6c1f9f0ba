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

runCli(process.argv.slice(2), world).then(exit, error => {
  process.stderr.write(`monohull: internal error, please report it: ${error instanceof Error ? error.stack : error}\n`)
  exit(70)
})

/** Ends the process once its output is written: a pipe takes 64 KB, and the rest when its reader has read them. */
function exit(code: number): void {
  const unwritten = [process.stdout, process.stderr].filter(({ writableLength }) => writableLength > 0)
  if (unwritten.length === 0) process.exit(code)
  for (const stream of unwritten)
    stream.write('', () => {
      if (unwritten.every(({ writableLength }) => writableLength === 0)) process.exit(code)
    })
}
