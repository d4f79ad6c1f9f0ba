import { closeSync, writeSync } from 'node:fs'
import { messageOf } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import { openToAppend } from './log-directory.ts'
import type { Output } from './output.ts'

/**
 * Output that also appends to files to which another program appends. They are opened for each write, because others rename and truncate
 * them. What cannot be written to a file is lost there; the log says so once.
 */
export function appending(output: Output, paths: readonly string[], log: Pick<Log, 'error' | 'info'>): Output {
  const failing = new Set<string>()

  function append(path: string, data: Buffer | string): void {
    try {
      const file = openToAppend(path)
      try {
        writeSync(file, Buffer.from(data))
      } finally {
        closeSync(file)
      }
      if (failing.delete(path)) log.info('access lines are written to the log file again', { file: path })
    } catch (error) {
      if (!failing.has(path))
        log.error('cannot write access lines to a log file, they are lost', { file: path, error: messageOf(error) })
      failing.add(path)
    }
  }

  return {
    ...output,
    write(data) {
      output.write(data)
      for (const path of paths) append(path, data)
    },
  }
}
