import * as z from 'zod'
import { backoff, command, docs, duration, environment, whole } from '../config/values.ts'
import { exitAfter, onFailure, refuseIdleExitAfter } from '../processes/failure-keys.ts'

const folder = z
  .string({ error: 'expected a folder' })
  .min(1, 'expected a folder')
  .optional()
  .register(docs, { description: 'Working directory; default: that of the app that answers /' })

const user = z
  .string({ error: 'expected the name of a user' })
  .min(1, 'expected the name of a user')
  .optional()
  .register(docs, { description: 'User it runs as; default: that of the app that answers /' })

const variables = environment.describe(
  "Variables, over those of the app that answers / and the container's own; {file: PATH} reads the value from a file",
)

const initCommand = z.strictObject({
  command: command.describe('What to run: a list of words, or one string split as a shell splits words'),
  directory: folder,
  user,
  env: variables,
  timeout: duration('5m').register(docs, {
    description: 'A command that has not ended by then is stopped, and the start with it',
  }),
})

/** One item of `init`: a command alone is short for {command: …}. */
export const initItem = z.union([command.transform(words => initCommand.parse({ command: words })), initCommand], {
  error: 'expected a command, or {command: …} with directory, user, env or timeout',
})

/** One of `processes`. */
export const backgroundProcess = z
  .strictObject({
    command: command.describe('What to run: a list of words, or one string split as a shell splits words'),
    directory: folder,
    user,
    env: variables,
    count: whole(1, 1024).default(1).register(docs, { description: 'How many of it run' }),
    graceful_timeout: duration('8s').register(docs, {
      description: 'Time to finish its work in after SIGTERM, before SIGKILL to the process group',
    }),
    min_uptime: duration('2s', 0).register(docs, {
      description: 'One that ends sooner has failed fast: backoff applies',
    }),
    backoff,
    on_failure: onFailure('When it ends by itself: restart it, or stop everything with its exit code'),
    exit_after: exitAfter(),
  })
  .superRefine((value, context) => {
    refuseIdleExitAfter(value, context)
    if (value.backoff.initial > value.backoff.max) {
      context.addIssue({ code: 'custom', path: ['backoff', 'initial'], message: 'expected at most backoff.max' })
    }
  })

/** A command that runs once, before anything else. Durations are in milliseconds. */
export type InitConfig = z.output<typeof initItem>
/** A process without a socket. Durations are in milliseconds. */
export type ProcessConfig = z.output<typeof backgroundProcess>
