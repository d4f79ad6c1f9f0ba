import * as z from 'zod'
import type { WithGrace } from '../config/grace.ts'
import { backoff, command, docs, duration, environment, optionalDuration, whole } from '../config/values.ts'
import { after } from '../processes/after-key.ts'
import { exitAfter, onFailure, rejectUnusedExitAfter } from '../processes/failure-keys.ts'
import { stopSignal } from '../processes/stop-signal-key.ts'
import { health, ready } from './check-keys.ts'

/** Directory of a program. */
export const directory = z
  .string({ error: 'expected a directory' })
  .min(1, 'expected a directory')
  .optional()
  .register(docs, {
    description: 'Working directory, relative to the current one; default: that of the app that serves /',
  })

/** User of a program. */
export const user = z
  .string({ error: 'expected the name of a user' })
  .min(1, 'expected the name of a user')
  .optional()
  .register(docs, { description: 'User it runs as; default: that of the app that serves /' })

/** Variables of a program. */
export const variables = environment.describe(
  "Environment variables, which override those of the app that serves / and the container's; {file: PATH} reads the value from a file",
)

const initCommand = z.strictObject({
  command: command.describe('What to run: a list of words, or one string split as a shell splits words'),
  directory,
  user,
  env: variables,
  timeout: duration('5m').register(docs, {
    description: 'Time limit; a command that exceeds it is stopped, and startup fails',
  }),
  after: after('Processes that start before the command, and must be ready first'),
})

/** Item of `init`: a command alone is short for {command: …}. */
export const initItem = z.union([command.transform(words => initCommand.parse({ command: words })), initCommand], {
  error: 'expected a command, or {command: …} with directory, user, env, timeout or after',
})

/** Value of an entry of `processes`. */
export const backgroundProcess = z
  .strictObject({
    command: command.describe('What to run: a list of words, or one string split as a shell splits words'),
    directory,
    user,
    env: variables,
    count: whole(1, 1024).default(1).register(docs, { description: 'Number of instances' }),
    after: after(
      'Processes and apps that must be ready before it first starts; a stop ends it before those processes. It is not restarted with them',
    ),
    ready,
    health,
    stop_signal: stopSignal(),
    graceful_timeout: optionalDuration().register(docs, {
      description:
        'Time to finish its work after stop_signal, before SIGKILL to the process group; default: 8s, or what stop_timeout leaves',
    }),
    min_uptime: duration('2s', 0).register(docs, {
      description: 'A process that ends sooner has failed fast: backoff applies',
    }),
    backoff,
    restart: z
      .enum(['always', 'on_failure', 'never'], { error: 'expected always, on_failure or never' })
      .default('always')
      .register(docs, {
        description:
          'Ends after which it is started again: all, those with an exit code other than 0 or by a signal, or none',
      }),
    on_failure: onFailure('When it fails: restart it, or stop everything with its exit code'),
    exit_after: exitAfter(),
  })
  .superRefine((value, context) => {
    rejectUnusedExitAfter(value, context)
    if (value.backoff.initial > value.backoff.max) {
      context.addIssue({ code: 'custom', path: ['backoff', 'initial'], message: 'expected at most backoff.max' })
    }
  })

/** Problems of `ready.line` where the lines of programs are not seen. */
export function describeLineProblems({
  log_format,
  processes,
}: {
  log_format: string
  processes: Readonly<Record<string, { ready?: { line?: string | undefined } | undefined }>>
}): { path: string[]; message: string; params: { fix: string } }[] {
  if (log_format !== 'raw') return []
  return Object.entries(processes)
    .filter(([, { ready }]) => ready?.line !== undefined)
    .map(([name]) => ({
      path: ['processes', name, 'ready', 'line'],
      message: 'has no effect with log_format: raw, in which programs write their lines themselves',
      params: { fix: 'use tcp, unix, http or exec, or another log_format' },
    }))
}

/** Configured init command. Durations in ms. */
export type InitConfig = z.output<typeof initItem>
/** Configured background process. Durations in ms. */
export type ProcessConfig = WithGrace<z.output<typeof backgroundProcess>>
/** Keys that every program has. */
export type ProgramConfig = Pick<InitConfig, 'command' | 'directory' | 'user' | 'env'>
