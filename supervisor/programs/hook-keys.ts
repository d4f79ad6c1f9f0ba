import * as z from 'zod'
import { parseDuration } from '../base/duration.ts'
import { commandText, docs, duration, toWords } from '../config/values.ts'

const hookTimeout = '30s'
const hookTimeoutMs = parseDuration(hookTimeout) ?? 0

/** Command to run at an event, with a timeout. */
const hook = (when: string) =>
  z
    .union([commandText, z.strictObject({ command: commandText, timeout: duration(hookTimeout) })], {
      error: 'expected a command, or {command: node migrate.js, timeout: 2m}',
    })
    .transform((value, context) => {
      const isCommand = typeof value === 'string' || Array.isArray(value)
      const { command, timeout } = isCommand ? { command: value, timeout: hookTimeoutMs } : value
      return { command: toWords(command, context), timeout }
    })
    .optional()
    .register(docs, {
      description: `Command to run ${when}; {command, timeout} replaces the timeout of ${hookTimeout}`,
    })

/** Keys of the hooks. */
export const hooks = z
  .strictObject({
    before_start: hook('when the ports are bound, before the first worker; if it fails, startup fails'),
    worker_ready: hook('when a worker has become ready'),
    worker_exit: hook('when a worker has ended, for any reason'),
    before_reload: hook('before a reload changes anything; if it fails, the reload is abandoned'),
    after_reload: hook('after a successful reload'),
    before_stop: hook('before a graceful stop, within the first half of stop_timeout'),
  })
  .prefault({})
