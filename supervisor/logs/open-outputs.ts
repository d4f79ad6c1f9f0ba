import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Metric } from '../base/metrics.ts'
import { createAccessFile, unusable } from './adapters/log-directory.ts'
import { type LogFile, openLogFile } from './adapters/log-file.ts'
import type { Output } from './adapters/output.ts'
import type { LogsConfig } from './keys.ts'
import { dropping, tee } from './wrapped-outputs.ts'

/** Outputs with what the key `logs` adds. */
export interface OpenOutputs {
  stdout: Output
  stderr: Output
  /** Stdout for access lines, which are in a file of their own. */
  access: Output
  /** Opens the files again. Call it before nginx opens its own again. */
  reopen(): void
  metrics(): Metric[]
}

/** Dependencies of `openOutputs`. */
export interface OpenOutputsDeps {
  clock: Clock
  /** Log that writes to these outputs. */
  log: Pick<Log, 'error' | 'warn' | 'info'>
  stdout: Output
  stderr: Output
}

/** Wraps stdout and stderr for `logs.files` and `logs.overflow`. */
export function openOutputs(config: LogsConfig, { clock, log, stdout, stderr }: OpenOutputsDeps): OpenOutputs {
  const dropped = new Map<string, number>()
  const count = (sink: string) => {
    dropped.set(sink, 0)
    return (lines: number) => void dropped.set(sink, (dropped.get(sink) ?? 0) + lines)
  }
  const bounded = (name: string, output: Output) =>
    config.overflow === 'block'
      ? output
      : dropping(output, {
          onDropped: count(name),
          onRoom: lines => log.warn('lines were dropped, because nobody read them', { output: name, lines }),
        })
  const file = config.files && openFile(config.files, { clock, log, onDropped: count('file') })
  const add = (output: Output) => (file ? tee(output, file) : output)
  const access = bounded('stdout', stdout)
  return {
    stdout: add(access),
    access,
    stderr: add(bounded('stderr', stderr)),
    reopen() {
      file?.reopen()
      if (config.files) createAccessFile(config.files.directory)
    },
    metrics: () => [
      {
        name: 'log_lines_dropped_total',
        type: 'counter',
        help: 'Log lines that were lost: nobody read the output, or the disk was full',
        samples: [...dropped].map(([sink, value]) => ({ labels: { sink }, value })),
      },
    ],
  }
}

function openFile(
  { directory, max_size }: NonNullable<LogsConfig['files']>,
  deps: { clock: Clock; log: Pick<Log, 'error' | 'info'>; onDropped: (lines: number) => void },
): LogFile {
  try {
    const file = openLogFile({ ...deps, directory, kind: 'monohull', maxBytes: max_size })
    createAccessFile(directory)
    return file
  } catch (error) {
    throw unusable(directory, error)
  }
}
