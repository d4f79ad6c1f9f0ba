import * as z from 'zod'
import { expectedRoot, frontControllerKey } from '../config/php-values.ts'
import { docs, nginxPath } from '../config/values.ts'

const remoteDirectory = 'expected an absolute path without quotes, backslashes, ;, {, } and $'

/** Key `php` of an upstream whose servers run the scripts of a directory. */
export const upstreamPhp = z.strictObject({
  root: z.string({ error: expectedRoot }).regex(nginxPath, expectedRoot).register(docs, {
    description:
      "Document root here, relative to the app's directory: nginx sends its files, and looks for the scripts in it",
  }),
  remote_root: z
    .string({ error: remoteDirectory })
    .regex(/^\/[^"\\;{}$\n\0]*$/, remoteDirectory)
    .optional()
    .register(docs, { description: 'The same directory at the servers, for SCRIPT_FILENAME; default: the path here' }),
  front_controller: frontControllerKey,
  symlinks: z
    .boolean({ error: 'expected true or false' })
    .default(false)
    .register(docs, { description: 'Whether symbolic links below the root are followed, wherever they lead' }),
})
