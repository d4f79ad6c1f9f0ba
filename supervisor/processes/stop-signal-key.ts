import * as z from 'zod'
import { docs } from '../config/values.ts'

/** Signals that a program can handle, and that nothing else sends. */
const possible = ['TERM', 'INT', 'QUIT', 'HUP', 'USR1', 'USR2', 'WINCH'] as const
const expected = `expected ${possible.slice(0, -1).join(', ')} or ${possible.at(-1)}`

/** The key `stop_signal`: signal on which a program stops gracefully, with or without `SIG`; undefined: that of its manual. */
export const stopSignal = () =>
  z
    .string({ error: expected })
    .transform((text, context): NodeJS.Signals | undefined => {
      const name = possible.find(one => one === text.toUpperCase().replace(/^SIG/, ''))
      if (name === undefined) context.addIssue({ code: 'custom', message: expected })
      return name && `SIG${name}`
    })
    .optional()
    .register(docs, {
      description:
        'Signal on which it finishes its work and ends; default: TERM, or what its manual says (unicorn, Starman, PHP-FPM: QUIT; Apache: WINCH)',
    })
