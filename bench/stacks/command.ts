import { execFile } from 'node:child_process'
import type { CommandResult } from './stack.ts'

const timeoutMs = 120_000

/** Runs a program to its end. A failure is a result, not an error. */
export function runCommand(
  file: string,
  args: readonly string[],
  options: { cwd: string; env: Record<string, string> },
): Promise<CommandResult> {
  return new Promise(resolve => {
    execFile(file, args, { ...options, timeout: timeoutMs }, (error, stdout, stderr) =>
      resolve({ isDone: error === null, detail: `${stdout}${stderr}` }),
    )
  })
}
