import * as z from 'zod'
import { docs, duration, whole } from '../config/values.ts'

/** The key `on_failure`: reaction to a program that ends by itself. */
export const onFailure = (description: string) =>
  z.enum(['restart', 'exit'], { error: 'expected restart or exit' }).default('restart').register(docs, { description })

/** The key `exit_after`: number of failures, and the period they must occur in, for `on_failure: exit`. */
export const exitAfter = () =>
  z
    .strictObject({
      failures: whole(1, 1000).default(1).register(docs, {
        description:
          'With on_failure: exit, the number of failures that stops Monohull; after fewer, the program is restarted',
      }),
      within: duration('1m').register(docs, { description: 'Period in which these failures must occur' }),
    })
    .optional()

interface FailureKeys {
  on_failure: 'restart' | 'exit'
  exit_after?: { failures: number; within: number } | undefined
}

/** Rejects an exit_after that has no effect. */
export function rejectUnusedExitAfter(value: FailureKeys, context: z.RefinementCtx): void {
  if (value.exit_after && value.on_failure !== 'exit')
    context.addIssue({ code: 'custom', path: ['exit_after'], message: 'expected on_failure: exit beside it' })
}
