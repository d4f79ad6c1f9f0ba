import * as z from 'zod'
import { docs, duration, whole } from '../config/values.ts'

/** What follows when a program ends by itself. */
export const onFailure = (description: string) =>
  z.enum(['restart', 'exit'], { error: 'expected restart or exit' }).default('restart').register(docs, { description })

/** How many failures, within which time, `on_failure: exit` waits for. */
export const exitAfter = () =>
  z
    .strictObject({
      failures: whole(1, 1000).default(1).register(docs, {
        description: 'With on_failure: exit, the number of failures that ends everything; fewer are restarted',
      }),
      within: duration('1m').register(docs, { description: 'The time in which that many failures have to come' }),
    })
    .optional()

interface FailureKeys {
  on_failure: 'restart' | 'exit'
  exit_after?: { failures: number; within: number } | undefined
}

/** Complains about an exit_after that nothing asks for. */
export function refuseIdleExitAfter(value: FailureKeys, context: z.RefinementCtx): void {
  if (value.exit_after && value.on_failure !== 'exit')
    context.addIssue({ code: 'custom', path: ['exit_after'], message: 'expected on_failure: exit beside it' })
}
