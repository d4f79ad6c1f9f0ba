import * as z from 'zod'
import { expectedRoot, frontControllerKey } from '../../config/php-values.ts'
import { docs, nginxPath, whole } from '../../config/values.ts'

const configuration = 'expected the path of a php-fpm.conf'

/** Keys of an app that PHP-FPM runs. */
export const php = z.strictObject({
  root: z.string({ error: expectedRoot }).regex(nginxPath, expectedRoot).optional().register(docs, {
    description:
      "Document root, relative to the app's directory; default: the directory in command, or its public, whichever contains index.php",
  }),
  front_controller: frontControllerKey,
  symlinks: z.boolean({ error: 'expected true or false' }).default(false).register(docs, {
    description:
      'Whether symbolic links below the root are followed, wherever they lead, such as public/storage of Laravel',
  }),
  max_children: whole(1, 10_000).optional().register(docs, {
    description:
      'Processes that run PHP, each for one request at a time; default: 64 MB of three quarters of the memory for each, at most 10 per CPU, at least 2',
  }),
  ini: z
    .record(
      z.string().regex(/^[A-Za-z][\w.-]*$/, 'expected the name of a php.ini setting such as memory_limit'),
      z.union([z.string().regex(/^[^\0\n]*$/, 'expected one line'), z.number(), z.boolean()], {
        error: 'expected text, a number, true or false',
      }),
      { error: 'expected settings of php.ini, such as {memory_limit: 256M}' },
    )
    .default({})
    .register(docs, { description: 'Settings of php.ini, such as {memory_limit: 256M, upload_max_filesize: 64M}' }),
  config: z
    .string({ error: configuration })
    .regex(/^[^\0\n]+$/, configuration)
    .optional()
    .register(docs, {
      description:
        "Your own php-fpm.conf with one pool, relative to the app's directory, instead of monohull's. The pool gets monohull's socket, whatever it listens on",
    }),
})

/** Configuration of PHP in an app. */
export type PhpConfig = z.output<typeof php>
