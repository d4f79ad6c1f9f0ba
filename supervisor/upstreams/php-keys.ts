import * as z from 'zod'
import { docs, nginxPath } from '../config/values.ts'

const directory = 'expected a directory without quotes, backslashes, ;, {, } and $'
const remoteDirectory = 'expected an absolute path without quotes, backslashes, ;, {, } and $'
const script = 'expected a path such as /index.php, or off'

/** Key `php` of an upstream whose servers run the scripts of a directory. */
export const upstreamPhp = z.strictObject({
  root: z.string({ error: directory }).regex(nginxPath, directory).register(docs, {
    description:
      "Document root here, relative to the app's directory: nginx sends its files, and looks for the scripts in it",
  }),
  remote_root: z
    .string({ error: remoteDirectory })
    .regex(/^\/[^"\\;{}$\n\0]*$/, remoteDirectory)
    .optional()
    .register(docs, { description: 'The same directory at the servers, for SCRIPT_FILENAME; default: the path here' }),
  front_controller: z
    .union([z.literal('off'), z.string().regex(/^(\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+\.php$/, script)], {
      error: script,
    })
    .default('/index.php')
    .register(docs, {
      description:
        'Script below the root that responds where no file exists; off: 404. A missing script (*.php) is always 404',
    }),
  symlinks: z
    .boolean({ error: 'expected true or false' })
    .default(false)
    .register(docs, { description: 'Whether symbolic links below the root are followed, wherever they lead' }),
})
