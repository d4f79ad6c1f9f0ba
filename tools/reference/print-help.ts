import { runProgram } from '../../supervisor/cli/program.ts'

/** Prints the program's help to each command that is named, and NUL after it: a start of the program for each would take long. */
for (const command of ['', ...process.argv.slice(2)]) {
  await runProgram(['help', ...(command ? [command] : [])], { env: {}, home: '', umask: 0o022 })
  process.stdout.write('\0')
}
